//! Which notice is due to whom: the first at once, reminders before the deadline, a last call always.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    Effect, Engine, Notice, NoticeKind, Now, ObligationId, Settings, Subject,
    deadline::{after, deadline_from},
    state::{Obligation, Waiting},
};

impl Engine {
    pub(crate) fn update_notices(&mut self, now: &Now) {
        let ids: Vec<ObligationId> = self.state.obligations.keys().cloned().collect();
        for id in ids {
            if let Some(kind) = self.due_notice(&id, now) {
                self.queue(Subject::Obligation(id), kind);
            }
        }
    }

    /// The notice that is due about an obligation, if any.
    fn due_notice(&self, id: &ObligationId, now: &Now) -> Option<NoticeKind> {
        let obligation = self.state.obligations.get(id)?;
        let policy = self.policy(&id.policy)?;
        let (Some(deadline), Some(last_shown)) = (self.deadline(id, now), obligation.last_shown) else {
            // Before mail was looked for, the notice could not say what will be taken.
            let known = policy.consequence.mail.iter().all(|domain| self.mail.domains.contains(domain));
            return known.then_some(NoticeKind::First { version: policy.version });
        };
        let at = self.time();
        let takes = !self.profiles_of(id).is_empty();
        if takes && obligation.last_call.is_none() && at >= before(deadline, Settings::LAST_CALL) {
            return Some(NoticeKind::LastCall);
        }
        let due = self.settings.reminders.iter().filter(|lead| {
            let point = before(deadline, **lead);
            point <= at && last_shown < point
        });
        due.min().map(|lead| NoticeKind::Reminder { before: *lead })
    }

    /// When the next notice about an obligation comes due.
    pub(crate) fn next_notice(&self, id: &ObligationId, now: &Now) -> Option<Timestamp> {
        let deadline = self.deadline(id, now)?;
        let at = self.time();
        let leads = self.settings.reminders.iter().chain([&Settings::LAST_CALL]);
        leads.map(|lead| before(deadline, *lead)).filter(|point| *point > at).min()
    }

    /// Puts a notice in line. A weaker one about the same subject that still waits is replaced.
    pub(crate) fn queue(&mut self, subject: Subject, kind: NoticeKind) {
        let waits = self.state.notices.get(&subject).is_some_and(|waiting| waiting.kind == kind);
        if !waits {
            self.in_flight.notices.remove(&subject);
            let waiting = Waiting { kind, takes: BTreeSet::new(), queued_at: self.time(), attempts: 0, retry_at: None };
            self.state.notices.insert(subject, waiting);
        }
    }

    pub(crate) fn drop_notice(&mut self, subject: &Subject) {
        self.state.notices.remove(subject);
        self.in_flight.notices.remove(subject);
    }

    /// A receipt. It counts for the deadline only if it is for the notice that was asked for last.
    pub(crate) fn notice_shown(&mut self, subject: &Subject, kind: NoticeKind, now: &Now, effects: &mut Vec<Effect>) {
        self.in_flight.notices.remove(subject);
        let expected = self.state.notices.get(subject).filter(|waiting| waiting.kind == kind).cloned();
        if expected.is_some() {
            self.state.notices.remove(subject);
        }
        let at = self.time();
        match subject {
            Subject::Obligation(id) => match self.state.obligations.get_mut(id) {
                Some(obligation) => {
                    obligation.receive(kind, at, expected);
                    self.tell(id, now);
                }
                // The obligation ended while the notice was on its way; who was offered it is remembered.
                None => effects.push(Effect::WithdrawNotice(subject.clone())),
            },
            Subject::Correction(..) => {
                if let Some(correction) = self.state.corrections.get_mut(subject) {
                    correction.report.shown.get_or_insert(at);
                }
            }
            Subject::Profile(_) => {}
        }
    }

    /// Notes the deadline that the person now knows.
    pub(crate) fn tell(&mut self, id: &ObligationId, now: &Now) {
        let told = self.deadline(id, now);
        if let Some(obligation) = self.state.obligations.get_mut(id) {
            obligation.told = told;
        }
    }

    pub(crate) fn notice_failed(&mut self, subject: &Subject) {
        self.in_flight.notices.remove(subject);
        let at = self.time();
        if let Subject::Obligation(id) = subject
            && let Some(obligation) = self.state.obligations.get_mut(id).filter(|o| o.last_shown.is_none())
        {
            obligation.offered = None;
        }
        if let Some(waiting) = self.state.notices.get_mut(subject) {
            waiting.retry_at = Some(after(at, Settings::retry_pause(waiting.attempts)));
            waiting.attempts = waiting.attempts.saturating_add(1);
        }
    }

    pub(crate) fn hand_out_notices(&mut self, now: &Now) -> Vec<Effect> {
        let at = self.time();
        let is_due = |(subject, waiting): &(&Subject, &Waiting)| {
            waiting.retry_at.is_none_or(|retry| retry <= at) && !self.in_flight.notices.contains(*subject)
        };
        let due = self.state.notices.iter().filter(is_due);
        let notices: Vec<Notice> = due.filter_map(|(subject, w)| self.notice(subject, w.kind, now)).collect();
        for notice in &notices {
            self.offer(notice, at);
        }
        notices.into_iter().map(Effect::ShowNotice).collect()
    }

    /// Notes what a person may see from now on.
    fn offer(&mut self, notice: &Notice, at: Timestamp) {
        self.in_flight.notices.insert(notice.subject.clone());
        if let Some(waiting) = self.state.notices.get_mut(&notice.subject) {
            waiting.takes = notice.takes.iter().cloned().collect();
        }
        if let Subject::Obligation(id) = &notice.subject
            && let Some(obligation) = self.state.obligations.get_mut(id)
        {
            obligation.offered.get_or_insert(at);
        }
    }

    fn notice(&self, subject: &Subject, kind: NoticeKind, now: &Now) -> Option<Notice> {
        let blank = Notice {
            subject: subject.clone(),
            kind,
            apps: Vec::new(),
            title: String::new(),
            message: Default::default(),
            deadline: None,
            takes: Vec::new(),
        };
        match subject {
            Subject::Obligation(id) => self.warning(id, blank, now),
            Subject::Profile(id) => {
                Some(Notice { takes: vec![id.domain.clone()], apps: self.apps_taking(id), ..blank })
            }
            Subject::Correction(..) => {
                let correction = self.state.corrections.get(subject)?;
                Some(Notice {
                    apps: correction.apps.clone(),
                    title: correction.title.clone(),
                    message: correction.message.clone(),
                    ..blank
                })
            }
        }
    }

    fn warning(&self, id: &ObligationId, blank: Notice, now: &Now) -> Option<Notice> {
        let policy = self.policy(&id.policy)?;
        let rule = policy.rules.iter().find(|rule| rule.id == id.rule)?;
        let deadline =
            self.deadline(id, now).unwrap_or_else(|| deadline_from(policy, &self.settings, &now.zone, self.time()));
        let takes = self.profiles_of(id).into_iter().map(|profile| profile.domain).collect::<Vec<_>>();
        Some(Notice {
            apps: vec![rule.app.clone()],
            title: policy.title.clone(),
            message: policy.message.clone(),
            deadline: (!takes.is_empty()).then_some(deadline),
            takes,
            ..blank
        })
    }
}

impl Obligation {
    /// Takes a receipt; `expected` is the notice as it waited, if it is the one that was asked for last.
    fn receive(&mut self, kind: NoticeKind, at: Timestamp, expected: Option<Waiting>) {
        self.last_shown = Some(at);
        let Some(notice) = expected else { return };
        if self.shown.is_none() {
            self.shown = Some(at);
            self.told_takes = notice.takes;
        }
        if kind == NoticeKind::LastCall {
            self.last_call.get_or_insert(at);
        }
    }
}

fn before(time: Timestamp, length: jiff::SignedDuration) -> Timestamp {
    time.saturating_sub(length).unwrap_or(Timestamp::MIN)
}
