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
