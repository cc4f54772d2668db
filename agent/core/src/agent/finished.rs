//! What our own tasks bring back.

use forewarn_engine::Input;
use forewarn_proto::inventory::Scope;

use super::Agent;
use crate::{
    executor::Done,
    ports::{Handled, Scan},
};

impl Agent {
    pub(super) fn finish(&mut self, done: Done) {
        match done {
            Done::Handled(done) => self.finish_errand(*done),
            Done::Closed(id) => self.give(Input::ClientClosed(id)),
            Done::Settled(person, false) => drop(self.unsettled.insert(person)),
            Done::Settled(person, true) => self.executor.look(&self.engine, Scope::Person(person)),
            Done::Scanned(scope, scan) => self.finish_look(scope, scan),
        }
    }

    fn finish_look(&mut self, scope: Scope, scan: Option<Box<Scan>>) {
        self.executor.end_look(&self.engine, scope, scan.as_ref().is_none_or(|scan| scan.failed));
        match scan {
            Some(scan) => self.take_scan(*scan),
            None => {
                tracing::error!("a look broke off; this is a defect");
                self.give(Input::LookFailed(scope));
            }
        }
    }

    fn take_scan(&mut self, scan: Scan) {
        self.isolation = scan.isolation.or(self.isolation);
        // The home is open.
        if let (Scope::Person(person), Some(_)) = (scan.look.scope, &scan.look.mail)
            && self.unsettled.remove(&person)
        {
            self.executor.settle(person);
        }
        self.give(Input::Looked(scan.look));
    }

    fn finish_errand(&mut self, done: Handled) {
        let Handled { id, input, notes, waiting, store_open } = done;
        for note in &notes {
            tracing::warn!("the mail profile of {}: {note}", id.domain);
        }
        self.mail_notes.insert(id.clone(), notes);
        if !waiting.is_empty() {
            self.executor.await_closing(id.clone(), waiting);
        }
        self.give(input);
        if store_open {
            self.give(Input::StoreLeftOpen(id));
        }
    }
}
