//! When a profile may be revoked, and why not yet.

use forewarn_proto::{
    policy::{Policy, RuleId},
    report::Hold,
};
use jiff::{Timestamp, tz::TimeZone};

use crate::{Settings, ramp::place, state::Obligation, time::after};

/// The effective deadline if the counting notice was (or would be) shown at `shown`:
/// `max(at, shown + max(grace, min_notice))`, with the device's own least notice as the floor, then the device's place in
/// the ramp, then out of quiet hours and days off.
pub(crate) fn deadline_from(
    policy: &Policy,
    rule: &RuleId,
    settings: &Settings,
    zone: &TimeZone,
    shown: Timestamp,
) -> Timestamp {
    let deadline = &policy.deadline;
    let notice = deadline.grace.0.max(deadline.min_notice.0).max(settings.min_notice());
    let earliest = after(shown, notice);
    let common = deadline.at.as_ref().map_or(earliest, |at| earliest.max(at.instant_in(zone)));
    let own = after(common, place(&settings.device, &policy.id, rule, deadline.ramp.0));
    deadline.open_from(own, zone)
}

/// The effective deadline of an obligation, once its notice was shown. Within one version of a policy it never comes
/// nearer than the person was told, wherever they travel; a late last call moves it on.
pub(crate) fn effective(
    policy: &Policy,
    settings: &Settings,
    zone: &TimeZone,
    obligation: &Obligation,
) -> Option<Timestamp> {
    let computed = deadline_from(policy, &obligation.rule.id, settings, zone, obligation.shown?);
    let told = obligation.told.filter(|_| obligation.version == policy.version).unwrap_or(computed);
    let called = obligation.last_call.map_or(computed, |call| after(call, Settings::LAST_CALL));
    Some(policy.deadline.open_from(computed.max(told).max(called), zone))
}

/// What stands between an obligation and the revoke.
pub(crate) struct Readiness {
    pub(crate) now: Timestamp,
    pub(crate) shown: bool,
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) last_call: Option<Timestamp>,
    pub(crate) takes_something: bool,
    pub(crate) certain: bool,
    pub(crate) has_mail: bool,
    pub(crate) policy_current: bool,
    pub(crate) scan_fresh: bool,
}

impl Readiness {
    /// Every reason not to revoke now; none means that the revoke is due.
    pub(crate) fn holds(&self) -> Vec<Hold> {
        let applies = |hold: &Hold| match hold {
            Hold::OnlyWarns => !self.takes_something,
            Hold::NotCertain => !self.certain,
            Hold::NotShown => !self.shown,
            Hold::DeadlineAhead => self.deadline.is_some_and(|deadline| self.now < deadline),
            Hold::LastCall => self.last_call.is_none_or(|call| self.now < after(call, Settings::LAST_CALL)),
            Hold::PolicyStale => !self.policy_current,
            Hold::ScanNotFresh => !self.scan_fresh,
            Hold::NoCompanyMail => self.takes_something && !self.has_mail,
        };
        Hold::ALL.into_iter().filter(applies).collect()
    }
}
