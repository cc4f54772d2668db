//! A file that was rewritten since something was taken from it: what is known of it, and what can be in the way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The bytes of a file at three times.
pub(crate) struct Three<'a> {
    pub(crate) original: &'a [u8],
    /// None where the file was taken as a whole.
    pub(crate) after: Option<&'a [u8]>,
    pub(crate) current: Option<&'a [u8]>,
}

/// Why what was taken can't go back by itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// The same account has been set up since.
    ThereAgain,
    /// Another account has the name or the place.
    NameTaken,
    /// The file isn't well-formed any more, or isn't there.
    Malformed,
}

/// The numbers that our keys got on their return: `server2` is now `server4`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Renames(BTreeMap<String, String>);

impl Renames {
    /// The key's name now.
    pub(crate) fn get<'a>(&'a self, id: &'a str) -> &'a str {
        self.0.get(id).map_or(id, String::as_str)
    }

    pub(crate) fn add(&mut self, from: &str, to: &str) {
        self.0.insert(from.to_owned(), to.to_owned());
    }

    /// The new number of a section: `5` of `claws 2`.
    pub(crate) fn section(&self, family: &str, number: &str) -> Option<&str> {
        self.0.get(&format!("{family} {number}")).map(String::as_str)
    }

    pub(crate) fn add_section(&mut self, family: &str, number: &str, new: &str) {
        self.0.insert(format!("{family} {number}"), new.to_owned());
    }

    /// Every new name.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.0.values()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
