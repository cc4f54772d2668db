//! The inventory: the packages on this device, with each source's completeness. It never leaves the device, and so it is no
//! part of what crosses a boundary.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use forewarn_proto::{
    inventory::{Scope, Source},
    purl::{self, Purl},
};
use serde::{Deserialize, Serialize};

/// Which packages a listing names. All others are only counted: what nobody asks for is kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// Every package.
    All,
    /// Those that some rule may name.
    Named {
        /// Names of packages, by purl type.
        names: BTreeMap<String, BTreeSet<String>>,
        /// Display names, in small letters.
        display_names: BTreeSet<String>,
    },
}

impl Wanted {
    /// No package at all, for those who only count.
    pub fn nothing() -> Self {
        Self::Named { names: BTreeMap::new(), display_names: BTreeSet::new() }
    }

    /// What these purls, taken as patterns, may name.
    pub fn by<'p>(purls: impl IntoIterator<Item = &'p Purl>) -> Self {
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for purl in purls {
            names.entry(purl.kind().to_owned()).or_default().insert(purl.name().to_owned());
        }
        Self::Named { names, display_names: BTreeSet::new() }
    }

    /// The names that are asked for of a purl type whose packages have no display names. None: all.
    pub fn named(&self, kind: &str) -> Option<&BTreeSet<String>> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        match self {
            Self::All => None,
            Self::Named { names, .. } => Some(names.get(kind).unwrap_or(&NONE)),
        }
    }

    /// Whether a package of this purl type, name and display name is asked for.
    pub fn asks_for(&self, kind: &str, name: &str, display_name: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Named { names, display_names } => {
                let displayed = || display_name.is_some_and(|shown| display_names.contains(&shown.to_lowercase()));
                let named = |names: &BTreeSet<String>| names.contains(&*purl::cased(kind, name));
                names.get(kind).is_some_and(named) || (!display_names.is_empty() && displayed())
            }
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
    /// What its source says of it beside that it is installed: `held`, `half-configured`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
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

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

/// What one source lists in one scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Which source.
    pub source: Source,
    /// For whom.
    pub scope: Scope,
    /// How many packages the source lists, whether or not they were asked for.
    pub count: usize,
    /// Those that were asked for, sorted by purl.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_asked_for_whatever_the_case_of_its_letters_where_its_type_does_not_tell() {
        let asked = |purl: &str, kind: &str, name: &str| {
            Wanted::by([&purl.parse::<Purl>().unwrap()]).asks_for(kind, name, None)
        };
        assert!(asked("pkg:vscode-extension/GitHub/Copilot", "vscode-extension", "copilot"));
        assert!(asked("pkg:vscode-extension/github/copilot", "vscode-extension", "Copilot"));
        assert!(!asked("pkg:flatpak/org.example.App", "flatpak", "org.example.app"));
    }
}
