//! From a notice that is due to its receipt: handed out, shown or not, and what the person may have seen meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use forewarn_proto::{
    inventory::Person,
    policy::{Domain, Policy},
    report::{Medium, Obstacle},
};
use jiff::Timestamp;

use crate::{
    Effect, Engine, Notice, NoticeId, NoticeKind, Now, ObligationId, ProfileId, Settings, Subject,
    deadline::deadline_from,
    state::{Place, Sight, Waiting},
    time::after,
};

/// What a notice says of each obligation will be taken.
type Tells = BTreeMap<ObligationId, BTreeSet<Domain>>;

impl Engine {
    /// Makes the notices that are due, and notes what people may see from now on. They are shown once that is on disk.
    pub(crate) fn prepare_notices(&mut self, now: &Now) {
        self.drop_unwanted();
        let at = self.time();
        let is_due = |waiting: &Waiting| {
            waiting.retry_at.is_none_or(|retry| retry <= at) && !self.in_flight.notices.contains_key(&waiting.id)
        };
        let due = self.state.notices.iter().filter(|(_, waiting)| is_due(waiting));
        let due: Vec<(Subject, NoticeKind)> = due.map(|(subject, waiting)| (subject.clone(), waiting.kind)).collect();
        for (subject, kind) in due {
            let prepared = self.prepare(subject, kind, now);
            self.prepared.extend(prepared.map(|notice| (at, notice)));
        }
    }

    /// What was prepared and has lost its reason is not shown, and nobody has seen it; what has waited for the disk for long is
    /// prepared anew.
    fn drop_unwanted(&mut self) {
        let at = self.time();
        let wanted = |(made, notice): &(Timestamp, Notice)| {
            self.state.notices.get(&notice.subject).is_some_and(|w| w.id == notice.id)
                && at.duration_since(*made).abs() <= Settings::FIRST_RETRY
        };
        let (kept, dropped) = std::mem::take(&mut self.prepared).into_iter().partition(wanted);
        self.prepared = kept;
        for (_, notice) in dropped {
            self.in_flight.notices.remove(&notice.id);
            self.settle_sights(notice.id, false);
        }
    }

    fn prepare(&mut self, subject: Subject, kind: NoticeKind, now: &Now) -> Option<Notice> {
        let id = self.next_id(now);
        let last_call_of = self.state.notices.get(&subject)?.last_call_of.clone();
        let (notice, tells) = self.compose(id, &subject, kind, &last_call_of)?;
        for told in tells.keys() {
            let obligation = self.state.obligations.get_mut(told)?;
            obligation.sight = Some(Sight::Maybe(id)).max(obligation.sight);
        }
        let waiting = self.state.notices.get_mut(&subject)?;
        waiting.id = id;
        waiting.tells = tells;
        waiting.locks = notice.locks;
        self.state.last_notice = id;
        self.in_flight.notices.insert(id, subject);
        Some(notice)
    }

    fn next_id(&self, now: &Now) -> NoticeId {
        let boot = u64::try_from(now.boot.as_nanos()).unwrap_or_default();
        NoticeId(boot.max(self.state.last_notice.0 + 1))
    }

    fn compose(
        &self,
        id: NoticeId,
        subject: &Subject,
        kind: NoticeKind,
        last_call_of: &BTreeSet<ObligationId>,
    ) -> Option<(Notice, Tells)> {
        let blank = Notice {
            id,
            subject: subject.clone(),
            kind,
            apps: Vec::new(),
            titles: Vec::new(),
            message: BTreeMap::new(),
            deadline: None,
            takes: Vec::new(),
            locks: false,
        };
        match subject {
            Subject::App(..) => self.warning(subject, blank, last_call_of),
            Subject::Profile(profile) => {
                let again = kind == NoticeKind::SetUpAgain;
                let deadline = again.then(|| self.again_deadline_from(profile, self.time())).flatten();
                let takes = vec![profile.domain.clone()];
                Some((Notice { takes, apps: self.apps_taking(profile), deadline, ..blank }, Tells::new()))
            }
            Subject::Correction(..) => {
                let correction = self.state.corrections.get(subject)?;
                let notice = Notice {
                    apps: correction.apps.clone(),
                    titles: vec![correction.title.clone()],
                    message: correction.message.clone(),
                    ..blank
                };
                Some((notice, Tells::new()))
            }
        }
    }

    /// One notice for all policies that ban an app. The earliest deadline governs.
    fn warning(
        &self,
        subject: &Subject,
        blank: Notice,
        last_call_of: &BTreeSet<ObligationId>,
    ) -> Option<(Notice, Tells)> {
        let mut told: Vec<(Timestamp, ObligationId)> = self
            .obligations_under(subject)
            .into_iter()
            .filter_map(|id| Some((self.deadline_if_shown(&id, last_call_of.contains(&id))?, id)))
            .collect();
        told.sort();
        let takes = |id: &ObligationId| self.profiles_of(id).into_iter().map(|p| p.domain).collect::<BTreeSet<_>>();
        let tells: Tells = told.iter().map(|(_, id)| (id.clone(), takes(id))).collect();
        let policies: Vec<&Policy> =
            told.iter().filter_map(|(_, id)| self.policy(&id.policy)).map(|policy| &**policy).collect();
        let apps = told.iter().filter_map(|(_, id)| Some(self.state.obligations.get(id)?.rule.app.clone()));
        let notice = Notice {
            apps: distinct(apps),
            titles: distinct(policies.iter().map(|policy| policy.title.clone())),
            message: policies.first()?.message.clone(),
            // The earliest governs. One that is over is no moment to name: what it takes goes at any moment.
            deadline: told
                .iter()
                .find(|(deadline, id)| *deadline > self.time() && !tells[id].is_empty() || self.still_goes(id))
                .map(|(deadline, _)| *deadline)
                .filter(|deadline| *deadline > self.time()),
            takes: distinct(tells.values().flatten().cloned()),
            locks: policies.iter().any(|policy| policy.consequence.lock),
            ..blank
        };
        Some((notice, tells))
    }

    /// Whether an obligation takes mail that is not in the vault yet.
    fn still_goes(&self, id: &ObligationId) -> bool {
        let is_there = |id: &ProfileId| self.state.profiles.get(id).is_none_or(|profile| profile.place != Place::Vault);
        self.profiles_of(id).iter().any(is_there)
    }

    /// The deadline that runs once this notice is shown now: a late last call moves it on.
    fn deadline_if_shown(&self, id: &ObligationId, is_last_call: bool) -> Option<Timestamp> {
        let policy = self.policy(&id.policy)?;
        let from_now = || deadline_from(policy, &id.rule, &self.settings, &self.zone, self.time());
        let runs = self.deadline(id).unwrap_or_else(from_now);
        let called = self.state.obligations.get(id)?.last_call.is_some();
        if !is_last_call || called {
            return Some(runs);
        }
        Some(policy.deadline.open_from(runs.max(after(self.time(), Settings::LAST_CALL)), &self.zone))
    }

    /// A receipt. It counts only if it is for the notice that was asked for last.
    pub(crate) fn notice_shown(&mut self, id: NoticeId, medium: Medium, effects: &mut Vec<Effect>) {
        let Some(subject) = self.in_flight.notices.remove(&id) else { return };
        self.settle_sights(id, true);
        let expected = self.state.notices.get(&subject).is_some_and(|waiting| waiting.id == id);
        if let Some(waiting) = expected.then(|| self.state.notices.remove(&subject)).flatten() {
            self.note_receipt(&subject, &waiting);
            self.receipt_of(&subject, waiting, medium);
        } else if self.obligations_under(&subject).is_empty() {
            // Its reason ended while it was on its way.
            effects.push(Effect::WithdrawNotice(subject));
        }
    }

    fn receipt_of(&mut self, subject: &Subject, waiting: Waiting, medium: Medium) {
        let at = self.time();
        match subject {
            Subject::App(..) => self.receive(waiting, medium),
            Subject::Correction(..) => {
                if let Some(correction) = self.state.corrections.get_mut(subject) {
                    correction.report.shown.get_or_insert(at);
                }
            }
            Subject::Profile(id) if waiting.kind == NoticeKind::SetUpAgain => self.told_again(id),
            Subject::Profile(_) => {}
        }
    }

    /// A notice that does not count as shown. `seen`: somebody may have seen it all the same, and is owed a correction.
    pub(crate) fn notice_failed(&mut self, id: NoticeId, obstacle: Obstacle, seen: bool) {
        let Some(subject) = self.in_flight.notices.remove(&id) else { return };
        self.settle_sights(id, seen);
        let at = self.time();
        let Some(waiting) = self.state.notices.get_mut(&subject).filter(|waiting| waiting.id == id) else { return };
        waiting.retry_at = Some(after(at, Settings::retry_pause(waiting.attempts)));
        waiting.attempts = waiting.attempts.saturating_add(1);
        for told in waiting.tells.keys() {
            if let Some(obligation) = self.state.obligations.get_mut(told) {
                obligation.obstacle = Some(obstacle);
            }
        }
    }

    /// What waits for this person is tried again: notices now, and what goes back soon, since their home is open.
    pub(crate) fn person_reachable(&mut self, person: Person) {
        self.unattended.remove(&person);
        let theirs = self.state.notices.iter_mut().filter(|(subject, _)| subject.person() == person);
        for (_, waiting) in theirs {
            waiting.retry_at = None;
            waiting.attempts = 0;
        }
        let soon = after(self.time(), Settings::FIRST_RETRY);
        for (_, profile) in self.state.profiles.iter_mut().filter(|(id, _)| id.person == person) {
            profile.retry_at = profile.retry_at.map(|retry| retry.min(soon));
            // It goes on failing, as reports say, until it is done.
            profile.attempts = profile.attempts.min(1);
        }
    }

    /// What became of a notice is known: what somebody may have seen of it, they have, or have not.
    fn settle_sights(&mut self, notice: NoticeId, shown: bool) {
        let settled = |sight: Sight| match sight {
            Sight::Maybe(id) if id == notice => shown.then_some(Sight::Certain),
            Sight::Maybe(_) | Sight::Certain => Some(sight),
        };
        for obligation in self.state.obligations.values_mut() {
            obligation.sight = obligation.sight.and_then(settled);
        }
        for people in self.state.seen.values_mut() {
            *people = people.iter().filter_map(|(person, sight)| Some((*person, settled(*sight)?))).collect();
        }
        self.state.seen.retain(|_, people| !people.is_empty());
    }

    /// The apps for which a profile is, or will be, taken.
    fn apps_taking(&self, profile: &ProfileId) -> Vec<String> {
        let ids = self.state.obligations.iter().filter(|(id, _)| self.profiles_of(id).contains(profile));
        distinct(ids.map(|(_, obligation)| obligation.rule.app.clone()))
    }
}

/// The items without repetition, each where it came first.
fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.fold(Vec::new(), |mut seen, item| {
        if !seen.contains(&item) {
            seen.push(item);
        }
        seen
    })
}
