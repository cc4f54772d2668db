use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use forewarn_core::ports::{Asked, Companion, Said};
use forewarn_host::user;
use forewarn_proto::{
    inventory::Person,
    ipc::{Asking, MAX_QUESTION_BYTES, Order, Question},
    report::Medium,
};
use tokio::{
    io::BufReader,
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, oneshot},
    time::{sleep, timeout},
};

use super::line;
use crate::people::People;

/// How long a question may take to be said, and an answer to be taken. Stops those who connect and wait.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many connections one user of this device may hold. Stops: one who takes them all.
const PER_USER: usize = 16;
/// How long a connection holds its place at least, and how much time lies between two words on it. Stops: one who asks so
/// fast that nobody else is heard.
const PACE: Duration = Duration::from_millis(20);
/// How many orders may wait for a companion that does not read. One that waits longer is let go.
const WAITING_ORDERS: usize = 256;

/// Where what comes in goes.
#[derive(Clone)]
struct Door {
    people: People,
    asked: mpsc::Sender<Asked>,
    said: mpsc::Sender<Said>,
    users: Arc<Mutex<Users>>,
}

/// Who is connected.
#[derive(Default)]
struct Users {
    connections: BTreeMap<u32, usize>,
    /// Of whom it was logged that they were refused.
    refused: BTreeSet<u32>,
    /// How many companions have come.
    companions: u64,
}

/// Listens on `socket`. Questions of these people go to `asked`, and what their companions say to `said`.
pub(crate) fn serve(socket: &Path, people: People, asked: mpsc::Sender<Asked>, said: mpsc::Sender<Said>) -> Result<()> {
    if std::os::unix::net::UnixStream::connect(socket).is_ok() {
        bail!("another daemon answers on {}; stop it, or set `socket` in agent.toml", socket.display());
    }
    match fs_err::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        Ok(()) | Err(_) => {}
    }
    let me = user::current();
    let shared = people.accounts().iter().any(|account| account.user != me);
    if let Some(folder) = socket.parent().filter(|_| shared) {
        fs_err::create_dir_all(folder)?;
    }
    let listener = UnixListener::bind(socket).with_context(|| format!("cannot listen on {}", socket.display()))?;
    let mode = if shared { 0o666 } else { 0o600 };
    fs_err::set_permissions(socket, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    let door = Door { people, asked, said, users: Arc::default() };
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => door.open(stream),
                Err(error) => {
                    tracing::warn!("a question could not be taken: {error}");
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    });
    Ok(())
}

impl Door {
    /// Lets a user of this device in, if there is reason to, and room.
    fn open(&self, stream: UnixStream) {
        let Ok(user) = user::peer(&stream) else { return };
        let known = user == user::ROOT || self.people.of_user(user).is_some();
        let mut users = self.users();
        let held = users.connections.get(&user).copied().unwrap_or_default();
        if !known || held >= PER_USER {
            if users.refused.insert(user) {
                let why = if known { "holds too many connections" } else { "has nothing to ask here" };
                tracing::warn!("user {user} {why}, and is refused; said once");
            }
            return;
        }
        users.connections.insert(user, held + 1);
        drop(users);
        let door = self.clone();
        tokio::spawn(async move {
            if let Err(error) = door.attend(stream, user).await {
                tracing::debug!("a connection of user {user} has ended: {error:#}");
            }
            sleep(PACE).await;
            door.close(user);
        });
    }

    fn close(&self, user: u32) {
        let mut users = self.users();
        if let Some(held) = users.connections.get_mut(&user) {
            *held -= 1;
            if *held == 0 {
                users.connections.remove(&user);
            }
        }
    }

    fn users(&self) -> std::sync::MutexGuard<'_, Users> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn attend(&self, stream: UnixStream, user: u32) -> Result<()> {
        let (hears, mut says) = stream.into_split();
        let mut hears = BufReader::new(hears);
        let asking = timeout(PATIENCE, line::read(&mut hears, MAX_QUESTION_BYTES)).await.context("nothing is asked")?;
        let Asking { user: about, question } = asking?.context("nothing is asked")?;
        let about = about.unwrap_or(user);
        let account = self.people.of_user(about).filter(|_| user == user::ROOT || about == user);
        let person = account.with_context(|| format!("user {user} may not ask about user {about}"))?.person;
        if let Question::Attend { medium } = question {
            return self.hear_companion(hears, says, person, medium).await;
        }
        let (sender, answer) = oneshot::channel();
        self.asked.send((person, question, sender)).await?;
        timeout(PATIENCE, line::write(&mut says, &answer.await?)).await.context("the answer is not taken")?
    }

    async fn hear_companion(
        &self,
        mut hears: BufReader<OwnedReadHalf>,
        says: OwnedWriteHalf,
        person: Person,
        medium: Medium,
    ) -> Result<()> {
        let (sender, orders) = mpsc::channel(WAITING_ORDERS);
        let number = {
            let mut users = self.users();
            users.companions += 1;
            users.companions
        };
        self.said.send(Said::Came(Companion { number, person, medium, orders: sender })).await?;
        let hear = async {
            while let Some(word) = line::read(&mut hears, MAX_QUESTION_BYTES).await? {
                self.said.send(Said::Word(number, word)).await?;
                sleep(PACE).await;
            }
            Ok(())
        };
        let ended = tokio::select! {
            ended = hear => ended,
            ended = tell(says, orders) => ended,
        };
        self.said.send(Said::Left(number)).await?;
        ended
    }
}

/// Passes orders on, until there are no more.
async fn tell(mut says: OwnedWriteHalf, mut orders: mpsc::Receiver<Order>) -> Result<()> {
    while let Some(order) = orders.recv().await {
        timeout(PATIENCE, line::write(&mut says, &order)).await.context("it does not read")??;
    }
    Ok(())
}
