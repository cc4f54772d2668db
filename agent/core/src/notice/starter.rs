//! Has a companion started for whoever has a session and no companion: normally the session does that itself.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use forewarn_proto::inventory::Person;
use tokio::time::{Instant, sleep_until};

use crate::ports::{Presenter, Start};

/// How long a companion of before, or the session's own, has to come by itself.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause between two tries.
const LONGEST: Duration = Duration::from_secs(600);
/// One that has attended for so long was not a failure.
const GOOD: Duration = Duration::from_secs(60);

pub(super) struct Starter {
    presenter: Arc<dyn Presenter>,
    people: BTreeMap<Person, Attended>,
}

struct Attended {
    /// When to start one, if none has come by then.
    due: Option<Instant>,
    pause: Duration,
    came: Option<Instant>,
}

impl Starter {
    /// Has companions started for these people.
    pub(super) fn new(presenter: Arc<dyn Presenter>, people: impl IntoIterator<Item = Person>) -> Self {
        let due = Some(Instant::now() + FIRST);
        let attended = || Attended { due, pause: FIRST, came: None };
        Self { presenter, people: people.into_iter().map(|person| (person, attended())).collect() }
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
        let is_coming = is_due && self.presenter.has_session(person);
        is_coming || self.start(person)
    }

    /// Has one started, if there is a session. Says whether there is one.
    pub(super) fn start(&mut self, person: Person) -> bool {
        let Some(attended) = self.people.get_mut(&person) else { return false };
        match self.presenter.start(person) {
            Start::Impossible => false,
            Start::Runs => true,
            Start::Begun => {
                // Should it end before it comes, there is another try.
                attended.pause = (attended.pause * 2).min(LONGEST);
                attended.due = Some(Instant::now() + attended.pause);
                true
            }
        }
    }
}
