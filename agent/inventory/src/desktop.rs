//! Desktop entries: `pkg:desktop/<desktop-file id>`, and `pkg:webapp/chromium/<app id>` for those that start a web app
//! which a Chromium-family browser installed.
//!
//! An entry's id is its path below the folder of applications, with `-` for `/`, without `.desktop`. An entry of a
//! person's doesn't replace the system's of the same id: both are listed.

mod entry;

use std::path::{Path, PathBuf};

use forewarn_proto::{
    inventory::{Listing, Package, Scope, Source},
    purl::Purl,
};

use crate::{
    Places,
    draft::Draft,
    folder::{self, Kind, Name, Opened, Root},
    limits::{Budget, Exhausted, MAX_ENTRY_BYTES, MAX_TREE_DEPTH, MAX_WATCHED_FOLDERS},
};

/// Where a home has its desktop entries.
const IN_HOME: &str = ".local/share/applications";

pub(crate) fn list(places: &Places) -> Vec<Listing> {
    let mut system = Draft::new(Source::Desktop, Scope::System);
    for path in &places.applications {
        match Root::system(path) {
            Ok(Some(root)) => collect(&root, Path::new(""), &mut system),
            Ok(None) => {}
            Err(error) => system.gap(path, None, error),
        }
    }
    let homes = places.homes.iter().map(|(person, home)| {
        let mut draft = Draft::new(Source::Desktop, Scope::Person(*person));
        if let Some(root) = draft.home(home) {
            collect(&root, Path::new(IN_HOME), &mut draft);
        }
        draft.finish()
    });
    std::iter::once(system.finish()).chain(homes).collect()
}

pub(crate) fn watch_points(places: &Places) -> Vec<PathBuf> {
    let mut points = Vec::new();
    for path in &places.applications {
        points.push(path.clone());
        if let Ok(Some(root)) = Root::system(path) {
            points.extend(subfolders(&root, Path::new("")));
        }
    }
    for (_, home) in &places.homes {
        points.push(home.join(IN_HOME));
        if let Ok(Some(root)) = Root::home(home) {
            points.extend(subfolders(&root, Path::new(IN_HOME)));
        }
    }
    points
}

/// Lists a folder tree's entries.
fn collect(root: &Root, top: &Path, draft: &mut Draft) {
    let mut found = |found: Found<'_>, draft: &mut Draft, budget: &mut Budget| match found {
        Found::Folder(_) => Ok(()),
        Found::Entry(path, opened) => entry(root, top, path, opened, draft, budget),
    };
    Walk { root, draft, budget: Budget::new(), found: &mut found }.tree(top);
}

/// The folders below `top`, at most [`MAX_WATCHED_FOLDERS`].
fn subfolders(root: &Root, top: &Path) -> Vec<PathBuf> {
    let mut points = Vec::new();
    let mut found = |found: Found<'_>, _: &mut Draft, _: &mut Budget| {
        if let (Found::Folder(path), 0..MAX_WATCHED_FOLDERS) = (found, points.len()) {
            points.push(root.path(path));
        }
        Ok(())
    };
    let mut draft = Draft::new(Source::Desktop, Scope::System);
    Walk { root, draft: &mut draft, budget: Budget::new(), found: &mut found }.tree(top);
    points
}

/// What a walk meets, by its path below the root.
enum Found<'a> {
    Folder(&'a Path),
    Entry(&'a Path, Opened),
}

/// A walk through a folder tree, within its limits.
struct Walk<'a, F> {
    root: &'a Root,
    draft: &'a mut Draft,
    budget: Budget,
    found: &'a mut F,
}

impl<F> Walk<'_, F>
where
    F: FnMut(Found<'_>, &mut Draft, &mut Budget) -> Result<(), Exhausted>,
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
    draft: &mut Draft,
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
    match package(&bytes, path.strip_prefix(top).unwrap_or(path), &shown) {
        Ok(found) => found.into_iter().for_each(|p| draft.package(p)),
        Err(reason) => draft.gap(&shown, None, reason),
    }
    Ok(())
}

/// The package that an entry stands for; none if it is hidden. `path` is the entry's, below the folder of
/// applications.
fn package(bytes: &[u8], path: &Path, found_in: &Path) -> Result<Option<Package>, String> {
    let entry = entry::parse(bytes).map_err(|broken| broken.to_string())?;
    if entry.hidden {
        return Ok(None);
    }
    let purl = match &entry.web_app {
        Some(id) => Purl::new("webapp", Some("chromium"), id, None, &[]),
        None => Purl::new("desktop", None, &desktop_file_id(path), None, &[]),
    };
    let purl = purl.map_err(|error| error.to_string())?;
    Ok(Some(Package { purl, display_name: entry.name, found_in: found_in.to_string_lossy().into_owned() }))
}

/// `wine/Programs/Notes.desktop` -> `wine-Programs-Notes`
fn desktop_file_id(path: &Path) -> String {
    let id = path.to_string_lossy().replace('/', "-");
    id.strip_suffix(".desktop").map(str::to_owned).unwrap_or(id)
}
