//! What the server sends: verified beside the loop, judged here.

use std::time::Duration;

use forewarn_engine::{Input, PolicySet};
use forewarn_proto::{
    push::Frame,
    report::{Refusal, Unread},
};

use super::Agent;
use crate::{
    sync::Heard,
    trust::{Examined, Offer, Verdict},
};

impl Agent {
    pub(super) fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Connected(connected) => self.connected = connected,
            Heard::Alive => self.heard_at = Some(self.engine.now()),
            Heard::Delivered(sequence) => self.give(Input::ReportDelivered(sequence)),
            Heard::Frame(frame) => self.hear_frame(*frame),
            Heard::Bundle(Ok(bytes)) => self.offer(Offer::Bundle(bytes)),
            Heard::Bundle(Err(refusal)) => self.refuse(refusal),
        }
    }

    fn hear_frame(&mut self, frame: Frame) {
        self.give(Input::ServerTime(frame.time));
        let now = self.engine.now();
        self.heard_at = Some(now);
        self.time.send_replace(now);
        if let Some(undo) = frame.undo {
            self.offer(Offer::Undo(undo));
        }
        match frame.bundle {
            Some(text) => self.offer(Offer::Bundle(text.into_bytes())),
            None => match self.trust.confirms(&frame.digest, now) {
                Ok(true) => self.give(Input::PoliciesConfirmed),
                Ok(false) => tracing::debug!("the server speaks of a bundle that is not here"),
                Err(refusal) => self.refuse(refusal),
            },
        }
    }

    /// Has this verified, in its turn.
    fn offer(&mut self, offer: Offer) {
        self.offers.add(offer);
        self.examine_next();
    }

    fn examine_next(&mut self) {
        if let Some(offer) = self.offers.next() {
            let (examining, examined) = (self.trust.examine(offer), self.examined.clone());
            tokio::spawn(async move { examined.send(examining.await) });
        }
    }

    pub(super) fn judge(&mut self, examined: Examined) {
        let verdict = self.trust.judge(examined, self.engine.now(), &self.executor.store);
        if let Verdict::Postponed(.., offer) = &verdict {
            let pause = self.offers.postpone(Some(offer.clone()));
            self.resume_after(pause);
        } else {
            self.offers.judged();
        }
        match verdict {
            Verdict::Accepted(set) => {
                self.take_policies(set);
                self.give(Input::PoliciesConfirmed);
            }
            Verdict::Restored(set) => self.take_policies(set),
            Verdict::Undoes(undoing) => self.give(Input::UndoingHeard(undoing)),
            Verdict::Unusable(refusal) => tracing::debug!("what undoes waits for its bundle: {refusal}"),
            Verdict::Refused(refusal, undoing) => {
                self.give(Input::UndoingHeard(undoing));
                self.refuse(refusal);
            }
            Verdict::Postponed(refusal, undoing, _) => {
                self.give(Input::UndoingHeard(undoing));
                self.refuse(refusal);
            }
        }
        self.examine_next();
    }

    pub(super) fn take_policies(&mut self, set: PolicySet) {
        tracing::info!("bundle {} is in force", set.bundle);
        for Unread { document, why } in &set.unread {
            tracing::warn!("nothing is taken by {document}, which can't be read: {why}");
        }
        self.known.send_replace(self.trust.digest().unwrap_or_default().to_owned());
        self.give(Input::PoliciesVerified(set));
    }

    /// Offers what was accepted before this start; later, if it can't be read now.
    pub(super) fn offer_stored(&mut self) {
        match self.trust.stored(&self.executor.store) {
            Ok(offer) => offer.into_iter().for_each(|offer| self.offer(offer)),
            Err(error) => {
                tracing::error!("what was accepted before can't be read now: {error:#}");
                let pause = self.offers.postpone(None);
                self.resume_after(pause);
            }
        }
    }

    /// What was postponed is offered again after a pause.
    fn resume_after(&self, pause: Option<Duration>) {
        let (Some(pause), resumed) = (pause, self.resumed.clone()) else { return };
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            resumed.send(())
        });
    }

    /// What was postponed is to be offered again; where there is nothing, what was accepted before this start.
    pub(super) fn resume(&mut self) {
        match (self.offers.resume(), self.trust.policies()) {
            (true, _) => self.examine_next(),
            (false, None) => self.offer_stored(),
            (false, Some(_)) => {}
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        tracing::warn!("a bundle is refused: {refusal}");
        self.give(Input::BundleRefused(refusal));
    }
}
