//! The inventory's readers: what is installed on this device, by reading the files in which it is recorded. It starts
//! no process, asks no clock and never fails: what can't be read becomes a [`Gap`](forewarn_proto::inventory::Gap),
//! and a source with a gap does not vouch for absence.
//!
//! One file per source, each a pure parser over bytes and a thin reader. A source that isn't on the device costs one
//! attempt to open it, and is complete with no packages.

mod desktop;
mod dpkg;
mod draft;
mod flatpak;
mod folder;
mod limits;
mod os_release;

use std::path::PathBuf;

use forewarn_proto::inventory::{Listing, Person, Source};

/// Where this device keeps what is listed. The default is the real places of a Linux system, with no homes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// dpkg's database folder: `/var/lib/dpkg`.
    pub dpkg: PathBuf,
    /// The file whose `ID=` is the vendor in `pkg:deb/<vendor>/...`: `/etc/os-release`.
    pub os_release: PathBuf,
    /// The system's Flatpak installation: `/var/lib/flatpak`.
    pub flatpak: PathBuf,
    /// The system's folders of desktop entries: `/usr/share/applications`, ...
    pub applications: Vec<PathBuf>,
    /// The homes to look into, and whose they are. Nothing in them is trusted.
    pub homes: Vec<(Person, PathBuf)>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            dpkg: "/var/lib/dpkg".into(),
            os_release: "/etc/os-release".into(),
            flatpak: "/var/lib/flatpak".into(),
            applications: vec![
                "/usr/local/share/applications".into(),
                "/usr/share/applications".into(),
                "/var/lib/flatpak/exports/share/applications".into(),
                "/var/lib/snapd/desktop/applications".into(),
            ],
            homes: Vec::new(),
        }
    }
}

/// Lists every source in every scope: sources in the order of [`Source::ALL`], in each first the system, then the
/// homes in the order of `places`. Never panics and never fails: what can't be read is a gap of its listing.
pub fn list(places: &Places) -> Vec<Listing> {
    Source::ALL.into_iter().flat_map(|source| list_source(places, source)).collect()
}

/// Lists one source in every scope that it has, as [`list`] does.
pub fn list_source(places: &Places, source: Source) -> Vec<Listing> {
    match source {
        Source::Dpkg => dpkg::list(places),
        Source::Flatpak => flatpak::list(places),
        Source::Desktop => desktop::list(places),
    }
}

/// The files and folders whose change means that a listing may have changed: every source, every scope, each once.
///
/// A folder stands for its direct children (a file created, renamed into it or removed), a file for its contents and
/// times. Some may not exist yet. Folders of desktop entries come with those of their subfolders that exist now, so
/// ask again after a change.
pub fn watch_points(places: &Places) -> Vec<PathBuf> {
    let mut points = dpkg::watch_points(places);
    points.extend(flatpak::watch_points(places));
    points.extend(desktop::watch_points(places));
    points.sort_unstable();
    points.dedup();
    points
}
