use anyhow::{Context, Result};
use forewarn_proto::ipc::{Question, Status};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
};

use crate::config::Config;

/// Asks the daemon.
///
/// # Errors
/// When no daemon answers on the configured socket.
pub(crate) async fn ask(config: &Config, question: &Question) -> Result<Status> {
    let unreachable =
        || format!("the daemon does not answer on {}; start it with `forewarn daemon`", config.socket.display());
    let stream = UnixStream::connect(&config.socket).await.with_context(unreachable)?;
    let mut stream = BufReader::new(stream);
    let mut line = serde_json::to_string(question)?;
    line.push('\n');
    stream.write_all(line.as_bytes()).await.with_context(unreachable)?;
    let mut answer = String::new();
    stream.read_line(&mut answer).await.with_context(unreachable)?;
    serde_json::from_str(&answer).context("the daemon's answer can't be read; is it of another version?")
}
