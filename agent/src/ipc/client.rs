use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use forewarn_host::user;
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
    time::timeout,
};

use super::line;
use crate::config::Config;

/// The longest answer that is read, in bytes. The daemon is trusted; this only stops what answers in its place.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// How long a daemon may take to say the first word to a companion.
const PATIENCE: Duration = Duration::from_secs(5);

const TURNED_AWAY: &str = "the daemon does not answer you; it looks after others";

/// A companion's side of its connection to the daemon.
pub(crate) struct Attendance {
    /// What it is told, until the daemon is gone.
    pub(crate) orders: mpsc::Receiver<Order>,
    says: OwnedWriteHalf,
    /// Where the daemon listens.
    pub(crate) socket: PathBuf,
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
/// When no daemon answers this person, on any of the configured sockets.
pub(crate) async fn ask<T: DeserializeOwned>(config: &Config, question: &Question) -> Result<T> {
    first_of(&config.sockets, async |socket| ask_at(socket, config.user, question).await).await
}

/// Attends to a person from now on, until this value or the daemon goes.
///
/// # Errors
/// As [`ask`].
pub(crate) async fn attend(config: &Config, medium: Medium) -> Result<Attendance> {
    first_of(&config.sockets, async |socket| attend_at(socket, medium).await).await
}

/// What the first of the daemons says that answers.
async fn first_of<T>(sockets: &[PathBuf], ask: impl AsyncFn(&Path) -> Result<T>) -> Result<T> {
    let mut errors = Vec::new();
    for socket in sockets {
        match ask(socket).await {
            Ok(answer) => return Ok(answer),
            Err(error) => errors.push(error),
        }
    }
    // Whoever is there and does not answer tells more than whoever is not there.
    let telling = errors.iter().position(|error| !is_absent(error));
    match (sockets, telling) {
        ([system, own], None) => bail!(
            "no daemon answers, neither the system's on {} nor your own on {}; ask whoever looks after this device to \
             start `forewarn-system`, or start your own with `forewarn daemon`",
            system.display(),
            own.display()
        ),
        (_, telling) => Err(errors.swap_remove(telling.unwrap_or_default())),
    }
}

/// Whether nobody listens there.
fn is_absent(error: &anyhow::Error) -> bool {
    let cause = error.root_cause().downcast_ref::<io::Error>();
    cause.is_some_and(|error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused))
}

async fn ask_at<T: DeserializeOwned>(socket: &Path, user: Option<u32>, question: &Question) -> Result<T> {
    let (mut hears, _says) = connect(socket, user, question).await?;
    match line::read(&mut hears, MAX_ANSWER_BYTES).await {
        Ok(Some(answer)) => Ok(answer),
        // Whoever is turned away finds the connection closed, or reset.
        Err(error) if !error.is::<io::Error>() => Err(error.context("is the daemon of another version?")),
        Ok(None) | Err(_) => bail!(TURNED_AWAY),
    }
}

/// A daemon that takes somebody in tells them at least that nothing waits for them.
async fn attend_at(socket: &Path, medium: Medium) -> Result<Attendance> {
    let (mut hears, says) = connect(socket, None, &Question::Attend { medium }).await?;
    let first = timeout(PATIENCE, line::read(&mut hears, MAX_ORDER_BYTES)).await;
    let Ok(Ok(Some(first))) = first else { bail!(TURNED_AWAY) };
    let (sender, orders) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut order = Some(first);
        while let Some(next) = order {
            if sender.send(next).await.is_err() {
                return;
            }
            order = line::read(&mut hears, MAX_ORDER_BYTES).await.unwrap_or_default();
        }
    });
    Ok(Attendance { orders, says, socket: socket.to_owned() })
}

async fn connect(
    socket: &Path,
    user: Option<u32>,
    question: &Question,
) -> Result<(BufReader<OwnedReadHalf>, OwnedWriteHalf)> {
    let unreachable = || format!("the daemon does not answer on {}; start it with `forewarn daemon`", socket.display());
    let stream = UnixStream::connect(socket).await.with_context(unreachable)?;
    let owner = user::peer(&stream)?;
    ensure!(
        owner == user::ROOT || owner == user::current(),
        "{} is not the daemon's: user {owner} listens there",
        socket.display()
    );
    let (hears, mut says) = stream.into_split();
    let asking = Asking { user, question: question.clone() };
    line::write(&mut says, &asking).await.context(TURNED_AWAY)?;
    Ok((BufReader::new(hears), says))
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncReadExt as _, net::UnixListener};

    use super::*;

    /// What is behind a socket.
    #[derive(Clone, Copy)]
    enum Behind {
        /// No socket.
        Nothing,
        /// A socket of a daemon that has ended.
        Ended,
        /// A daemon that looks after others.
        TurnsAway,
        /// A daemon that answers with its number.
        Answers(u64),
    }

    fn listen(socket: &Path, behind: Behind) {
        let answer = match behind {
            Behind::Nothing => return,
            Behind::Ended => return drop(std::os::unix::net::UnixListener::bind(socket).unwrap()),
            Behind::TurnsAway => None,
            Behind::Answers(number) => Some(number),
        };
        let listener = UnixListener::bind(socket).unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                if let Some(number) = answer {
                    let _ = stream.read(&mut [0; 4096]).await;
                    let _ = line::write(&mut stream, &number).await;
                }
            }
        });
    }

    /// Asks where the system's daemon and the person's own may be; the answer, or the error with the folder left out.
    async fn asked(system: Behind, own: Behind) -> Result<u64, String> {
        let folder = tempfile::tempdir().unwrap();
        let sockets = ["system", "own"].map(|name| folder.path().join(name));
        listen(&sockets[0], system);
        listen(&sockets[1], own);
        let answer = first_of(&sockets, async |socket| ask_at(socket, None, &Question::Status).await).await;
        answer.map_err(|error| format!("{error:#}").replace(&format!("{}/", folder.path().display()), ""))
    }

    #[tokio::test]
    async fn promise_8_a_command_finds_the_daemon_that_answers_its_person() {
        let (system, own) = (Behind::Answers(1), Behind::Answers(2));
        for (at_system, at_own, expected) in [
            (system, own, 1),
            (system, Behind::Nothing, 1),
            (Behind::Nothing, own, 2),
            (Behind::Ended, own, 2),
            (Behind::TurnsAway, own, 2),
        ] {
            assert_eq!(asked(at_system, at_own).await, Ok(expected));
        }
    }

    #[tokio::test]
    async fn promise_8_where_no_daemon_answers_one_sentence_says_where_and_what_to_do() {
        let neither = "no daemon answers, neither the system's on system nor your own on own; ask whoever looks after this \
                       device to start `forewarn-system`, or start your own with `forewarn daemon`";
        for (system, own, expected) in [
            (Behind::Nothing, Behind::Nothing, neither),
            (Behind::Ended, Behind::Nothing, neither),
            (Behind::TurnsAway, Behind::Nothing, TURNED_AWAY),
            (Behind::Nothing, Behind::TurnsAway, TURNED_AWAY),
        ] {
            assert_eq!(asked(system, own).await, Err(expected.to_owned()));
        }
    }
}
