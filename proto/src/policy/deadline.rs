//! When a consequence may follow: an absolute or floating time, and the grace that starts when a notice is shown.

use std::{borrow::Cow, collections::BTreeSet, fmt, str::FromStr};

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, ZonedDateTime, civil::DateTime, tz::TimeZone};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{Day, QuietHours};

/// The deadline part of a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    /// Not before this time.
    pub at: Option<At>,
    /// Not before this long after the first notice was shown.
    #[serde(default)]
    pub grace: Length,
    /// The least notice that the policy wants. The device's own configuration may ask for more; it never gives less.
    #[serde(default)]
    pub min_notice: Length,
    /// Revokes are spread over this length: each device has a place of its own in it, so that a mistake can be stopped
    /// while it has hit few.
    #[serde(default)]
    pub ramp: Length,
    /// Hours of the device's local time in which no deadline falls; one that would is moved to their end.
    pub quiet_hours: Option<QuietHours>,
    /// Days on which no deadline falls, by the device's local time; one that would is moved to the next other day.
    #[serde(default)]
    pub days_off: BTreeSet<Day>,
}

/// A time, either the same instant everywhere or the same clock face everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// `at = "2026-12-01T17:00[Europe/Berlin]"`, or with an offset, or with `Z`.
    Instant {
        /// The instant.
        instant: Timestamp,
        /// The text as the admin wrote it.
        written: String,
    },
    /// `at = { floating = "2026-12-01T17:00" }`: five o'clock wherever the device is.
    Floating(DateTime),
}

/// A length of time in a policy: `48h`, `7d` (a day has 24 hours), `1h 30m`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Length(pub SignedDuration);

impl At {
    /// The instant on a device in `zone`.
    pub fn instant_in(&self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Instant { instant, .. } => *instant,
            Self::Floating(face) => last_instant_of(*face, zone),
        }
    }

    /// The instant at which this time is over everywhere on earth: a floating time, in UTC-12.
    pub fn latest_instant(&self) -> Timestamp {
        self.instant_in(&TimeZone::fixed(jiff::tz::offset(-12)))
    }
}

/// When the clocks of `zone` show `face`. Where daylight saving skips that time, or shows it twice, the later reading
/// counts: where a clock face is ambiguous, the person gets the time.
pub(super) fn last_instant_of(face: DateTime, zone: &TimeZone) -> Timestamp {
    zone.to_ambiguous_timestamp(face).later().unwrap_or(Timestamp::MAX)
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instant { written, .. } => f.write_str(written),
            Self::Floating(face) => write!(f, "{face} (the device's local time)"),
        }
    }
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        check_hour(text)?;
        let instant = |instant| Self::Instant { instant, written: text.to_owned() };
        if let Ok(zoned) = text.parse::<ZonedDateTime>() {
            return Ok(instant(zoned.timestamp()));
        }
        if let Ok(timestamp) = text.parse::<Timestamp>() {
            return Ok(instant(timestamp));
        }
        Err(match text.parse::<DateTime>() {
            Ok(_) => format!(
                "`{text}` has no time zone; write \"{text}[Europe/Berlin]\", or at = {{ floating = \"{text}\" }} \
                 if you mean that time wherever the device is"
            ),
            Err(reason) => format!("`{text}` is not a time ({reason}); write \"2026-12-01T17:00[Europe/Berlin]\""),
        })
    }
}

/// A day alone is refused: one reads it as its beginning, the next as its end.
fn check_hour(text: &str) -> Result<(), String> {
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit() || c == '-');
    match text.split(['[', '+', 'Z']).next() {
        Some(day) if day.len() == 10 && digits(day) => {
            Err(format!("`{text}` has no hour; write the time of day too, such as {day}T17:00"))
        }
        Some(_) | None => Ok(()),
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum AtDocument {
    Text(String),
    Floating(FloatingDocument),
    /// A bare TOML date-time, which people write without quotes.
    Other(toml::Value),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FloatingDocument {
    floating: String,
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parsed = match AtDocument::deserialize(deserializer)? {
            AtDocument::Text(text) => text.parse(),
            AtDocument::Floating(FloatingDocument { floating }) => check_hour(&floating).and_then(|()| {
                let face = floating.parse::<DateTime>().map(Self::Floating);
                face.map_err(|e| format!("`{floating}` is not a time without a zone ({e})"))
            }),
            AtDocument::Other(value) => {
                Err(format!("{value} must be quoted, with its zone: \"2026-12-01T17:00[Europe/Berlin]\""))
            }
        };
        parsed.map_err(serde::de::Error::custom)
    }
}

impl Serialize for At {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Instant { written, .. } => serializer.serialize_str(written),
            Self::Floating(face) => FloatingDocument { floating: face.to_string() }.serialize(serializer),
        }
    }
}

impl JsonSchema for At {
    fn schema_name() -> Cow<'static, str> {
        "At".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "oneOf": [
            { "type": "string", "description": "A time with its zone: 2026-12-01T17:00[Europe/Berlin]" },
            {
                "type": "object",
                "properties": { "floating": { "type": "string", "format": "date-time" } },
                "required": ["floating"],
                "additionalProperties": false,
                "description": "The device's local time.",
            },
        ]})
    }
}

/// The longest length that a policy may state. What is longer is a typing error.
const MAX_LENGTH: SignedDuration = SignedDuration::from_hours(24 * 366);

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let remedy = "write a length such as 48h, 7d or 1h 30m";
        let span: Span = text.parse().map_err(|e| format!("`{text}` is not a length of time ({e}); {remedy}"))?;
        let length = span
            .to_duration(SpanRelativeTo::days_are_24_hours())
            .map_err(|e| format!("`{text}` has no fixed length ({e}); {remedy}"))?;
        if length.is_negative() || length > MAX_LENGTH {
            return Err(format!("`{text}` is out of bounds; a length is between 0 and 366 days"));
        }
        Ok(Self(length))
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Length {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Length {
    fn schema_name() -> Cow<'static, str> {
        "Length".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "A length of time: 48h, 7d, 1h 30m." })
    }
}
