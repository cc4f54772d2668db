//! Arch Linux's package database: `pkg:alpm/<vendor>/<name>@<version>-<release>`.
//!
//! Each installed package has a folder `local/<name>-<version>-<release>`, so no file has to be opened. Format:
//! libalpm's `lib/libalpm/be_local.c` (`local_db_populate`) and `_alpm_splitname` in `util.c`.

use std::path::{Path, PathBuf};

use crate::{
    draft::{Draft, Item},
    folder::Root,
    limits::{Budget, Exhausted},
    os_release,
    site::{Site, paths},
};

/// Below the system's root.
const LOCAL: &str = "var/lib/pacman/local";

pub(crate) fn read(site: &Site<'_>, draft: &mut Draft<'_>) {
    if let Err(exhausted) = list(&site.root, draft) {
        draft.gap(&site.root.path(Path::new(LOCAL)), None, exhausted);
    }
}

pub(crate) fn watch(_: &Site<'_>) -> Vec<PathBuf> {
    paths(&[LOCAL, os_release::PATH])
}

fn list(root: &Root, draft: &mut Draft<'_>) -> Result<(), Exhausted> {
    let local = Path::new(LOCAL);
    let names = draft.folders(root, local, &mut Budget::of_database())?;
    if names.is_empty() {
        return Ok(());
    }
    let vendor = os_release::vendor(root, draft);
    for folder in names {
        let path = root.path(&local.join(&folder));
        match split(&folder) {
            Some((name, version)) => {
                let item = Item { namespace: Some(&vendor), version: Some(version), ..Item::new("alpm", name) };
                draft.offer_at(&path, &item);
            }
            None => draft.gap(&path, None, "its name is not <name>-<version>-<release>"),
        }
    }
    Ok(())
}

/// `lib32-glibc-2.39-1` is `lib32-glibc` and `2.39-1`.
fn split(folder: &str) -> Option<(&str, &str)> {
    let release = folder.rfind('-')?;
    let version = folder[..release].rfind('-')?;
    let (name, rest) = (&folder[..version], &folder[version + 1..]);
    (!name.is_empty() && !rest.starts_with('-') && !rest.ends_with('-')).then_some((name, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_s_name_has_three_parts_and_dashes_belong_to_the_first() {
        assert_eq!(split("lib32-glibc-2.39-1"), Some(("lib32-glibc", "2.39-1")));
        assert_eq!(split("a-1:2.0-1.1"), Some(("a", "1:2.0-1.1")));
        for wrong in ["", "a", "a-1", "-1-1", "a--1", "a-1-"] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn no_text_breaks_it() {
        crate::mutated::check(&[b"lib32-glibc-2.39-1"], |bytes| {
            let folder = String::from_utf8_lossy(bytes);
            if let Some((name, version)) = split(&folder) {
                assert_eq!(format!("{name}-{version}"), folder);
            }
        });
    }
}
