//! When no deadline falls: quiet hours and days off, by the device's own clock. Both move a deadline later, never nearer.

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::{
    Timestamp,
    civil::{DateTime, Time, Weekday},
    tz::TimeZone,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::deadline::{Deadline, last_instant_of};

/// Hours in which no deadline falls: `"22:00-07:00"`, from the first time up to, not including, the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    from: Time,
    to: Time,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say all")]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Day {
    /// All seven.
    pub const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];
}

impl From<Weekday> for Day {
    fn from(weekday: Weekday) -> Self {
        match weekday {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

impl Deadline {
    /// The first moment from `instant` on that is neither in quiet hours nor on a day off, by the clocks of `zone`.
    pub fn open_from(&self, instant: Timestamp, zone: &TimeZone) -> Timestamp {
        let start = zone.to_datetime(instant);
        let mut face = start;
        // Six days off in a row, the quiet hours before and after them: no policy needs more steps.
        for _ in 0..9 {
            match self.closed_until(face) {
                Some(later) => face = later,
                None => break,
            }
        }
        if face == start { instant } else { last_instant_of(face, zone).max(instant) }
    }

    /// When what keeps deadlines away at `face` is over; none if nothing does.
    fn closed_until(&self, face: DateTime) -> Option<DateTime> {
        if self.days_off.contains(&face.weekday().into()) {
            return Some(face.date().tomorrow().ok()?.to_datetime(Time::midnight()));
        }
        let quiet = self.quiet_hours.filter(|quiet| quiet.contain(face.time()))?;
        let day = if quiet.to > face.time() { face.date() } else { face.date().tomorrow().ok()? };
        Some(day.to_datetime(quiet.to))
    }
}

impl QuietHours {
    fn contain(&self, time: Time) -> bool {
        if self.from < self.to { self.from <= time && time < self.to } else { self.from <= time || time < self.to }
    }
}

impl FromStr for QuietHours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let remedy = "write two times of the 24-hour clock, such as \"22:00-07:00\"";
        let (from, to) = text.split_once('-').ok_or_else(|| format!("`{text}` is not a span of hours; {remedy}"))?;
        let read = |part: &str| {
            let part = part.trim();
            let hour_and_minute = part.len() == 5 && part.as_bytes()[2] == b':';
            let time = hour_and_minute.then(|| part.parse::<Time>().ok()).flatten();
            time.ok_or_else(|| format!("`{part}` is not a time of day; {remedy}"))
        };
        let (from, to) = (read(from)?, read(to)?);
        if from == to {
            return Err(format!("`{text}` is the whole day, so that no deadline could ever come; {remedy}"));
        }
        Ok(Self { from, to })
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from.strftime("%H:%M"), self.to.strftime("%H:%M"))
    }
}

impl<'de> Deserialize<'de> for QuietHours {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for QuietHours {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for QuietHours {
    fn schema_name() -> Cow<'static, str> {
        "QuietHours".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$",
            "description": "Two times of the 24-hour clock, by the device's local time: 22:00-07:00.",
        })
    }
}
