//! What our own tasks bring back.

use forewarn_engine::{Input, Listing};
use forewarn_proto::inventory::Scope;

use super::Daemon;
use crate::{
    mail,
    perform::Done,
    scan::{self, Extent, Scan},
};

impl Daemon {
    pub(super) fn finish(&mut self, done: Done) {
        match done {
            Done::Mail(done) => self.finish_errand(*done),
            Done::Closed(id) => self.give(Input::ClientClosed(id)),
            Done::Settled(person, false) => drop(self.unsettled.insert(person)),
            Done::Settled(person, true) => self.hands.look(&self.engine, Scope::Person(person), Extent::Changes),
            Done::Scanned(scope, scan) => self.finish_look(scope, scan),
        }
    }

    fn finish_look(&mut self, scope: Scope, scan: Option<Box<Scan>>) {
        let was_known = self.hands.looks.are_complete();
        let failed = scan.as_ref().is_none_or(|scan| scan.failed);
        let is_of_before = scan.as_ref().is_some_and(|scan| scan.wanted != self.engine.wanted());
        self.hands.end_look(&self.engine, scope, failed);
        match scan {
            // It says nothing of what rules name now.
            Some(_) if is_of_before => return self.hands.look(&self.engine, scope, Extent::Whole),
            Some(scan) => self.take_scan(*scan),
            None => tracing::error!("a look broke off; this is a defect"),
        }
        self.hands.looks.note(scope);
        if !was_known && self.hands.looks.are_complete() {
            // Though no home may be open: else a device would never report.
            self.give(Input::MailFound(self.mail.clone()));
            self.hands.report.send_replace(self.engine.state().undelivered_report().cloned());
        }
    }

    fn finish_errand(&mut self, done: mail::Done) {
        let mail::Done { id, input, notes, waiting, store_open } = done;
        for note in &notes {
            tracing::warn!("the mail profile of {}: {note}", id.domain);
        }
        self.mail_notes.insert(id.clone(), notes);
        // What was known of it is of before.
        self.mail.people.remove(&id.person);
        if !waiting.is_empty() {
            self.hands.await_closing(id.clone(), waiting);
        }
        let scope = Scope::Person(id.person);
        self.give(input);
        if store_open {
            self.give(Input::StoreLeftOpen(id));
        }
        self.hands.look(&self.engine, scope, Extent::Changes);
    }

    /// The engine keeps no packages; what it is given anew is what has changed, if it has the rest.
    fn take_scan(&mut self, scan: Scan) {
        self.isolation = scan.isolation.or(self.isolation);
        if let (Scope::Person(person), Some(mail)) = (scan.scope, scan.mail) {
            if self.unsettled.remove(&person) {
                self.hands.settle(person);
            }
            self.mail.people.insert(person, mail);
            self.give(Input::MailFound(self.mail.clone()));
        }
        let changes = scan::changes(&self.listed, &scan.listings).filter(|_| scan.extent != Extent::Whole);
        let place = |listing: &Listing| (listing.source, listing.scope);
        self.listed.retain(|former| scan.listings.iter().all(|new| place(new) != place(former)));
        self.listed.extend(scan.listings.iter().cloned());
        self.give(changes.map_or(Input::InventoryTaken(scan.listings.into()), Input::InventoryChanged));
    }
}
