//! What becomes of a notice after it was shown: one that vanished before anybody could have read it was not shown, and one that
//! is no longer there is shown again.

use std::collections::BTreeMap;

use forewarn_proto::report::Obstacle;
use jiff::Timestamp;

use crate::{
    Engine, NoticeId, NoticeKind, ObligationId, ProfileId, Settings, Subject,
    state::{Again, Obligation, Place, Waiting},
    time::after,
};

/// A notice that was shown, and how things stood before.
#[derive(Debug, Clone)]
pub(crate) struct Receipt {
    waiting: Waiting,
    obligations: BTreeMap<ObligationId, Obligation>,
    again: Option<Again>,
    /// How many notices about this have vanished one after the other.
    vanished: u32,
}

impl Engine {
    /// Remembers how things stood before a receipt was taken.
    pub(crate) fn note_receipt(&mut self, subject: &Subject, waiting: &Waiting) {
        let of = |id: &ObligationId| Some((id.clone(), self.state.obligations.get(id)?.clone()));
        let again = match subject {
            Subject::Profile(id) => self.state.profiles.get(id).and_then(|profile| profile.again.clone()),
            Subject::App(..) | Subject::Correction(..) => None,
        };
        let vanished = self.receipts.get(subject).map_or(0, |former| former.vanished);
        let obligations = waiting.tells.keys().filter_map(of).collect();
        self.receipts.insert(subject.clone(), Receipt { waiting: waiting.clone(), obligations, again, vanished });
    }

    /// It vanished before anybody could have read it. What followed from it does not; it is shown again, ever later if it goes on
    /// vanishing.
    pub(crate) fn notice_unread(&mut self, id: NoticeId) {
        let Some((subject, receipt)) = self.receipt(id) else { return };
        for (id, before) in &receipt.obligations {
            if let Some(obligation) = self.state.obligations.get_mut(id) {
                obligation.take_back(before);
            }
        }
        match &subject {
            Subject::Profile(id) => {
                let again = self.state.profiles.get_mut(id).and_then(|profile| profile.again.as_mut());
                again.into_iter().for_each(|again| again.clone_from(&receipt.again.clone().unwrap_or_default()));
            }
            Subject::Correction(..) => {
                let correction = self.state.corrections.get_mut(&subject);
                correction.into_iter().for_each(|correction| correction.report.shown = None);
            }
            Subject::App(..) => {}
        }
        let pause = receipt.vanished.checked_sub(1).map(Settings::retry_pause);
        let retry_at = pause.map(|pause| after(self.time(), pause));
        self.show_again(&subject, &receipt.waiting, retry_at);
        self.receipts.insert(subject, Receipt { vanished: receipt.vanished.saturating_add(1), ..receipt });
    }

    /// It is no longer there, and could be read. It is shown again as things stand now.
    pub(crate) fn notice_gone(&mut self, id: NoticeId) {
        if let Some((subject, receipt)) = self.receipt(id) {
            self.show_again(&subject, &receipt.waiting, None);
        }
    }

    fn receipt(&mut self, id: NoticeId) -> Option<(Subject, Receipt)> {
        let subject = self.receipts.iter().find(|(_, receipt)| receipt.waiting.id == id)?.0.clone();
        let receipt = self.receipts.remove(&subject)?;
        Some((subject, receipt))
    }

    /// Puts a notice in line once more, if there is still reason for it and nothing newer waits.
    fn show_again(&mut self, subject: &Subject, waiting: &Waiting, retry_at: Option<Timestamp>) {
        let place = |id: &ProfileId| self.state.profiles.get(id).map(|profile| profile.place);
        let has_reason = match subject {
            Subject::App(..) => !self.obligations_under(subject).is_empty(),
            Subject::Correction(..) => self.state.corrections.contains_key(subject),
            Subject::Profile(id) if waiting.kind == NoticeKind::Restored => place(id).is_none(),
            Subject::Profile(id) => place(id).is_some_and(|place| place != Place::Returning),
        };
        if has_reason {
            let attempts = u32::from(retry_at.is_some());
            let again =
                Waiting { id: NoticeId::default(), tells: BTreeMap::new(), attempts, retry_at, ..waiting.clone() };
            self.state.notices.entry(subject.clone()).or_insert(again);
        }
    }
}

impl Obligation {
    /// The notice that was shown last was not. What the person did besides stands.
    fn take_back(&mut self, before: &Self) {
        let is_same =
            (self.version, &self.rule, self.acknowledged) == (before.version, &before.rule, before.acknowledged);
        if is_same {
            self.shown = before.shown;
            self.shown_on = before.shown_on;
            self.last_shown = before.last_shown;
            self.last_call = before.last_call;
            self.told = before.told;
            self.told_lock = before.told_lock;
            self.told_takes.clone_from(&before.told_takes);
            self.snoozed = before.snoozed;
            self.obstacle = Some(Obstacle::Vanished);
        }
    }
}
