//! Counts what devices reported. Pure: reports in, numbers out.

use std::collections::BTreeMap;

use forewarn_proto::{
    api::{CorrectionCount, FleetStatus, Foresight, PolicyCount, Share},
    report::{Finding, Foretold, Obstacle, PolicyReport, ProfileReport, ProfileState, Report, Stage},
};
use jiff::tz::TimeZone;

use crate::store::StoredReport;

/// The kinds of devices that are counted apart. What else a device calls itself is for itself to say.
const PLATFORMS: [&str; 4] = ["linux", "android", "windows", "macos"];

/// The counts of the reports that were added so far.
#[derive(Debug)]
pub(crate) struct Counted {
    /// The version in force of each policy and preview, by its name in the counts.
    versions: BTreeMap<String, u64>,
    fleet: FleetStatus,
}

impl Counted {
    /// No reports yet. What devices say of a version that is not in force here any more, or not yet there, is not counted.
    pub(crate) fn of(versions: BTreeMap<String, u64>) -> Self {
        let policies = versions
            .iter()
            .map(|(name, version)| (name.clone(), PolicyCount { version: *version, ..PolicyCount::default() }));
        let fleet = FleetStatus { policies: policies.collect(), ..FleetStatus::default() };
        Self { versions, fleet }
    }

    pub(crate) fn add(&mut self, stored: &StoredReport) {
        let report = &stored.report;
        self.fleet.unattended += report.unattended.len() as u64;
        for setting in &report.weakened {
            *self.fleet.weakened.entry(setting.name().to_owned()).or_default() += 1;
        }
        for policy in &report.policies {
            let prefix = if policy.preview { "preview/" } else { "" };
            let name = format!("{prefix}{}", policy.policy);
            if self.versions.get(&name) == Some(&policy.version)
                && let Some(count) = self.fleet.policies.get_mut(&name)
            {
                count_policy(count, policy, stored);
            }
        }
        for correction in &report.corrections {
            let count: &mut CorrectionCount = self.fleet.corrections.entry(correction.policy.clone()).or_default();
            count.owed += 1;
            count.shown += u64::from(correction.shown.is_some());
        }
        if let Some(refusal) = &report.refused {
            *self.fleet.refusals.entry(refusal.to_string().into()).or_default() += 1;
        }
    }

    /// All counts, of this many devices.
    pub(crate) fn finish(mut self, devices: u64, connected: u64) -> FleetStatus {
        for count in self.fleet.policies.values_mut() {
            count.unheard = devices.saturating_sub(count.met + count.not_met + count.unknown);
        }
        FleetStatus { devices, connected, ..self.fleet }
    }
}

fn count_policy(count: &mut PolicyCount, policy: &PolicyReport, stored: &StoredReport) {
    let finding = policy.rules.iter().map(|rule| rule.finding).max().unwrap_or(Finding::Met);
    match finding {
        Finding::NotMet => count.not_met += 1,
        Finding::Unknown => count.unknown += 1,
        Finding::Met => count.met += 1,
    }
    count.reached += u64::from(policy.reached);
    let foretold = || policy.rules.iter().filter_map(|rule| rule.foretold.as_ref());
    let people: u64 = policy.rules.iter().map(|rule| rule.people.len() as u64).sum::<u64>()
        + foretold().map(|foretold| u64::from(foretold.people)).sum::<u64>();
    count_share(count.platforms.entry(platform(&stored.report).to_owned()).or_default(), finding, people);
    for group in &stored.groups {
        count_share(count.groups.entry(group.to_string()).or_default(), finding, people);
    }
    count.foretold.devices += u64::from(foretold().next().is_some());
    foretold().for_each(|foretold| count_foretold(&mut count.foretold, foretold));
    count_people(count, policy, &stored.report);
}

/// What kind of device it is.
pub(crate) fn platform(report: &Report) -> &'static str {
    PLATFORMS.into_iter().find(|known| *known == report.platform).unwrap_or("another kind")
}

fn count_share(share: &mut Share, finding: Finding, people: u64) {
    share.devices += 1;
    share.not_met += u64::from(finding == Finding::NotMet);
    share.unknown += u64::from(finding == Finding::Unknown);
    share.people += people;
}

fn count_foretold(sum: &mut Foresight, foretold: &Foretold) {
    let told = if foretold.reached.is_none() { &mut sum.told_now } else { &mut sum.told_later };
    *told += u64::from(foretold.people);
    if let Some(deadline) = foretold.deadline {
        let day = TimeZone::UTC.to_datetime(deadline).date();
        *sum.revoked.entry(day).or_default() += u64::from(foretold.with_mail);
    }
}

fn count_people(count: &mut PolicyCount, policy: &PolicyReport, report: &Report) {
    for person in policy.rules.iter().flat_map(|rule| &rule.people) {
        *count.people.entry(person.stage.text().to_owned()).or_default() += 1;
        count.shown += u64::from(person.shown.is_some());
        if person.shown.is_none() {
            let why = person.obstacle.map_or("the notice is on its way", Obstacle::text);
            *count.not_told.entry(why.to_owned()).or_default() += 1;
        }
        let waits = |profile: &ProfileReport| profile.person == person.person && profile.state == ProfileState::Waiting;
        count.store_open +=
            u64::from(report.profiles.iter().any(|profile| profile.person == person.person && profile.store_open));
        count.waiting += u64::from(person.stage == Stage::Revoking && report.profiles.iter().any(waits));
    }
}
