//! The report: the engine's present state, cut down to what may leave the device.

use std::collections::BTreeSet;

use forewarn_proto::{
    inventory::Person,
    policy::{FORMAT, Policy, Rule},
    report::{
        Hold, MAX_UNREAD, PersonReport, PolicyReport, ProfileReport, ProfileState, Receipt, Refusal, Report,
        RuleReport, Stage, Unread, Weakened,
    },
};

use crate::{
    Effect, Engine, ObligationId,
    finding::RuleKey,
    state::{Obligation, Place, Profile},
};

impl Engine {
    /// Settings by which this device promises less than others do.
    pub fn weakened(&self) -> &BTreeSet<Weakened> {
        self.settings.weakened()
    }

    /// Makes a new report if anything but the time has changed since the last one.
    pub(crate) fn update_report(&mut self) -> Option<Effect> {
        if !self.knows_the_device() {
            return None;
        }
        let mut report = self.present_report();
        if let Some(last) = &self.state.report {
            report.sequence = last.sequence;
            report.made_at = last.made_at;
            if report == *last {
                return None;
            }
            report.sequence += 1;
            report.made_at = self.time();
        }
        self.state.report = Some(report.clone());
        Some(Effect::Report(report))
    }

    fn present_report(&self) -> Report {
        let previews = self.policies.iter().flat_map(|set| set.previews.values());
        let acting = self.in_force().map(|policy| self.policy_report(policy, false));
        Report {
            sequence: 1,
            made_at: self.time(),
            agent: env!("CARGO_PKG_VERSION").to_owned(),
            platform: self.settings.platform.clone(),
            bundle: self.policies.as_ref().map(|set| set.bundle),
            refused: self.refused.clone().map(Refusal::told),
            format: FORMAT,
            unread: self.unread().iter().take(MAX_UNREAD).cloned().map(Unread::told).collect(),
            policies: acting.chain(previews.map(|policy| self.policy_report(policy, true))).collect(),
            profiles: self.profile_reports(),
            unattended: self.unattended_people(),
            corrections: self.state.corrections.values().map(|correction| correction.report.clone()).collect(),
            weakened: self.settings.weakened().clone(),
        }
    }

    /// Of people of whom nothing is asked it is nobody's business whether they are logged in.
    fn unattended_people(&self) -> Vec<Person> {
        let obliged = |person: &Person| self.state.obligations.keys().any(|id| id.person == *person);
        self.unattended.iter().copied().filter(obliged).collect()
    }

    fn policy_report(&self, policy: &Policy, preview: bool) -> PolicyReport {
        let rules = policy.rules.iter().map(|rule| {
            let (finding, doubts) = self.listings.of_device(&RuleKey::new(preview, &policy.id, &rule.id));
            RuleReport {
                rule: rule.id.clone(),
                finding,
                doubts: doubts.into_iter().collect(),
                spared_until: self.spared(&policy.id, &rule.id).filter(|_| !preview).map(|spared| spared.until),
                people: if preview { Vec::new() } else { self.people_reports(policy, rule) },
                foretold: if preview { self.foretell(policy, rule) } else { None },
            }
        });
        let reached = self.is_reached(policy);
        PolicyReport { policy: policy.id.clone(), version: policy.version, preview, reached, rules: rules.collect() }
    }

    fn people_reports(&self, policy: &Policy, rule: &Rule) -> Vec<PersonReport> {
        let obligations = self.state.obligations.range(ObligationId::all_of(&policy.id, &rule.id));
        obligations.map(|(id, obligation)| self.person_report(id, obligation)).collect()
    }

    fn person_report(&self, id: &ObligationId, obligation: &Obligation) -> PersonReport {
        let stage = self.stage(id);
        let holds: Vec<Hold> = if stage == Stage::Held { self.holds(id) } else { Vec::new() };
        PersonReport {
            person: id.person,
            stage,
            receipt: obligation.receipt(),
            shown: obligation.shown,
            shown_on: obligation.shown_on,
            obstacle: obligation.obstacle,
            acknowledged: obligation.acknowledged,
            deadline: self.deadline(id),
            holds,
        }
    }

    fn profile_reports(&self) -> Vec<ProfileReport> {
        let profiles = self.state.profiles.iter();
        let report = profiles.map(|(id, profile)| ProfileReport {
            person: id.person,
            domain: id.domain.clone(),
            state: profile.state(),
            failing: profile.attempts > 0 && profile.waiting_for.is_empty(),
            store_open: profile.store_open,
        });
        report.collect()
    }
}

impl Obligation {
    fn receipt(&self) -> Receipt {
        match (self.acknowledged, self.shown, self.obstacle) {
            (Some(_), _, _) => Receipt::Acknowledged,
            (None, Some(_), _) => Receipt::Shown,
            (None, None, Some(_)) => Receipt::NotShown,
            (None, None, None) => Receipt::Queued,
        }
    }
}

impl Profile {
    fn state(&self) -> ProfileState {
        match self.place {
            Place::Leaving if self.waiting_for.is_empty() => ProfileState::Leaving,
            Place::Leaving => ProfileState::Waiting,
            Place::Vault => ProfileState::Vault,
            Place::Returning => ProfileState::Returning,
        }
    }
}
