//! A fleet that nobody has, for a policy that nobody has sent: made from shares, the same for the same seed.

use std::collections::BTreeMap;

use forewarn_proto::policy::Group;

use super::{
    chance::{PARTS, draw},
    fleet::{App, AtDevice, Days, Entry, Fleet, Installed, working_days},
    given::{Hours, Share, Zone},
};

/// The zones of a company that has not said where it is, and how many of a million devices are in each.
const ZONES: [(&str, u64); 5] = [
    ("America/Los_Angeles", 400_000),
    ("America/New_York", 200_000),
    ("Europe/London", 100_000),
    ("Europe/Berlin", 100_000),
    ("Asia/Kolkata", 200_000),
];
/// The hours that people keep, equally often.
const HOURS: [&str; 3] = ["08:00-16:00", "09:00-17:00", "10:00-18:30"];

/// Days of leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leave {
    /// Which days.
    pub(crate) days: Days,
    /// How many people take them.
    pub(crate) share: Share,
}

/// What a fleet is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Recipe {
    /// How many devices.
    pub(crate) devices: u32,
    /// Which apps are on how many of them.
    pub(crate) apps: Vec<(App, Share)>,
    /// Where they are; a default where it is empty. What the shares leave over is in the first.
    pub(crate) zones: Vec<(Zone, Share)>,
    /// Who is away when.
    pub(crate) leave: Vec<Leave>,
    /// How many devices are off whenever nobody is there.
    pub(crate) off_at_night: Share,
    /// How many of those who are told remove the app.
    pub(crate) complies: Share,
    /// Another seed makes another fleet.
    pub(crate) seed: u64,
}

/// Makes the fleet; alike devices become one entry.
///
/// # Errors
/// When a zone or span of hours is unknown.
pub(crate) fn synthesize(recipe: &Recipe) -> Result<Fleet, String> {
    let mut alike: BTreeMap<String, Entry> = BTreeMap::new();
    for number in 1..=recipe.devices {
        let entry = recipe.device(number)?;
        let key = serde_json::to_string(&entry).map_err(|e| e.to_string())?;
        alike.entry(key).and_modify(|former| former.count += 1).or_insert(entry);
    }
    let name = |(index, entry): (usize, Entry)| Entry { name: format!("{}-{}", entry.name, index + 1), ..entry };
    let fleet = Fleet { devices: alike.into_values().enumerate().map(name).collect() };
    // What is made must be what is read.
    Fleet::parse(&serde_json::to_vec(&fleet).map_err(|e| e.to_string())?)
}

/// The zone as a group: `america-los-angeles`.
fn group_of(zone: &Zone) -> Result<Group, String> {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    zone.name.chars().map(plain).collect::<String>().parse()
}

impl Recipe {
    fn device(&self, number: u32) -> Result<Entry, String> {
        let has = |share: Share, what: &str| share.has(self.seed, &format!("{number}/{what}"));
        let installed = |(index, (app, share)): (usize, &(App, Share))| {
            has(*share, &format!("app/{index}")).then(|| Installed::System(app.clone()))
        };
        let away =
            |(index, leave): (usize, &Leave)| has(leave.share, &format!("leave/{index}")).then(|| leave.days.clone());
        let zone = self.zone(number)?;
        let hours = draw(self.seed, &format!("{number}/hours")) as usize % HOURS.len();
        Ok(Entry {
            groups: [group_of(&zone)?].into(),
            apps: self.apps.iter().enumerate().filter_map(installed).collect(),
            at_device: Some(AtDevice { hours: HOURS[hours].parse::<Hours>()?, days: working_days() }),
            away: self.leave.iter().enumerate().filter_map(away).collect(),
            off_when_nobody_is_there: has(self.off_at_night, "off"),
            complies: self.complies,
            ..Entry::plain("laptop", zone)
        })
    }

    fn zone(&self, number: u32) -> Result<Zone, String> {
        let given = self.zones.iter().map(|(zone, share)| (zone.clone(), share.parts()));
        let zones: Vec<(Zone, u64)> = if self.zones.is_empty() {
            ZONES.iter().map(|(name, parts)| Ok((name.parse()?, *parts))).collect::<Result<_, String>>()?
        } else {
            given.collect()
        };
        let mut drawn = draw(self.seed, &format!("{number}/zone"));
        for (zone, parts) in &zones {
            if drawn < *parts {
                return Ok(zone.clone());
            }
            drawn = drawn.saturating_sub(*parts).min(PARTS);
        }
        zones.into_iter().next().map(|(zone, _)| zone).ok_or_else(|| "there is no zone".to_owned())
    }
}
