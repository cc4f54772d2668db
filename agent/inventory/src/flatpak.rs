//! Flatpak's installations: `pkg:flatpak/<id>@<version>?arch=<arch>&branch=<branch>`.
//!
//! An installation holds `app/<id>/<arch>/<branch>/<commit>/` and the same below `runtime/`. What is deployed has a
//! link `active` in the branch's folder, to its commit's. `app/<id>/current` is a link to one of several branches and
//! lists nothing of its own. Format: flatpak-installation(5) and `common/flatpak-dir.c` (`list_refs_for_name`).
//!
//! The version is the metainfo file's, as `flatpak list` shows it; without one the purl has none.

mod metainfo;

use std::path::{Path, PathBuf};

use forewarn_proto::{
    inventory::{Listing, Package, Scope, Source},
    purl::Purl,
};

use crate::{
    Places,
    draft::Draft,
    folder::{self, Kind, Opened, Root},
    limits::{Budget, Exhausted, MAX_METAINFO_BYTES},
};
use metainfo::Metainfo;

/// Where a home has its installation.
const IN_HOME: &str = ".local/share/flatpak";

pub(crate) fn list(places: &Places) -> Vec<Listing> {
    let mut system = Draft::new(Source::Flatpak, Scope::System);
    match Root::system(&places.flatpak) {
        Ok(Some(root)) => installation(&root, Path::new(""), &mut system),
        Ok(None) => {}
        Err(error) => system.gap(&places.flatpak, None, error),
    }
    let homes = places.homes.iter().map(|(person, home)| {
        let mut draft = Draft::new(Source::Flatpak, Scope::Person(*person));
        if let Some(root) = draft.home(home) {
            installation(&root, Path::new(IN_HOME), &mut draft);
        }
        draft.finish()
    });
    std::iter::once(system.finish()).chain(homes).collect()
}

pub(crate) fn watch_points(places: &Places) -> Vec<PathBuf> {
    let homes = places.homes.iter().map(|(_, home)| home.join(IN_HOME));
    // Flatpak touches `.changed` at the end of each change; the folder tells when the first one makes it.
    std::iter::once(places.flatpak.clone()).chain(homes).flat_map(|path| [path.join(".changed"), path]).collect()
}

/// Lists an installation. Applications and runtimes have a budget each.
fn installation(root: &Root, top: &Path, draft: &mut Draft) {
    for kind in ["app", "runtime"] {
        let folder = top.join(kind);
        let mut refs = Refs { root, draft, budget: Budget::new() };
        if let Err(exhausted) = refs.kind(&folder) {
            draft.gap(&root.path(&folder), None, exhausted);
        }
    }
}

/// A walk over the refs of an installation.
struct Refs<'a> {
    root: &'a Root,
    draft: &'a mut Draft,
    budget: Budget,
}

impl Refs<'_> {
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

    /// The names of the folders in a folder; links are not refs. As many as the budget has, and then an error: those
    /// above it are not looked at.
    fn folders(&mut self, folder: &Path) -> Result<Vec<String>, Exhausted> {
        let names = match self.root.names(folder, self.budget.entries()) {
            Ok(names) => names.unwrap_or_default(),
            Err(error) => {
                self.draft.gap(&self.root.path(folder), None, error);
                return Ok(Vec::new());
            }
        };
        self.budget.spend_entries(names.len())?;
        let mut folders = Vec::new();
        for name in names {
            match (name.kind, name.text) {
                (Kind::Folder, Some(text)) => folders.push(text),
                (Kind::Folder, None) => {
                    self.draft.gap(&self.root.path(folder), None, "it holds a name that is not UTF-8");
                }
                (Kind::File | Kind::Link | Kind::Special, _) => {}
            }
        }
        Ok(folders)
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
                match package(parts, info, &shown) {
                    Ok(package) => self.draft.package(package),
                    Err(reason) => self.draft.gap(&shown, None, reason),
                }
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
                Err(error) => Err(error.into()),
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

fn package([id, arch, branch]: [&str; 3], info: Metainfo, active: &Path) -> Result<Package, String> {
    let qualifiers = [("arch", arch), ("branch", branch)];
    let purl = Purl::new("flatpak", None, id, info.version.as_deref(), &qualifiers);
    let purl = purl.map_err(|error| error.to_string())?;
    Ok(Package { purl, display_name: info.name, found_in: active.to_string_lossy().into_owned() })
}
