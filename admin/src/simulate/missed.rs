//! Why a notice reaches nobody.

use serde::{Deserialize, Serialize};

/// Why somebody with a banned app is never told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Missed {
    /// The agent lists no packages on this platform.
    NotListed,
    /// The policy's rollout does not reach the device.
    NotReached,
    /// The device is off all the time.
    Off,
    /// The person is on leave.
    OnLeave,
    /// The person is not at the device in all the time, or the policy ends before.
    NotThere,
    /// Somebody else on the device removed the app first.
    Gone,
}

impl Missed {
    /// The reason in a few words.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::NotListed => "this version's agent lists no packages on their device's platform",
            Self::NotReached => "the policy's rollout does not reach their device in this time",
            Self::Off => "their device is off all the time",
            Self::OnLeave => "they are on leave; they get the full notice when they are back",
            Self::NotThere => "they are not at their device in this time",
            Self::Gone => "somebody else on their device removes the app first",
        }
    }
}
