//! What the devices that are played have in common.

use std::sync::Arc;

use forewarn_engine::PolicySet;
use forewarn_proto::policy::Policy;
use jiff::Timestamp;

use super::{apps::Apps, calendar::Calendar, fleet::Entry};

/// When the policy is sent, and how long the simulation looks on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    /// The policy is in force on every device that is on then, and on others as soon as they are.
    pub(crate) from: Timestamp,
    /// What comes later is not told.
    pub(crate) until: Timestamp,
}

/// What all devices of an entry have in common.
pub(super) struct Scene<'f> {
    pub(super) entry: &'f Entry,
    pub(super) policy: Arc<Policy>,
    pub(super) set: PolicySet,
    pub(super) calendar: Calendar,
    pub(super) apps: Apps,
    pub(super) period: Period,
    pub(super) seed: u64,
}
