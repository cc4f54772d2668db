//! Desktop entries, from the files in `tests/data/applications` and from this machine's own.

use std::path::{Path, PathBuf};

use forewarn_engine::Listing;
use forewarn_inventory::Places;
use forewarn_proto::inventory::{Scope, Source};
use sha2::{Digest as _, Sha256};

use crate::common::{gaps, link, listing, places, purls, write};

/// Chromium's id of a web app with this manifest id, which is its start URL unless the manifest says otherwise: the
/// SHA-256 of the URL (`GenerateAppIdFromManifestId` in `chrome/browser/web_applications/web_app_helpers.cc`), hashed
/// again, of which the first 16 bytes are written in hexadecimal with a-p for 0-f (`components/crx_file/id_util.cc`).
fn chromium_app_id(manifest_id: &str) -> String {
    let hash = Sha256::digest(Sha256::digest(manifest_id));
    let nibbles = hash[..16].iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    nibbles.map(|nibble| char::from(b'a' + nibble)).collect()
}

fn desktop(places: &Places) -> Listing {
    listing(places, Source::Desktop, Scope::System)
}

/// The packages of a listing, as `purl = name`.
fn lines(listing: &Listing) -> Vec<String> {
    let line = |p: &forewarn_engine::Package| format!("{} = {}", p.purl, p.display_name.as_deref().unwrap_or("-"));
    listing.packages.iter().map(line).collect()
}

#[test]
fn entries_are_listed_by_id_and_web_apps_by_app_id() {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let listed = desktop(&Places { root: data.clone(), homes: Vec::new() });
    assert_eq!(
        lines(&listed),
        [
            "pkg:desktop/comment-in-latin-1 = Cafe",
            "pkg:desktop/name-with-escapes = Back\\slash and space",
            "pkg:desktop/no-display-is-still-listed = URL Handler",
            "pkg:desktop/org.example.Clock = Clock",
            "pkg:desktop/subfolder-deeper-notes = Notes",
            "pkg:webapp/chromium/agimnkijcaahngcdmfeangaknmldooml = YouTube",
            "pkg:webapp/chromium/mpnpojknpmmopombnjdcgaaiekajbnjb = Docs",
            "pkg:webapp/firefox/01FZ7B4VZ1MDJ1W0FDRNB4QTNE = Chat",
        ]
    );
    assert_eq!(
        gaps(&listed, &data),
        [
            "usr/share/applications/broken-merge-conflict.desktop: line 3 is not a group, a key with its value or a comment",
            "usr/share/applications/broken-no-group.desktop: line 1 comes before any group",
        ]
    );
    assert_eq!(
        listed.packages[4].found_in,
        data.join("usr/share/applications/subfolder/deeper/notes.desktop").to_str().unwrap()
    );
}

#[test]
fn app_ids_are_those_that_chromium_makes() {
    assert_eq!(chromium_app_id("https://www.youtube.com/?feature=ytca"), "agimnkijcaahngcdmfeangaknmldooml");
    assert_eq!(
        chromium_app_id("https://docs.google.com/document/?usp=installed_webapp"),
        "mpnpojknpmmopombnjdcgaaiekajbnjb"
    );
}

#[test]
fn this_machine_s_entries_are_all_read() {
    let folder = Path::new("/usr/share/applications");
    let files: Vec<_> = match fs_err::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
        Err(_) => Vec::new(),
    };
    let is_shown = |path: &&PathBuf| {
        path.extension().is_some_and(|e| e == "desktop")
            && !fs_err::read_to_string(path).unwrap().lines().any(|line| line == "Hidden=true")
    };
    let shown = files.iter().filter(is_shown).count();
    let mut listed = desktop(&Places::default());
    listed.packages.retain(|package| Path::new(&package.found_in).parent() == Some(folder));
    println!("{} of {shown} entries: {:?}", listed.packages.len(), lines(&listed));
    assert_eq!((listed.packages.len(), listed.gaps), (shown, vec![]));
}

#[test]
fn the_system_s_links_are_followed() {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    write(root.path(), "elsewhere/kde/b.desktop", "[Desktop Entry]\nName=B\n");
    link(
        root.path(),
        "usr/share/applications/a.desktop",
        root.path().join("elsewhere/kde/b.desktop").to_str().unwrap(),
    );
    link(root.path(), "usr/share/applications/sub", "../../../elsewhere");
    link(root.path(), "usr/share/applications/gone.desktop", "nowhere");
    let listed = desktop(&places);
    assert_eq!(purls(&listed), ["pkg:desktop/a", "pkg:desktop/sub-kde-b"]);
    assert_eq!(listed.gaps, []);
}

#[test]
fn the_same_id_in_two_folders_is_listed_twice() {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    write(root.path(), "usr/share/applications/a.desktop", "[Desktop Entry]\nName=One\n");
    write(root.path(), "usr/local/share/applications/a.desktop", "[Desktop Entry]\nName=Two\n");
    assert_eq!(lines(&desktop(&places)), ["pkg:desktop/a = One", "pkg:desktop/a = Two"]);
}
