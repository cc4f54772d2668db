//! From findings to obligations: whom a rule obliges, and what a change of policy does to that.

use std::collections::BTreeSet;

use forewarn_proto::{
    inventory::{Person, Scope},
    policy::{Domain, Policy, PolicyId, Rule},
    report::{CorrectionReport, Finding},
};
use jiff::Timestamp;

use crate::{
    App, Effect, Engine, NoticeKind, ObligationId, ProfileId, Settings, Subject,
    deadline::deadline_from,
    finding::{Found, RuleKey, is_certain, obliges},
    state::{Correction, Match, Obligation, Sight},
    time::after,
};

impl Engine {
    /// Brings obligations in line with findings and policies. Does nothing until policies were verified once, so that
    /// a device that can't read its policies neither revokes nor forgets.
    pub(crate) fn update_obligations(&mut self, effects: &mut Vec<Effect>) {
        if self.policies.is_none() {
            return;
        }
        self.find_obligations();
        let mut lost = BTreeSet::new();
        let ids: Vec<ObligationId> = self.state.obligations.keys().cloned().collect();
        for id in ids {
            match self.policy(&id.policy).cloned() {
                Some(policy) if self.still_stands(&policy, &id) => {
                    self.follow_policy(&policy, &id);
                    self.vouch(&id);
                    self.follow_mail(&policy, &id);
                }
                None if self.is_unread(&id) => self.suspend(&id),
                Some(_) | None => drop(lost.insert(self.end(&id, effects))),
            }
        }
        self.renew_notices(&lost);
        self.correct_withdrawn();
    }

    fn find_obligations(&mut self) {
        let at = self.time();
        for (key, scope) in self.listings.matching() {
            let Some(policy) = self.policy(&key.policy).cloned() else { continue };
            let Some(rule) = policy.rules.iter().find(|rule| rule.id == key.rule) else { continue };
            if self.spared(&key.policy, &key.rule).is_some() || !self.is_reached(&policy) {
                continue;
            }
            for person in self.people_in(scope) {
                let found = self.listings.find(&key, person);
                if obliges(&policy, &found, self.has_mail(&policy, person)) {
                    let id = ObligationId { policy: policy.id.clone(), rule: rule.id.clone(), person };
                    self.oblige(id, policy.version, rule, found, at);
                }
            }
        }
    }

    fn oblige(&mut self, id: ObligationId, version: u64, rule: &Rule, found: Found, at: Timestamp) {
        let new = || Obligation::new(version, rule.clone(), at);
        let obligation = self.state.obligations.entry(id).or_insert_with(new);
        // What was certainly there, and may still be, is not less certain for what else was found.
        let was_certain = obligation.matched.iter().any(|matched| names_for_certain(rule, matched));
        if found.doubts.is_empty() || is_certain(&found.matched) || !was_certain {
            obligation.matched = found.matched;
        }
    }

    pub(crate) fn people_in(&self, scope: Scope) -> Vec<Person> {
        self.mail.keys().copied().filter(|person| scope.reaches(*person)).collect()
    }

    /// An obligation ends only by certain knowledge: the rule is gone from the policy, or the app from the device; or the
    /// device is spared, or outside the rollout.
    fn still_stands(&self, policy: &Policy, id: &ObligationId) -> bool {
        self.spared(&id.policy, &id.rule).is_none()
            && self.is_reached(policy)
            && policy.rules.iter().any(|rule| rule.id == id.rule)
            && self.listings.find(&RuleKey::of(id), id.person).finding != Finding::Met
    }

    /// Whether this version of the agent can't read the policy, so that nobody can say what became of the obligation. What
    /// undoes is heard all the same.
    fn is_unread(&self, id: &ObligationId) -> bool {
        let unread = self.policies.as_ref().is_some_and(|set| set.is_unread(&id.policy));
        unread && !self.is_withdrawn(&id.policy) && self.spared(&id.policy, &id.rule).is_none()
    }

    /// What was told stays told, and takes nothing: what it took goes back, and once the policy can be read again it begins
    /// with the full notice.
    fn suspend(&mut self, id: &ObligationId) {
        let obligation = self.state.obligations.get_mut(id);
        obligation.into_iter().for_each(Obligation::start_over);
    }

    /// A new version that comes earlier, or bans another app, starts over with a notice of its own; one that comes later
    /// is simply followed.
    fn follow_policy(&mut self, policy: &Policy, id: &ObligationId) {
        let rule = policy.rules.iter().find(|rule| rule.id == id.rule);
        let (Some(obligation), Some(rule)) = (self.state.obligations.get_mut(id), rule) else { return };
        if obligation.version == policy.version && obligation.rule == *rule {
            return;
        }
        let from = |shown| deadline_from(policy, &rule.id, &self.settings, &self.zone, shown);
        let deadline = obligation.shown.map(from);
        let same_app = obligation.rule.app == rule.app && obligation.rule.purls == rule.purls;
        let told = obligation.told.max(obligation.last_call.map(|call| after(call, Settings::LAST_CALL)));
        let earlier = told.is_none() || deadline < told;
        if deadline > told {
            obligation.last_call = None;
        }
        let former = obligation.subject(id);
        obligation.version = policy.version;
        obligation.rule = rule.clone();
        obligation.told = deadline;
        obligation.vouched &= same_app;
        if earlier || !same_app {
            obligation.start_over();
        }
        self.state.notices.remove(&former);
    }

    /// Remembers that a complete listing has shown the app. What only partial ones have shown keeps nobody's mail.
    fn vouch(&mut self, id: &ObligationId) {
        let is_fresh = self.is_freshly_listed(id);
        if let Some(obligation) = self.state.obligations.get_mut(id) {
            obligation.vouched |= is_fresh;
        }
    }

    /// A notice counts only for what it said would be taken. Mail that came later, or into another version of the policy,
    /// is told of first.
    fn follow_mail(&mut self, policy: &Policy, id: &ObligationId) {
        let takes: BTreeSet<Domain> = self.profiles_of(id).into_iter().map(|profile| profile.domain).collect();
        let certain = self.is_certain(id);
        let Some(obligation) = self.state.obligations.get_mut(id) else { return };
        // What a version in between spared was not spoken of in later notices.
        // And where the app is no longer certainly there, its notices have done their work: if it comes back, so does the
        // full notice.
        obligation.told_takes.retain(|domain| certain && policy.consequence.mail.contains(domain));
        obligation.told_lock &= policy.consequence.lock;
        let told_less = !takes.is_subset(&obligation.told_takes) || (policy.consequence.lock && !obligation.told_lock);
        if obligation.shown.is_some() && told_less {
            obligation.start_over();
            let subject = obligation.subject(id);
            self.state.notices.remove(&subject);
        }
    }

    /// What this person was told counts no more, and neither does a receipt that is still on its way.
    pub(crate) fn person_changed(&mut self, person: Person) {
        let theirs = self.state.obligations.iter_mut().filter(|(id, _)| id.person == person);
        theirs.for_each(|(_, obligation)| obligation.start_over());
        let profiles = self.state.profiles.iter_mut().filter(|(id, _)| id.person == person);
        profiles.for_each(|(_, profile)| profile.again = None);
        self.state.notices.retain(|subject, _| !(matches!(subject, Subject::App(_, of) if *of == person)));
    }

    /// Ends an obligation; gives what its notices were about.
    fn end(&mut self, id: &ObligationId, effects: &mut Vec<Effect>) -> Option<Subject> {
        let ended = self.state.obligations.remove(id)?;
        let subject = ended.subject(id);
        if let Some(sight) = ended.sight {
            let seen = self.state.seen.entry(id.policy.clone()).or_default().entry(id.person).or_insert(sight);
            *seen = sight.max(*seen);
        }
        self.state.notices.remove(&subject);
        effects.push(Effect::WithdrawNotice(subject.clone()));
        Some(subject)
    }

    /// Where a notice named several policies and one of them is over, what remains is told anew.
    fn renew_notices(&mut self, lost: &BTreeSet<Option<Subject>>) {
        let told: BTreeSet<Subject> =
            self.state.obligations.iter().filter(|(_, o)| o.shown.is_some()).map(|(id, o)| o.subject(id)).collect();
        for subject in lost.iter().flatten().filter(|subject| told.contains(*subject)) {
            self.queue(subject.clone(), NoticeKind::Update, BTreeSet::new());
        }
    }

    /// Whoever saw, or may have seen, a notice of a policy that is now withdrawn is told so: also, and above all, those who
    /// did what it asked. What is still on its way to the screen is waited for.
    fn correct_withdrawn(&mut self) {
        let retractions = self.state.undoing.retractions.keys();
        let withdrawn: Vec<PolicyId> = retractions.filter(|id| self.is_withdrawn(id)).cloned().collect();
        for policy in withdrawn {
            let Some(seen) = self.state.seen.get_mut(&policy) else { continue };
            let certain: Vec<Person> =
                seen.iter().filter(|(_, sight)| **sight == Sight::Certain).map(|(person, _)| *person).collect();
            seen.retain(|_, sight| *sight != Sight::Certain);
            certain.into_iter().for_each(|person| self.queue_correction(&policy, person));
        }
        self.state.seen.retain(|_, people| !people.is_empty());
    }

    /// Queues the correction if the policy was withdrawn rather than replaced.
    fn queue_correction(&mut self, policy: &PolicyId, person: Person) {
        let Some(set) = &self.policies else { return };
        let Some(retraction) = self.state.undoing.retractions.get(policy) else { return };
        let signed = set.policies.get(policy);
        let apps = signed.map(|s| s.policy.rules.iter().map(|rule| rule.app.clone()).collect());
        let subject = Subject::Correction(policy.clone(), person);
        let correction = Correction {
            report: CorrectionReport { policy: policy.clone(), person, shown: None },
            title: signed.map_or_else(|| policy.as_str().into(), |s| s.policy.title.clone()),
            apps: apps.unwrap_or_default(),
            message: retraction.message.clone(),
        };
        self.state.corrections.insert(subject.clone(), correction);
        self.queue(subject, NoticeKind::Correction, BTreeSet::new());
    }

    /// Whether the person has, or had before it went to the vault, a mail profile that the policy names.
    pub(crate) fn has_mail(&self, policy: &Policy, person: Person) -> bool {
        policy.consequence.mail.iter().any(|domain| self.has_profile(domain, person))
    }

    fn has_profile(&self, domain: &Domain, person: Person) -> bool {
        let present = self.mail.get(&person).is_some_and(|mail| mail.has.contains(domain));
        present || self.state.profiles.contains_key(&ProfileId { domain: domain.clone(), person })
    }

    /// The mail profiles that an obligation can take: none, where it isn't certain that the app is there.
    pub(crate) fn profiles_of(&self, id: &ObligationId) -> BTreeSet<ProfileId> {
        let policy = self.policy(&id.policy).filter(|_| self.is_certain(id));
        let domains = policy.map(|policy| policy.consequence.mail.as_slice()).unwrap_or_default();
        domains
            .iter()
            .filter(|domain| self.has_profile(domain, id.person))
            .map(|domain| ProfileId { domain: domain.clone(), person: id.person })
            .collect()
    }
}

/// Whether a rule, as it is now, still says that what was once found is certainly the app.
fn names_for_certain(rule: &Rule, matched: &Match) -> bool {
    rule.purls.iter().any(|pattern| pattern.is_certain() && pattern.names(&matched.purl))
}

impl Obligation {
    fn new(version: u64, rule: Rule, found_at: Timestamp) -> Self {
        Self {
            version,
            rule,
            told_takes: BTreeSet::new(),
            told_lock: false,
            found_at,
            matched: Vec::new(),
            vouched: false,
            sight: None,
            obstacle: None,
            shown: None,
            shown_on: None,
            last_shown: None,
            last_call: None,
            acknowledged: None,
            snoozed: None,
            told: None,
        }
    }

    /// What the notices about this obligation are about.
    pub(crate) fn subject(&self, id: &ObligationId) -> Subject {
        Subject::App(App::named(&self.rule.app), id.person)
    }

    /// What was shown before counts no more; the person gets the full notice anew.
    fn start_over(&mut self) {
        self.shown = None;
        self.shown_on = None;
        self.last_call = None;
        self.acknowledged = None;
        self.snoozed = None;
        self.told = None;
    }
}
