//! Settings by which a device promises less than others do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A setting of a device's configuration that weakens a promise, so that nobody switches one off in silence. It is named as
/// the configuration names it: `max_staleness`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weakened {
    /// Time comes from a file.
    SimulatedClock,
    /// Notices come on some of a person's terminals only.
    Terminals,
    /// The packages of another system are listed.
    Root,
    /// Notices come on the desktop only, or on terminals only.
    Notices,
    /// There is less time between the first notice and a revoke than by default.
    MinNotice,
    /// A policy revokes for longer than by default without the server's word.
    MaxStaleness,
    /// A policy that acts without a server does so sooner than by default.
    OfflineLimit,
}

impl Weakened {
    /// Every such setting.
    pub const ALL: [Self; 7] = [
        Self::SimulatedClock,
        Self::Terminals,
        Self::Root,
        Self::Notices,
        Self::MinNotice,
        Self::MaxStaleness,
        Self::OfflineLimit,
    ];

    /// The setting, as the configuration names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SimulatedClock => "simulated_clock",
            Self::Terminals => "terminals",
            Self::Root => "root",
            Self::Notices => "notices",
            Self::MinNotice => "min_notice",
            Self::MaxStaleness => "max_staleness",
            Self::OfflineLimit => "offline_limit",
        }
    }
}
