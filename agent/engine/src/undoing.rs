//! What can only undo: kept as the most that was ever heard, whatever a later bundle leaves out or says less of. A server
//! that withholds it, or serves something else in its place, takes nothing back.

use std::collections::BTreeMap;

use forewarn_proto::policy::{Pause, PolicyId, Retraction, RuleId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Everything in a bundle, or heard so far, that can only undo.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undoing {
    /// Withdrawn policies.
    pub retractions: BTreeMap<PolicyId, Retraction>,
    /// Rollouts that stand still.
    pub pauses: BTreeMap<PolicyId, Vec<Pause>>,
    /// The rules that this device is spared.
    pub exemptions: BTreeMap<PolicyId, BTreeMap<RuleId, Spared>>,
}

/// An exemption of this device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spared {
    /// When it ends.
    pub until: Timestamp,
    /// The names of those who signed, or their key ids.
    pub signed_by: Vec<String>,
}

impl Undoing {
    /// Adds what `other` says: a retraction reaches the higher version, an exemption lasts until the later moment, and a
    /// pause is lifted by nothing but a version above its own.
    pub fn hear(&mut self, other: &Self) {
        other.retractions.values().for_each(|retraction| self.retract(retraction));
        for (policy, pauses) in &other.pauses {
            pauses.iter().for_each(|pause| self.pause(policy, pause));
        }
        for (policy, rules) in &other.exemptions {
            rules.iter().for_each(|(rule, spared)| self.spare(policy, rule, spared));
        }
    }

    /// Hears that a policy is withdrawn.
    pub fn retract(&mut self, new: &Retraction) {
        let heard = self.retractions.entry(new.policy.clone()).or_insert_with(|| new.clone());
        if new.through_version >= heard.through_version {
            heard.clone_from(new);
        }
    }

    /// Hears that a rollout stands still.
    pub fn pause(&mut self, policy: &PolicyId, new: &Pause) {
        let heard = self.pauses.entry(policy.clone()).or_default();
        if !heard.iter().any(|old| old.covers(new)) {
            heard.retain(|old| !new.covers(old));
            heard.push(new.clone());
        }
    }

    /// Hears that this device is spared a rule.
    pub fn spare(&mut self, policy: &PolicyId, rule: &RuleId, new: &Spared) {
        let rules = self.exemptions.entry(policy.clone()).or_default();
        let heard = rules.entry(rule.clone()).or_insert_with(|| new.clone());
        if new.until > heard.until {
            heard.clone_from(new);
        }
    }

    /// Up to which version a policy is withdrawn.
    pub(crate) fn withdrawn_through(&self, policy: &PolicyId) -> Option<u64> {
        self.retractions.get(policy).map(|retraction| retraction.through_version)
    }
}
