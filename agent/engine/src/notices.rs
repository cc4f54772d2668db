//! Which notice is due to whom: the first at once, reminders before the deadline, a last call always.
//!
//! However many policies ban an app, one notice speaks of it. It counts for every obligation that it names.

use std::collections::{BTreeMap, BTreeSet};

use forewarn_proto::report::Medium;
use jiff::{SignedDuration, Timestamp};

use crate::{
    Engine, NoticeKind, ObligationId, Settings, Subject,
    state::{Obligation, Place, Waiting},
    time::{after, before},
};

impl Engine {
    pub(crate) fn update_notices(&mut self) {
        for (subject, ids) in self.obligations_by_subject() {
            if let Some((kind, last_call_of)) = self.due_notice(&ids) {
                self.queue(subject, kind, last_call_of);
            }
        }
    }

    /// The obligations that can be told of: all the mail that they could take was looked for.
    fn obligations_by_subject(&self) -> BTreeMap<Subject, Vec<ObligationId>> {
        let mut subjects: BTreeMap<Subject, Vec<ObligationId>> = BTreeMap::new();
        for (id, obligation) in &self.state.obligations {
            if self.policy(&id.policy).is_some_and(|policy| self.knows_mail(policy, id.person)) {
                subjects.entry(obligation.subject(id)).or_default().push(id.clone());
            }
        }
        subjects
    }

    pub(crate) fn obligations_under(&self, subject: &Subject) -> Vec<ObligationId> {
        self.obligations_by_subject().remove(subject).unwrap_or_default()
    }

    /// The notice that is due about an app, if any, and the obligations whose last call it is.
    fn due_notice(&self, ids: &[ObligationId]) -> Option<(NoticeKind, BTreeSet<ObligationId>)> {
        let near: BTreeSet<_> = ids.iter().filter(|id| self.is_last_call_near(id)).cloned().collect();
        if near.iter().any(|id| self.takes_more(id)) {
            return Some((NoticeKind::LastCall, near));
        }
        let untold = |id: &ObligationId| self.state.obligations.get(id).is_some_and(|o| o.shown.is_none());
        let kind = if ids.iter().any(untold) { Some(NoticeKind::First) } else { self.due_reminder(ids) };
        kind.map(|kind| (kind, BTreeSet::new()))
    }

    fn is_last_call_near(&self, id: &ObligationId) -> bool {
        let called = self.state.obligations.get(id).is_none_or(|obligation| obligation.last_call.is_some());
        let near = |deadline| self.time() >= before(deadline, Settings::LAST_CALL);
        !called && self.deadline(id).is_some_and(near)
    }

    /// Whether an obligation can still take something that is in its place.
    fn takes_more(&self, id: &ObligationId) -> bool {
        let gone = |place: &Place| matches!(place, Place::Leaving | Place::Vault);
        let place = |profile| self.state.profiles.get(&profile).map(|profile| profile.place);
        self.profiles_of(id).into_iter().any(|profile| !place(profile).as_ref().is_some_and(gone))
    }

    /// The reminder that is due, for the earliest deadline that is ahead.
    fn due_reminder(&self, ids: &[ObligationId]) -> Option<NoticeKind> {
        let at = self.time();
        let takes =
            |id: &ObligationId| self.policy(&id.policy).is_some_and(|policy| !policy.consequence.mail.is_empty());
        let warns = |id: &ObligationId| !takes(id) || !self.is_certain(id);
        let counts = ids.iter().filter(|id| warns(id) || self.takes_more(id));
        let ahead = counts.filter_map(|id| Some((self.deadline(id)?, id))).filter(|(deadline, _)| *deadline > at);
        let (deadline, id) = ahead.min()?;
        let obligation = self.state.obligations.get(id)?;
        let last_shown = obligation.last_shown?;
        match obligation.snoozed {
            Some(until) if at < until => return None,
            Some(until) if last_shown < until => return Some(NoticeKind::Again),
            Some(_) | None => {}
        }
        let due = self.settings.reminders.iter().filter(|lead| {
            let point = before(deadline, **lead);
            point <= at && last_shown < point
        });
        due.min().map(|lead| NoticeKind::Reminder { before: *lead })
    }

    /// When the next notice about an obligation comes due.
    pub(crate) fn next_notice(&self, id: &ObligationId) -> Option<Timestamp> {
        let at = self.time();
        let call = self.deadline(id).map(|deadline| before(deadline, Settings::LAST_CALL));
        self.reminders_of(id).into_iter().chain(call).filter(|point| *point > at).min()
    }

    /// When reminders are due, the earliest first, whether or not they are ahead.
    pub(crate) fn reminders_of(&self, id: &ObligationId) -> Vec<Timestamp> {
        let Some(deadline) = self.deadline(id) else { return Vec::new() };
        let mut points: Vec<_> = self.settings.reminders.iter().map(|lead| before(deadline, *lead)).collect();
        points.sort();
        points
    }

    /// Puts a notice in line. Another one about the same subject that still waits is replaced.
    pub(crate) fn queue(&mut self, subject: Subject, kind: NoticeKind, last_call_of: BTreeSet<ObligationId>) {
        let same = |waiting: &Waiting| waiting.kind == kind && waiting.last_call_of == last_call_of;
        if !self.state.notices.get(&subject).is_some_and(same) {
            self.state.notices.insert(subject, Waiting::new(kind, last_call_of));
        }
    }

    /// Notes the deadline that the person now knows. Where none runs, what was called before counts no more.
    fn tell(&mut self, id: &ObligationId) {
        let told = self.deadline(id);
        if let Some(obligation) = self.state.obligations.get_mut(id) {
            obligation.told = told;
            obligation.last_call = obligation.last_call.filter(|_| told.is_some());
        }
    }

    /// Takes the receipt of a notice that was asked for last: it counts for everything that it told of, and a former one no
    /// longer for what this one left out.
    pub(crate) fn receive(&mut self, notice: Waiting, medium: Medium) {
        let at = self.time();
        for (id, takes) in notice.tells {
            let Some(obligation) = self.state.obligations.get_mut(&id) else { continue };
            obligation.obstacle = None;
            obligation.last_shown = Some(at);
            if obligation.shown.is_none() {
                obligation.shown = Some(at);
                obligation.shown_on = Some(medium);
                obligation.told_takes = takes;
                obligation.told_lock = notice.locks;
            } else {
                obligation.told_lock &= notice.locks;
                obligation.told_takes.retain(|domain| takes.contains(domain));
            }
            if notice.last_call_of.contains(&id) {
                obligation.last_call.get_or_insert(at);
                obligation.snoozed = None;
            }
            self.tell(&id);
        }
    }

    pub(crate) fn acknowledge(&mut self, subject: &Subject) {
        let at = self.time();
        for obligation in self.shown_under(subject) {
            obligation.acknowledged.get_or_insert(at);
        }
    }

    /// Puts reminders off, at most by [`Settings::LONGEST_SNOOZE`].
    pub(crate) fn snooze(&mut self, subject: &Subject, length: SignedDuration) {
        let until = after(self.time(), length.clamp(SignedDuration::ZERO, Settings::LONGEST_SNOOZE));
        self.shown_under(subject).for_each(|obligation| obligation.snoozed = Some(until));
    }

    fn shown_under(&mut self, subject: &Subject) -> impl Iterator<Item = &mut Obligation> {
        let obligations = self.state.obligations.iter_mut();
        obligations.filter(|(id, o)| o.shown.is_some() && o.subject(id) == *subject).map(|(_, obligation)| obligation)
    }
}

impl Waiting {
    fn new(kind: NoticeKind, last_call_of: BTreeSet<ObligationId>) -> Self {
        let tells = BTreeMap::new();
        Self { id: Default::default(), kind, tells, last_call_of, locks: false, attempts: 0, retry_at: None }
    }
}
