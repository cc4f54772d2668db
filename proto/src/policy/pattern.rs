//! What names a package in a rule: a purl, perhaps with a range of versions, or a display name.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Serialize,
    de::{Deserializer, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{
    purl::Purl,
    version::{Scheme, Vers},
};

/// A purl that names packages: `"pkg:deb/anydesk"`, or `{ purl = "pkg:deb/anydesk", vers = "vers:deb/<7" }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Names the package; see [`Purl::names`].
    pub purl: Purl,
    /// Only these versions of it.
    pub vers: Option<Vers>,
    /// A match warns and takes nothing, because it is not certain that this is the app.
    pub only_warns: bool,
}

/// How a package was recognised.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// By its purl, which is certainly this app.
    Purl {
        /// The pattern, as people read it.
        pattern: String,
    },
    /// By a purl that only warns.
    UncertainPurl {
        /// The pattern, as people read it.
        pattern: String,
    },
    /// By what it is called. Another app may be called the same, so this only warns.
    DisplayName,
}

impl How {
    /// Whether the package is certainly the app. What is not takes nothing.
    pub fn is_certain(&self) -> bool {
        match self {
            Self::Purl { .. } => true,
            Self::UncertainPurl { .. } | Self::DisplayName => false,
        }
    }
}

impl Pattern {
    /// A pattern of a purl and nothing else.
    pub fn new(purl: Purl) -> Self {
        Self { purl, vers: None, only_warns: false }
    }

    /// Whether this names a package. One without a version is in no range.
    pub fn names(&self, package: &Purl) -> bool {
        let in_range =
            |vers: &Vers| package.version().is_some_and(|version| vers.contains(&versioned(package, version)));
        self.purl.names(package) && self.vers.as_ref().is_none_or(in_range)
    }

    /// Whether this names the package in some versions, and it is not known which it is.
    pub fn needs_version_of(&self, package: &Purl) -> bool {
        self.vers.is_some() && package.version().is_none() && self.purl.names(package)
    }

    /// Whether what it names is certainly the app. What is not takes nothing.
    pub fn is_certain(&self) -> bool {
        !self.only_warns && !SELF_NAMED.contains(&self.purl.kind())
    }

    /// How it recognises what it names.
    pub(super) fn how(&self) -> How {
        let pattern = self.to_string();
        if self.is_certain() { How::Purl { pattern } } else { How::UncertainPurl { pattern } }
    }
}

/// The types of packages that nobody gives names to but who makes them: another app may be called the same.
const SELF_NAMED: [&str; 1] = ["appimage"];

/// RPM's epoch is a qualifier of the purl, and comes before the version where versions are compared.
fn versioned<'v>(package: &Purl, version: &'v str) -> Cow<'v, str> {
    match package.qualifier("epoch") {
        Some(epoch) => format!("{epoch}:{version}").into(),
        None => version.into(),
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.purl)?;
        self.vers.as_ref().map_or(Ok(()), |vers| write!(f, " in {vers}"))
    }
}

/// How a display name is compared: in small letters, without blanks around it.
pub fn display_name_key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Whether a package that shows this name is called by one of these names.
pub(super) fn is_called(names: &[String], shown: Option<&str>) -> bool {
    let shown = shown.map(display_name_key);
    shown.is_some_and(|shown| names.iter().any(|name| display_name_key(name) == shown))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    purl: Purl,
    #[serde(skip_serializing_if = "Option::is_none")]
    vers: Option<Vers>,
    #[serde(default)]
    only_warns: bool,
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrTable;

        impl<'de> Visitor<'de> for TextOrTable {
            type Value = Pattern;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a package URL, or a table with `purl`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Pattern, E> {
                text.parse().map(Pattern::new).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Pattern, A::Error> {
                let Document { purl, vers, only_warns } = Document::deserialize(MapAccessDeserializer::new(map))?;
                if vers.is_some() && purl.version().is_some() {
                    let problem = format!("`{purl}` has a version and `vers` too; leave one of them out");
                    return Err(serde::de::Error::custom(problem));
                }
                let (expected, given) = (Scheme::of(purl.kind()), vers.as_ref().map(Vers::scheme));
                if given
                    .is_some_and(|given| given != expected && (expected, given) != (Scheme::Generic, Scheme::Semver))
                {
                    let problem = format!("`{purl}` has versions of another order; write vers:{}/...", expected.name());
                    return Err(serde::de::Error::custom(problem));
                }
                Ok(Pattern { purl, vers, only_warns })
            }
        }

        deserializer.deserialize_any(TextOrTable)
    }
}

impl Serialize for Pattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { purl, vers, only_warns } = self.clone();
        if vers.is_none() && !only_warns {
            return purl.serialize(serializer);
        }
        Document { purl, vers, only_warns }.serialize(serializer)
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (purl, vers) = (generator.subschema_for::<Purl>(), generator.subschema_for::<Vers>());
        json_schema!({ "oneOf": [
            purl,
            {
                "type": "object",
                "properties": { "purl": purl, "vers": vers, "only_warns": { "type": "boolean" } },
                "required": ["purl"],
                "additionalProperties": false,
            },
        ]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(vers: &str, package: &str, expected: bool) {
        let package: Purl = package.parse().unwrap();
        let pattern = Pattern {
            vers: Some(vers.parse().unwrap()),
            ..Pattern::new(format!("pkg:{}/a", package.kind()).parse().unwrap())
        };
        assert_eq!(pattern.names(&package), expected, "{pattern} names {package}");
    }

    #[test]
    fn a_range_counts_by_the_package_s_own_order() {
        check("vers:deb/<2.0", "pkg:deb/debian/a@2.0~rc1-1?arch=amd64", true);
        check("vers:deb/<2.0", "pkg:deb/debian/a@1:1.0", false);
        check("vers:rpm/<1:1.0", "pkg:rpm/fedora/a@2.0-1", true);
        check("vers:rpm/<1:1.0", "pkg:rpm/fedora/a@2.0-1?epoch=1", false);
        check("vers:generic/<2.0", "pkg:snap/a", false);
    }

    #[test]
    fn a_package_without_a_version_is_in_no_range_and_out_of_none() {
        let pattern = |vers: Option<&str>| Pattern {
            vers: vers.map(|vers| vers.parse().unwrap()),
            ..Pattern::new("pkg:snap/a".parse().unwrap())
        };
        for (vers, package, needs) in [
            (Some("vers:generic/<2.0"), "pkg:snap/a", true),
            (Some("vers:generic/<2.0"), "pkg:snap/a@3", false),
            (Some("vers:generic/<2.0"), "pkg:snap/b", false),
            (None, "pkg:snap/a", false),
        ] {
            assert_eq!(pattern(vers).needs_version_of(&package.parse().unwrap()), needs, "{vers:?} {package}");
        }
    }

    #[test]
    fn what_anybody_can_call_so_is_not_certain() {
        for (purl, certain) in [("pkg:flatpak/com.tiktok.TikTok", true), ("pkg:appimage/TikTok", false)] {
            let pattern = Pattern::new(purl.parse().unwrap());
            assert_eq!((pattern.is_certain(), pattern.how().is_certain()), (certain, certain), "{purl}");
            assert!(!Pattern { only_warns: true, ..pattern }.how().is_certain());
        }
    }
}
