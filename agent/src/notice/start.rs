//! Starts the companion of a person who has a session and no companion: normally the session does that itself.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result};
use forewarn_proto::inventory::Person;
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep_until},
};

use crate::{
    people::{Account, People},
    program,
};

/// How long a companion of before, or the session's own, has to come by itself.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause between two tries.
const LONGEST: Duration = Duration::from_secs(600);
/// One that has attended for so long was not a failure.
const GOOD: Duration = Duration::from_secs(60);
/// The environment that says how to speak to the person, and how to find their desktop.
const PASSED_ON: [&str; 5] = ["LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "TZ"];

pub(super) struct Starter {
    socket: PathBuf,
    known: People,
    people: BTreeMap<Person, Attended>,
}

struct Attended {
    account: Account,
    /// When to start one, if none has come by then.
    due: Option<Instant>,
    pause: Duration,
    came: Option<Instant>,
    /// What was started here last: the companion, or what asks for one.
    child: Option<Child>,
}

impl Starter {
    /// Starts companions for these people, with whatever bus they have.
    pub(super) fn new(socket: &Path, people: &People, accounts: &[Account]) -> Self {
        let due = Some(Instant::now() + FIRST);
        let attended =
            |account: &Account| Attended { account: account.clone(), due, pause: FIRST, came: None, child: None };
        Self {
            socket: socket.to_owned(),
            known: people.clone(),
            people: accounts.iter().map(|account| (account.person, attended(account))).collect(),
        }
    }

    /// Waits until a companion is to be started for somebody.
    pub(super) async fn due(&mut self) -> Person {
        let next = self.people.iter().filter_map(|(person, attended)| Some((attended.due?, *person))).min();
        let Some((due, person)) = next else { return std::future::pending().await };
        sleep_until(due).await;
        if let Some(attended) = self.people.get_mut(&person) {
            attended.due = None;
        }
        person
    }

    pub(super) fn came(&mut self, person: Person) {
        if let Some(attended) = self.people.get_mut(&person) {
            attended.due = None;
            attended.came = Some(Instant::now());
        }
    }

    /// One has gone. Another is started, after a pause that grows while they do not stay.
    pub(super) fn left(&mut self, person: Person) {
        let Some(attended) = self.people.get_mut(&person) else { return };
        let stayed = attended.came.take().is_some_and(|came| came.elapsed() > GOOD);
        attended.pause = if stayed { FIRST } else { (attended.pause * 2).min(LONGEST) };
        attended.due = Some(Instant::now() + attended.pause);
    }

    /// There is something to show to somebody to whom nobody attends. Says whether one is on its way.
    pub(super) fn need(&mut self, person: Person) -> bool {
        let is_due = self.people.get(&person).is_some_and(|attended| attended.due.is_some());
        let is_coming = is_due && self.bus_of(person).is_some();
        is_coming || self.start(person)
    }

    fn bus_of(&self, person: Person) -> Option<Bus> {
        bus_of(self.known.account_now(person)?)
    }

    /// Starts one, if there is a session bus. Says whether it was started.
    pub(super) fn start(&mut self, person: Person) -> bool {
        let bus = self.bus_of(person);
        let Some((attended, bus)) = self.people.get_mut(&person).zip(bus) else { return false };
        if attended.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None))) {
            return true;
        }
        match spawn(&self.socket, &attended.account, bus) {
            Ok(child) => {
                attended.child = Some(child);
                // Should it end before it comes, there is another try.
                attended.pause = (attended.pause * 2).min(LONGEST);
                attended.due = Some(Instant::now() + attended.pause);
                true
            }
            Err(error) => {
                tracing::warn!("what shows notices to {person} can't be started: {error:#}");
                false
            }
        }
    }
}

/// A session bus.
enum Bus {
    /// Our own, as the environment names it.
    Named,
    /// The one at which systemd lets this person's session listen.
    Socket(PathBuf),
}

/// An account's session bus, if this process can find it.
fn bus_of(account: &Account) -> Option<Bus> {
    if is_me(account) && std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some() {
        return Some(Bus::Named);
    }
    // systemd, `user@.service`
    let path = Path::new("/run/user").join(account.user.to_string()).join("bus");
    let bus = fs_err::symlink_metadata(&path).ok()?;
    (bus.uid() == account.user && bus.file_type().is_socket()).then_some(Bus::Socket(path))
}

fn is_me(account: &Account) -> bool {
    account.user == forewarn_host::user::current()
}

/// Starts what becomes the person and has them attended to. It inherits nothing of ours: no terminal, no descriptor, no
/// environment but how they are spoken to.
#[expect(clippy::disallowed_methods, reason = "the companion is a process of its own")]
fn spawn(socket: &Path, account: &Account, bus: Bus) -> Result<Child> {
    let program = program::beside("forewarn")?;
    let mut command = Command::new(&program);
    command.arg("--socket").arg(socket).arg("companion");
    command.stdin(Stdio::null()).stdout(Stdio::null()).current_dir("/");
    if let Bus::Socket(path) = bus {
        if !is_me(account) {
            let passed_on = PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
            command.env_clear().envs(passed_on).env("HOME", &account.home).stderr(Stdio::null());
            command.arg(account.user.to_string());
        }
        let mut address = OsString::from("unix:path=");
        address.push(&path);
        command.env("DBUS_SESSION_BUS_ADDRESS", address).env("XDG_RUNTIME_DIR", path.parent().unwrap_or(&path));
    }
    command.spawn().with_context(|| format!("{} can't be run", program.display()))
}
