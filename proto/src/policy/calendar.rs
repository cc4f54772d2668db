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

    /// As it is written: `monday`.
    pub const fn name(self) -> &'static str {
        ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"][self as usize]
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    const ROME: &str = "Europe/Rome";

    /// A deadline that would fall at `from`, a clock face in `zone`, falls at `expected`.
    #[track_caller]
    fn check(quiet: &str, off: &[Day], zone: &str, from: &str, expected: &str) {
        let deadline = Deadline {
            quiet_hours: (!quiet.is_empty()).then(|| quiet.parse().unwrap()),
            days_off: off.iter().copied().collect(),
            ..Deadline::default()
        };
        let zone = TimeZone::get(zone).unwrap();
        let at = last_instant_of(from.parse().unwrap(), &zone);
        let open = deadline.open_from(at, &zone);
        assert_eq!(zone.to_datetime(open), expected.parse().unwrap(), "{quiet} {off:?} from {from}");
        assert_eq!(deadline.open_from(open, &zone), open, "an open moment stays");
    }

    #[test]
    fn a_deadline_moves_to_the_end_of_quiet_hours_and_days_off() {
        check("", &[], ROME, "2026-11-27T23:30", "2026-11-27T23:30");
        check("22:00-07:00", &[], ROME, "2026-11-27T21:59", "2026-11-27T21:59");
        check("22:00-07:00", &[], ROME, "2026-11-27T22:00", "2026-11-28T07:00");
        check("22:00-07:00", &[], ROME, "2026-11-28T06:59", "2026-11-28T07:00");
        check("22:00-07:00", &[], ROME, "2026-11-28T07:00", "2026-11-28T07:00");
        check("12:00-13:30", &[], ROME, "2026-11-27T12:30", "2026-11-27T13:30");
        check("", &[Day::Saturday, Day::Sunday], ROME, "2026-11-28T10:00", "2026-11-30T00:00");
        check("22:00-07:00", &[Day::Saturday, Day::Sunday], ROME, "2026-11-27T23:00", "2026-11-30T07:00");
        check("22:00-00:00", &[], ROME, "2026-12-31T23:00", "2027-01-01T00:00");
        let all_but_one = &Day::ALL[1..];
        check("00:00-23:59", all_but_one, ROME, "2026-12-01T10:00", "2026-12-07T23:59");
    }

    #[test]
    fn the_day_that_an_island_skipped_is_no_day_to_end_on() {
        // Samoa had no 30 December 2011; Friday the 30th off ends where Saturday the 31st begins.
        check("", &[Day::Friday], "Pacific/Apia", "2011-12-30T10:00", "2011-12-31T10:00");
        // 02:30 does not exist in Rome on that night: quiet hours end at 03:30 by the clocks that people see.
        check("22:00-02:30", &[], ROME, "2027-03-28T01:00", "2027-03-28T03:30");
    }

    #[test]
    fn hours_that_are_not_hours_are_refused() {
        for (text, problem) in [
            ("22:00", "not a span of hours"),
            ("22-07", "not a time of day"),
            ("22:00-24:00", "`24:00` is not a time of day"),
            ("22:00-7:00", "`7:00` is not a time of day"),
            ("22:00:30-07:00", "not a time of day"),
            ("07:00-07:00", "the whole day"),
        ] {
            let error = text.parse::<QuietHours>().unwrap_err();
            assert!(error.contains(problem) && error.contains("22:00-07:00"), "{error}");
        }
    }

    #[test]
    fn a_days_name_is_what_policies_write() {
        for day in Day::ALL {
            assert_eq!(serde_json::to_string(&day).unwrap(), format!("\"{}\"", day.name()));
        }
    }
}
