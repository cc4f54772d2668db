//! Extensions of browsers: `pkg:chrome-extension/<id>@<version>` for the Chromium family,
//! `pkg:firefox-extension/<id>@<version>` for Firefox and its forks.
//!
//! Chromium keeps an installed extension in `<profile>/Extensions/<id>/<version>_<number>/` (Chromium's
//! `extensions/browser/install/crx_installer.cc`), so no file has to be opened. Firefox lists add-ons in
//! `<profile>/extensions.json` (Firefox's `toolkit/mozapps/extensions/internal/XPIDatabase.sys.mjs`).

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{
    draft::{Draft, Item},
    elements::Elements,
    folder::{Kind, Opened, Root, below},
    limits::{Budget, Exhausted, MAX_MANIFEST_BYTES, display_name},
    site::{Site, scratch},
};

/// Folders of profiles of the Chromium family in a home, those of snaps and Flatpaks included.
const CHROMIUM: &[&str] = &[
    ".config/BraveSoftware/Brave-Browser",
    ".config/BraveSoftware/Brave-Browser-Beta",
    ".config/BraveSoftware/Brave-Browser-Nightly",
    ".config/chromium",
    ".config/google-chrome",
    ".config/google-chrome-beta",
    ".config/google-chrome-canary",
    ".config/google-chrome-unstable",
    ".config/microsoft-edge",
    ".config/microsoft-edge-beta",
    ".config/microsoft-edge-dev",
    ".config/opera",
    ".config/vivaldi",
    ".config/vivaldi-snapshot",
    ".config/yandex-browser",
    ".var/app/com.brave.Browser/config/BraveSoftware/Brave-Browser",
    ".var/app/com.google.Chrome/config/google-chrome",
    ".var/app/com.microsoft.Edge/config/microsoft-edge",
    ".var/app/com.opera.Opera/config/opera",
    ".var/app/com.vivaldi.Vivaldi/config/vivaldi",
    ".var/app/io.github.ungoogled_software.ungoogled_chromium/config/chromium",
    ".var/app/org.chromium.Chromium/config/chromium",
    ".var/app/ru.yandex.Browser/config/yandex-browser",
    "snap/brave/current/.config/BraveSoftware/Brave-Browser",
    "snap/chromium/common/chromium",
    "snap/opera/current/.config/opera",
    "snap/vivaldi/current/.config/vivaldi",
];

/// The same of Firefox and its forks.
const FIREFOX: &[&str] = &[
    ".config/librewolf/librewolf",
    ".config/mozilla/firefox",
    ".config/zen",
    ".floorp",
    ".librewolf",
    ".mozilla/firefox",
    ".mozilla/firefox-esr",
    ".tor project/firefox",
    ".var/app/app.zen_browser.zen/.zen",
    ".var/app/app.zen_browser.zen/zen",
    ".var/app/io.gitlab.librewolf-community/.librewolf",
    ".var/app/io.gitlab.librewolf-community/config/librewolf/librewolf",
    ".var/app/net.waterfox.waterfox/.waterfox",
    ".var/app/one.ablaze.floorp/.floorp",
    ".var/app/org.mozilla.firefox/.mozilla/firefox",
    ".var/app/org.mozilla.firefox/config/mozilla/firefox",
    ".waterfox",
    ".zen",
    "snap/firefox/common/.mozilla/firefox",
];

/// Firefox's list of add-ons.
#[derive(Debug, Deserialize)]
struct Addons<'a> {
    #[serde(borrow)]
    addons: Elements<'a, Addon>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Addon {
    id: String,
    version: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    location: Option<String>,
    default_locale: Option<Locale>,
}

#[derive(Debug, Deserialize)]
struct Locale {
    name: Option<String>,
}

/// Browsers that keep their profiles alike.
struct Family {
    /// The folders of profiles, in a home.
    folders: &'static [&'static str],
    /// What in a profile tells of its extensions.
    inside: &'static str,
    /// What a folder of profiles says of those that lie elsewhere.
    index: Option<&'static str>,
    list: ListProfile,
}

type ListProfile = fn(&Root, &Path, &mut Draft<'_>, &mut Budget) -> Result<(), Exhausted>;

const FAMILIES: [Family; 2] = [
    Family { folders: CHROMIUM, inside: "Extensions", index: None, list: chromium },
    Family { folders: FIREFOX, inside: "extensions.json", index: Some("profiles.ini"), list: firefox },
];

/// What is beside Chromium's profiles and is none, whatever it leads to. The first three are links that a browser which
/// runs has there, one of them to `/tmp` (Chromium's `chrome/browser/process_singleton_posix.cc`); the last is a link
/// where a distribution brings the module itself.
const NO_PROFILES: [&str; 4] = ["SingletonCookie", "SingletonLock", "SingletonSocket", "WidevineCdm"];

pub(crate) fn read(site: &Site<'_>, draft: &mut Draft<'_>) {
    let mut budget = Budget::new();
    for family in &FAMILIES {
        for folder in site.choose(&[][..], family.folders).iter().map(Path::new) {
            if let Err(exhausted) = family.list_all(&site.root, folder, draft, &mut budget) {
                return draft.gap(&site.root.path(folder), None, exhausted);
            }
        }
    }
}

/// The folders above are not watched: a browser that runs writes there all the time.
pub(crate) fn watch(site: &Site<'_>) -> Vec<PathBuf> {
    let (mut draft, mut points) = (scratch(), Vec::new());
    for family in &FAMILIES {
        for folder in site.choose(&[][..], family.folders).iter().map(Path::new) {
            let profiles = family.profiles(&site.root, folder, &mut draft, &mut Budget::new()).unwrap_or_default();
            points.extend(profiles.iter().map(|profile| profile.join(family.inside)));
        }
    }
    points.retain(|point| site.root.is_there(point));
    points
}

impl Family {
    fn list_all(
        &self,
        root: &Root,
        folder: &Path,
        draft: &mut Draft<'_>,
        budget: &mut Budget,
    ) -> Result<(), Exhausted> {
        // Opera keeps extensions beside its profiles.
        (self.list)(root, folder, draft, budget)?;
        let profiles = self.profiles(root, folder, draft, budget)?;
        profiles.iter().try_for_each(|profile| (self.list)(root, profile, draft, budget))
    }

    /// What may be a profile: each folder in a folder of profiles, and what is named there beside.
    fn profiles(
        &self,
        root: &Root,
        folder: &Path,
        draft: &mut Draft<'_>,
        budget: &mut Budget,
    ) -> Result<BTreeSet<PathBuf>, Exhausted> {
        let names = folders_and_links(root, folder, draft, budget)?;
        let mut profiles: BTreeSet<PathBuf> =
            names.iter().filter(|name| !NO_PROFILES.contains(&name.as_str())).map(|name| folder.join(name)).collect();
        if let Some(index) = self.index {
            elsewhere(root, &folder.join(index), draft, budget, &mut profiles)?;
        }
        Ok(profiles)
    }
}

/// The names of folders, and of links, which may lead to some. One that leads out of the home is a gap as soon as something
/// is looked for in it.
fn folders_and_links(
    root: &Root,
    folder: &Path,
    draft: &mut Draft<'_>,
    budget: &mut Budget,
) -> Result<Vec<String>, Exhausted> {
    draft.names(root, folder, budget, |kind| matches!(kind, Kind::Folder | Kind::Link))
}

/// The profiles that Firefox's index names. One that lies out of the home is a gap.
fn elsewhere(
    root: &Root,
    index: &Path,
    draft: &mut Draft<'_>,
    budget: &mut Budget,
    profiles: &mut BTreeSet<PathBuf>,
) -> Result<(), Exhausted> {
    let Some(bytes) = draft.file(root, index, MAX_MANIFEST_BYTES) else { return Ok(()) };
    budget.spend_bytes(bytes.len() as u64)?;
    let Ok(text) = std::str::from_utf8(&bytes) else {
        draft.gap(&root.path(index), None, "it names profiles in something other than UTF-8");
        return Ok(());
    };
    for named in indexed(text) {
        budget.spend_entries(1)?;
        let path = index.with_file_name("").join(named);
        match if path.is_absolute() { below(root, &path) } else { Some(path) } {
            Some(path) => drop(profiles.insert(path)),
            None => draft.gap(&root.path(index), None, format!("the profile `{named}` lies out of the home folder")),
        }
    }
    Ok(())
}

/// The paths of profiles in `profiles.ini`: absolute, or below the folder that it is in (Firefox's
/// `toolkit/profile/nsToolkitProfileService.cpp`).
fn indexed(text: &str) -> impl Iterator<Item = &str> {
    let mut in_profile = false;
    text.lines().map(str::trim).filter_map(move |line| {
        if let Some(section) = line.strip_prefix('[') {
            in_profile = section.starts_with("Profile");
        }
        line.strip_prefix("Path=").filter(|path| in_profile && !path.is_empty())
    })
}

fn chromium(root: &Root, profile: &Path, draft: &mut Draft<'_>, budget: &mut Budget) -> Result<(), Exhausted> {
    let extensions = profile.join("Extensions");
    for id in folders_and_links(root, &extensions, draft, budget)?.iter().filter(|id| is_extension_id(id)) {
        let folder = extensions.join(id);
        // While one version replaces another both are there.
        for version in folders_and_links(root, &folder, draft, budget)? {
            match root.open(&folder.join(&version)) {
                Ok(Opened::Folder) => {}
                Ok(Opened::Missing | Opened::File(_) | Opened::Special) => continue,
                Err(error) => {
                    draft.gap(&root.path(&folder.join(&version)), None, error);
                    continue;
                }
            }
            let number = version.split_once('_').map_or(version.as_str(), |(number, _)| number);
            let item = Item { version: Some(number), ..Item::new("chrome-extension", id) };
            draft.offer_at(&root.path(&folder.join(&version)), &item);
        }
    }
    Ok(())
}

/// 32 letters, a-p. `Temp` is none.
fn is_extension_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|b| matches!(b, b'a'..=b'p'))
}

fn firefox(root: &Root, profile: &Path, draft: &mut Draft<'_>, budget: &mut Budget) -> Result<(), Exhausted> {
    let path = profile.join("extensions.json");
    let Some(bytes) = draft.file(root, &path, MAX_MANIFEST_BYTES) else { return Ok(()) };
    budget.spend_bytes(bytes.len() as u64)?;
    let shown = root.path(&path);
    match addons(&bytes) {
        Err(reason) => draft.gap(&shown, None, reason),
        Ok(addons) => addons.noted(&bytes, "an add-on", &shown, draft).iter().for_each(|(_, addon)| {
            let name = addon.default_locale.as_ref().and_then(|locale| display_name(locale.name.as_deref()?));
            let item = Item {
                version: addon.version.as_deref(),
                display_name: name.as_deref(),
                ..Item::new("firefox-extension", &addon.id)
            };
            draft.offer_at(&shown, &item);
        }),
    }
    Ok(())
}

/// The extensions that were added to Firefox; its own parts, and themes and languages, are none.
fn addons(bytes: &[u8]) -> Result<Elements<'_, Addon>, String> {
    let unlike = |error: &dyn std::fmt::Display| format!("it is not a list of add-ons: {error}");
    let list: Addons<'_> = serde_json::from_slice(bytes).map_err(|error| unlike(&error))?;
    let is_own = |addon: &Addon| {
        addon.location.as_deref().is_some_and(|l| l.starts_with("app-builtin") || l == "app-system-defaults")
    };
    let mut addons = list.addons.list().map_err(|error| unlike(&error))?;
    addons.good.retain(|(_, addon)| addon.kind.as_deref() == Some("extension") && !is_own(addon));
    Ok(addons)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_added_counts() {
        let list = br#"{"schemaVersion":36,"addons":[
            {"id":"uBlock0@raymondhill.net","version":"1.58.0","type":"extension","location":"app-profile",
             "defaultLocale":{"name":"uBlock Origin"},"active":false},
            {"id":"formautofill@mozilla.org","version":"1.0","type":"extension","location":"app-builtin"},
            {"id":"screenshots@mozilla.org","version":"1.0","type":"extension","location":"app-builtin-addons"},
            {"id":"langpack-de@firefox.mozilla.org","version":"1","type":"locale","location":"app-profile"}]}"#;
        let ids: Vec<String> = addons(list).unwrap().good.into_iter().map(|(_, addon)| addon.id).collect();
        assert_eq!(ids, ["uBlock0@raymondhill.net"]);
        assert!(addons(b"{}").unwrap_err().contains("not a list of add-ons"));
    }

    #[test]
    fn the_index_of_firefox_names_profiles_by_their_paths() {
        let index = "[Install4F96D1932A9F858E]\nDefault=a.default\nPath=no\n\n[Profile1]\r\nName=work\r\nIsRelative=0\r\n\
                     Path=/home/alice/work profile\r\n[Profile0]\nPath=a.default\nPath=\n[General]\nPath=no\n";
        assert_eq!(indexed(index).collect::<Vec<_>>(), ["/home/alice/work profile", "a.default"]);
    }

    #[test]
    fn an_id_has_32_letters() {
        assert!(is_extension_id("cjpalhdlnbpafiamejdnhcphjbkeiagm"));
        assert!(!is_extension_id("Temp") && !is_extension_id(&"z".repeat(32)));
    }

    #[test]
    fn no_bytes_break_it() {
        crate::mutated::check(&[br#"{"addons":[{"id":"a@b","version":"1","type":"extension"}]}"#], |bytes| {
            drop(addons(bytes))
        });
        crate::mutated::check(&[b"[Profile0]\nPath=a.default\n"], |bytes| {
            assert!(indexed(&String::from_utf8_lossy(bytes)).all(|path| !path.is_empty()));
        });
    }
}
