//! Extensions of Visual Studio Code and its forks: `pkg:vscode-extension/<publisher>/<name>@<version>`.
//!
//! `extensions/extensions.json` lists those of the default profile, `User/profiles/<id>/extensions.json` those of another
//! one; all lie in folders `extensions/<publisher>.<name>-<version>[-<platform>]`, the only trace of them in older
//! versions. `extensions/.obsolete` names folders that were uninstalled and are deleted at the next start. Format: VS
//! Code's `src/vs/platform/extensionManagement/common/extensionsProfileScannerService.ts` (the lists),
//! `common/extensionManagementUtil.ts` (`ExtensionKey`, a folder's name), `node/extensionManagementService.ts`
//! (`.obsolete`, `.vsctmp`) and `src/vs/platform/userDataProfile/common/userDataProfile.ts` (the profiles).

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::IgnoredAny};

use crate::{
    draft::{Draft, Item},
    elements::Elements,
    folder::{Kind, Root, below, read_at},
    limits::{Budget, Exhausted, MAX_MANIFEST_BYTES},
    site::{Site, scratch},
};

/// Where an editor keeps what it has for a person, below their home.
struct Editor {
    /// The folder of extensions.
    extensions: &'static str,
    /// The folders of profiles; of editors that share their extensions there are several.
    profiles: &'static [&'static str],
}

/// The source of Trae, Antigravity, Kiro and Windsurf is not public. Their folders are those of `dataFolderName`,
/// `serverDataFolderName` and `nameShort` in the `product.json` that they ship, as others have published it, and those that
/// their extensions are told to be in; none was looked at on a device. VSCodium's are in its `prepare_vscode.sh`.
const EDITORS: &[Editor] = &[
    Editor { extensions: ".antigravity/extensions", profiles: &[".config/Antigravity/User/profiles"] },
    Editor { extensions: ".antigravity-ide/extensions", profiles: &[".config/Antigravity IDE/User/profiles"] },
    Editor { extensions: ".cursor-server/extensions", profiles: &[".cursor-server/data/User/profiles"] },
    Editor { extensions: ".cursor/extensions", profiles: &[".config/Cursor/User/profiles"] },
    Editor { extensions: ".kiro-server/extensions", profiles: &[".kiro-server/data/User/profiles"] },
    Editor { extensions: ".kiro/extensions", profiles: &[".config/Kiro/User/profiles"] },
    Editor { extensions: ".positron/extensions", profiles: &[".config/Positron/User/profiles"] },
    Editor { extensions: ".trae/extensions", profiles: &[".config/Trae/User/profiles"] },
    Editor {
        extensions: ".var/app/com.visualstudio.code/data/vscode/extensions",
        profiles: &[".var/app/com.visualstudio.code/config/Code/User/profiles"],
    },
    Editor {
        extensions: ".var/app/com.vscodium.codium/data/codium/extensions",
        profiles: &[".var/app/com.vscodium.codium/config/VSCodium/User/profiles"],
    },
    Editor { extensions: ".var/app/com.vscodium.codium/data/vscodium/extensions", profiles: &[] },
    Editor { extensions: ".vscode-insiders/extensions", profiles: &[".config/Code - Insiders/User/profiles"] },
    Editor { extensions: ".vscode-oss-insiders/extensions", profiles: &[] },
    Editor {
        extensions: ".vscode-oss/extensions",
        profiles: &[".config/VSCodium/User/profiles", ".config/Code - OSS/User/profiles"],
    },
    Editor {
        extensions: ".vscode-server-insiders/extensions",
        profiles: &[".vscode-server-insiders/data/User/profiles"],
    },
    Editor { extensions: ".vscode-server/extensions", profiles: &[".vscode-server/data/User/profiles"] },
    Editor { extensions: ".vscode/extensions", profiles: &[".config/Code/User/profiles"] },
    Editor { extensions: ".vscodium-insiders/extensions", profiles: &[".config/VSCodium - Insiders/User/profiles"] },
    Editor { extensions: ".vscodium-server/extensions", profiles: &[".vscodium-server/data/User/profiles"] },
    Editor { extensions: ".windsurf-next/extensions", profiles: &[".config/Windsurf - Next/User/profiles"] },
    Editor { extensions: ".windsurf-server/extensions", profiles: &[".windsurf-server/data/User/profiles"] },
    Editor { extensions: ".windsurf/extensions", profiles: &[".config/Windsurf/User/profiles"] },
];

/// The list in a folder of extensions, and in a profile's folder.
const LIST: &str = "extensions.json";
/// The end of the name of a folder that is being deleted.
const DELETED: &str = ".vsctmp";
/// What a folder's name may end with, besides the version (`TargetPlatform` in VS Code's
/// `src/vs/platform/extensions/common/extensions.ts`).
const PLATFORMS: &[&str] = &[
    "alpine-arm64",
    "alpine-x64",
    "darwin-arm64",
    "darwin-x64",
    "linux-arm64",
    "linux-armhf",
    "linux-x64",
    "undefined",
    "universal",
    "unknown",
    "web",
    "win32-arm64",
    "win32-x64",
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extension {
    identifier: Identifier,
    version: Option<String>,
    location: Option<Location>,
    relative_location: Option<String>,
}

/// Where an extension is: below the folder of extensions in one version's lists, as a URI in those of others.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Location {
    Below(String),
    Uri { path: String },
    Other(IgnoredAny),
}

#[derive(Debug, Deserialize)]
struct Identifier {
    id: String,
}

/// What an extension says of itself, in its `package.json`.
#[derive(Debug, Deserialize)]
struct Manifest {
    name: String,
    publisher: Option<String>,
    version: Option<String>,
}

/// The publisher of an extension that names none (`UNDEFINED_PUBLISHER` in VS Code's
/// `src/vs/platform/extensions/common/extensions.ts`).
const NO_PUBLISHER: &str = "undefined_publisher";

pub(crate) fn read(site: &Site<'_>, draft: &mut Draft<'_>) {
    let mut budget = Budget::new();
    for editor in site.choose(&[][..], EDITORS) {
        let mut listed = Listed {
            root: &site.root,
            draft,
            budget: &mut budget,
            seen: BTreeSet::new(),
            named: BTreeSet::new(),
            has_list: false,
        };
        if let Err(exhausted) = listed.editor(editor) {
            return draft.gap(&site.root.path(Path::new(editor.extensions)), None, exhausted);
        }
    }
}

pub(crate) fn watch(site: &Site<'_>) -> Vec<PathBuf> {
    let (mut draft, mut points) = (scratch(), Vec::new());
    for editor in site.choose(&[][..], EDITORS) {
        points.extend([editor.extensions.into(), Path::new(editor.extensions).join(LIST)]);
        for profiles in editor.profiles.iter().map(PathBuf::from) {
            let names = draft.folders(&site.root, &profiles, &mut Budget::new()).unwrap_or_default();
            points.extend(names.iter().map(|name| profiles.join(name).join(LIST)));
            points.push(profiles);
        }
    }
    points.retain(|point| site.root.is_there(point));
    points
}

/// The extensions of one editor, each of which counts once.
struct Listed<'a, 'w> {
    root: &'a Root,
    draft: &'a mut Draft<'w>,
    budget: &'a mut Budget,
    /// Ids, in small letters, and their versions.
    seen: BTreeSet<(String, Option<String>)>,
    /// The folders that the lists name.
    named: BTreeSet<String>,
    /// Whether the default profile has a list.
    has_list: bool,
}

impl Listed<'_, '_> {
    fn editor(&mut self, editor: &Editor) -> Result<(), Exhausted> {
        let folder = Path::new(editor.extensions);
        self.has_list = self.list(&folder.join(LIST))?;
        for profiles in editor.profiles.iter().map(Path::new) {
            let names = self.names(profiles)?;
            names.iter().try_for_each(|name| self.list(&profiles.join(name).join(LIST)).map(drop))?;
        }
        self.folders(folder)
    }

    /// The names of folders, and of links, which may lead to some.
    fn names(&mut self, folder: &Path) -> Result<Vec<String>, Exhausted> {
        self.draft.names(self.root, folder, self.budget, |kind| matches!(kind, Kind::Folder | Kind::Link))
    }

    fn file(&mut self, path: &Path) -> Result<Option<Vec<u8>>, Exhausted> {
        let bytes = self.draft.file(self.root, path, MAX_MANIFEST_BYTES);
        self.budget.spend_bytes(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))?;
        Ok(bytes)
    }

    /// Whether there is a list, readable or not.
    fn list(&mut self, path: &Path) -> Result<bool, Exhausted> {
        let Some(bytes) = self.file(path)? else { return Ok(false) };
        let shown = self.root.path(path);
        match parse(&bytes) {
            Err(error) => self.draft.gap(&shown, None, format!("it is not a list of extensions: {error}")),
            Ok(extensions) => {
                for (_, extension) in extensions.noted(&bytes, "an extension", &shown, self.draft) {
                    self.offer(&extension.identifier.id, extension.version.as_deref(), &shown);
                    self.named.extend(extension.folder().map(str::to_owned));
                }
            }
        }
        Ok(true)
    }

    fn folders(&mut self, folder: &Path) -> Result<(), Exhausted> {
        let obsolete = self.obsolete(&folder.join(".obsolete"))?;
        let is_gone = |name: &str| name.ends_with(DELETED) || obsolete.contains(&name.to_ascii_lowercase());
        let is_there = |name: &&String| !name.starts_with('.') && !is_gone(name);
        for name in self.names(folder)?.iter().filter(is_there) {
            match split(name) {
                (id, Some(version)) if id.contains('.') => {
                    self.offer(id, Some(version), &self.root.path(&folder.join(name)));
                }
                _ => self.unversioned(folder, name)?,
            }
        }
        Ok(())
    }

    /// A folder whose name does not say what is in it. Its `package.json` does.
    ///
    /// Where that can't be read, it counts whether VS Code would load what is there: it loads what its lists name, and looks
    /// through the folders only where the default profile has no list (`scanUserExtensions` in its
    /// `src/vs/platform/extensionManagement/common/extensionsScannerService.ts`). A list that can't be read is a gap by itself.
    fn unversioned(&mut self, folder: &Path, name: &str) -> Result<(), Exhausted> {
        let path = folder.join(name);
        let shown = self.root.path(&path);
        let reason = match self.manifest(&path)? {
            Ok(Some(Manifest { name, publisher, version })) => {
                let publisher = publisher.as_deref().unwrap_or(NO_PUBLISHER);
                self.offer(&format!("{publisher}.{name}"), version.as_deref(), &shown);
                return Ok(());
            }
            Ok(None) => None,
            Err(reason) => Some(reason),
        };
        match reason {
            _ if name.contains('.') => {
                if !self.has_seen(name) {
                    self.offer(name, None, &shown);
                }
            }
            Some(reason) if !self.has_list || self.named.contains(name) => {
                let reason = format!("its name is not <publisher>.<name>-<version>, and its package.json: {reason}");
                self.draft.gap(&shown, None, reason);
            }
            Some(_) | None => {}
        }
        Ok(())
    }

    /// What the `package.json` in a folder says, if there is one; or why it says nothing.
    fn manifest(&mut self, folder: &Path) -> Result<Result<Option<Manifest>, String>, Exhausted> {
        // An absolute link counts as one that leads out, so it is gone after by hand.
        let target = self.root.link(folder).ok().flatten().filter(|target| target.is_absolute());
        let within = target.and_then(|target| below(self.root, &target));
        let path = within.as_deref().unwrap_or(folder).join("package.json");
        Ok(match read_at(self.root, &path, MAX_MANIFEST_BYTES) {
            Err(error) => Err(error.to_string()),
            Ok(None) => Ok(None),
            Ok(Some(bytes)) => {
                self.budget.spend_bytes(bytes.len() as u64)?;
                serde_json::from_slice(&bytes).map(Some).map_err(|error| error.to_string())
            }
        })
    }

    /// Whether an extension was listed, in any version: a folder need not be named for one.
    fn has_seen(&self, id: &str) -> bool {
        let id = id.to_ascii_lowercase();
        self.seen.range((id.clone(), None)..).next().is_some_and(|(seen, _)| *seen == id)
    }

    /// The folders that were uninstalled, in small letters. As in VS Code, what can't be read names none.
    fn obsolete(&mut self, path: &Path) -> Result<BTreeSet<String>, Exhausted> {
        let bytes = self.file(path)?.unwrap_or_default();
        Ok(obsolete(&bytes).unwrap_or_else(|reason| {
            self.draft.gap(&self.root.path(path), None, reason);
            BTreeSet::new()
        }))
    }

    /// Ids are compared without regard to case, so purls have small letters.
    fn offer(&mut self, id: &str, version: Option<&str>, path: &Path) {
        let id = id.to_ascii_lowercase();
        match id.split_once('.') {
            Some((publisher, name)) if !publisher.is_empty() && !name.is_empty() => {
                if self.seen.insert((id.clone(), version.map(str::to_owned))) {
                    let item = Item { namespace: Some(publisher), version, ..Item::new("vscode-extension", name) };
                    self.draft.offer_at(path, &item);
                }
            }
            Some(_) | None => self.draft.gap(path, None, format!("`{id}` is not <publisher>.<name>")),
        }
    }
}

impl Extension {
    /// The name of its folder.
    fn folder(&self) -> Option<&str> {
        let path = self.relative_location.as_deref().or_else(|| match self.location.as_ref()? {
            Location::Below(path) | Location::Uri { path } => Some(path),
            Location::Other(_) => None,
        })?;
        path.trim_end_matches('/').rsplit('/').next()
    }
}

fn parse(bytes: &[u8]) -> Result<Elements<'_, Extension>, String> {
    // VS Code, too, takes an empty list for one of nothing.
    let bytes = if bytes.trim_ascii().is_empty() { b"[]" } else { bytes };
    let elements: Elements<'_, Extension> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    elements.list().map_err(str::to_owned)
}

/// The names, in small letters, in `{"ms-python.python-2024.2.1-linux-x64":true}`.
fn obsolete(bytes: &[u8]) -> Result<BTreeSet<String>, String> {
    if bytes.trim_ascii().is_empty() {
        return Ok(BTreeSet::new());
    }
    let names: BTreeMap<String, bool> =
        serde_json::from_slice(bytes).map_err(|error| format!("it does not name folders: {error}"))?;
    Ok(names.into_iter().filter_map(|(name, obsolete)| obsolete.then_some(name.to_ascii_lowercase())).collect())
}

/// `ms-python.python-2024.2.1-linux-x64` is `ms-python.python` and `2024.2.1`: the version begins after the first dash that
/// a digit follows and that comes after the publisher, and ends before the platform.
fn split(folder: &str) -> (&str, Option<&str>) {
    let publisher = folder.find('.').unwrap_or_default();
    let dashes = folder.match_indices('-').map(|(at, _)| at).filter(|at| *at > publisher);
    let begins = |at: &usize| folder[at + 1..].starts_with(|c: char| c.is_ascii_digit());
    match { dashes }.find(begins) {
        Some(at) => (&folder[..at], Some(without_platform(&folder[at + 1..]))),
        None => (folder, None),
    }
}

fn without_platform(version: &str) -> &str {
    let without = |platform: &&str| version.strip_suffix(*platform)?.strip_suffix('-');
    PLATFORMS.iter().find_map(without).unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_s_name_has_publisher_name_and_version() {
        assert_eq!(split("ms-python.python-2024.2.1-linux-x64"), ("ms-python.python", Some("2024.2.1")));
        assert_eq!(split("a-1.b-c-1.0.0"), ("a-1.b-c", Some("1.0.0")));
        assert_eq!(split("a.b-1.0.0-rc.1-universal"), ("a.b", Some("1.0.0-rc.1")));
        assert_eq!(split("rust-lang.rust-analyzer"), ("rust-lang.rust-analyzer", None));
    }

    #[test]
    fn an_empty_list_names_nothing() {
        for empty in [&b""[..], b" \n", b"[]"] {
            assert!(parse(empty).unwrap().good.is_empty());
        }
        assert!(parse(b"{}").is_err() && parse(b"[").is_err());
    }

    #[test]
    fn a_list_names_folders_in_each_version_s_way() {
        let list = br#"[{"identifier":{"id":"a.b"},"location":"b"},
            {"identifier":{"id":"a.b"},"location":{"$mid":1,"path":"/home/alice/c","scheme":"file"}},
            {"identifier":{"id":"a.b"},"location":{"$mid":1,"path":"/other/x"},"relativeLocation":"d"},
            {"identifier":{"id":"a.b"},"location":7}, {"identifier":{"id":"a.b"},"relativeLocation":"e"}]"#;
        let extensions = parse(list).unwrap().good;
        let folders: Vec<_> = extensions.iter().map(|(_, extension)| extension.folder()).collect();
        assert_eq!(folders, [Some("b"), Some("c"), Some("d"), None, Some("e")]);
    }

    #[test]
    fn what_is_obsolete_is_named() {
        assert_eq!(obsolete(br#"{"A.b-1":true,"a.b-2":false}"#).unwrap(), BTreeSet::from(["a.b-1".to_owned()]));
        assert_eq!(obsolete(b"\n").unwrap(), BTreeSet::new());
        assert!(obsolete(b"[]").unwrap_err().contains("does not name folders"));
    }

    #[test]
    fn no_text_breaks_it() {
        crate::mutated::check(&[b"ms-python.python-2024.2.1-linux-x64"], |bytes| {
            let folder = String::from_utf8_lossy(bytes);
            let (id, version) = split(&folder);
            let again = version.map_or(id.to_owned(), |version| format!("{id}-{version}"));
            assert!(folder == again || folder.starts_with(&format!("{again}-")), "{folder} is {again}");
        });
    }
}
