//! Does the engine's effects. Whatever takes time is handed to a task, whose word comes back to the daemon's loop.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use forewarn_engine::{Effect, Engine, Input, ProfileId};
use forewarn_proto::{
    inventory::{Person, Scope},
    report::{Obstacle, Report},
};
use tokio::{
    sync::{mpsc, watch},
    task::AbortHandle,
    time::sleep,
};

use crate::{
    looks::Looks,
    notice::Order,
    ports::{Handled, Profiles, Programs, Scan, Scanner},
    store::Store,
    touched::Touched,
    turns::Turns,
};

/// What tasks of ours say when they are done.
#[derive(Debug)]
pub(crate) enum Done {
    /// A scope was looked at; nothing came of it where the look itself broke off.
    Scanned(Scope, Option<Box<Scan>>),
    /// A profile was dealt with.
    Handled(Box<Handled>),
    /// What was left half done in somebody's home is settled, or not yet.
    Settled(Person, bool),
    /// A program that this profile waits for has closed.
    Closed(ProfileId),
}

/// What to do to a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Errand {
    Revoke { locks: bool },
    Restore,
}

/// Everything with which effects are done.
pub(crate) struct Executor {
    pub(crate) store: Store,
    pub(crate) profiles: Arc<dyn Profiles>,
    pub(crate) programs: Arc<dyn Programs>,
    /// Each person's errands and looks, one at a time in the order in which they came.
    pub(crate) turns: Turns,
    pub(crate) orders: mpsc::UnboundedSender<Order>,
    pub(crate) report: watch::Sender<Option<Report>>,
    pub(crate) done: mpsc::UnboundedSender<Done>,
    pub(crate) scanner: Arc<dyn Scanner>,
    pub(crate) looks: Looks,
    pub(crate) touched: Touched,
    /// Who waits for programs to close.
    pub(crate) closing: BTreeMap<ProfileId, AbortHandle>,
}

impl Executor {
    /// Does one effect; gives an input if it is done at once.
    pub(crate) fn perform(&mut self, effect: Effect, engine: &Engine) -> Option<Input> {
        match effect {
            Effect::Persist(generation) => self.persist(generation, engine),
            Effect::Rescan(None) => {
                self.look_everywhere(engine);
                None
            }
            Effect::Rescan(Some(scope)) => {
                self.look(engine, scope);
                None
            }
            Effect::ShowNotice(notice) => {
                tracing::info!("notice {:?} about {}", notice.kind, notice.subject);
                let id = notice.id;
                self.orders
                    .send(Order::Show(notice, engine.now()))
                    .err()
                    .map(|_| Input::NoticeFailed(id, Obstacle::NoSession))
            }
            Effect::WithdrawNotice(subject) => {
                let _ = self.orders.send(Order::Withdraw(subject));
                None
            }
            Effect::Revoke(id) => {
                let locks = engine.locks(&id);
                self.run(Errand::Revoke { locks }, id)
            }
            Effect::Restore(id) => self.run(Errand::Restore, id),
            Effect::Report(report) => {
                self.report.send_replace(Some(report));
                None
            }
        }
    }

    /// Looks at every scope; none of them waits for another.
    pub(crate) fn look_everywhere(&mut self, engine: &Engine) {
        for scope in self.looks.scopes() {
            self.look(engine, scope);
        }
    }

    pub(crate) fn look(&mut self, engine: &Engine, scope: Scope) {
        if !self.looks.begin(scope) {
            return;
        }
        let (turns, done) = (self.turns.clone(), self.done.clone());
        let (scanner, search) = (self.scanner.clone(), engine.search());
        tokio::spawn(async move {
            // What was seen is said before the turn ends: no errand comes between.
            let _turn = match scope {
                Scope::System => None,
                Scope::Person(person) => turns.of(person).await,
            };
            let look = tokio::spawn(scanner.look(scope, search));
            let _ = done.send(Done::Scanned(scope, look.await.ok().flatten().map(Box::new)));
        });
    }

    /// A look has ended. Another one that was asked for meanwhile begins; one that failed is tried again after a pause.
    pub(crate) fn end_look(&mut self, engine: &Engine, scope: Scope, failed: bool) {
        let (again, pause) = self.looks.end(scope, failed);
        if again {
            self.look(engine, scope);
        } else if let Some(pause) = pause {
            let touched = self.touched.clone();
            tokio::spawn(async move {
                sleep(pause).await;
                touched.add(scope);
            });
        }
    }

    /// Without a state on disk nothing is revoked: the engine waits for the word, and asks again.
    fn persist(&self, generation: u64, engine: &Engine) -> Option<Input> {
        match self.store.set_state(engine.state()) {
            Ok(()) => Some(Input::Persisted(generation)),
            Err(error) => {
                tracing::error!("the state can't be stored, so nothing is revoked: {error:#}");
                None
            }
        }
    }

    fn run(&self, errand: Errand, id: ProfileId) -> Option<Input> {
        let (profiles, done, turns) = (self.profiles.clone(), self.done.clone(), self.turns.clone());
        tokio::spawn(async move {
            // What came of it is said before the turn ends: what follows it is of after.
            let _turn = turns.of(id.person).await;
            let outcome = match errand {
                Errand::Revoke { locks } => profiles.revoke(id, locks).await,
                Errand::Restore => profiles.restore(id).await,
            };
            let _ = done.send(Done::Handled(Box::new(outcome)));
        });
        None
    }

    /// Has what a crash left half done in a home settled.
    pub(crate) fn settle(&self, person: Person) {
        let (profiles, done, turns) = (self.profiles.clone(), self.done.clone(), self.turns.clone());
        tokio::spawn(async move {
            let _turn = turns.of(person).await;
            let _ = done.send(Done::Settled(person, profiles.settle(person).await));
        });
    }

    /// Waits for one of the programs to close. Who waited for this profile before waits no longer.
    pub(crate) fn await_closing(&mut self, id: ProfileId, names: BTreeSet<String>) {
        let (done, awaited) = (self.done.clone(), id.clone());
        let closed = self.programs.closed(id.person, names);
        let task = tokio::spawn(async move {
            closed.await;
            let _ = done.send(Done::Closed(awaited));
        });
        if let Some(former) = self.closing.insert(id, task.abort_handle()) {
            former.abort();
        }
    }
}
