//! Does the engine's effects. Whatever takes time is handed to a task, whose word comes back to the daemon's loop.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use forewarn_engine::{Effect, Engine, Input, ProfileId};
use forewarn_mail::Client;
use forewarn_proto::{
    inventory::Person,
    report::{Obstacle, Report},
};
use tokio::{
    sync::{Mutex, mpsc, watch},
    task::AbortHandle,
};

use crate::{
    mail::{self, Mail},
    notice::Order,
    people::People,
    running,
    scan::{Extent, Scan, Scanner, Search},
    store::Store,
};

/// What tasks of ours say when they are done.
#[derive(Debug)]
pub(crate) enum Done {
    /// The device was looked at; nothing came of it where the look itself broke off.
    Scanned(Option<Scan>),
    /// A profile was dealt with.
    Mail(mail::Done),
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
pub(crate) struct Hands {
    pub(crate) people: People,
    pub(crate) store: Store,
    pub(crate) mail: Mail,
    /// One errand at a time, in the order in which they came.
    pub(crate) turn: Arc<Mutex<()>>,
    pub(crate) orders: mpsc::UnboundedSender<Order>,
    pub(crate) report: watch::Sender<Option<Report>>,
    pub(crate) done: mpsc::UnboundedSender<Done>,
    pub(crate) scanner: Scanner,
    pub(crate) scanning: bool,
    pub(crate) scan_again: Option<Extent>,
    /// How many errands about mail have been done.
    pub(crate) errands: u64,
    /// Who waits for programs to close.
    pub(crate) closing: BTreeMap<ProfileId, AbortHandle>,
}

impl Hands {
    /// Does one effect; gives an input if it is done at once.
    pub(crate) fn perform(&mut self, effect: Effect, engine: &Engine) -> Option<Input> {
        match effect {
            Effect::Persist(generation) => self.persist(generation, engine),
            Effect::Rescan => {
                self.scan(engine, Extent::Whole);
                None
            }
            Effect::ShowNotice(notice) => {
                tracing::info!("notice {:?} about {}", notice.kind, notice.subject);
                let id = notice.id;
                self.orders.send(Order::Show(notice)).err().map(|_| Input::NoticeFailed(id, Obstacle::NoSession))
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

    /// A look that begins while another runs would see an older device than it claims, so it waits for its turn.
    pub(crate) fn scan(&mut self, engine: &Engine, extent: Extent) {
        if self.scanning {
            self.scan_again = Some(match self.scan_again.take() {
                Some(waiting) => waiting.and(extent),
                None => extent,
            });
            return;
        }
        self.scanning = true;
        let (scanner, done) = (self.scanner.clone(), self.done.clone());
        let search = Search { wanted: engine.wanted(), domains: engine.domains(), errands: self.errands };
        tokio::spawn(async move {
            let look = tokio::spawn(async move { scanner.look(search, extent).await });
            let _ = done.send(Done::Scanned(look.await.ok()));
        });
    }

    /// A look has ended. Another one that was asked for meanwhile begins.
    pub(crate) fn end_scan(&mut self, engine: &Engine) {
        self.scanning = false;
        if let Some(extent) = self.scan_again.take() {
            self.scan(engine, extent);
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
        let (mail, done, turn) = (self.mail.clone(), self.done.clone(), self.turn.clone());
        tokio::spawn(async move {
            let _turn = turn.lock_owned().await;
            let outcome = match errand {
                Errand::Revoke { locks } => mail.revoke(id, locks).await,
                Errand::Restore => mail.restore(id).await,
            };
            let _ = done.send(Done::Mail(outcome));
        });
        None
    }

    /// Has what a crash left half done in a home settled, now that it is open.
    pub(crate) fn settle(&self, person: Person) {
        let (mail, done, turn) = (self.mail.clone(), self.done.clone(), self.turn.clone());
        tokio::spawn(async move {
            let _turn = turn.lock_owned().await;
            let _ = done.send(Done::Settled(person, mail.settle(person).await));
        });
    }

    /// Waits for one of the programs to close. Who waited for this profile before waits no longer.
    pub(crate) fn await_closing(&mut self, id: ProfileId, programs: BTreeSet<Client>) {
        let (done, awaited) = (self.done.clone(), id.clone());
        let Some(user) = self.people.account(id.person).map(|account| account.user) else { return };
        let task = tokio::spawn(async move {
            running::closed(user, programs).await;
            let _ = done.send(Done::Closed(awaited));
        });
        if let Some(former) = self.closing.insert(id, task.abort_handle()) {
            former.abort();
        }
    }
}
