//! How often one address may ask to enroll, and one device may say something. A device enrolls once; whoever guesses tokens does it
//! often.

use std::{net::IpAddr, num::NonZeroU32};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::door::network;

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

/// How often a device may say something, so that no device keeps the database busy: what it may say at once, and how much more
/// each minute.
#[derive(Debug)]
pub(crate) struct Paces {
    reports: DefaultKeyedRateLimiter<String>,
    appeals: DefaultKeyedRateLimiter<String>,
    renewals: DefaultKeyedRateLimiter<String>,
}

impl Paces {
    pub(crate) fn new() -> Self {
        let a_minute =
            |count: NonZeroU32, at_once: NonZeroU32| RateLimiter::keyed(Quota::per_minute(count).allow_burst(at_once));
        let number = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self {
            reports: a_minute(number(60), number(60)),
            appeals: a_minute(number(10), number(100)),
            renewals: a_minute(number(10), number(60)),
        }
    }

    pub(super) fn report(&self, device: &str) -> bool {
        allows(&self.reports, device)
    }

    pub(super) fn appeal(&self, device: &str) -> bool {
        allows(&self.appeals, device)
    }

    pub(super) fn renewal(&self, device: &str) -> bool {
        allows(&self.renewals, device)
    }
}

/// Only of devices that are enrolled, so that no more are remembered.
fn allows(limiter: &DefaultKeyedRateLimiter<String>, device: &str) -> bool {
    limiter.check_key(&device.to_owned()).is_ok()
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
