use std::{io, path::Path, time::Duration};

use anyhow::{Context, Result};
use forewarn_proto::ipc::{MAX_QUESTION_BYTES, Question, Status};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::{mpsc, oneshot},
};

/// How long a question may take to be said. Stops those who connect and say nothing.
const PATIENCE: Duration = Duration::from_secs(5);

/// A question, and where its answer goes.
pub(crate) type Asked = (Question, oneshot::Sender<Status>);

/// Listens on `socket` and hands questions of the daemon's own person to `asked`.
pub(crate) fn serve(socket: &Path, asked: mpsc::Sender<Asked>) -> Result<()> {
    match fs_err::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(socket).with_context(|| format!("cannot listen on {}", socket.display()))?;
    fs_err::set_permissions(socket, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(answer(stream, asked.clone()))),
                Err(error) => {
                    tracing::warn!("a question could not be taken: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    });
    Ok(())
}

async fn answer(stream: UnixStream, asked: mpsc::Sender<Asked>) {
    if let Err(error) = tokio::time::timeout(PATIENCE, try_answer(stream, asked)).await {
        tracing::debug!("a question was not finished: {error}");
    }
}

async fn try_answer(stream: UnixStream, asked: mpsc::Sender<Asked>) -> Result<()> {
    let peer = stream.peer_cred()?;
    if peer.uid() != rustix::process::geteuid().as_raw() {
        anyhow::bail!("user {} has nothing to ask here", peer.uid());
    }
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    (&mut stream).take(MAX_QUESTION_BYTES as u64).read_line(&mut line).await?;
    let (sender, receiver) = oneshot::channel();
    asked.send((serde_json::from_str(&line)?, sender)).await?;
    let mut answer = serde_json::to_string(&receiver.await?)?;
    answer.push('\n');
    stream.write_all(answer.as_bytes()).await?;
    Ok(())
}
