//! The order of versions, each ecosystem's own, and ranges in it.
//!
//! A range is written in VERS notation (<https://github.com/package-url/vers-spec>): `vers:deb/>=2.0|<2.4-1`.

mod alpm;
mod apk;
mod deb;
mod generic;
mod rpm;
mod semver;
mod vers;

use std::cmp::Ordering;

pub use vers::Vers;

/// How the versions of an ecosystem are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// Debian's: `1:2.0~rc1-3`.
    Deb,
    /// RPM's: `1:2.0~rc1-3.fc40`.
    Rpm,
    /// Arch Linux's: `1:2.0rc1-3`.
    Alpm,
    /// Alpine Linux's: `2.0_rc1-r3`.
    Apk,
    /// Semantic Versioning 2.0's, of any text.
    Semver,
    /// Numbers as numbers and words as words, for ecosystems that prescribe nothing.
    Generic,
}

impl Scheme {
    /// Every scheme.
    pub const ALL: [Self; 6] = [Self::Deb, Self::Rpm, Self::Alpm, Self::Apk, Self::Semver, Self::Generic];

    /// The scheme of a purl type.
    pub fn of(kind: &str) -> Self {
        match kind {
            "deb" => Self::Deb,
            "rpm" => Self::Rpm,
            "alpm" => Self::Alpm,
            "apk" => Self::Apk,
            "vscode-extension" => Self::Semver,
            _ => Self::Generic,
        }
    }

    /// Its name in a range.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::Alpm => "alpm",
            Self::Apk => "apk",
            Self::Semver => "semver",
            Self::Generic => "generic",
        }
    }

    /// The scheme of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == name)
    }

    /// Compares two versions. Any text is a version: an order that refuses some would leave packages unjudged.
    pub fn compare(self, one: &str, other: &str) -> Ordering {
        match self {
            Self::Deb => deb::compare(one, other),
            Self::Rpm => rpm::compare(one, other),
            Self::Alpm => alpm::compare(one, other),
            Self::Apk => apk::compare(one, other),
            Self::Semver => semver::compare(one, other),
            Self::Generic => generic::compare(one, other),
        }
    }
}

/// `1:2.0-3` as epoch, version and release. A missing epoch is 0; a release is after the last dash.
fn parts(version: &str) -> (u64, &str, Option<&str>) {
    let epoch = version.split_once(':').and_then(|(epoch, rest)| Some((epoch.parse().ok()?, rest)));
    let (epoch, rest) = epoch.unwrap_or((0, version));
    match rest.rsplit_once('-') {
        Some((version, release)) => (epoch, version, Some(release)),
        None => (epoch, rest, None),
    }
}

/// Splits off what satisfies `is` at the beginning.
fn leading(text: &str, is: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !is(c)).unwrap_or(text.len()))
}

/// Compares runs of digits of any length as numbers.
fn numbers(one: &str, other: &str) -> Ordering {
    let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests;
