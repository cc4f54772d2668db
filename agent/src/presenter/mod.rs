//! Brings notices to people who have no companion: starts one in their session, or writes on their terminals.

mod companion;
mod terminal;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use forewarn_core::{
    ports::{NotShown, Presenter, Start},
    words::Words,
};
use forewarn_proto::inventory::Person;
use tokio::process::Child;

use crate::people::People;

/// See the module.
pub(crate) struct Sessions {
    people: People,
    /// Where companions speak with us.
    socket: PathBuf,
    /// The terminals that are written on, if they are named.
    terminals: Option<Vec<PathBuf>>,
    /// What was started for each person last: the companion, or what asks for one.
    started: Mutex<BTreeMap<Person, Child>>,
}

impl Sessions {
    pub(crate) fn new(people: People, socket: PathBuf, terminals: Option<Vec<PathBuf>>) -> Self {
        Self { people, socket, terminals, started: Mutex::default() }
    }
}

impl Presenter for Sessions {
    fn has_session(&self, person: Person) -> bool {
        self.people.account_now(person).and_then(companion::bus_of).is_some()
    }

    fn start(&self, person: Person) -> Start {
        let Some(account) = self.people.account_now(person) else { return Start::Impossible };
        let Some(bus) = companion::bus_of(account) else { return Start::Impossible };
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if started.get_mut(&person).is_some_and(|child| matches!(child.try_wait(), Ok(None))) {
            return Start::Runs;
        }
        match companion::spawn(&self.socket, account, bus) {
            Ok(child) => {
                started.insert(person, child);
                Start::Begun
            }
            Err(error) => {
                tracing::warn!("what shows notices to {person} can't be started: {error:#}");
                Start::Impossible
            }
        }
    }

    fn show(&self, person: Person, words: &Words) -> Result<(), NotShown> {
        // Whoever has the number of somebody who left is not told what is theirs, nor counts as told.
        let user = || self.people.account_now(person).map(|account| account.user);
        let shown = user().map(|user| terminal::show(user, self.terminals.as_deref(), words));
        shown.filter(|_| user().is_some()).unwrap_or(Err(NotShown::NoTerminal))
    }
}
