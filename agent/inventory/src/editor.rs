//! Extensions of Visual Studio Code and its forks: `pkg:vscode-extension/<publisher>/<name>@<version>`.
//!
//! `extensions/extensions.json` lists them; older versions have only the folders `<publisher>.<name>-<version>`. Format:
//! VS Code's `src/vs/platform/extensionManagement/common/extensionsProfileScannerService.ts`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{
    draft::{Draft, Item},
    elements::Elements,
    folder::Root,
    limits::{Budget, MAX_MANIFEST_BYTES},
    site::Site,
};

/// Folders of extensions in a home.
const FOLDERS: &[&str] = &[
    ".cursor/extensions",
    ".positron/extensions",
    ".var/app/com.visualstudio.code/data/vscode/extensions",
    ".var/app/com.vscodium.codium/data/vscodium/extensions",
    ".vscode-insiders/extensions",
    ".vscode-oss/extensions",
    ".vscode-server/extensions",
    ".vscode/extensions",
    ".windsurf/extensions",
];

#[derive(Debug, Deserialize)]
struct Extension {
    identifier: Identifier,
    version: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Identifier {
    id: String,
}

pub(crate) fn read(site: &Site<'_>, draft: &mut Draft<'_>) {
    for folder in site.choose(&[][..], FOLDERS).iter().map(Path::new) {
        let path = folder.join("extensions.json");
        match draft.file(&site.root, &path, MAX_MANIFEST_BYTES) {
            Some(bytes) => listed(&bytes, &site.root.path(&path), draft),
            None => by_folder(&site.root, folder, draft),
        }
    }
}

pub(crate) fn watch(site: &Site<'_>) -> Vec<PathBuf> {
    let folders = site.choose(&[][..], FOLDERS).iter().map(PathBuf::from);
    folders.filter(|folder| site.root.is_there(folder)).collect()
}

fn listed(bytes: &[u8], path: &Path, draft: &mut Draft<'_>) {
    match parse(bytes) {
        Err(error) => draft.gap(path, None, format!("it is not a list of extensions: {error}")),
        Ok(extensions) => extensions
            .noted(bytes, "an extension", path, draft)
            .iter()
            .for_each(|(_, extension)| offer(&extension.identifier.id, extension.version.as_deref(), path, draft)),
    }
}

fn parse(bytes: &[u8]) -> Result<Elements<'_, Extension>, String> {
    let elements: Elements<'_, Extension> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    elements.list().map_err(str::to_owned)
}

fn by_folder(root: &Root, folder: &Path, draft: &mut Draft<'_>) {
    match draft.folders(root, folder, &mut Budget::new()) {
        Err(exhausted) => draft.gap(&root.path(folder), None, exhausted),
        Ok(names) => names.iter().filter(|name| !name.starts_with('.')).for_each(|name| {
            let (id, version) = split(name);
            offer(id, version, &root.path(&folder.join(name)), draft);
        }),
    }
}

/// `ms-python.python-2024.2.1-linux-x64` is `ms-python.python` and the rest: the version begins after the first dash that
/// a digit follows and that comes after the publisher.
fn split(folder: &str) -> (&str, Option<&str>) {
    let publisher = folder.find('.').unwrap_or_default();
    let dashes = folder.match_indices('-').map(|(at, _)| at).filter(|at| *at > publisher);
    let begins = |at: &usize| folder[at + 1..].starts_with(|c: char| c.is_ascii_digit());
    match { dashes }.find(begins) {
        Some(at) => (&folder[..at], Some(&folder[at + 1..])),
        None => (folder, None),
    }
}

/// Ids are compared without regard to case, so purls have small letters.
fn offer(id: &str, version: Option<&str>, path: &Path, draft: &mut Draft<'_>) {
    let id = id.to_ascii_lowercase();
    match id.split_once('.') {
        Some((publisher, name)) if !publisher.is_empty() && !name.is_empty() => {
            let item = Item { namespace: Some(publisher), version, ..Item::new("vscode-extension", name) };
            draft.offer_at(path, &item);
        }
        Some(_) | None => draft.gap(path, None, format!("`{id}` is not <publisher>.<name>")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_s_name_has_publisher_name_and_version() {
        assert_eq!(split("ms-python.python-2024.2.1-linux-x64"), ("ms-python.python", Some("2024.2.1-linux-x64")));
        assert_eq!(split("a-1.b-c-1.0.0"), ("a-1.b-c", Some("1.0.0")));
        assert_eq!(split("rust-lang.rust-analyzer"), ("rust-lang.rust-analyzer", None));
    }

    #[test]
    fn no_text_breaks_it() {
        crate::mutated::check(&[b"ms-python.python-2024.2.1-linux-x64"], |bytes| {
            let folder = String::from_utf8_lossy(bytes);
            let (id, version) = split(&folder);
            assert_eq!(version.map_or(id.to_owned(), |version| format!("{id}-{version}")), folder);
        });
    }
}
