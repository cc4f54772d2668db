//! How often one address may ask to enroll. A device does it once; whoever guesses tokens does it often.

use std::{net::IpAddr, num::NonZeroU32};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// How many seconds' worth may come at once: a room full of new laptops behind one router.
const BURST: NonZeroU32 = NonZeroU32::new(10).expect("it is not zero");
/// The most addresses that are remembered; beyond that, those who have waited long enough are forgotten.
const MAX_ADDRESSES: usize = 10_000;

/// Who has asked how often.
#[derive(Debug)]
pub(crate) struct Patience(DefaultKeyedRateLimiter<IpAddr>);

impl Patience {
    /// So many a second from one address, in the long run.
    pub(crate) fn new(a_second: NonZeroU32) -> Self {
        Self(RateLimiter::keyed(Quota::per_second(a_second).allow_burst(a_second.saturating_mul(BURST))))
    }

    /// Whether this address may ask once more now.
    pub(super) fn allows(&self, address: IpAddr) -> bool {
        if self.0.len() > MAX_ADDRESSES {
            self.0.retain_recent();
        }
        self.0.check_key(&network(address)).is_ok()
    }
}

/// A person has a whole /64 of IPv6 addresses, so that such a network counts as one.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => (six.to_bits() & !u128::from(u64::MAX)).to_be_bytes().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_too_often_waits_and_others_do_not() {
        let patience = Patience::new(20.try_into().unwrap());
        let guesser: IpAddr = "2001:db8::1".parse().unwrap();
        let allowed = (0..1000).filter(|_| patience.allows(guesser)).count();
        assert!((200..260).contains(&allowed), "{allowed}");
        assert!(!patience.allows("2001:db8::ffff".parse().unwrap()), "the same network");
        assert!(patience.allows("2001:db8:0:1::1".parse().unwrap()), "the next network");
    }
}
