//! The rollout: which devices a policy reaches, and from when on. A mistake is found while it has reached few.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{At, Group, Length};

/// The rollout part of a policy. Without it, a policy reaches every device at once.
///
/// ```toml
/// [rollout]
/// groups = ["pilot", "sales"]
/// percent = 50
/// start = "2026-12-01T09:00[Europe/Berlin]"
/// over = "7d"
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rollout {
    /// Only devices that were put into one of these groups when they enrolled. None are named: all devices.
    pub groups: BTreeSet<Group>,
    /// How many devices of a hundred it reaches in the end. Which ones follows from a hash of device and policy, so that a
    /// new version with a larger share reaches those of the smaller one too.
    #[schemars(range(min = 1, max = 100))]
    pub percent: u8,
    /// Reaches nobody before this time.
    pub start: Option<At>,
    /// From the start on the share grows evenly over this length.
    pub over: Length,
}

impl Default for Rollout {
    fn default() -> Self {
        Self { groups: BTreeSet::new(), percent: 100, start: None, over: Length::default() }
    }
}

impl Rollout {
    /// Whether it reaches whom it reaches at once, so that there is nothing to pause.
    pub fn is_at_once(&self) -> bool {
        self.start.is_none()
    }

    /// What contradicts itself: the field, and what to write instead.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        if !(1..=100).contains(&self.percent) {
            return Some(("rollout.percent", "write a whole number from 1 to 100"));
        }
        if matches!(self.start, Some(At::Floating(_))) {
            return Some(("rollout.start", "write a time with a zone; a share of the fleet has no local time"));
        }
        (self.start.is_none() && self.over > Length::default())
            .then_some(("rollout.start", "a share that grows needs a start; write one, or leave `over` out"))
    }

    /// When it reaches a device of these groups, whose place among all devices is `place` (of 2^64); never if none.
    pub fn reaches_at(&self, groups: &BTreeSet<Group>, place: u64) -> Option<Timestamp> {
        let is_meant = self.groups.is_empty() || !self.groups.is_disjoint(groups);
        let of_a_hundred = u128::from(place) * 100;
        let share = u128::from(self.percent) << 64;
        if !is_meant || of_a_hundred >= share {
            return None;
        }
        let Some(At::Instant { instant, .. }) = &self.start else { return Some(Timestamp::MIN) };
        let over = u128::from(self.over.0.as_secs().unsigned_abs());
        // At most 366 days of seconds times 2^71: far from the end of 128 bits.
        let seconds = over * of_a_hundred / share;
        let wait = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or_default());
        Some(instant.saturating_add(wait).unwrap_or(Timestamp::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(text: &str, groups: &[&str], share: f64) -> Option<String> {
        let rollout: Rollout = toml::from_str(text).unwrap();
        let groups = groups.iter().map(|group| group.parse().unwrap()).collect();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place between 0 and 2^64")]
        let place = (share * 18_446_744_073_709_551_615.0) as u64;
        rollout
            .reaches_at(&groups, place)
            .map(|at| if at == Timestamp::MIN { "at once".to_owned() } else { at.to_string() })
    }

    #[test]
    fn a_share_grows_evenly_and_only_within_its_groups() {
        let at_once = Some("at once".to_owned());
        assert_eq!(reached("", &[], 0.999), at_once);
        assert_eq!(reached("percent = 10", &[], 0.09), at_once);
        assert_eq!(reached("percent = 10", &[], 0.11), None);
        assert_eq!(reached("groups = [\"pilot\"]", &[], 0.0), None);
        assert_eq!(reached("groups = [\"pilot\", \"sales\"]", &["sales", "berlin"], 0.9), at_once);
        let week = "start = \"2026-12-01T09:00Z\"\nover = \"10h\"\n";
        assert_eq!(reached(week, &[], 0.0).as_deref(), Some("2026-12-01T09:00:00Z"));
        assert_eq!(reached(week, &[], 0.5).as_deref(), Some("2026-12-01T14:00:00Z"));
        assert_eq!(reached(&format!("{week}percent = 50"), &[], 0.25).as_deref(), Some("2026-12-01T14:00:00Z"));
        assert_eq!(reached(&format!("{week}percent = 50"), &[], 0.5), None);
    }

    #[test]
    fn what_contradicts_itself_is_named() {
        let problem = |text: &str| toml::from_str::<Rollout>(text).unwrap().problem().map(|(place, _)| place);
        assert_eq!(problem("percent = 0"), Some("rollout.percent"));
        assert_eq!(problem("over = \"7d\""), Some("rollout.start"));
        assert_eq!(problem("start = { floating = \"2026-12-01T09:00\" }"), Some("rollout.start"));
        assert_eq!(problem("start = \"2026-12-01T09:00Z\"\nover = \"7d\""), None);
    }
}
