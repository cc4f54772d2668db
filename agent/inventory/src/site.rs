//! Where a source is read: the system, or a person's home.

use std::path::{Path, PathBuf};

use forewarn_engine::Wanted;
use forewarn_proto::inventory::{Scope, Source};

use crate::{HomeFolder, Places, draft::Draft, folder::Root};

/// One place to read at.
#[derive(Debug)]
pub(crate) struct Site<'p> {
    /// The system's root folder, or the home.
    pub(crate) root: Root,
    scope: Scope,
    places: &'p Places,
}

impl<'p> Site<'p> {
    /// Opens a site.
    ///
    /// # Errors
    /// The folder and the reason in words. One that isn't there (not mounted, say) can't vouch for absence.
    pub(crate) fn open(places: &'p Places, scope: Scope) -> Result<Self, (PathBuf, String)> {
        let home = home_in(places, scope).map(|home| &home.path);
        let (opened, path, missing) = match (scope, home) {
            (Scope::Person(_), Some(home)) => (Root::home(home), home.as_path(), "the home folder is not there"),
            (Scope::System, _) => (Root::system(&places.root), places.root.as_path(), "the root folder is not there"),
            (Scope::Person(_), None) => (Ok(None), Path::new(""), "the person has no home folder"),
        };
        let failed = |reason: String| (path.to_owned(), reason);
        let root = opened.map_err(|error| failed(error.to_string()))?.ok_or_else(|| failed(missing.to_owned()))?;
        Ok(Self { root, scope, places })
    }

    /// Whether it is a home, in which nothing is trusted.
    pub(crate) fn is_home(&self) -> bool {
        self.scope != Scope::System
    }

    /// Of two tables of paths, the system's or the homes'.
    pub(crate) fn choose<T>(&self, system: T, home: T) -> T {
        if self.is_home() { home } else { system }
    }

    /// The number of the user whose this is: root's, or the person's whose home it is.
    pub(crate) fn owner(&self) -> Option<u32> {
        match self.scope {
            Scope::System => Some(0),
            // What is root's is of the system, and listed there.
            Scope::Person(_) => home_in(self.places, self.scope).map(|home| home.user).filter(|user| *user != 0),
        }
    }

    /// Whether this user's home is among those that are looked into.
    pub(crate) fn is_listed_for(&self, user: u32) -> bool {
        self.places.homes.iter().any(|home| home.user == user)
    }

    /// Where a path of the system's is, whatever this site is.
    pub(crate) fn of_system(&self, path: &str) -> PathBuf {
        self.places.root.join(path)
    }

    /// The system's root folder, whatever this site is.
    pub(crate) fn system(&self) -> Option<Root> {
        Root::system(&self.places.root).ok().flatten()
    }
}

/// The home that a scope is about.
fn home_in(places: &Places, scope: Scope) -> Option<&HomeFolder> {
    places.homes.iter().find(|home| scope == Scope::Person(home.person))
}

/// A draft that nothing comes of, for walks that only look where there is something to watch.
pub(crate) fn scratch() -> Draft<'static> {
    Draft::new(Source::Desktop, Scope::System, &Wanted::All)
}

/// Paths that are watched, from a table.
pub(crate) fn paths(table: &[&str]) -> Vec<PathBuf> {
    table.iter().map(PathBuf::from).collect()
}
