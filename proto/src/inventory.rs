//! The inventory: the packages on this device, with each source's completeness. It never leaves the device.

use serde::{Deserialize, Serialize};

use crate::purl::Purl;

/// A person on this device, by the operating system's user number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Person(pub u32);

/// Whom a package is installed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everyone on the device.
    System,
    /// One person, in their home.
    Person(Person),
}

impl Scope {
    /// Whether what is installed in this scope is installed for `person`.
    pub fn reaches(self, person: Person) -> bool {
        self == Self::System || self == Self::Person(person)
    }
}

/// A package source: one way in which software gets onto a device and is listed there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Debian's package database, `pkg:deb/...`.
    Dpkg,
    /// Flatpak installations, `pkg:flatpak/...`.
    Flatpak,
    /// Desktop entries, `pkg:desktop/...`, and the web apps among them, `pkg:webapp/...`.
    Desktop,
}

impl Source {
    /// Every source, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Dpkg, Self::Flatpak, Self::Desktop];

    /// The purl types that this source, and no other, lists.
    pub fn purl_kinds(self) -> &'static [&'static str] {
        match self {
            Self::Dpkg => &["deb"],
            Self::Flatpak => &["flatpak"],
            Self::Desktop => &["desktop", "webapp"],
        }
    }

    /// The source's name, as people read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dpkg => "dpkg",
            Self::Flatpak => "flatpak",
            Self::Desktop => "desktop",
        }
    }
}

/// One installed package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    /// What the package is.
    pub purl: Purl,
    /// What people call it, if its source says: `TikTok`.
    pub display_name: Option<String>,
    /// The file that says that it is installed: `/var/lib/dpkg/status`.
    pub found_in: String,
}

/// A place where a source could not be read, and so cannot vouch for absence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// The file or folder.
    pub path: String,
    /// Offset of the unread record from the file's start, in bytes, where there is one.
    pub offset: Option<u64>,
    /// What was wrong: `stanza has no Version field`.
    pub reason: String,
}

/// What one source lists in one scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Which source.
    pub source: Source,
    /// For whom.
    pub scope: Scope,
    /// Sorted by purl.
    pub packages: Vec<Package>,
    /// Empty when the listing is complete. A source that isn't on the device is complete and lists nothing.
    pub gaps: Vec<Gap>,
}

impl Listing {
    /// Whether a package that is not listed is certainly not installed.
    pub fn is_complete(&self) -> bool {
        self.gaps.is_empty()
    }
}
