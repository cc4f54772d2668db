//! Arch Linux's package database: `pkg:alpm/<vendor>/<name>@<version>-<release>?arch=<architecture>`.
//!
//! Each installed package has a folder `local/<name>-<version>-<release>`, so a file is opened only of those that are asked
//! for: `desc` in it has the architecture. Format: libalpm's `lib/libalpm/be_local.c` (`local_db_populate`, `local_db_read`)
//! and `_alpm_splitname` in `util.c`.

use std::path::{Path, PathBuf};

use crate::{
    draft::{Draft, Item},
    folder::Root,
    limits::{Budget, Exhausted, MAX_ENTRY_BYTES},
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
    let mut budget = Budget::of_database();
    let names = draft.folders(root, local, &mut budget)?;
    if names.is_empty() {
        return Ok(());
    }
    let vendor = os_release::vendor(root, draft);
    for folder in names {
        let path = root.path(&local.join(&folder));
        match split(&folder) {
            Some((name, version)) => {
                let asked = draft.wanted().asks_for("alpm", name, None);
                let desc = asked.then(|| draft.file(root, &local.join(&folder).join("desc"), MAX_ENTRY_BYTES));
                let desc = desc.flatten().unwrap_or_default();
                budget.spend_bytes(desc.len() as u64)?;
                let arch = arch(&desc).map(|arch| ("arch", arch));
                let item = Item {
                    namespace: Some(&vendor),
                    version: Some(version),
                    qualifiers: arch.as_slice(),
                    ..Item::new("alpm", name)
                };
                draft.offer_at(&path, &item);
            }
            None => draft.gap(&path, None, "its name is not <name>-<version>-<release>"),
        }
    }
    Ok(())
}

/// The line after `%ARCH%` in a `desc`; none where it is missing, or is no architecture.
fn arch(desc: &[u8]) -> Option<&str> {
    let mut lines = desc.split(|b| *b == b'\n').skip_while(|line| line.trim_ascii_end() != b"%ARCH%").skip(1);
    let arch = std::str::from_utf8(lines.next()?.trim_ascii()).ok()?;
    let is_arch = !arch.is_empty() && arch.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_arch.then_some(arch)
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
    fn the_architecture_is_the_line_after_its_name() {
        assert_eq!(arch(b"%NAME%\na\n\n%ARCH%\nx86_64\n\n%SIZE%\n1\n"), Some("x86_64"));
        for none in [&b""[..], b"%ARCH%", b"%ARCH%\n\nany\n", b"%ARCH%\n%SIZE%\n", b"%ARCH%\n\xff\n"] {
            assert_eq!(arch(none), None, "{none:?}");
        }
    }

    #[test]
    fn no_text_breaks_it() {
        crate::mutated::check(&[b"%ARCH%\nx86_64\n"], |bytes| assert_ne!(arch(bytes), Some("")));
        crate::mutated::check(&[b"lib32-glibc-2.39-1"], |bytes| {
            let folder = String::from_utf8_lossy(bytes);
            if let Some((name, version)) = split(&folder) {
                assert_eq!(format!("{name}-{version}"), folder);
            }
        });
    }
}
