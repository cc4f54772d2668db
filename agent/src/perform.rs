//! Does the engine's effects. Whatever takes time is handed to a task, whose word comes back to the daemon's loop.

use std::sync::{Arc, PoisonError};

use forewarn_engine::{Effect, Engine, Input, ProfileId};
use forewarn_inventory::Lister;
use forewarn_proto::report::Report;
use tokio::sync::{Mutex, mpsc, watch};

use crate::{
    config::Config,
    mail::{Errand, Mail},
    notice::Order,
    scan::{self, Extent, Scan},
    store::Store,
};

/// What tasks of ours say when they are done.
#[derive(Debug)]
pub(crate) enum Done {
    /// The device was looked at.
    Scanned(Scan),
    /// A profile was dealt with.
    Mail(Input),
}

/// Everything with which effects are done.
pub(crate) struct Hands {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) mail: Mail,
    /// One errand at a time, in the order in which they came.
    pub(crate) turn: Arc<Mutex<()>>,
    pub(crate) orders: mpsc::UnboundedSender<Order>,
    pub(crate) report: watch::Sender<Option<Report>>,
    pub(crate) done: mpsc::UnboundedSender<Done>,
    /// One look at a time works with it.
    pub(crate) lister: Arc<std::sync::Mutex<Lister>>,
    pub(crate) scanning: bool,
    pub(crate) scan_again: Option<Extent>,
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
                self.orders.send(Order::Show(notice)).err().map(|_| Input::NoticeFailed(id))
            }
            Effect::WithdrawNotice(subject) => {
                let _ = self.orders.send(Order::Withdraw(subject));
                None
            }
            Effect::Revoke(id) => self.run(Errand::Revoke, id),
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
            self.scan_again = self.scan_again.max(Some(extent));
            return;
        }
        self.scanning = true;
        let (places, domains, done) = (self.config.places.clone(), engine.domains(), self.done.clone());
        let (wanted, lister) = (engine.wanted(), self.lister.clone());
        tokio::spawn(async move {
            let broken_off = Scan::broken_off(&places, wanted.clone());
            let look = tokio::task::spawn_blocking(move || {
                // A look that broke off leaves nothing in it that is half done.
                let mut lister = lister.lock().unwrap_or_else(PoisonError::into_inner);
                scan::look(&mut lister, &places, &domains, wanted, extent)
            });
            let _ = done.send(Done::Scanned(look.await.unwrap_or(broken_off)));
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
            let broken = errand.failed(&id);
            let work = tokio::task::spawn_blocking(move || mail.run(errand, &id));
            let _ = done.send(Done::Mail(work.await.unwrap_or(broken)));
        });
        None
    }
}
