//! The report: the engine's present state, cut down to what may leave the device.

use forewarn_proto::{
    policy::{Policy, Rule},
    report::{Finding, PersonReport, PolicyReport, Report, RuleReport, Stage},
};

use crate::{Effect, Engine, Now, ObligationId, state::Place};

impl Engine {
    /// Makes a new report if anything but the time has changed since the last one.
    pub(crate) fn update_report(&mut self, now: &Now) -> Option<Effect> {
        let mut report = self.present_report(now);
        if let Some(last) = &self.state.report {
            let same = Report { sequence: last.sequence, made_at: last.made_at, ..report.clone() };
            if same == *last {
                return None;
            }
            report.sequence = last.sequence + 1;
        }
        self.state.report = Some(report.clone());
        Some(Effect::Report(report))
    }

    fn present_report(&self, now: &Now) -> Report {
        let previews = self.policies.iter().flat_map(|set| set.previews.values());
        let acting = self.in_force().map(|policy| self.policy_report(policy, false, now));
        Report {
            sequence: 1,
            made_at: self.time(),
            agent: env!("CARGO_PKG_VERSION").to_owned(),
            bundle: self.policies.as_ref().map(|set| set.bundle),
            refused: self.refused.clone(),
            policies: acting.chain(previews.map(|policy| self.policy_report(policy, true, now))).collect(),
            corrections: self.state.corrections.values().map(|correction| correction.report.clone()).collect(),
        }
    }

    fn policy_report(&self, policy: &Policy, preview: bool, now: &Now) -> PolicyReport {
        let rules = policy.rules.iter().map(|rule| RuleReport {
            rule: rule.id.clone(),
            finding: self.device_finding(rule),
            people: if preview { Vec::new() } else { self.people_reports(policy, rule, now) },
        });
        PolicyReport { policy: policy.id.clone(), version: policy.version, preview, rules: rules.collect() }
    }

    /// A rule's result for the device: not met if it is not met for anyone, unknown if it is unknown for anyone else.
    pub(crate) fn device_finding(&self, rule: &Rule) -> Finding {
        let findings = self.people().into_iter().map(|person| self.listings.find(rule, person).finding);
        findings.max().unwrap_or(Finding::Unknown)
    }

    fn people_reports(&self, policy: &Policy, rule: &Rule, now: &Now) -> Vec<PersonReport> {
        let of_rule = |id: &&ObligationId| id.policy == policy.id && id.rule == rule.id;
        let report = |id: &ObligationId| {
            let obligation = &self.state.obligations[id];
            PersonReport {
                person: id.person,
                stage: self.stage(id, now),
                shown: obligation.shown,
                acknowledged: obligation.acknowledged,
                deadline: self.deadline(id, now),
            }
        };
        self.state.obligations.keys().filter(of_rule).map(report).collect()
    }

    /// How far an obligation has come.
    pub(crate) fn stage(&self, id: &ObligationId, now: &Now) -> Stage {
        let places: Vec<Place> =
            self.profiles_of(id).iter().filter_map(|p| self.state.profiles.get(p)).map(|p| p.place).collect();
        let at = self.time();
        match self.deadline(id, now) {
            _ if places.contains(&Place::Returning) => Stage::Restoring,
            None => Stage::Found,
            Some(deadline) if at < deadline => Stage::Warned,
            Some(_) if places.contains(&Place::Leaving) => Stage::Revoking,
            Some(_) if places.contains(&Place::Vault) => Stage::Revoked,
            Some(_) => Stage::Held,
        }
    }
}
