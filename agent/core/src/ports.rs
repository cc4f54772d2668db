//! What the agent needs of the system that it runs on, in the agent's own words. A host has one type for each.

use std::{collections::BTreeSet, path::Path};

use anyhow::Result;
use forewarn_engine::{Input, Look, Now, ProfileId, Search};
use forewarn_proto::{
    inventory::{Person, Scope},
    ipc::{Appealed, Entry, Isolation, Order, Question, Status, Word},
    policy::Domain,
    report::Medium,
};
use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use crate::words::Words;

/// Mail profiles. Each person has one thing done at a time.
pub trait Profiles: Send + Sync {
    /// Settles what a crash left half done in somebody's home; says whether that is done. It is not where the home is not open.
    fn settle(&self, person: Person) -> BoxFuture<'static, bool>;
    /// Takes a profile; `locks`: its stored mail is locked too. Nothing is taken from somebody who is still to be told anew.
    fn revoke(&self, id: ProfileId, locks: bool) -> BoxFuture<'static, Handled>;
    /// Gives a profile back.
    fn restore(&self, id: ProfileId) -> BoxFuture<'static, Handled>;
}

/// What became of a profile.
#[derive(Debug)]
pub struct Handled {
    /// Which one.
    pub id: ProfileId,
    /// What the engine hears.
    pub input: Input,
    /// What kept an account from being taken or given back, in words.
    pub notes: Vec<String>,
    /// The programs that have to close first, by their names.
    pub waiting: BTreeSet<String>,
    /// Whether stored mail that was to be locked can still be read.
    pub store_open: bool,
}

/// What is held at the start, before any home is looked into.
#[derive(Debug, Default)]
pub struct Held {
    /// Whose mail of which domains is in the vault.
    pub held: Vec<(Person, Domain)>,
    /// Whose vault could not be read, and why. What they have in it is not known.
    pub failed: Vec<(Person, anyhow::Error)>,
}

/// Programs that run.
pub trait Programs: Send + Sync {
    /// Waits until one of somebody's programs of these names has closed. For ever, if none of them runs now: then the next try
    /// will tell.
    fn closed(&self, person: Person, names: BTreeSet<String>) -> BoxFuture<'static, ()>;
}

/// Looks at the device: packages, and who has company mail.
pub trait Scanner: Send + Sync {
    /// Looks at a scope. What comes after it has begun is a hint again. None for somebody who is not looked after.
    fn look(&self, scope: Scope, search: Search) -> BoxFuture<'static, Option<Scan>>;
    /// Somebody has come, and may have opened their home by that.
    fn came(&self, person: Person);
}

/// What came of a look.
#[derive(Debug)]
pub struct Scan {
    /// What the engine hears.
    pub look: Look,
    /// How far whatever looked was shut in.
    pub isolation: Option<Isolation>,
    /// Whether something did not answer, which may another time.
    pub failed: bool,
}

/// A timer that counts suspend.
pub trait Alarm: Send {
    /// Returns after `length`, or as soon as a simulated clock was moved. Without a length, only the latter.
    fn sleep(&mut self, length: Option<SignedDuration>) -> BoxFuture<'_, Result<()>>;
}

/// Clocks, zone and private files.
pub trait Device: Send + Sync {
    /// All clocks, and the zone.
    fn now(&self) -> Now;
    /// Whether the clocks are moved by a file.
    fn is_simulated(&self) -> bool;
    /// A timer that no simulated clock moves.
    ///
    /// # Errors
    /// When the system has none to give.
    fn timer(&self) -> Result<Box<dyn Alarm>>;
    /// Writes a file that its owner alone can open, all of it or nothing, in a folder of the same kind.
    ///
    /// # Errors
    /// When it can't be written; the former one stays.
    fn write_private(&self, path: &Path, bytes: &[u8]) -> Result<()>;
}

/// Who is looked after.
pub trait People: Send + Sync {
    /// Everybody.
    fn persons(&self) -> Vec<Person>;
    /// The engine has on disk that this person is told anew.
    ///
    /// # Errors
    /// When that can't be noted.
    fn forget_to_tell(&self, person: Person) -> Result<()>;
}

/// Brings notices to people who have no companion.
pub trait Presenter: Send + Sync {
    /// Whether this person has a session in which a companion can be.
    fn has_session(&self, person: Person) -> bool;
    /// Starts a companion in the person's session.
    fn start(&self, person: Person) -> Start;
    /// Shows this on the terminals that the person uses.
    ///
    /// # Errors
    /// Why it was not shown.
    fn show(&self, person: Person, words: &Words) -> Result<(), NotShown>;
}

/// What became of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// It is started.
    Begun,
    /// The one that was started last still runs.
    Runs,
    /// There is no session, or it can't be started.
    Impossible,
}

/// Why nothing was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotShown {
    /// There is no terminal of theirs, or none takes it.
    NoTerminal,
    /// There is one, and nobody has used it lately.
    NobodyThere,
}

/// A question, who asks, and where its answer goes.
pub type Asked = (Person, Question, oneshot::Sender<Answer>);

/// What is answered, depending on the question.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// How somebody stands.
    Status(Box<Status>),
    /// What was decided about them.
    Log(Vec<Entry>),
    /// Whether what they contest went on its way.
    Appealed(Appealed),
}

/// What puts notices before a person.
#[derive(Debug)]
pub struct Companion {
    /// Tells it from every other that ever came.
    pub number: u64,
    /// For whom it speaks.
    pub person: Person,
    /// How it shows.
    pub medium: Medium,
    /// What it is told.
    pub orders: mpsc::Sender<Order>,
}

/// What is heard of companions.
#[derive(Debug)]
pub enum Said {
    /// One has come.
    Came(Companion),
    /// This one says something.
    Word(u64, Word),
    /// This one is gone.
    Left(u64),
}
