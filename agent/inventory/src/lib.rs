//! The inventory's readers: what is installed on this device, by reading the files in which it is recorded. It starts
//! no process, asks no clock and never fails: what can't be read becomes a [`Gap`](forewarn_proto::inventory::Gap),
//! and a source with a gap does not vouch for absence.
//!
//! One file per source, each a pure parser over bytes and a thin reader. A source that isn't on the device costs one
//! attempt to open it, and is complete with no packages. Packages that nobody asks for are counted and forgotten.

mod apk;
mod appimage;
mod browser;
mod desktop;
mod dpkg;
mod draft;
mod editor;
mod elements;
mod flatpak;
mod folder;
mod homebrew;
mod limits;
mod lister;
#[cfg(test)]
mod mutated;
mod nix;
mod os_release;
mod pacman;
mod rpm;
mod site;
mod snap;

use std::path::PathBuf;

use forewarn_engine::{Listing, Wanted};
use forewarn_proto::inventory::{Person, Scope, Source};
use serde::{Deserialize, Serialize};

pub use lister::Lister;

use crate::{draft::Draft, site::Site};

/// Where this device keeps what is listed. The default is a real Linux system, with no homes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// The system's root folder: `/`.
    pub root: PathBuf,
    /// The homes to look into. Nothing in them is trusted.
    pub homes: Vec<HomeFolder>,
}

/// A home, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomeFolder {
    /// The person.
    pub person: Person,
    /// The number of their account, to which their files belong.
    pub user: u32,
    /// The folder.
    pub path: PathBuf,
}

impl Default for Places {
    fn default() -> Self {
        Self { root: "/".into(), homes: Vec::new() }
    }
}

/// How a source is read.
struct Reader {
    /// Reads the source at a site.
    read: fn(&Site<'_>, &mut Draft<'_>),
    /// What to watch at a site, by its path below the site's root.
    watch: fn(&Site<'_>) -> Vec<PathBuf>,
}

/// The reader of a source.
const fn reader(source: Source) -> Reader {
    match source {
        Source::Dpkg => Reader { read: dpkg::read, watch: dpkg::watch },
        Source::Rpm => Reader { read: rpm::read, watch: rpm::watch },
        Source::Pacman => Reader { read: pacman::read, watch: pacman::watch },
        Source::Apk => Reader { read: apk::read, watch: apk::watch },
        Source::Flatpak => Reader { read: flatpak::read, watch: flatpak::watch },
        Source::Snap => Reader { read: snap::read, watch: snap::watch },
        Source::AppImage => Reader { read: appimage::read, watch: appimage::watch },
        Source::Homebrew => Reader { read: homebrew::read, watch: homebrew::watch },
        Source::Nix => Reader { read: nix::read, watch: nix::watch },
        Source::Desktop => Reader { read: desktop::read, watch: desktop::watch },
        Source::Browser => Reader { read: browser::read, watch: browser::watch },
        Source::Editor => Reader { read: editor::read, watch: editor::watch },
    }
}

/// The scopes that a device has: the system, and each home.
pub fn scopes(places: &Places) -> impl Iterator<Item = Scope> {
    std::iter::once(Scope::System).chain(places.homes.iter().map(|home| Scope::Person(home.person)))
}

/// The sources that a scope has.
pub fn sources_of(scope: Scope) -> impl Iterator<Item = Source> {
    Source::ALL.into_iter().filter(move |source| source.lists(scope))
}

/// Lists one source in one scope. Packages that are not `wanted` are only counted. Never fails: what can't be read is a
/// gap of the listing. Blocks as long as the file system does.
pub fn list(places: &Places, source: Source, scope: Scope, wanted: &Wanted) -> Listing {
    match Site::open(places, scope) {
        Ok(site) => list_at(&site, source, scope, wanted),
        Err((path, reason)) => {
            let mut draft = Draft::new(source, scope, wanted);
            draft.gap(&path, None, reason);
            draft.finish()
        }
    }
}

fn list_at(site: &Site<'_>, source: Source, scope: Scope, wanted: &Wanted) -> Listing {
    let mut draft = Draft::new(source, scope, wanted);
    (reader(source).read)(site, &mut draft);
    draft.finish()
}

/// A folder outside every home that may be a person's, and the places below it to watch: Homebrew's shared prefix. Whoever owns
/// one of them has the packages in it.
pub fn shared(places: &Places) -> (PathBuf, Vec<PathBuf>) {
    homebrew::shared(places)
}

/// The files and folders in a scope whose change means that a listing may have changed, each once.
///
/// A folder stands for its direct children (a file created, renamed into it or removed), a file for its contents and
/// times. Some may not exist yet. Folders that hold others come with those that exist now, so ask again after a change.
pub fn watch_points(places: &Places, scope: Scope) -> Vec<PathBuf> {
    let Ok(site) = Site::open(places, scope) else { return Vec::new() };
    let below = sources_of(scope).flat_map(|source| (reader(source).watch)(&site));
    let mut points: Vec<PathBuf> = below.map(|path| site.root.path(&path)).collect();
    points.sort_unstable();
    points.dedup();
    points
}
