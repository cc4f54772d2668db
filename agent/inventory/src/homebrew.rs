//! Homebrew on Linux: `pkg:brew/<name>@<version>`, formulae and casks.
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

/// Where the system, and a home, has its prefix.
const IN_SYSTEM: &str = "home/linuxbrew/.linuxbrew";
const IN_HOME: &str = ".linuxbrew";
/// What a prefix has packages in.
const ROOMS: [&str; 2] = ["Cellar", "Caskroom"];

pub(crate) fn read(site: &Site<'_>, draft: &mut Draft<'_>) {
    for room in rooms(site) {
        if let Err(exhausted) = list(&site.root, &room, draft) {
            draft.gap(&site.root.path(&room), None, exhausted);
        }
    }
}

pub(crate) fn watch(site: &Site<'_>) -> Vec<PathBuf> {
    rooms(site).into_iter().filter(|room| site.root.is_there(room)).collect()
}

fn rooms(site: &Site<'_>) -> [PathBuf; 2] {
    ROOMS.map(|room| Path::new(site.choose(IN_SYSTEM, IN_HOME)).join(room))
}

fn list(root: &Root, room: &Path, draft: &mut Draft<'_>) -> Result<(), Exhausted> {
    let mut budget = Budget::new();
    for name in draft.folders(root, room, &mut budget)? {
        let rack = room.join(&name);
        // Of a cask, `.metadata` is not a version.
        for version in draft.folders(root, &rack, &mut budget)?.iter().filter(|version| !version.starts_with('.')) {
            let item = Item { version: Some(version), ..Item::new("brew", &name) };
            draft.offer_at(&root.path(&rack.join(version)), &item);
        }
    }
    Ok(())
}
