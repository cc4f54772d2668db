//! Flatpak's installations: `pkg:flatpak/<id>@<version>?arch=<arch>&branch=<branch>`.
//!
//! An installation holds `app/<id>/<arch>/<branch>/<commit>/` and the same below `runtime/`. What is deployed has a
//! link `active` in the branch's folder, to its commit's. `app/<id>/current` is a link to one of several branches and
//! lists nothing of its own. Format: `common/flatpak-dir.c` (`list_refs_for_name`).
//!
//! Besides its own the system may have more installations: flatpak-installation(5).
//!
//! The version is the metainfo file's, as `flatpak list` shows it; without one the purl has none.

mod installations;
mod metainfo;

use std::path::{Path, PathBuf};

use crate::{
    draft::{Draft, Item},
    folder::{self, Kind, Opened, ReadError, Root},
    limits::{Budget, Exhausted, MAX_ENTRY_BYTES, MAX_METAINFO_BYTES},
    site::{Site, scratch},
};
use metainfo::Metainfo;

/// Where the system, and a home, has its installation.
const IN_SYSTEM: &str = "var/lib/flatpak";
const IN_HOME: &str = ".local/share/flatpak";

/// The files that name the system's further installations.
const MORE: &str = "etc/flatpak/installations.d";

pub(crate) fn read(site: &Site<'_>, draft: &mut Draft<'_>) {
    installation(&site.root, Path::new(site.choose(IN_SYSTEM, IN_HOME)), draft);
    for folder in more(site, draft) {
        match site.root.open(&folder) {
            Ok(Opened::Folder) => installation(&site.root, &folder, draft),
            // A card, say, that is put in again with what is on it.
            Ok(Opened::Missing) => draft.gap(&site.root.path(&folder), None, "the installation is not there"),
            Ok(Opened::File(_) | Opened::Special) => draft.gap(&site.root.path(&folder), None, "it is not a folder"),
            Err(error) => draft.gap(&site.root.path(&folder), None, error),
        }
    }
}

pub(crate) fn watch(site: &Site<'_>) -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from(site.choose(IN_SYSTEM, IN_HOME))];
    folders.extend(more(site, &mut scratch()));
    // Flatpak touches `.changed` at the end of each change; the folder tells when the first one makes it.
    let points = folders.into_iter().flat_map(|folder| [folder.join(".changed"), folder]);
    points.chain((!site.is_home()).then(|| PathBuf::from(MORE))).collect()
}

/// The system's further installations, each once.
fn more(site: &Site<'_>, draft: &mut Draft<'_>) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if site.is_home() {
        return folders;
    }
    let names = draft.names(&site.root, Path::new(MORE), &mut Budget::new(), |k| matches!(k, Kind::File | Kind::Link));
    let names = names.unwrap_or_else(|exhausted| {
        draft.gap(&site.root.path(Path::new(MORE)), None, exhausted);
        Vec::new()
    });
    for path in names.iter().filter(|name| name.ends_with(".conf")).map(|name| Path::new(MORE).join(name)) {
        for folder in installations::parse(&draft.file(&site.root, &path, MAX_ENTRY_BYTES).unwrap_or_default()) {
            match folder {
                Ok(folder) if folder == Path::new(IN_SYSTEM) || folders.contains(&folder) => {}
                Ok(folder) => folders.push(folder),
                Err(reason) => draft.gap(&site.root.path(&path), None, reason),
            }
        }
    }
    folders
}

/// Lists an installation. Applications and runtimes have a budget each.
fn installation(root: &Root, top: &Path, draft: &mut Draft<'_>) {
    for kind in ["app", "runtime"] {
        let folder = top.join(kind);
        let mut refs = Refs { root, draft, budget: Budget::new() };
        if let Err(exhausted) = refs.kind(&folder) {
            draft.gap(&root.path(&folder), None, exhausted);
        }
    }
}

/// A walk over the refs of an installation.
struct Refs<'a, 'w> {
    root: &'a Root,
    draft: &'a mut Draft<'w>,
    budget: Budget,
}

impl Refs<'_, '_> {
    fn kind(&mut self, kind: &Path) -> Result<(), Exhausted> {
        for id in self.folders(kind)? {
            let ids = kind.join(&id);
            for arch in self.folders(&ids)? {
                let arches = ids.join(&arch);
                for branch in self.folders(&arches)? {
                    self.branch(&arches.join(&branch), [&id, &arch, &branch])?;
                }
            }
        }
        Ok(())
    }

    fn folders(&mut self, folder: &Path) -> Result<Vec<String>, Exhausted> {
        self.draft.folders(self.root, folder, &mut self.budget)
    }

    fn branch(&mut self, branch: &Path, parts: [&str; 3]) -> Result<(), Exhausted> {
        let active = branch.join("active");
        let shown = self.root.path(&active);
        match self.root.open(&active) {
            Ok(Opened::Missing) => {}
            Ok(Opened::File(_) | Opened::Special) => self.draft.gap(&shown, None, "it is not a folder"),
            Err(error) => self.draft.gap(&shown, None, error),
            Ok(Opened::Folder) => {
                let info = self.metainfo(&active, parts[0])?;
                let [id, arch, branch] = parts;
                let item = Item {
                    version: info.version.as_deref(),
                    qualifiers: &[("arch", arch), ("branch", branch)],
                    display_name: info.name.as_deref(),
                    ..Item::new("flatpak", id)
                };
                self.draft.offer_at(&shown, &item);
            }
        }
        Ok(())
    }

    /// What the deployed files say about themselves; nothing if they don't. One that can't be read is a gap: a rule
    /// may ask for a version.
    fn metainfo(&mut self, active: &Path, id: &str) -> Result<Metainfo, Exhausted> {
        for (folder, suffix) in [("metainfo", "metainfo"), ("metainfo", "appdata"), ("appdata", "appdata")] {
            let path = active.join(format!("files/share/{folder}/{id}.{suffix}.xml"));
            let read = match self.root.open(&path) {
                Ok(Opened::Missing | Opened::Folder | Opened::Special) => continue,
                Ok(Opened::File(file)) => folder::read(file, MAX_METAINFO_BYTES),
                Err(error) => Err(ReadError::from(error)),
            };
            match read {
                Ok(bytes) => {
                    self.budget.spend_bytes(bytes.len() as u64)?;
                    return Ok(metainfo::parse(&bytes));
                }
                Err(error) => {
                    self.draft.gap(&self.root.path(&path), None, error);
                    self.budget.spend_bytes(MAX_METAINFO_BYTES)?;
                }
            }
        }
        Ok(Metainfo::default())
    }
}
