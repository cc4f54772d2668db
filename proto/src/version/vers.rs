use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::Scheme;

/// The most constraints in a range. Stops: a policy whose matching takes hours.
const MAX_CONSTRAINTS: usize = 100;

/// A range of versions: `vers:deb/>=2.0|<2.4-1`. `vers:deb/*` holds all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vers {
    scheme: Scheme,
    /// Rising by version, as the VERS specification asks.
    constraints: Vec<(Comparator, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// As they are written, the longer first.
const COMPARATORS: [(&str, Comparator); 6] = [
    ("!=", Comparator::NotEqual),
    ("<=", Comparator::LessOrEqual),
    (">=", Comparator::GreaterOrEqual),
    ("<", Comparator::Less),
    (">", Comparator::Greater),
    ("=", Comparator::Equal),
];

impl Vers {
    /// The scheme by which its versions are compared.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether a version is in the range, by the VERS specification's "Checking if a version is contained within a range".
    pub fn contains(&self, version: &str) -> bool {
        use Comparator::{Equal, Greater, GreaterOrEqual, LessOrEqual, NotEqual};
        let compare = |other: &str| self.scheme.compare(version, other);
        if let Some((comparator, _)) = self.constraints.iter().find(|(_, other)| compare(other).is_eq()) {
            return matches!(comparator, Equal | LessOrEqual | GreaterOrEqual);
        }
        let bounds = self.constraints.iter().filter(|(comparator, _)| !matches!(comparator, Equal | NotEqual));
        let is_lower = |(comparator, _): &(Comparator, String)| matches!(comparator, Greater | GreaterOrEqual);
        // Whether the nearest bound below, and the nearest above, let the version in.
        let (below, above): (Vec<_>, Vec<_>) = bounds.partition(|(_, other)| compare(other).is_gt());
        match (below.last().map(|bound| is_lower(bound)), above.first().map(|bound| !is_lower(bound))) {
            (None, None) => self.constraints.iter().all(|(comparator, _)| *comparator == NotEqual),
            (below, above) => below.unwrap_or(true) && above.unwrap_or(true),
        }
    }
}

impl FromStr for Vers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("`{text}` is not a range of versions: {what}; write \"vers:deb/>=2.0|<2.4\"");
        let (name, constraints) = text
            .strip_prefix("vers:")
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(|| wrong("it has no scheme"))?;
        let scheme = Scheme::named(name)
            .ok_or_else(|| wrong(&format!("`{name}` is none of {}", Scheme::ALL.map(Scheme::name).join(", "))))?;
        if constraints == "*" {
            return Ok(Self { scheme, constraints: Vec::new() });
        }
        let read = |constraint: &str| {
            let constraint = constraint.trim();
            let found = COMPARATORS.iter().find_map(|(sign, c)| Some((*c, constraint.strip_prefix(sign)?)));
            let (comparator, version) = found.unwrap_or((Comparator::Equal, constraint));
            let plain = |c: char| c.is_ascii_graphic() && !"<>=!*|".contains(c);
            let valid = !version.is_empty() && version.chars().all(plain);
            valid.then(|| (comparator, version.to_owned())).ok_or_else(|| wrong("a constraint has no version"))
        };
        let constraints = constraints.split('|').map(read).collect::<Result<Vec<_>, String>>()?;
        if constraints.len() > MAX_CONSTRAINTS {
            return Err(wrong("it has more than 100 constraints"));
        }
        if constraints.windows(2).any(|pair| scheme.compare(&pair[0].1, &pair[1].1).is_ge()) {
            return Err(wrong("its versions do not rise, each above the one before"));
        }
        Ok(Self { scheme, constraints })
    }
}

impl fmt::Display for Vers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vers:{}/", self.scheme.name())?;
        if self.constraints.is_empty() {
            return f.write_str("*");
        }
        for (place, (comparator, version)) in self.constraints.iter().enumerate() {
            let sign = COMPARATORS.iter().find(|(_, c)| c == comparator).map_or("", |(sign, _)| sign);
            write!(f, "{}{sign}{version}", if place == 0 { "" } else { "|" })?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Vers {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Vers {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Vers {
    fn schema_name() -> Cow<'static, str> {
        "Vers".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^vers:(deb|rpm|alpm|apk|semver|generic)/",
            "description": "A range of versions: vers:deb/>=2.0|<2.4-1.",
        })
    }
}
