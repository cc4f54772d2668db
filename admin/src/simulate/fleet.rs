//! The fleet's file: who is simulated. `docs/fleet.md` says it for admins, `docs/fleet.json` is an example.
//!
//! It needs no inventory of anybody: an entry can say what an agent's report says (`not_met`, by rule) and no more.

use std::collections::BTreeSet;

use forewarn_proto::{
    policy::{Day, Group, Length, RuleId},
    purl::Purl,
};
use jiff::{
    SignedDuration,
    civil::{Date, DateTime},
};
use serde::{Deserialize, Serialize};

use super::given::{Hours, Share, Zone};

/// The largest file that is read, in bytes. A file that was chosen by mistake must not fill the memory.
pub(crate) const MAX_FLEET_BYTES: usize = 64 * 1024 * 1024;
/// The most devices in a fleet, counting every one of an entry's `count`. Bounds the time that a simulation takes.
pub(crate) const MAX_DEVICES: u64 = 200_000;
/// The most people in a fleet.
pub(crate) const MAX_PEOPLE: u64 = 1_000_000;
/// The most people on one device.
pub(crate) const MAX_PEOPLE_OF_A_DEVICE: u32 = 100;
/// The most apps, spans of days, or groups in one entry.
const MAX_IN_A_LIST: usize = 1000;
/// The most characters in a name.
const MAX_NAME_CHARS: usize = 100;

/// The devices that a policy would reach.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fleet {
    /// Devices, and groups of alike devices.
    pub(crate) devices: Vec<Entry>,
}

/// One device, or `count` devices that are alike in all but their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// The device's name; of several, their names are this with `-1`, `-2`, ... A policy's ramp is made from it.
    pub(crate) name: String,
    /// How many such devices there are.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub(crate) count: u32,
    /// Its operating system.
    #[serde(default)]
    pub(crate) platform: Platform,
    /// Its time zone.
    pub(crate) zone: Zone,
    /// The least notice that its own configuration insists on.
    #[serde(default = "a_day", skip_serializing_if = "is_a_day")]
    pub(crate) min_notice: Length,
    /// The groups that it was put into when it enrolled: a policy's rollout may name them, and figures are told by them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) groups: BTreeSet<Group>,
    /// How many people use it. All keep the same hours.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub(crate) people: u32,
    /// Whether they have company mail of the domains that a policy names.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub(crate) mail: bool,
    /// What is installed, of which a policy may speak.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) apps: Vec<Installed>,
    /// Rules of the simulated policy that are not met on it: what an agent reports, and all that an exported fleet has.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) not_met: BTreeSet<RuleId>,
    /// When its people are there to see a notice; without it, always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at_device: Option<AtDevice>,
    /// Days on which they are not there at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) away: Vec<Days>,
    /// When it is switched off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) off: Vec<Off>,
    /// Whether it is also off whenever nobody is there.
    #[serde(default, skip_serializing_if = "is_no")]
    pub(crate) off_when_nobody_is_there: bool,
    /// How many of the people who are told remove the app. Nobody, unless it is said: the worst case.
    #[serde(default, skip_serializing_if = "is_nobody")]
    pub(crate) complies: Share,
    /// Within how long after the notice they do; each has a moment of their own.
    #[serde(default = "a_day", skip_serializing_if = "is_a_day")]
    pub(crate) complies_within: Length,
}

/// An operating system. This version's agents list packages on Linux alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Platform {
    #[default]
    Linux,
    Windows,
    Macos,
    Android,
}

/// An installed app: `"tiktok"`, `"pkg:snap/tiktok"`, or `{"app": "tiktok", "person": 2}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Installed {
    /// For everyone on the device.
    System(App),
    /// In the home of one person.
    Home(InHome),
}

/// See [`Installed::Home`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InHome {
    /// What.
    pub(crate) app: App,
    /// In whose home: the device's first person is 1.
    pub(crate) person: u32,
}

/// An app: its package, or its id or name in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum App {
    /// `pkg:snap/tiktok`
    Package(Purl),
    /// `tiktok`
    Named(String),
}

/// The hours in which people are at their device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AtDevice {
    /// By the device's local time. Hours that go over midnight belong to the day on which they begin.
    pub(crate) hours: Hours,
    /// On which days.
    #[serde(default = "working_days")]
    pub(crate) days: BTreeSet<Day>,
}

/// Whole days, by the device's local time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Days {
    /// The first: `2026-12-01`.
    pub(crate) from: Date,
    /// The last.
    pub(crate) to: Date,
}

/// A time, by the device's local clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Off {
    /// When it is switched off: `2026-12-01T17:00`.
    pub(crate) from: DateTime,
    /// When it is switched on again.
    pub(crate) to: DateTime,
}

fn one() -> u32 {
    1
}

fn yes() -> bool {
    true
}

fn a_day() -> Length {
    Length(SignedDuration::from_hours(24))
}

pub(super) fn working_days() -> BTreeSet<Day> {
    Day::ALL[..5].iter().copied().collect()
}

// What is as if it were not written is not written.
fn is_one(count: &u32) -> bool {
    *count == 1
}

fn is_yes(yes: &bool) -> bool {
    *yes
}

fn is_no(yes: &bool) -> bool {
    !yes
}

fn is_nobody(share: &Share) -> bool {
    share.is_none()
}

fn is_a_day(length: &Length) -> bool {
    *length == a_day()
}

impl Fleet {
    /// Reads a fleet.
    ///
    /// # Errors
    /// Names the field, such as `devices[2].zone`, and what to write instead.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_FLEET_BYTES {
            return Err(format!("it has more than {MAX_FLEET_BYTES} bytes; write alike devices as one with a `count`"));
        }
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let fleet: Self = serde_path_to_error::deserialize(&mut reader).map_err(|e| {
            let place = e.path().to_string();
            if place == "." { e.into_inner().to_string() } else { format!("{place}: {}", e.into_inner()) }
        })?;
        reader.end().map_err(|e| e.to_string())?;
        fleet.check()?;
        Ok(fleet)
    }

    fn check(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for (index, entry) in self.devices.iter().enumerate() {
            entry.check().map_err(|(field, problem)| format!("devices[{index}].{field}: {problem}"))?;
            if !names.insert(&entry.name) {
                return Err(format!("devices[{index}].name: an earlier entry has this name; names must differ"));
            }
        }
        for (what, number, most) in [("devices", self.size(), MAX_DEVICES), ("people", self.people(), MAX_PEOPLE)] {
            if number > most {
                return Err(format!("devices: {number} {what}; the limit is {most}: take a part of the fleet"));
            }
        }
        if self.size() == 0 {
            return Err("devices: there is none; see `forewarn-admin fleet synthetic`".to_owned());
        }
        Ok(())
    }

    /// How many devices there are.
    pub(crate) fn size(&self) -> u64 {
        self.devices.iter().map(|entry| u64::from(entry.count)).sum()
    }

    /// How many people there are.
    pub(crate) fn people(&self) -> u64 {
        self.devices.iter().map(|entry| u64::from(entry.count) * u64::from(entry.people)).sum()
    }
}

impl Entry {
    /// A device as it is where nothing else is said.
    pub(super) fn plain(name: &str, zone: Zone) -> Self {
        Self {
            name: name.to_owned(),
            count: 1,
            platform: Platform::default(),
            zone,
            min_notice: a_day(),
            groups: BTreeSet::new(),
            people: 1,
            mail: true,
            apps: Vec::new(),
            not_met: BTreeSet::new(),
            at_device: None,
            away: Vec::new(),
            off: Vec::new(),
            off_when_nobody_is_there: false,
            complies: Share::default(),
            complies_within: a_day(),
        }
    }

    /// The field that is wrong, and what is wrong with it.
    fn check(&self) -> Result<(), (String, String)> {
        let wrong = |field: &str, problem: &str| Err((field.to_owned(), problem.to_owned()));
        let is_name = |name: &str| (1..=MAX_NAME_CHARS).contains(&name.chars().count());
        if !is_name(&self.name) {
            return wrong("name", "a name has 1 to 100 characters");
        }
        if !(1..=MAX_PEOPLE_OF_A_DEVICE).contains(&self.people) {
            return wrong("people", "a device has 1 to 100 people");
        }
        let longest = [self.apps.len(), self.not_met.len(), self.away.len(), self.off.len(), self.groups.len()];
        if longest.into_iter().any(|length| length > MAX_IN_A_LIST) {
            return wrong("name", "this entry has a list of more than 1000; split it");
        }
        if let Some(index) = self.away.iter().position(|days| days.to < days.from) {
            return wrong(&format!("away[{index}].to"), "it is before `from`");
        }
        if let Some(index) = self.off.iter().position(|off| off.to <= off.from) {
            return wrong(&format!("off[{index}].to"), "it is not after `from`");
        }
        let homeless = |app: &Installed| match app {
            Installed::Home(home) => !(1..=self.people).contains(&home.person),
            Installed::System(_) => false,
        };
        if let Some(index) = self.apps.iter().position(homeless) {
            return wrong(&format!("apps[{index}].person"), "the device has no such person; the first is 1");
        }
        Ok(())
    }

    /// The names of its devices.
    pub(super) fn device_name(&self, index: u32) -> String {
        if self.count == 1 { self.name.clone() } else { format!("{}-{}", self.name, index + 1) }
    }
}
