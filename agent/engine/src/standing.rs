//! How an obligation stands: which policies act, when its deadline is, and what holds the revoke.

use std::{collections::BTreeMap, sync::Arc};

use forewarn_proto::{
    inventory::Person,
    policy::{Offline, Policy, PolicyId, RuleId},
    report::{Hold, Stage},
};
use jiff::Timestamp;

use crate::{
    Engine, ObligationId, SignedPolicy, Spared, TrustedTime,
    deadline::{Readiness, effective},
    finding::{RuleKey, is_certain},
    state::Place,
    time::after,
};

impl Engine {
    /// The policies that act: verified, not withdrawn, not over, and not older than one that was accepted before.
    pub(crate) fn in_force(&self) -> impl Iterator<Item = &Policy> {
        let set = self.policies.iter().flat_map(|set| set.policies.values());
        set.filter(|signed| self.acts(signed)).map(|signed| &*signed.policy)
    }

    pub(crate) fn policy(&self, id: &PolicyId) -> Option<&Arc<Policy>> {
        let signed = self.policies.as_ref()?.policies.get(id)?;
        self.acts(signed).then_some(&signed.policy)
    }

    fn acts(&self, signed: &SignedPolicy) -> bool {
        let policy = &signed.policy;
        let newest = self.state.accepted.get(&policy.id).is_none_or(|accepted| policy.version >= *accepted);
        let withdrawn = self.state.undoing.withdrawn_through(&policy.id) >= Some(policy.version);
        newest && !withdrawn && self.time() < self.end_of(signed)
    }

    /// Whether the newest version of a policy that was ever in force here was taken back.
    pub(crate) fn is_withdrawn(&self, id: &PolicyId) -> bool {
        let through = self.state.undoing.withdrawn_through(id);
        through.is_some() && through.as_ref() >= self.state.accepted.get(id)
    }

    /// When a policy is over by itself.
    fn end_of(&self, signed: &SignedPolicy) -> Timestamp {
        let until = signed.policy.until.as_ref().map(|until| until.instant_in(&self.zone));
        until.map_or(signed.expires, |until| until.min(signed.expires))
    }

    /// When policies that act are over by themselves, exemptions end, and rollouts reach this device.
    pub(crate) fn turns(&self) -> impl Iterator<Item = Timestamp> {
        let policies = self.policies.iter().flat_map(|set| set.policies.values());
        let exemptions = self.state.undoing.exemptions.values().flat_map(BTreeMap::values);
        let acting = policies.filter(|signed| self.acts(signed)).map(|signed| self.end_of(signed));
        acting
            .chain(exemptions.map(|spared| spared.until))
            .chain(self.in_force().filter_map(|policy| self.reached_at(policy)))
    }

    /// The exemption by which this device is spared a rule now.
    pub(crate) fn spared(&self, policy: &PolicyId, rule: &RuleId) -> Option<&Spared> {
        let spared = self.state.undoing.exemptions.get(policy)?.get(rule)?;
        (self.time() < spared.until).then_some(spared)
    }

    /// The effective deadline; none before a notice was shown, or where the person has nothing that could be taken.
    pub(crate) fn deadline(&self, id: &ObligationId) -> Option<Timestamp> {
        let policy = self.policy(&id.policy)?;
        let spared = !policy.consequence.mail.is_empty()
            && self.knows_mail(policy, id.person)
            && !self.has_mail(policy, id.person);
        effective(policy, &self.settings, &self.zone, self.state.obligations.get(id)?).filter(|_| !spared)
    }

    /// Whether all the mail of a person's that a policy names was looked for since the process began.
    pub(crate) fn knows_mail(&self, policy: &Policy, person: Person) -> bool {
        let named = &policy.consequence.mail;
        let known = self.mail.get(&person).map(|mail| &mail.looked_for);
        named.is_empty() || known.is_some_and(|known| named.iter().all(|domain| known.contains(domain)))
    }

    /// Whether something that is certainly the app was found. What is not warns and takes nothing.
    pub(crate) fn is_certain(&self, id: &ObligationId) -> bool {
        self.state.obligations.get(id).is_some_and(|obligation| is_certain(&obligation.matched))
    }

    /// Whether a complete listing that is not old shows the app for certain.
    pub(crate) fn is_freshly_listed(&self, id: &ObligationId) -> bool {
        self.listings.is_fresh(&RuleKey::of(id), id.person, self.time(), self.settings.max_scan_age)
    }

    /// Why the profile of this obligation's person is not revoked now.
    pub(crate) fn holds(&self, id: &ObligationId) -> Vec<Hold> {
        let (Some(policy), Some(obligation)) = (self.policy(&id.policy), self.state.obligations.get(id)) else {
            return Hold::ALL.to_vec();
        };
        let (at, certain) = (self.time(), self.is_certain(id));
        let readiness = Readiness {
            now: at,
            shown: obligation.shown.is_some(),
            deadline: self.deadline(id),
            last_call: obligation.last_call,
            takes_something: !policy.consequence.mail.is_empty(),
            certain,
            has_mail: self.has_mail(policy, id.person),
            policy_current: self.is_current() || self.acts_offline_at(id).is_some_and(|limit| limit <= at),
            // What is not certain takes nothing, so nothing has to vouch for it.
            scan_fresh: !certain || self.is_freshly_listed(id),
        };
        let holds = readiness.holds();
        #[cfg(test)]
        let holds = holds.into_iter().filter(|hold| !self.ignores.contains(hold)).collect();
        holds
    }

    /// Time off does not bring deadlines nearer, so it must not keep a policy current either: it has to be confirmed in
    /// this boot.
    fn is_current(&self) -> bool {
        let at = self.time();
        let recent = |confirmed: Timestamp| at.duration_since(confirmed).abs() <= self.settings.max_staleness;
        let in_this_boot = match self.state.time.as_ref().and_then(TrustedTime::boot_id) {
            Some(boot) => self.state.confirmed_in.as_deref() == Some(boot),
            // Nobody knows of what boot anything is.
            None => self.confirmed_here,
        };
        in_this_boot && self.state.confirmed_at.is_some_and(recent)
    }

    /// From when on a policy acts though no server confirms it, if it says so.
    pub(crate) fn acts_offline_at(&self, id: &ObligationId) -> Option<Timestamp> {
        let policy = self.policy(&id.policy)?;
        let confirmed = self.state.confirmed_at.filter(|_| policy.consequence.offline == Offline::Revoke)?;
        Some(after(confirmed, self.settings.offline_limit))
    }

    /// How far an obligation has come.
    pub(crate) fn stage(&self, id: &ObligationId) -> Stage {
        let profiles = self.profiles_of(id);
        let at = |place: Place| profiles.iter().filter_map(|p| self.state.profiles.get(p)).any(|p| p.place == place);
        let shown = self.state.obligations.get(id).is_some_and(|obligation| obligation.shown.is_some());
        match self.deadline(id) {
            _ if at(Place::Returning) => Stage::Restoring,
            _ if !shown => Stage::Found,
            None => Stage::Informed,
            Some(deadline) if self.time() < deadline => Stage::Warned,
            Some(_) if at(Place::Leaving) => Stage::Revoking,
            Some(_) if at(Place::Vault) => Stage::Revoked,
            Some(_) => Stage::Held,
        }
    }
}
