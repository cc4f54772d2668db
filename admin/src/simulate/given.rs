//! Values that a fleet's file, or a command's option, states: each checks itself while it is read.

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::{civil::Time, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::chance::{PARTS, draw};

/// A share of something: `8%`, `0.5%`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Share {
    /// In millionths.
    parts: u64,
}

/// A time zone of the IANA database, by its name: `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Zone {
    /// As it is written.
    pub(crate) name: String,
    /// What it stands for.
    pub(crate) zone: TimeZone,
}

/// Hours of a day: `09:00-17:00`, or `22:00-06:00` over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hours {
    /// The first moment.
    pub(crate) from: Time,
    /// The moment after the last; on the next day, if it is not later than `from`.
    pub(crate) to: Time,
}

impl Share {
    /// Whether it is nobody.
    pub(crate) fn is_none(self) -> bool {
        self.parts == 0
    }

    /// Whether chance counts `what` among the share: `laptop-12/tiktok`.
    pub(super) fn has(self, seed: u64, what: &str) -> bool {
        draw(seed, what) < self.parts
    }

    /// In millionths.
    pub(super) fn parts(self) -> u64 {
        self.parts
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let percent = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
        let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
        let percent = percent.ok_or_else(|| format!("`{text}` is not a share; write 0% to 100%, such as 8%"))?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and a million")]
        let parts = (percent / 100.0 * PARTS as f64).round() as u64;
        Ok(Self { parts })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.parts as f64 * 100.0 / PARTS as f64)
    }
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let remedy = "write a name of the IANA database, such as Europe/Berlin";
        let zone = TimeZone::get(text).map_err(|_| format!("`{text}` is no time zone; {remedy}"))?;
        Ok(Self { name: text.to_owned(), zone })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl FromStr for Hours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time = |part: &str| (part.len() == 5).then(|| part.parse::<Time>().ok()).flatten();
        let hours = text.split_once('-').and_then(|(from, to)| Some(Self { from: time(from)?, to: time(to)? }));
        hours.ok_or_else(|| format!("`{text}` is not a span of hours; write \"09:00-17:00\""))
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from.strftime("%H:%M"), self.to.strftime("%H:%M"))
    }
}

/// They are texts in JSON.
macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )*};
}

as_text!(Share, Zone, Hours);
