//! What an admin wants to know of a simulation: how many people, when, and how long they have.

use std::collections::BTreeMap;

use forewarn_proto::policy::{At, Length, Policy, PolicyId};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Fleet, Simulation, device::Track, fleet::Entry, missed::Missed, scene::Period, series::Series};

/// The figures; `--json` prints them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Figures {
    pub(crate) policy: PolicyId,
    pub(crate) version: u64,
    pub(crate) title: String,
    /// When the policy is sent.
    pub(crate) from: Timestamp,
    /// What comes later is not told.
    pub(crate) until: Timestamp,
    /// The policy's `deadline.at`, as it is written.
    pub(crate) written: Option<String>,
    /// The same as an instant; none if it is floating, so that each zone has its own.
    pub(crate) written_at: Option<Timestamp>,
    pub(crate) devices: u64,
    pub(crate) people: u64,
    /// People who have a banned app, and whom the policy so obliges.
    pub(crate) obliged: u64,
    /// Those of them who are told.
    pub(crate) told: u64,
    /// When the first and the last of them are.
    pub(crate) told_between: Option<[Timestamp; 2]>,
    /// Those who are told of mail that will leave; others are only warned.
    pub(crate) can_lose: u64,
    /// How long it is from the notice to the written time, for those who are told before it.
    pub(crate) left: Option<Left>,
    /// Of those who can lose mail: what sets their deadline.
    pub(crate) set_by: BTreeMap<SetBy, u64>,
    /// The `min_notice` of devices whose deadlines it sets: the least and the most.
    pub(crate) min_notice: Option<[Length; 2]>,
    /// The first and the last deadline, as people are told, of those who still have the app then.
    pub(crate) deadlines: Option<[Timestamp; 2]>,
    /// People who were not there for their last call, which moved their deadline on.
    pub(crate) late_calls: u64,
    /// People whose mail leaves in the period.
    pub(crate) revoked: u64,
    /// When the first and the last mail leaves.
    pub(crate) revoked_between: Option<[Timestamp; 2]>,
    /// The shortest time from a person's first notice to the loss of mail, in minutes.
    pub(crate) shortest_notice_minutes: Option<i64>,
    /// People who remove the app.
    pub(crate) removed: u64,
    /// Whether the fleet says of anybody that they remove it.
    pub(crate) somebody_complies: bool,
    /// People who are never told, and why.
    pub(crate) never_told: BTreeMap<Missed, u64>,
    /// The same for each of the fleet's groups.
    pub(crate) groups: BTreeMap<String, OfGroup>,
    /// All of it over time.
    pub(crate) series: Series,
}

/// How long people have from the notice to the written time, in minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Left {
    pub(crate) least: i64,
    /// Half of the people have no more.
    pub(crate) median: i64,
    pub(crate) most: i64,
    /// How many people are told before the written time.
    pub(crate) before: u64,
}

/// What sets a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SetBy {
    /// The policy's written time.
    Written,
    /// The device's own least notice.
    DeviceMinNotice,
    /// The policy's least notice.
    PolicyMinNotice,
    /// The policy's grace.
    Grace,
    /// The ramp, quiet hours or days off: each only makes it later.
    Later,
}

/// The figures of one group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct OfGroup {
    pub(crate) people: u64,
    pub(crate) obliged: u64,
    pub(crate) told: u64,
    pub(crate) revoked: u64,
}

/// One track beside its entry.
struct One<'a> {
    entry: &'a Entry,
    track: &'a Track,
    people: u64,
}

impl Figures {
    /// The figures, with no more than `spans` spans of time.
    pub(crate) fn of(policy: &Policy, fleet: &Fleet, period: Period, simulation: &Simulation, spans: usize) -> Self {
        let all: Vec<One<'_>> = simulation
            .tracks
            .iter()
            .filter_map(|track| {
                let entry = fleet.devices.get(track.entry)?;
                Some(One { entry, track, people: u64::from(track.devices) })
            })
            .collect();
        let told = || all.iter().filter(|one| one.track.told.is_some());
        let can_lose = || told().filter(|one| one.track.told_deadline.is_some());
        let revokes = || all.iter().filter_map(|one| Some((one.track.revoked?, one.people)));
        let written_at = policy.deadline.at.as_ref().and_then(|at| match at {
            At::Instant { instant, .. } => Some(*instant),
            At::Floating(_) => None,
        });
        let by_device = can_lose().filter(|one| one.set_by(policy) == Some(SetBy::DeviceMinNotice));
        Self {
            policy: policy.id.clone(),
            version: policy.version,
            title: policy.title.english().to_owned(),
            from: period.from,
            until: period.until,
            written: policy.deadline.at.as_ref().map(ToString::to_string),
            written_at,
            devices: fleet.size(),
            people: fleet.people(),
            obliged: sum(all.iter()),
            told: sum(told()),
            told_between: ends(told().filter_map(|one| one.track.told)),
            can_lose: sum(can_lose()),
            left: left(told().filter_map(|one| Some((one.left(policy)?.as_mins(), one.people))).collect()),
            set_by: tally(can_lose().filter_map(|one| Some((one.set_by(policy)?, one.people)))),
            min_notice: ends(by_device.map(|one| one.entry.min_notice)),
            deadlines: ends(all.iter().filter_map(One::told_deadline)),
            late_calls: sum(all.iter().filter(|one| one.is_called_late())),
            revoked: revokes().map(|(_, people)| people).sum(),
            revoked_between: ends(revokes().map(|(at, _)| at)),
            shortest_notice_minutes: all.iter().filter_map(|one| Some(one.track.notice_given()?.as_mins())).min(),
            removed: sum(all.iter().filter(|one| one.track.removed.is_some())),
            somebody_complies: fleet.devices.iter().any(|entry| !entry.complies.is_none()),
            never_told: tally(all.iter().filter_map(|one| Some((one.track.missed?, one.people)))),
            groups: groups(fleet, &all),
            series: series(period, &all, spans),
        }
    }
}

impl Track {
    /// From the first notice to the loss of mail.
    pub(super) fn notice_given(&self) -> Option<SignedDuration> {
        Some(self.revoked?.duration_since(self.told?))
    }
}

impl One<'_> {
    /// From the notice to the written time.
    fn left(&self, policy: &Policy) -> Option<SignedDuration> {
        let at = policy.deadline.at.as_ref()?.instant_in(&self.entry.zone.zone);
        Some(at.duration_since(self.track.told?))
    }

    /// The deadline that the person was told, if the app is still there then.
    fn told_deadline(&self) -> Option<Timestamp> {
        let deadline = self.track.told_deadline?;
        self.track.removed.is_none_or(|removed| removed >= deadline).then_some(deadline)
    }

    /// Whether the mail leaves only after the deadline that the person was told.
    fn is_called_late(&self) -> bool {
        self.track.revoked.zip(self.track.told_deadline).is_some_and(|(revoked, told)| revoked > told)
    }

    fn set_by(&self, policy: &Policy) -> Option<SetBy> {
        let (told, deadline) = (self.track.told?, self.track.told_deadline?);
        let (device, least) = (self.entry.min_notice.max(A_LEAST), policy.deadline.min_notice);
        let notice = device.max(least).max(policy.deadline.grace);
        let by_notice = told.saturating_add(notice.0).unwrap_or(Timestamp::MAX);
        let written = policy.deadline.at.as_ref().map(|at| at.instant_in(&self.entry.zone.zone));
        let common = written.map_or(by_notice, |written| written.max(by_notice));
        Some(match () {
            () if written == Some(deadline) => SetBy::Written,
            () if deadline > common && written.is_some_and(|written| written >= by_notice) => SetBy::Later,
            () if notice == device => SetBy::DeviceMinNotice,
            () if notice == least => SetBy::PolicyMinNotice,
            () => SetBy::Grace,
        })
    }
}

/// The engine's own floor under a device's least notice.
const A_LEAST: Length = Length(forewarn_engine::Settings::LEAST_NOTICE);

fn sum<'a>(all: impl Iterator<Item = &'a One<'a>>) -> u64 {
    all.map(|one| one.people).sum()
}

/// The least and the most.
fn ends<T: Ord + Copy>(all: impl Iterator<Item = T>) -> Option<[T; 2]> {
    all.fold(None, |ends, one| {
        let [least, most] = ends.unwrap_or([one, one]);
        Some([least.min(one), most.max(one)])
    })
}

fn tally<K: Ord>(all: impl Iterator<Item = (K, u64)>) -> BTreeMap<K, u64> {
    let mut counts = BTreeMap::new();
    all.for_each(|(key, people)| *counts.entry(key).or_default() += people);
    counts
}

fn left(mut minutes: Vec<(i64, u64)>) -> Option<Left> {
    minutes.retain(|(left, _)| *left >= 0);
    minutes.sort_unstable();
    let before: u64 = minutes.iter().map(|(_, people)| people).sum();
    let mut counted = 0;
    let median = minutes.iter().find(|(_, people)| {
        counted += people;
        counted >= before.div_ceil(2)
    })?;
    Some(Left { least: minutes.first()?.0, median: median.0, most: minutes.last()?.0, before })
}

fn groups(fleet: &Fleet, all: &[One<'_>]) -> BTreeMap<String, OfGroup> {
    let mut groups: BTreeMap<String, OfGroup> = BTreeMap::new();
    for entry in &fleet.devices {
        for group in &entry.groups {
            groups.entry(group.to_string()).or_default().people += u64::from(entry.count) * u64::from(entry.people);
        }
    }
    for one in all {
        for group in &one.entry.groups {
            let of = groups.entry(group.to_string()).or_default();
            of.obliged += one.people;
            of.told += if one.track.told.is_some() { one.people } else { 0 };
            of.revoked += if one.track.revoked.is_some() { one.people } else { 0 };
        }
    }
    groups
}

fn series(period: Period, all: &[One<'_>], spans: usize) -> Series {
    let mut series = Series::empty(period, spans);
    let empty = series.clone();
    for one in all {
        let happened = [
            (&mut series.told, one.track.told),
            (&mut series.deadline, one.told_deadline()),
            (&mut series.revoked, one.track.revoked),
        ];
        for (list, at) in happened {
            at.into_iter().for_each(|at| empty.count(list, at, one.people));
        }
    }
    series
}
