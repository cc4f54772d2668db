//! What the device itself insists on, whatever a policy says.

use std::collections::BTreeSet;

use forewarn_proto::{inventory::Person, policy::Group, report::Weakened};
use jiff::SignedDuration;

/// The device's own configuration of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    min_notice: SignedDuration,
    /// This device's name. Its place in a policy's ramp is made from it.
    pub(crate) device: String,
    /// What kind of device this is, for the report: `linux`.
    pub(crate) platform: String,
    /// The groups that this device was put into when it enrolled.
    pub(crate) groups: BTreeSet<Group>,
    /// Everybody whose home is looked after.
    pub(crate) people: BTreeSet<Person>,
    /// What weakens a promise here, for the report.
    pub(crate) weakened: BTreeSet<Weakened>,
    /// A policy that no verified bundle confirmed for longer than this does not revoke.
    pub max_staleness: SignedDuration,
    /// After this long without a server's word, a policy that says so acts without one.
    pub offline_limit: SignedDuration,
    /// A listing that is older than this does not justify a revoke.
    pub max_scan_age: SignedDuration,
    /// How long before the effective deadline people are reminded. The last call, [`Settings::LAST_CALL`] before it,
    /// comes besides.
    pub reminders: Vec<SignedDuration>,
}

impl Settings {
    /// The least notice that anything can set: one hour.
    pub const LEAST_NOTICE: SignedDuration = SignedDuration::from_hours(1);
    /// How long before a revoke the last call comes, even when that moves the revoke.
    pub const LAST_CALL: SignedDuration = SignedDuration::from_mins(15);
    /// The longest time for which a person can put off reminders at once; at the last call it ends anyway.
    pub const LONGEST_SNOOZE: SignedDuration = SignedDuration::from_hours(24);
    /// The first pause after a failed effect; it doubles with each failure.
    pub const FIRST_RETRY: SignedDuration = SignedDuration::from_secs(30);
    /// The longest pause after a failed effect.
    pub const LONGEST_RETRY: SignedDuration = SignedDuration::from_mins(30);

    /// These settings with another least notice; what is under [`Settings::LEAST_NOTICE`] is raised to it.
    #[must_use]
    pub fn with_min_notice(mut self, min_notice: SignedDuration) -> Self {
        self.min_notice = min_notice.max(Self::LEAST_NOTICE);
        self
    }

    /// These settings for the device of this name.
    #[must_use]
    pub fn for_device(mut self, name: &str) -> Self {
        name.clone_into(&mut self.device);
        self
    }

    /// These settings for a device of this kind, as Rust names it: `linux`.
    #[must_use]
    pub fn on_platform(mut self, platform: &str) -> Self {
        platform.clone_into(&mut self.platform);
        self
    }

    /// These settings for a device in these groups.
    #[must_use]
    pub fn in_groups(mut self, groups: BTreeSet<Group>) -> Self {
        self.groups = groups;
        self
    }

    /// These settings for a device on which these people's homes are looked after.
    #[must_use]
    pub fn looking_after(mut self, people: impl IntoIterator<Item = Person>) -> Self {
        self.people = people.into_iter().collect();
        self
    }

    /// These settings with the word, for the report, that these of them weaken a promise.
    #[must_use]
    pub fn with_weakened(mut self, weakened: BTreeSet<Weakened>) -> Self {
        self.weakened = weakened;
        self
    }

    /// What weakens a promise here.
    pub fn weakened(&self) -> &BTreeSet<Weakened> {
        &self.weakened
    }

    /// The least time between the first notice shown and a revoke.
    pub fn min_notice(&self) -> SignedDuration {
        self.min_notice
    }

    /// The pause after `attempts` failures.
    pub fn retry_pause(attempts: u32) -> SignedDuration {
        let doubled = Self::FIRST_RETRY.checked_mul(1 << attempts.min(10));
        doubled.unwrap_or(Self::LONGEST_RETRY).min(Self::LONGEST_RETRY)
    }
}

impl Default for Settings {
    fn default() -> Self {
        let hours = SignedDuration::from_hours;
        Self {
            min_notice: hours(24),
            device: String::new(),
            platform: String::new(),
            groups: BTreeSet::new(),
            people: BTreeSet::new(),
            weakened: BTreeSet::new(),
            max_staleness: hours(24),
            offline_limit: hours(14 * 24),
            max_scan_age: SignedDuration::from_mins(5),
            reminders: vec![hours(7 * 24), hours(3 * 24), hours(24), hours(4), hours(1)],
        }
    }
}
