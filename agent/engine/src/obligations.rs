//! From findings to obligations: whom a rule obliges, and what a change of policy does to that.

use std::collections::BTreeSet;

use forewarn_proto::{
    inventory::Person,
    policy::{Domain, Policy, PolicyId, Rule},
    report::{CorrectionReport, Finding, Hold},
};
use jiff::Timestamp;

use crate::{
    Effect, Engine, NoticeKind, Now, ObligationId, ProfileId, Subject,
    deadline::{Readiness, deadline_from, effective},
    finding::{Found, obliges},
    state::{Correction, Obligation},
};

impl Engine {
    /// The policies that act: verified, not withdrawn, and not older than one that was accepted before.
    pub(crate) fn in_force(&self) -> impl Iterator<Item = &Policy> {
        let set = self.policies.iter().flat_map(|set| set.policies.values());
        set.map(|signed| &signed.policy).filter(|policy| self.acts(policy))
    }

    pub(crate) fn policy(&self, id: &PolicyId) -> Option<&Policy> {
        let policy = &self.policies.as_ref()?.policies.get(id)?.policy;
        self.acts(policy).then_some(policy)
    }

    fn acts(&self, policy: &Policy) -> bool {
        let withdrawn = self.state.retracted.get(&policy.id).is_some_and(|through| policy.version <= *through);
        let newest = self.state.accepted.get(&policy.id).is_none_or(|accepted| policy.version >= *accepted);
        !withdrawn && newest
    }

    pub(crate) fn people(&self) -> Vec<Person> {
        self.mail.people.keys().copied().collect()
    }

    /// Brings obligations in line with findings and policies. Does nothing until policies were verified once, so that
    /// a device that can't read its policies neither revokes nor forgets.
    pub(crate) fn update_obligations(&mut self, now: &Now, effects: &mut Vec<Effect>) {
        if self.policies.is_none() {
            return;
        }
        self.find_obligations();
        let ids: Vec<ObligationId> = self.state.obligations.keys().cloned().collect();
        for id in ids {
            match self.policy(&id.policy).cloned() {
                Some(policy) if self.still_stands(&policy, &id) => {
                    self.follow_policy(&policy, &id, now);
                    self.follow_mail(&id);
                }
                Some(_) | None => self.end(&id, effects),
            }
        }
        self.correct_withdrawn();
    }

    fn find_obligations(&mut self) {
        let at = self.time();
        let mut found = Vec::new();
        for policy in self.in_force() {
            for rule in &policy.rules {
                for person in self.people() {
                    let finding = self.listings.find(rule, person);
                    let id = ObligationId { policy: policy.id.clone(), rule: rule.id.clone(), person };
                    if obliges(policy, &finding, self.has_mail(policy, person)) {
                        found.push((id, policy.version, rule.clone(), finding));
                    }
                }
            }
        }
        for (id, version, rule, Found { matched, .. }) in found {
            let obligation = self.state.obligations.entry(id).or_insert_with(|| Obligation::new(version, rule, at));
            obligation.matched = matched;
        }
    }

    /// An obligation ends only by certain knowledge: the rule is gone from the policy, or the app from the device.
    fn still_stands(&self, policy: &Policy, id: &ObligationId) -> bool {
        let rule = policy.rules.iter().find(|rule| rule.id == id.rule);
        rule.is_some_and(|rule| self.listings.find(rule, id.person).finding != Finding::Met)
    }

    /// A new version that comes earlier, or bans another app, starts over with a notice of its own; one that comes later
    /// is simply followed.
    fn follow_policy(&mut self, policy: &Policy, id: &ObligationId, now: &Now) {
        let rule = policy.rules.iter().find(|rule| rule.id == id.rule);
        let (Some(obligation), Some(rule)) = (self.state.obligations.get_mut(id), rule) else { return };
        if obligation.version == policy.version {
            return;
        }
        let deadline = obligation.shown.map(|shown| deadline_from(policy, &self.settings, &now.zone, shown));
        let same_app = obligation.rule.app == rule.app && obligation.rule.purls == rule.purls;
        let earlier = obligation.told.is_none_or(|told| deadline.is_none_or(|deadline| deadline < told));
        if deadline > obligation.told {
            obligation.last_call = None;
        }
        obligation.version = policy.version;
        obligation.rule = rule.clone();
        obligation.told = deadline;
        if earlier || !same_app {
            obligation.start_over();
        }
        self.drop_notice(&Subject::Obligation(id.clone()));
    }

    /// A notice counts only for what it said would be taken. Mail that came later, or into another version of the policy,
    /// is told of first.
    fn follow_mail(&mut self, id: &ObligationId) {
        let takes: BTreeSet<Domain> = self.profiles_of(id).into_iter().map(|profile| profile.domain).collect();
        let Some(obligation) = self.state.obligations.get_mut(id) else { return };
        if obligation.shown.is_some() && !takes.is_subset(&obligation.told_takes) {
            obligation.start_over();
            self.drop_notice(&Subject::Obligation(id.clone()));
        }
    }

    fn end(&mut self, id: &ObligationId, effects: &mut Vec<Effect>) {
        let ended = self.state.obligations.remove(id);
        if ended.is_some_and(|obligation| obligation.offered.is_some()) {
            self.state.seen.entry(id.policy.clone()).or_default().insert(id.person);
        }
        let subject = Subject::Obligation(id.clone());
        self.drop_notice(&subject);
        effects.push(Effect::WithdrawNotice(subject));
    }

    /// Whoever saw, or may have seen, a notice of a policy that is now withdrawn is told so: also, and above all, those who
    /// did what it asked.
    fn correct_withdrawn(&mut self) {
        let retractions = self.policies.iter().flat_map(|set| set.retractions.keys());
        let withdrawn: Vec<PolicyId> = retractions.filter(|id| self.policy(id).is_none()).cloned().collect();
        for policy in withdrawn {
            for person in self.state.seen.remove(&policy).unwrap_or_default() {
                self.queue_correction(&policy, person);
            }
        }
    }

    /// Queues the correction if the policy was withdrawn rather than replaced.
    fn queue_correction(&mut self, policy: &PolicyId, person: Person) {
        let Some(set) = &self.policies else { return };
        let Some(retraction) = set.retractions.get(policy) else {
            return;
        };
        let signed = set.policies.get(policy);
        let apps = signed.map(|s| s.policy.rules.iter().map(|rule| rule.app.clone()).collect());
        let subject = Subject::Correction(policy.clone(), person);
        let correction = Correction {
            report: CorrectionReport { policy: policy.clone(), person, shown: None },
            title: signed.map_or_else(|| policy.to_string(), |s| s.policy.title.clone()),
            apps: apps.unwrap_or_default(),
            message: retraction.message.clone(),
        };
        self.state.corrections.insert(subject.clone(), correction);
        self.queue(subject, NoticeKind::Correction);
    }

    /// Whether the person has, or had before it went to the vault, a mail profile that the policy names.
    pub(crate) fn has_mail(&self, policy: &Policy, person: Person) -> bool {
        policy.consequence.mail.iter().any(|domain| self.has_profile(domain, person))
    }

    pub(crate) fn has_profile(&self, domain: &Domain, person: Person) -> bool {
        let present = self.mail.people.get(&person).is_some_and(|found| found.contains(domain));
        present || self.state.profiles.contains_key(&ProfileId { domain: domain.clone(), person })
    }

    pub(crate) fn deadline(&self, id: &ObligationId, now: &Now) -> Option<Timestamp> {
        effective(self.policy(&id.policy)?, &self.settings, &now.zone, self.state.obligations.get(id)?)
    }

    /// Why the profile of this obligation's person is not revoked now.
    pub(crate) fn holds(&self, id: &ObligationId, now: &Now) -> Vec<Hold> {
        let (Some(policy), Some(obligation)) = (self.policy(&id.policy), self.state.obligations.get(id)) else {
            return Hold::ALL.to_vec();
        };
        let at = self.time();
        let readiness = Readiness {
            now: at,
            deadline: self.deadline(id, now),
            last_call: obligation.last_call,
            takes_something: !policy.consequence.mail.is_empty(),
            has_mail: self.has_mail(policy, id.person),
            policy_current: self.is_current(at, now),
            scan_fresh: self.listings.are_fresh(&obligation.matched, id.person, at, self.settings.max_scan_age)
                && self.is_found(policy, id),
        };
        readiness.holds()
    }

    /// Time off does not bring deadlines nearer, so it must not keep a policy current either: it has to be confirmed in
    /// this boot.
    fn is_current(&self, at: Timestamp, now: &Now) -> bool {
        let recent = |confirmed: Timestamp| at.duration_since(confirmed).abs() <= self.settings.max_staleness;
        self.state.confirmed_in.as_ref() == Some(&now.boot_id) && self.state.confirmed_at.is_some_and(recent)
    }

    fn is_found(&self, policy: &Policy, id: &ObligationId) -> bool {
        let rule = policy.rules.iter().find(|rule| rule.id == id.rule);
        rule.is_some_and(|rule| self.listings.find(rule, id.person).finding == Finding::NotMet)
    }

    /// The mail profiles that an obligation can take.
    pub(crate) fn profiles_of(&self, id: &ObligationId) -> BTreeSet<ProfileId> {
        let domains = self.policy(&id.policy).map(|policy| policy.consequence.mail.as_slice()).unwrap_or_default();
        domains
            .iter()
            .filter(|domain| self.has_profile(domain, id.person))
            .map(|domain| ProfileId { domain: domain.clone(), person: id.person })
            .collect()
    }
}

impl Obligation {
    fn new(version: u64, rule: Rule, found_at: Timestamp) -> Self {
        Self {
            version,
            rule,
            told_takes: BTreeSet::new(),
            found_at,
            matched: Vec::new(),
            offered: None,
            shown: None,
            last_shown: None,
            last_call: None,
            acknowledged: None,
            told: None,
        }
    }

    /// What was shown before counts no more; the person gets the full notice anew.
    fn start_over(&mut self) {
        self.shown = None;
        self.last_call = None;
        self.acknowledged = None;
        self.told = None;
    }
}
