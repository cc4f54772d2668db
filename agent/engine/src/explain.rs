//! What a person may ask: what applies to me, and why.

use std::collections::BTreeSet;

use forewarn_proto::{
    inventory::Person,
    ipc::{MatchStatus, ObligationStatus, Reach, RuleStatus, SourceStatus, SparedStatus},
    policy::Domain,
    report::Report,
};

use crate::{
    App, Engine, ObligationId, Subject,
    finding::RuleKey,
    state::{Match, Place},
};

impl Engine {
    /// Everything that obliges `person`, each with its reasons.
    pub fn obligations_of(&self, person: Person) -> Vec<ObligationStatus> {
        let ids = self.state.obligations.keys().filter(|id| id.person == person);
        ids.filter_map(|id| self.explain(id)).collect()
    }

    /// What each source lists for `person`, as it was looked at last.
    pub fn sources_of(&self, person: Person) -> Vec<SourceStatus> {
        self.listings.sums(person)
    }

    /// What was shown, or will be, to `person` about an app, by its name in any case, or about all.
    pub fn subjects_about(&self, person: Person, app: Option<&str>) -> BTreeSet<Subject> {
        let about = |name: &str| app.is_none_or(|app| App::named(app) == App::named(name));
        let obligations = self.state.obligations.iter();
        obligations.filter(|(id, o)| id.person == person && about(&o.rule.app)).map(|(id, o)| o.subject(id)).collect()
    }

    /// Every rule in force with its result for `person`.
    pub fn rules_for(&self, person: Person) -> Vec<RuleStatus> {
        let rules = self.in_force().flat_map(|policy| policy.rules.iter().map(move |rule| (policy, rule)));
        rules
            .map(|(policy, rule)| {
                let found = self.listings.find(&RuleKey::new(false, &policy.id, &rule.id), person);
                RuleStatus {
                    policy: policy.id.clone(),
                    rule: rule.id.clone(),
                    app: rule.app.clone(),
                    finding: found.finding,
                    spared: self
                        .spared(&policy.id, &rule.id)
                        .map(|spared| SparedStatus { until: spared.until, signed_by: spared.signed_by.clone() }),
                    doubts: found.doubts.into_iter().collect(),
                    rollout: match self.reached_at(policy) {
                        Some(at) if at > self.time() => Reach::Then(at),
                        Some(_) => Reach::Here,
                        None => Reach::Never,
                    },
                }
            })
            .collect()
    }

    /// The last report, as far as it is about `person`: other people's parts are left out, and each rule has its result for
    /// `person` in the place of the device's.
    pub fn report_about(&self, person: Person) -> Option<Report> {
        let mut report = self.state.report.clone()?;
        for policy in &mut report.policies {
            for rule in &mut policy.rules {
                let found = self.listings.find(&RuleKey::new(policy.preview, &policy.policy, &rule.rule), person);
                rule.finding = found.finding;
                rule.doubts = found.doubts.into_iter().collect();
                rule.people.retain(|entry| entry.person == person);
            }
        }
        report.unattended.retain(|unattended| *unattended == person);
        report.profiles.retain(|profile| profile.person == person);
        report.corrections.retain(|correction| correction.person == person);
        Some(report)
    }

    /// The mail domains of `person` whose profiles are in the vault, those on their way back included.
    pub fn revoked_of(&self, person: Person) -> Vec<Domain> {
        let profiles = self.state.profiles.iter();
        profiles
            .filter(|(id, profile)| id.person == person && profile.place != Place::Leaving)
            .map(|(id, _)| id.domain.clone())
            .collect()
    }

    fn explain(&self, id: &ObligationId) -> Option<ObligationStatus> {
        let obligation = self.state.obligations.get(id)?;
        let signed = self.policies.as_ref()?.policies.get(&id.policy)?;
        let profiles = self.profiles_of(id);
        let waiting = profiles.iter().filter_map(|profile| self.state.profiles.get(profile));
        Some(ObligationStatus {
            policy: id.policy.clone(),
            version: signed.policy.version,
            title: signed.policy.title.clone(),
            contact: signed.policy.contact.clone(),
            signed_by: signed.signed_by.clone(),
            rule: id.rule.clone(),
            app: obligation.rule.app.clone(),
            person: id.person,
            matched: obligation.matched.iter().map(describe).collect(),
            stage: self.stage(id),
            found_at: obligation.found_at,
            shown: obligation.shown,
            shown_on: obligation.shown_on,
            obstacle: obligation.obstacle,
            last_shown: obligation.last_shown,
            last_call: obligation.last_call,
            acknowledged: obligation.acknowledged,
            snoozed_until: obligation.snoozed.filter(|until| *until > self.time()),
            deadline: self.deadline(id),
            reminders: self.reminders_of(id),
            waiting_for: waiting.flat_map(|profile| profile.waiting_for.clone()).collect(),
            locks: signed.policy.consequence.lock,
            takes: profiles.into_iter().map(|profile| profile.domain).collect(),
            holds: self.holds(id),
        })
    }
}

fn describe(Match { source, purl, found_in, how }: &Match) -> MatchStatus {
    MatchStatus { purl: purl.clone(), source: *source, found_in: found_in.clone(), how: how.clone() }
}
