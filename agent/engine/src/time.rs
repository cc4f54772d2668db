//! Trusted time: what the clocks' readings are worth.
//!
//! The boot clock counts suspend and can't be set, so it carries time forward. The wall clock and the server can each
//! be wrong or lie; time therefore *jumps ahead* only when both agree that it has passed (which is how the time that a
//! device was off comes to count), and goes back only when the server says so the first time that
//! it is heard after a boot. A deadline so never comes nearer because one clock was set, and is escaped at most by the time
//! that the device was really off.
//!
//! Within one boot, only the boot clock says how long something has lasted. When time is corrected, what was stamped
//! since the time was last certain is moved along with it: a notice that was shown before the correction loses nothing.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// How far two clocks may differ that agree.
const AGREEMENT: SignedDuration = SignedDuration::from_secs(30);

/// The clocks' readings at one moment.
#[derive(Debug, Clone)]
pub struct Now {
    /// The wall clock, which anyone may have set.
    pub wall: Timestamp,
    /// Time since boot, suspend counted (Linux: `CLOCK_BOOTTIME`).
    pub boot: SignedDuration,
    /// Names this boot (Linux: `/proc/sys/kernel/random/boot_id`); None where that can't be found out.
    pub boot_id: Option<String>,
    /// The device's local time zone.
    pub zone: TimeZone,
}

/// An instant and the boot clock's reading at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedTime {
    at: Timestamp,
    boot: SignedDuration,
    /// Empty where it could not be found out.
    boot_id: String,
    /// Stamps from here on were made while the time was not certain, or in a boot in which it became certain.
    uncertain_since: Timestamp,
    /// Whether server and wall clock agreed on the time in this boot. One of them alone may lie.
    certain: bool,
    /// Whether the server was heard in this boot. After that the boot clock knows better than a frame that was late.
    heard: bool,
}

impl TrustedTime {
    /// The first reading on a device; there is nothing yet that a wrong wall clock could hurt.
    pub fn first(now: &Now) -> Self {
        Self {
            at: now.wall,
            boot: now.boot,
            boot_id: now.boot_id.clone().unwrap_or_default(),
            uncertain_since: now.wall,
            certain: false,
            heard: false,
        }
    }

    /// The instant of the last reading.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The boot in which it was read; None where that could not be found out.
    pub(crate) fn boot_id(&self) -> Option<&str> {
        Some(self.boot_id.as_str()).filter(|id| !id.is_empty())
    }

    /// Carries time forward to `now`. After a reboot only the time since boot is added. Where nobody knows whether there was one,
    /// time stands still: the server tells it.
    pub fn carry(&mut self, now: &Now) {
        let (before, boot) = (self.boot_id(), now.boot_id.as_deref());
        let same_boot = boot.is_some() && before == boot;
        let known = before.is_some() && boot.is_some();
        if !same_boot {
            if self.certain {
                // What was stamped at this very moment was stamped in the former boot.
                self.uncertain_since = after(self.at, SignedDuration::from_nanos(1));
            }
            self.certain = false;
            self.heard = false;
        }
        let passed = match (known, same_boot) {
            (true, true) => now.boot - self.boot,
            (true, false) => now.boot,
            (false, _) => SignedDuration::ZERO,
        };
        let passed = passed.max(SignedDuration::ZERO);
        self.at = self.at.saturating_add(passed).unwrap_or(Timestamp::MAX);
        self.boot = now.boot;
        self.boot_id = now.boot_id.clone().unwrap_or_default();
    }

    /// Hears the server's time, authenticated by TLS. Call [`TrustedTime::carry`] first. What was stamped at or after
    /// [`Correction::since`] has to move by [`Correction::by`].
    pub fn hear(&mut self, server: Timestamp, now: &Now) -> Correction {
        let at = if server < self.at && !self.heard { server } else { self.at.max(server.min(now.wall)) };
        self.heard = true;
        let agrees = |time: Timestamp| at.duration_since(time).abs() <= AGREEMENT;
        self.certain |= agrees(server) && agrees(now.wall);
        let correction = Correction { since: self.uncertain_since, by: at.duration_since(self.at) };
        self.at = at;
        correction.apply(&mut self.uncertain_since);
        correction
    }
}

/// How trusted time was corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Correction {
    /// Stamps from here on were made while time was uncertain.
    pub since: Timestamp,
    /// How far time moved; negative when it went back.
    pub by: SignedDuration,
}

impl Correction {
    /// Moves a stamp, if it is one that has to move.
    pub fn apply(&self, stamp: &mut Timestamp) {
        if self.applies_to(*stamp) {
            self.shift(stamp);
        }
    }

    /// Whether a stamp was made by the clock that was corrected.
    pub(crate) fn applies_to(&self, stamp: Timestamp) -> bool {
        stamp >= self.since
    }

    /// Moves a time by the correction.
    pub(crate) fn shift(&self, time: &mut Timestamp) {
        *time = time.saturating_add(self.by).unwrap_or(*time);
    }
}

/// `time + length`, or the end of time.
pub(crate) fn after(time: Timestamp, length: SignedDuration) -> Timestamp {
    time.saturating_add(length).unwrap_or(Timestamp::MAX)
}

/// `time - length`, or the beginning of time.
pub(crate) fn before(time: Timestamp, length: SignedDuration) -> Timestamp {
    time.saturating_sub(length).unwrap_or(Timestamp::MIN)
}
