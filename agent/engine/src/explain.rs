//! What a person may ask: what applies to me, and why.

use forewarn_proto::{
    inventory::Person,
    ipc::{ObligationStatus, RuleStatus},
    policy::{Domain, Rule},
};

use crate::{
    Engine, Now, ObligationId,
    state::{Match, Place},
};

impl Engine {
    /// Everything that obliges `person`, each with its reasons.
    pub fn obligations_of(&self, person: Person, now: &Now) -> Vec<ObligationStatus> {
        let ids = self.state.obligations.keys().filter(|id| id.person == person);
        ids.filter_map(|id| self.explain(id, now)).collect()
    }

    /// The obligations of `person` that concern an app, by its name in any case, or all.
    pub fn obligations_about(&self, person: Person, app: Option<&str>) -> Vec<ObligationId> {
        let ids = self.state.obligations.keys().filter(|id| id.person == person);
        let about = |id: &&ObligationId| {
            app.is_none_or(|app| self.rule(id).is_some_and(|rule| rule.app.eq_ignore_ascii_case(app)))
        };
        ids.filter(about).cloned().collect()
    }

    /// Every rule in force with its result.
    pub fn rules(&self) -> Vec<RuleStatus> {
        let rules = self.in_force().flat_map(|policy| policy.rules.iter().map(move |rule| (policy, rule)));
        rules
            .map(|(policy, rule)| RuleStatus {
                policy: policy.id.clone(),
                rule: rule.id.clone(),
                app: rule.app.clone(),
                finding: self.device_finding(rule),
            })
            .collect()
    }

    /// The mail domains of `person` whose profiles are in the vault, those on their way back included.
    pub fn revoked_of(&self, person: Person) -> Vec<Domain> {
        let profiles = self.state.profiles.iter();
        profiles
            .filter(|(id, profile)| id.person == person && profile.place != Place::Leaving)
            .map(|(id, _)| id.domain.clone())
            .collect()
    }

    fn rule(&self, id: &ObligationId) -> Option<&Rule> {
        self.policy(&id.policy)?.rules.iter().find(|rule| rule.id == id.rule)
    }

    fn explain(&self, id: &ObligationId, now: &Now) -> Option<ObligationStatus> {
        let obligation = self.state.obligations.get(id)?;
        let signed = self.policies.as_ref()?.policies.get(&id.policy)?;
        let profiles = self.profiles_of(id);
        let waiting = profiles.iter().filter_map(|profile| self.state.profiles.get(profile));
        Some(ObligationStatus {
            policy: id.policy.clone(),
            version: signed.policy.version,
            title: signed.policy.title.clone(),
            signed_by: signed.signed_by.clone(),
            rule: id.rule.clone(),
            app: self.rule(id)?.app.clone(),
            person: id.person,
            matched: obligation.matched.iter().map(describe).collect(),
            stage: self.stage(id, now),
            shown: obligation.shown,
            last_shown: obligation.last_shown,
            last_call: obligation.last_call,
            acknowledged: obligation.acknowledged,
            deadline: self.deadline(id, now),
            waiting_for: waiting.flat_map(|profile| profile.waiting_for.clone()).collect(),
            takes: profiles.into_iter().map(|profile| profile.domain).collect(),
            holds: self.holds(id, now),
        })
    }
}

fn describe(matched: &Match) -> String {
    format!("{}, listed by {} in {}", matched.purl, matched.source.name(), matched.found_in)
}
