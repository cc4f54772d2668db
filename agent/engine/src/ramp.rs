//! A device's place in a policy's ramp: revokes are spread, so that a mistake can be stopped while it has hit few.

use forewarn_proto::policy::{PolicyId, RuleId};
use jiff::SignedDuration;
use sha2::{Digest, Sha256};

/// How long after its own deadline this device's turn comes: from nothing up to, not including, the ramp's length.
///
/// It is a hash of device and rule. A new version of the policy keeps everyone's place, and a device that is early for
/// one rule is not early for all.
pub(crate) fn place(device: &str, policy: &PolicyId, rule: &RuleId, ramp: SignedDuration) -> SignedDuration {
    if ramp.is_zero() {
        return SignedDuration::ZERO;
    }
    let digest = Sha256::digest(format!("{device}/{policy}/{rule}"));
    let share = digest[..8].iter().fold(0_u128, |share, byte| (share << 8) | u128::from(*byte));
    let seconds = (u128::from(ramp.as_secs().unsigned_abs()) * share) >> 64;
    SignedDuration::from_secs(i64::try_from(seconds).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOURS: i64 = 10;

    fn place_of(device: usize, rule: &str) -> SignedDuration {
        let (policy, rule) = ("ban".parse().unwrap(), rule.parse().unwrap());
        place(&format!("laptop-{device}"), &policy, &rule, SignedDuration::from_hours(HOURS))
    }

    #[test]
    fn ten_thousand_devices_stand_evenly_in_the_ramp() {
        let mut each_hour = [0_usize; HOURS as usize];
        for device in 0..10_000 {
            let hour = place_of(device, "app").as_hours();
            each_hour[usize::try_from(hour).unwrap()] += 1;
        }
        // A thousand are expected in each, give or take 30; five times that is one chance in a million.
        assert!(each_hour.iter().all(|devices| (850..=1150).contains(devices)), "{each_hour:?}");
    }

    #[test]
    fn a_place_is_the_same_each_time_and_another_for_another_rule() {
        assert_eq!(place_of(1, "app"), place_of(1, "app"));
        assert_ne!(place_of(1, "app"), place_of(1, "other"));
    }
}
