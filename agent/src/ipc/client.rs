use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use forewarn_proto::{
    ipc::{Asking, MAX_ORDER_BYTES, Order, Question, Word},
    report::Medium,
};
use serde::de::DeserializeOwned;
use tokio::{
    io::BufReader,
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
};

use super::line;
use crate::config::Config;

/// The longest answer that is read, in bytes. The daemon is trusted; this only stops what answers in its place.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

const TURNED_AWAY: &str = "the daemon does not answer you; it looks after others";

/// A companion's side of its connection to the daemon.
pub(crate) struct Attendance {
    /// What it is told, until the daemon is gone.
    pub(crate) orders: mpsc::Receiver<Order>,
    says: OwnedWriteHalf,
}

impl Attendance {
    /// Says a word to the daemon.
    ///
    /// # Errors
    /// When the daemon is gone.
    pub(crate) async fn say(&mut self, word: &Word) -> Result<()> {
        line::write(&mut self.says, word).await
    }
}

/// Asks the daemon.
///
/// # Errors
/// When no daemon answers on the configured socket, or it does not answer this person.
pub(crate) async fn ask<T: DeserializeOwned>(config: &Config, question: &Question) -> Result<T> {
    let (mut hears, _says) = connect(&config.socket, config.user, question).await?;
    match line::read(&mut hears, MAX_ANSWER_BYTES).await {
        Ok(Some(answer)) => Ok(answer),
        // Whoever is turned away finds the connection closed, or reset.
        Err(error) if !error.is::<std::io::Error>() => Err(error.context("is the daemon of another version?")),
        Ok(None) | Err(_) => bail!(TURNED_AWAY),
    }
}

/// Attends to a person from now on, until this value or the daemon goes.
///
/// # Errors
/// When no daemon listens.
pub(crate) async fn attend(socket: &Path, user: Option<u32>, medium: Medium) -> Result<Attendance> {
    let (mut hears, says) = connect(socket, user, &Question::Attend { medium }).await?;
    let (sender, orders) = mpsc::channel(1);
    tokio::spawn(async move {
        while let Ok(Some(order)) = line::read(&mut hears, MAX_ORDER_BYTES).await {
            if sender.send(order).await.is_err() {
                return;
            }
        }
    });
    Ok(Attendance { orders, says })
}

async fn connect(
    socket: &Path,
    user: Option<u32>,
    question: &Question,
) -> Result<(BufReader<OwnedReadHalf>, OwnedWriteHalf)> {
    let unreachable = || format!("the daemon does not answer on {}; start it with `forewarn daemon`", socket.display());
    let stream = UnixStream::connect(socket).await.with_context(unreachable)?;
    let (me, owner) = (rustix::process::geteuid().as_raw(), stream.peer_cred()?.uid());
    ensure!(owner == 0 || owner == me, "{} is not the daemon's: user {owner} listens there", socket.display());
    let (hears, mut says) = stream.into_split();
    let asking = Asking { user, question: question.clone() };
    line::write(&mut says, &asking).await.context(TURNED_AWAY)?;
    Ok((BufReader::new(hears), says))
}
