//! Counts what devices reported. Pure: reports in, numbers out.

use std::collections::BTreeMap;

use forewarn_proto::{
    api::{AgentCount, CorrectionCount, FleetStatus, Foresight, PolicyCount, Share},
    policy::{FORMAT, Header},
    report::{Finding, Foretold, Obstacle, PolicyReport, ProfileReport, ProfileState, Report, Stage},
};
use jiff::tz::TimeZone;

use crate::store::StoredReport;

/// The kinds of devices that are counted apart. What else a device calls itself is for itself to say.
const PLATFORMS: [&str; 4] = ["linux", "android", "windows", "macos"];

/// What stands before a preview's id in the counts.
const PREVIEW: &str = "preview/";
/// What a version is called that is none.
const ANOTHER_VERSION: &str = "another version";
/// The most different agents that are counted apart; devices say themselves which one they have.
const MAX_AGENTS: usize = 50;
/// The longest version of an agent that is shown as it is, in characters.
const MAX_VERSION_CHARS: usize = 32;

/// The counts of the reports that were added so far.
#[derive(Debug)]
pub(crate) struct Counted {
    /// Each policy and preview in force, by its name in the counts.
    in_force: BTreeMap<String, Header>,
    /// Devices by version, kind and format.
    agents: BTreeMap<(String, &'static str, u32), u64>,
    fleet: FleetStatus,
}

impl Counted {
    /// No reports yet. What devices say of a version that is not in force here any more, or not yet there, is not counted.
    pub(crate) fn of(in_force: BTreeMap<String, Header>) -> Self {
        let blank = |header: &Header| PolicyCount { version: header.version.unwrap_or_default(), ..Default::default() };
        let policies = in_force.iter().map(|(name, header)| (name.clone(), blank(header))).collect();
        Self { in_force, agents: BTreeMap::new(), fleet: FleetStatus { policies, ..FleetStatus::default() } }
    }

    pub(crate) fn add(&mut self, stored: &StoredReport) {
        let report = &stored.report;
        self.fleet.unattended += report.unattended.len() as u64;
        for setting in &report.weakened {
            *self.fleet.weakened.entry(setting.name().to_owned()).or_default() += 1;
        }
        self.add_agent(report);
        for policy in &report.policies {
            let prefix = if policy.preview { PREVIEW } else { "" };
            let name = format!("{prefix}{}", policy.policy);
            if self.in_force.get(&name).is_some_and(|header| header.version == Some(policy.version))
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

    /// Counts the agent, and the policies for which it is too old.
    fn add_agent(&mut self, report: &Report) {
        let agent = (version(report), platform(report), report.format);
        let is_full = self.agents.len() >= MAX_AGENTS && !self.agents.contains_key(&agent);
        let agent = if is_full { (ANOTHER_VERSION.to_owned(), agent.1, agent.2.min(FORMAT)) } else { agent };
        *self.agents.entry(agent).or_default() += 1;
        for (name, header) in &self.in_force {
            let count = self.fleet.policies.get_mut(name).filter(|_| is_too_old(report, name, header));
            count.into_iter().for_each(|count| count.too_old += 1);
        }
    }

    /// All counts, of this many devices.
    pub(crate) fn finish(mut self, devices: u64, connected: u64) -> FleetStatus {
        for count in self.fleet.policies.values_mut() {
            count.unheard = devices.saturating_sub(count.met + count.not_met + count.unknown);
        }
        let agents = self.agents.into_iter().map(|((version, platform, format), devices)| AgentCount {
            version,
            platform: platform.to_owned(),
            format,
            devices,
        });
        FleetStatus { devices, connected, agents: agents.collect(), ..self.fleet }
    }
}

/// Whether a device can't read a policy or a preview: it says so, or its agent knows no such format.
fn is_too_old(report: &Report, name: &str, header: &Header) -> bool {
    let document = match name.strip_prefix(PREVIEW) {
        Some(id) => format!("previews/{id}.toml"),
        None => format!("policies/{name}.toml"),
    };
    report.format < header.format || report.unread.iter().any(|unread| unread.document == document)
}

/// The agent's version, as far as it looks like one.
pub(crate) fn version(report: &Report) -> String {
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte));
    let shown = Some(&report.agent).filter(|text| (1..=MAX_VERSION_CHARS).contains(&text.len()) && is_plain(text));
    shown.map_or(ANOTHER_VERSION, String::as_str).to_owned()
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

#[cfg(test)]
mod tests {
    use forewarn_proto::report::{Misread, Unread};
    use serde_json::json;

    use super::*;

    fn report(agent: &str, format: u32, unread: &[&str]) -> StoredReport {
        let unread: Vec<Unread> =
            unread.iter().map(|name| Unread { document: (*name).to_owned(), why: Misread::Format(9) }).collect();
        let said = json!({
            "sequence": 1, "made_at": "2026-12-01T09:00:00Z", "agent": agent, "platform": "linux", "format": format,
            "unread": unread, "bundle": 1, "refused": null, "policies": [], "profiles": [], "corrections": [],
            "of_the_future": { "whatever": 1 }
        });
        StoredReport {
            device: "device-0".into(),
            groups: Default::default(),
            report: serde_json::from_value(said).unwrap(),
        }
    }

    #[test]
    fn who_is_too_old_for_a_policy_is_counted_by_policy_and_by_agent() {
        let header = |format| Header { format, version: Some(1) };
        let in_force = [("a".to_owned(), header(1)), ("preview/a".to_owned(), header(2)), ("b".to_owned(), header(1))];
        let mut counted = Counted::of(in_force.into());
        counted.add(&report("0.1.0", 1, &["policies/b.toml"]));
        counted.add(&report("0.1.0", 1, &[]));
        counted.add(&report("0.2.0", 2, &["previews/b.toml", "surveys/a.toml"]));
        counted.add(&report("\u{1b}[2J", 2, &[]));
        let fleet = counted.finish(10, 0);
        let too_old = |name: &str| fleet.policies[name].too_old;
        assert_eq!((too_old("a"), too_old("preview/a"), too_old("b")), (0, 2, 1));
        assert_eq!(fleet.policies["preview/a"].unheard, 10, "who can't answer yet may be hit once it is updated");
        let agents: Vec<String> =
            fleet.agents.iter().map(|a| format!("{} {} {}", a.devices, a.version, a.format)).collect();
        assert_eq!(agents, ["2 0.1.0 1", "1 0.2.0 2", "1 another version 2"]);
    }

    #[test]
    fn devices_that_invent_versions_fill_no_list() {
        let mut counted = Counted::of(BTreeMap::new());
        (0..1000).for_each(|n| counted.add(&report(&format!("0.{n}.0"), n, &[])));
        let fleet = counted.finish(1000, 0);
        assert!(fleet.agents.len() <= MAX_AGENTS + 2, "{}", fleet.agents.len());
        assert_eq!(fleet.agents.iter().map(|agent| agent.devices).sum::<u64>(), 1000);
    }
}
