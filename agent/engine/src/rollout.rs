//! Which policies have reached this device, and what a preview would do once it were published.

use forewarn_proto::{
    policy::{Policy, PolicyId, Rule},
    report::{Finding, Foretold},
};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::{
    Engine, PolicySet,
    deadline::deadline_from,
    finding::{RuleKey, is_certain, obliges},
};

/// A device's place among all devices in a policy's rollout, of 2^64.
///
/// It is a hash of device and policy. A new version of the policy keeps everyone's place, and a device that is early in one
/// rollout is not early in all.
fn place(device: &str, policy: &PolicyId) -> u64 {
    let digest = Sha256::digest(format!("rollout/{device}/{policy}"));
    digest[..8].iter().fold(0, |place, byte| (place << 8) | u64::from(*byte))
}

impl Engine {
    /// When a policy's rollout reaches this device; never if none, because it is not meant, or the rollout is paused.
    pub(crate) fn reached_at(&self, policy: &Policy) -> Option<Timestamp> {
        let reached = policy.rollout.reaches_at(&self.settings.groups, place(&self.settings.device, &policy.id))?;
        let pauses = self.state.undoing.pauses.get(&policy.id).into_iter().flatten();
        let mut paused = pauses.filter(|pause| policy.version <= pause.through_version);
        paused.all(|pause| reached <= pause.at).then_some(reached)
    }

    /// Whether it has done so by now.
    pub(crate) fn is_reached(&self, policy: &Policy) -> bool {
        self.reached_at(policy).is_some_and(|at| at <= self.time())
    }

    /// Notes when a preview came, once for each version: what it would do is reckoned from then, or it would be another
    /// thing each second.
    pub(crate) fn follow_previews(&mut self, set: &PolicySet) {
        let at = self.time();
        self.previewed.retain(|id, _| set.previews.contains_key(id));
        for (id, preview) in &set.previews {
            let noted = self.previewed.entry(id.clone()).or_insert((preview.version, at));
            if noted.0 != preview.version {
                *noted = (preview.version, at);
            }
        }
    }

    /// What a preview's rule would do here; nothing where it is met, or where the rollout never comes.
    pub(crate) fn foretell(&self, policy: &Policy, rule: &Rule) -> Option<Foretold> {
        let key = RuleKey::new(true, &policy.id, &rule.id);
        let (finding, _) = self.listings.of_device(&key);
        let (_, came) = self.previewed.get(&policy.id)?;
        let reached = self.reached_at(policy).filter(|_| finding == Finding::NotMet)?;
        let people: std::collections::BTreeSet<_> =
            self.listings.scopes_of(&key).into_iter().flat_map(|scope| self.people_in(scope)).collect();
        let mut foretold =
            Foretold { people: 0, with_mail: 0, reached: Some(reached).filter(|at| at > came), deadline: None };
        for person in people {
            let found = self.listings.find(&key, person);
            let has_mail = self.has_mail(policy, person);
            if obliges(policy, &found, has_mail) {
                foretold.people += 1;
                foretold.with_mail += u32::from(has_mail && is_certain(&found.matched));
            }
        }
        if foretold.with_mail > 0 {
            let told = reached.max(*came);
            foretold.deadline = Some(deadline_from(policy, &rule.id, &self.settings, &self.zone, told));
        }
        (foretold.people > 0).then_some(foretold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_ten_thousand_devices_a_tenth_is_in_the_first_tenth() {
        let policy: PolicyId = "ban".parse().unwrap();
        let first = (0..10_000).filter(|n| place(&format!("laptop-{n}"), &policy) < u64::MAX / 10).count();
        // A thousand are expected, give or take 30; five times that is one chance in a million.
        assert!((850..=1150).contains(&first), "{first}");
    }
}
