//! Homebrew on Linux: `pkg:brew/<name>@<version>?kind=<formula or cask>`.
//!
//! A prefix holds `Cellar/<formula>/<version>/` and `Caskroom/<cask>/<version>/`. Format: Homebrew's
//! `Library/Homebrew/keg.rb` and `cask/cask.rb`.

use std::path::{Path, PathBuf};

use crate::{
    draft::{Draft, Item},
    folder::Root,
    limits::{Budget, Exhausted},
    site::Site,
};

/// The folder of the prefix that Homebrew's `install.sh` makes. The prefix belongs to whoever ran that, and is theirs alone:
/// of the system it is a part only where that was root.
const SHARED: &str = "home/linuxbrew";
/// The prefix, in that folder and in a home.
const PREFIX: &str = ".linuxbrew";
/// What a prefix has packages in, and of which kind. A cask and a formula of one name are two packages.
const ROOMS: [(&str, &str); 2] = [("Cellar", "formula"), ("Caskroom", "cask")];

pub(crate) fn read(site: &Site<'_>, draft: &mut Draft<'_>) {
    each_room(site, |root, room, kind| {
        if let Err(exhausted) = list(root, room, kind, draft) {
            draft.gap(&root.path(room), None, exhausted);
        }
    });
}

pub(crate) fn watch(site: &Site<'_>) -> Vec<PathBuf> {
    let mut points = Vec::new();
    each_room(site, |root, room, _| points.extend(root.is_there(room).then(|| root.path(room))));
    points
}

/// Hands over each folder of packages that is this site's, below a root, with the kind of its packages.
fn each_room(site: &Site<'_>, mut found: impl FnMut(&Root, &Path, &str)) {
    // Whoever owns it chooses every link in it.
    let shared = Root::home(&site.of_system(SHARED)).ok().flatten();
    for (room, kind) in ROOMS {
        let room = Path::new(PREFIX).join(room);
        let owner = shared.as_ref().and_then(|shared| shared.owner(&room));
        let is_theirs = owner.is_some() && owner == site.owner();
        if site.is_home() {
            found(&site.root, &room, kind);
            shared.iter().filter(|_| is_theirs).for_each(|shared| found(shared, &room, kind));
            continue;
        }
        // By the system's own root, which remembers what it has seen.
        let room = Path::new(SHARED).join(room);
        if is_theirs {
            found(&site.root, &room, kind);
        } else {
            site.root.is_there(&room);
        }
    }
}

fn list(root: &Root, room: &Path, kind: &str, draft: &mut Draft<'_>) -> Result<(), Exhausted> {
    let mut budget = Budget::new();
    for name in draft.folders(root, room, &mut budget)? {
        let rack = room.join(&name);
        // Of a cask, `.metadata` is not a version.
        for version in draft.folders(root, &rack, &mut budget)?.iter().filter(|version| !version.starts_with('.')) {
            let item = Item { version: Some(version), qualifiers: &[("kind", kind)], ..Item::new("brew", &name) };
            draft.offer_at(&root.path(&rack.join(version)), &item);
        }
    }
    Ok(())
}
