//! Desktop entries: `pkg:desktop/<desktop-file id>`, and for those that start a web app `pkg:webapp/chromium/<app id>` if a
//! Chromium-family browser installed it, `pkg:webapp/firefox/<ULID>` if PWAsForFirefox did.
//!
//! An entry's id is its path below the folder of applications, with `-` for `/`, without `.desktop`. An entry of a
//! person's doesn't replace the system's of the same id: both are listed.

pub(crate) mod entry;

use std::path::{Path, PathBuf};

use crate::{
    draft::{Draft, Item},
    folder::{self, Kind, Name, Opened, Root},
    limits::{Budget, Exhausted, MAX_ENTRY_BYTES, MAX_TREE_DEPTH, MAX_WATCHED_FOLDERS},
    site::{Site, scratch},
};

use entry::Entry;

/// Where the system, and a home, has its desktop entries.
const IN_SYSTEM: &[&str] = &[
    "usr/local/share/applications",
    "usr/share/applications",
    "var/lib/flatpak/exports/share/applications",
    "var/lib/snapd/desktop/applications",
];
const IN_HOME: &[&str] = &[".local/share/applications", ".local/share/flatpak/exports/share/applications"];

pub(crate) fn read(site: &Site<'_>, draft: &mut Draft<'_>) {
    for folder in site.choose(IN_SYSTEM, IN_HOME) {
        collect(&site.root, Path::new(folder), draft);
    }
}

pub(crate) fn watch(site: &Site<'_>) -> Vec<PathBuf> {
    let folders = site.choose(IN_SYSTEM, IN_HOME).iter().map(PathBuf::from);
    folders.flat_map(|top| subfolders(&site.root, &top).into_iter().chain([top])).collect()
}

/// Lists a folder tree's entries.
fn collect(root: &Root, top: &Path, draft: &mut Draft<'_>) {
    let mut found = |found: Found<'_>, draft: &mut Draft<'_>, budget: &mut Budget| match found {
        Found::Folder(_) => Ok(()),
        Found::Entry(path, opened) => entry(root, top, path, opened, draft, budget),
    };
    Walk { root, draft, budget: Budget::new(), found: &mut found }.tree(top);
}

/// The folders below `top`, at most [`MAX_WATCHED_FOLDERS`].
fn subfolders(root: &Root, top: &Path) -> Vec<PathBuf> {
    let mut points = Vec::new();
    let mut found = |found: Found<'_>, _: &mut Draft<'_>, _: &mut Budget| {
        if let (Found::Folder(path), 0..MAX_WATCHED_FOLDERS) = (found, points.len()) {
            points.push(path.to_owned());
        }
        Ok(())
    };
    let mut draft = scratch();
    Walk { root, draft: &mut draft, budget: Budget::new(), found: &mut found }.tree(top);
    points
}

/// What a walk meets, by its path below the root.
enum Found<'a> {
    Folder(&'a Path),
    Entry(&'a Path, Opened),
}

/// A walk through a folder tree, within its limits.
struct Walk<'a, 'w, F> {
    root: &'a Root,
    draft: &'a mut Draft<'w>,
    budget: Budget,
    found: &'a mut F,
}

impl<F> Walk<'_, '_, F>
where
    F: FnMut(Found<'_>, &mut Draft<'_>, &mut Budget) -> Result<(), Exhausted>,
{
    fn tree(&mut self, top: &Path) {
        if let Err(exhausted) = self.folder(top, 0) {
            self.draft.gap(&self.root.path(top), None, exhausted);
        }
    }

    fn folder(&mut self, folder: &Path, depth: usize) -> Result<(), Exhausted> {
        if depth > MAX_TREE_DEPTH {
            let reason = format!("it lies more than {MAX_TREE_DEPTH} folders deep and was not looked into");
            self.draft.gap(&self.root.path(folder), None, reason);
            return Ok(());
        }
        let names = match self.root.names(folder, self.budget.entries()) {
            Ok(names) => names.unwrap_or_default(),
            Err(error) => {
                self.draft.gap(&self.root.path(folder), None, error);
                return Ok(());
            }
        };
        if depth > 0 {
            (self.found)(Found::Folder(folder), self.draft, &mut self.budget)?;
        }
        let outcome = self.budget.spend_entries(names.len());
        // What was seen is listed even if there is more.
        names.iter().try_for_each(|name| self.name(folder, name, depth))?;
        outcome
    }

    fn name(&mut self, folder: &Path, name: &Name, depth: usize) -> Result<(), Exhausted> {
        let Some(text) = &name.text else {
            self.draft.gap(&self.root.path(folder), None, "it holds a name that is not UTF-8");
            return Ok(());
        };
        let path = folder.join(text);
        let is_entry = text.ends_with(".desktop");
        match name.kind {
            Kind::Folder => self.folder(&path, depth + 1),
            Kind::Special if is_entry => {
                (self.found)(Found::Entry(&path, Opened::Special), self.draft, &mut self.budget)
            }
            Kind::File | Kind::Link if is_entry => self.open(&path, depth),
            Kind::Link => self.open(&path, depth),
            Kind::File | Kind::Special => Ok(()),
        }
    }

    fn open(&mut self, path: &Path, depth: usize) -> Result<(), Exhausted> {
        let is_entry = path.as_os_str().to_string_lossy().ends_with(".desktop");
        match self.root.open(path) {
            Ok(Opened::Missing) => Ok(()),
            Ok(Opened::Folder) => self.folder(path, depth + 1),
            Ok(opened) if is_entry => (self.found)(Found::Entry(path, opened), self.draft, &mut self.budget),
            Ok(Opened::File(_) | Opened::Special) => Ok(()),
            Err(error) => {
                self.draft.gap(&self.root.path(path), None, error);
                Ok(())
            }
        }
    }
}

/// Lists one entry, or notes why not.
fn entry(
    root: &Root,
    top: &Path,
    path: &Path,
    opened: Opened,
    draft: &mut Draft<'_>,
    budget: &mut Budget,
) -> Result<(), Exhausted> {
    let shown = root.path(path);
    let Opened::File(file) = opened else {
        draft.gap(&shown, None, "it is not a regular file");
        return Ok(());
    };
    let bytes = match folder::read(file, MAX_ENTRY_BYTES) {
        Ok(bytes) => bytes,
        Err(error) => {
            draft.gap(&shown, None, error);
            return budget.spend_bytes(MAX_ENTRY_BYTES);
        }
    };
    budget.spend_bytes(bytes.len() as u64)?;
    match entry::parse(&bytes) {
        Ok(entry) if entry.hidden => {}
        Ok(entry) => offer(&entry, path.strip_prefix(top).unwrap_or(path), &shown, draft),
        Err(broken) => draft.gap(&shown, None, broken),
    }
    Ok(())
}

/// Offers what an entry stands for. `path` is the entry's, below the folder of applications.
fn offer(entry: &Entry, path: &Path, shown: &Path, draft: &mut Draft<'_>) {
    let id = desktop_file_id(path);
    let item = match &entry.web_app {
        Some(app) => Item { namespace: Some(app.browser), ..Item::new("webapp", &app.id) },
        None => Item::new("desktop", &id),
    };
    draft.offer_at(shown, &Item { display_name: entry.name.as_deref(), ..item });
}

/// `wine/Programs/Notes.desktop` -> `wine-Programs-Notes`
fn desktop_file_id(path: &Path) -> String {
    let id = path.to_string_lossy().replace('/', "-");
    id.strip_suffix(".desktop").map(str::to_owned).unwrap_or(id)
}
