//! Sources that are folders and small files, laid out as their makers document it.

use std::{os::unix::fs::PermissionsExt, path::Path};

use forewarn_engine::Wanted;
use forewarn_inventory::{HomeFolder, list};
use forewarn_proto::inventory::{Person, Scope, Source};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};

use crate::common::{ALICE, Tool, gaps, link, listing, places, purls, write};

const HASH: &str = "sn94mdryh0kxvmg3blp6cchiy3mpfp1i";

/// Prepares a device, and checks what one source lists in one scope: purls, and gaps.
#[track_caller]
fn check(source: Source, scope: Scope, prepare: impl FnOnce(&Path), expected: &[&str], expected_gaps: &[&str]) {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    prepare(root.path());
    let listed = listing(&places, source, scope);
    assert_eq!(
        (purls(&listed), gaps(&listed, root.path())),
        (expected.to_vec(), expected_gaps.iter().map(|g| (*g).to_owned()).collect())
    );
    assert_eq!(listed.count, expected.len());
}

#[test]
fn apk_s_database_is_listed() {
    let prepare = |root: &Path| {
        write(root, "etc/os-release", "ID=alpine\n");
        write(root, "lib/apk/db/installed", "C:Q1w=\nP:busybox\nV:1.36.1-r29\nA:x86_64\nF:bin\nR:sh\n\nP:broken\n\n");
    };
    let gap = "lib/apk/db/installed @51: block has no V line";
    check(Source::Apk, Scope::System, prepare, &["pkg:apk/alpine/busybox@1.36.1-r29?arch=x86_64"], &[gap]);
}

#[test]
fn snapd_s_state_is_listed_with_the_mounted_versions() {
    let prepare = |root: &Path| {
        let state = r#"{"data":{"snaps":{
            "anydesk":{"type":"app","sequence":[{"name":"anydesk","revision":"7"}],"current":"7","channel":"latest/stable"},
            "disabled":{"sequence":[{"name":"disabled","revision":"x1"}],"current":"x1"},
            "zoom_work":{"sequence":[{"name":"zoom","revision":"9"}],"current":"9"}}}}"#;
        write(root, "var/lib/snapd/state.json", state);
        write(root, "snap/anydesk/7/meta/snap.yaml", "name: anydesk\nversion: '6.3'\n");
        write(root, "snap/zoom_work/9/meta/snap.yaml", "name: zoom\nversion: 5.17\n");
    };
    let expected = [
        "pkg:snap/anydesk@6.3?channel=latest%2Fstable&revision=7",
        "pkg:snap/disabled?revision=x1",
        "pkg:snap/zoom@5.17?revision=9",
    ];
    check(Source::Snap, Scope::System, prepare, &expected, &[]);
}

#[test]
fn a_broken_snapd_state_is_a_gap() {
    let prepare = |root: &Path| write(root, "var/lib/snapd/state.json", "{");
    let gap = "var/lib/snapd/state.json: it is not snapd's state: EOF while parsing an object at line 1 column 1";
    check(Source::Snap, Scope::System, prepare, &[], &[gap]);
}

#[test]
fn a_snap_without_a_current_revision_does_not_take_the_others_with_it() {
    let prepare = |root: &Path| {
        let state = r#"{"data":{"snaps":{
            "anydesk":{"sequence":[{"name":"anydesk","revision":"7"}]},
            "zoom":{"sequence":[{"name":"zoom","revision":"9"}],"current":"9"}}}}"#;
        write(root, "var/lib/snapd/state.json", state);
    };
    let gap = "var/lib/snapd/state.json @41: `anydesk` is not a snap's state: missing field `current`";
    check(Source::Snap, Scope::System, prepare, &["pkg:snap/zoom?revision=9"], &[gap]);
    for snaps in ["[]", "7"] {
        let root = tempfile::tempdir().unwrap();
        let places = places(root.path());
        write(root.path(), "var/lib/snapd/state.json", format!(r#"{{"data":{{"snaps":{snaps}}}}}"#));
        assert!(!listing(&places, Source::Snap, Scope::System).is_complete(), "{snaps}");
    }
}

/// A receipt of Homebrew's.
fn receipt(tap: &str) -> String {
    format!(r#"{{"homebrew_version":"4.6.0","time":1700000000,"source":{{"spec":"stable","tap":"{tap}"}}}}"#)
}

#[test]
fn homebrew_s_cellar_and_cask_room_are_listed() {
    let prepare = |root: &Path| {
        let (cellar, casks) = ("home/alice/.linuxbrew/Cellar", "home/alice/.linuxbrew/Caskroom");
        write(root, &format!("{cellar}/wget/1.24.5/INSTALL_RECEIPT.json"), receipt("homebrew/core"));
        write(root, &format!("{cellar}/hydra/2.3.0/INSTALL_RECEIPT.json"), receipt("ory/tap"));
        write(root, &format!("{casks}/font-hack/3.003/f"), "");
        write(root, &format!("{casks}/font-hack/.metadata/INSTALL_RECEIPT.json"), receipt("homebrew/cask"));
        write(root, &format!("{casks}/a/1/f"), "");
        write(root, &format!("{casks}/a/.metadata/INSTALL_RECEIPT.json"), receipt("owner/casks"));
    };
    let expected = [
        "pkg:brew/font-hack@3.003?kind=cask",
        "pkg:brew/ory/tap/hydra@2.3.0?kind=formula",
        "pkg:brew/owner/casks/a@1?kind=cask",
        "pkg:brew/wget@1.24.5?kind=formula",
    ];
    check(Source::Homebrew, Scope::Person(ALICE), prepare, &expected, &[]);
}

#[test]
fn a_package_of_homebrew_s_that_does_not_say_its_tap_is_taken_for_none() {
    let cellar = "home/alice/.linuxbrew/Cellar";
    let prepare = |root: &Path| {
        write(root, &format!("{cellar}/a/1/bin/a"), "");
        write(root, &format!("{cellar}/b/1/INSTALL_RECEIPT.json"), "{");
        write(root, &format!("{cellar}/c/1/INSTALL_RECEIPT.json"), r#"{"source":{"tap":null}}"#);
        write(root, &format!("{cellar}/d/1/INSTALL_RECEIPT.json"), receipt("../../x"));
        write(root, &format!("{cellar}/wget/1.24.5/INSTALL_RECEIPT.json"), receipt("homebrew/core"));
    };
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    prepare(root.path());
    let listed = listing(&places, Source::Homebrew, Scope::Person(ALICE));
    assert_eq!(purls(&listed), ["pkg:brew/wget@1.24.5?kind=formula"]);
    let gaps = gaps(&listed, root.path());
    for (name, reason) in [("a", "it is not there, so"), ("b", "it is not a receipt"), ("c", "it names no tap")] {
        let begin = format!("{cellar}/{name}/1/INSTALL_RECEIPT.json: {reason}");
        assert!(gaps.iter().any(|gap| gap.starts_with(&begin)), "{begin} is not among {gaps:?}");
    }
    assert_eq!(gaps.len(), 4, "{gaps:?}");
    // Nobody asks for them, so nobody has to know.
    let wanted = Wanted::by([&"pkg:brew/wget".parse().unwrap()]);
    let listed = list(&places, Source::Homebrew, Scope::Person(ALICE), &wanted);
    assert_eq!((purls(&listed).len(), listed.count, listed.is_complete()), (1, 5, true));
}

/// A home of whoever has this number.
fn owner_s(user: u32, root: &Path) -> HomeFolder {
    HomeFolder { person: Person::from_bits(7), user, path: root.join("home/alice") }
}

#[test]
fn homebrew_s_shared_prefix_is_its_owner_s_and_nobody_else_s() {
    let root = tempfile::tempdir().unwrap();
    let cellar = "home/linuxbrew/.linuxbrew/Cellar";
    write(root.path(), &format!("{cellar}/wget/1.24.5/INSTALL_RECEIPT.json"), receipt("homebrew/core"));
    let mut places = places(root.path());
    let owner = std::os::unix::fs::MetadataExt::uid(&fs_err::metadata(root.path().join(cellar)).unwrap());
    let owners = owner_s(owner, root.path());
    places.homes.push(owners.clone());
    let theirs = if owner == 0 { Scope::System } else { Scope::Person(owners.person) };
    for scope in [Scope::System, Scope::Person(ALICE), Scope::Person(owners.person)] {
        let listed = listing(&places, Source::Homebrew, scope);
        assert_eq!((purls(&listed).len(), listed.is_complete()), (usize::from(scope == theirs), true), "{scope:?}");
    }
    // A link in it that leads out is not followed.
    write(root.path(), "elsewhere/ngrok/3/x", "");
    fs_err::remove_dir_all(root.path().join(cellar)).unwrap();
    link(root.path(), cellar, &root.path().join("elsewhere").to_string_lossy());
    assert!(purls(&listing(&places, Source::Homebrew, theirs)).is_empty());
    let path = "home/linuxbrew/.linuxbrew/Cellar: whose it is can't be told, so nobody lists it";
    assert_eq!(gaps(&listing(&places, Source::Homebrew, Scope::System), root.path()), [path]);
}

#[test]
fn homebrew_s_shared_prefix_that_nobody_lists_is_a_gap() {
    let root = tempfile::tempdir().unwrap();
    let cellar = "home/linuxbrew/.linuxbrew/Cellar";
    write(root.path(), &format!("{cellar}/wget/1.24.5/INSTALL_RECEIPT.json"), receipt("homebrew/core"));
    let mut places = places(root.path());
    let path = root.path().join(cellar);
    // Only root can give a folder away; who isn't root has one that is nobody's home's.
    if std::os::unix::fs::MetadataExt::uid(&fs_err::metadata(&path).unwrap()) == 0 {
        std::os::unix::fs::chown(&path, Some(977), None).unwrap();
    }
    let owner = std::os::unix::fs::MetadataExt::uid(&fs_err::metadata(&path).unwrap());
    places.homes.clear();
    let system = listing(&places, Source::Homebrew, Scope::System);
    let gap = format!("{cellar}: it belongs to user {owner}, whose home is not looked into, so nobody lists it");
    assert_eq!((purls(&system).len(), gaps(&system, root.path())), (0, vec![gap]));
    let owners = owner_s(owner, root.path());
    places.homes = vec![owners.clone()];
    assert!(listing(&places, Source::Homebrew, Scope::System).is_complete());
    assert_eq!(purls(&listing(&places, Source::Homebrew, Scope::Person(owners.person))).len(), 1);
}

#[test]
fn a_person_s_nix_profile_is_followed_into_the_store() {
    let prepare = |root: &Path| {
        link(root, "home/alice/.local/state/nix/profiles/profile", "profile-3-link");
        link(root, "home/alice/.local/state/nix/profiles/profile-3-link", &format!("/nix/store/{HASH}-profile"));
        let manifest =
            format!(r#"{{"version":3,"elements":{{"hello":{{"storePaths":["/nix/store/{HASH}-hello-2.12.1"]}}}}}}"#);
        write(root, &format!("nix/store/{HASH}-profile/manifest.json"), manifest);
    };
    check(Source::Nix, Scope::Person(ALICE), prepare, &["pkg:nix/hello@2.12.1"], &[]);
}

#[test]
fn a_broken_element_of_a_nix_profile_does_not_take_the_others_with_it() {
    let prepare = |root: &Path| {
        link(root, "nix/var/nix/profiles/default", &format!("/nix/store/{HASH}-profile"));
        let manifest = format!(
            r#"{{"elements":{{"a":{{"storePaths":null}},"b":{{"storePaths":[]}},"c":{{}},"hello":{{"storePaths":["/nix/store/{HASH}-hello-2.12.1"]}}}}}}"#
        );
        write(root, &format!("nix/store/{HASH}-profile/manifest.json"), manifest);
    };
    let path = format!("nix/store/{HASH}-profile/manifest.json");
    let gaps = [
        format!("{path} @17: `a` is not an element of a profile: invalid type: null, expected a sequence"),
        format!("{path} @63: `c` is not an element of a profile: missing field `storePaths`"),
        format!("{path}: `b` has no path in the store"),
    ];
    check(Source::Nix, Scope::System, prepare, &["pkg:nix/hello@2.12.1"], &gaps.each_ref().map(String::as_str));
}

#[test]
fn a_person_s_link_that_leaves_the_store_is_not_followed() {
    for target in
        ["/etc", "/nix/store/../../etc", "/nix/store/a/b", "/home/bob/.nix-profile", "/nix/var/nix/profiles/../../etc"]
    {
        let prepare = |root: &Path| {
            write(root, "etc/manifest.json", r#"{"elements":[{"storePaths":["/nix/store/x"]}]}"#);
            link(root, "home/alice/.local/state/nix/profiles/profile", target);
        };
        let gap = format!(
            "home/alice/.local/state/nix/profiles/profile: the profile leads to `{target}`, which is not in the store"
        );
        check(Source::Nix, Scope::Person(ALICE), prepare, &[], &[&gap]);
    }
    let prepare = |root: &Path| link(root, "home/alice/.nix-profile", "../../etc/b");
    let gap = "home/alice/.nix-profile: the profile's link can't be read: a link or mount leads out of the home folder";
    check(Source::Nix, Scope::Person(ALICE), prepare, &[], &[gap]);
}

/// A folder in the store with a manifest of one package.
fn profile(root: &Path, folder: &str, package: &str) {
    let manifest = format!(r#"{{"elements":[{{"storePaths":["/nix/store/{HASH}-{package}"]}}]}}"#);
    write(root, &format!("nix/store/{HASH}-{folder}/manifest.json"), manifest);
}

#[test]
fn every_nix_profile_is_listed_once() {
    let prepare = |root: &Path| {
        profile(root, "new", "hello-2.12.1");
        profile(root, "old", "cowsay-3.7");
        link(root, "home/alice/.local/state/nix/profiles/profile", &format!("/nix/store/{HASH}-new"));
        link(root, "home/alice/.nix-profile", "/nix/var/nix/profiles/per-user/alice/profile");
        link(root, "nix/var/nix/profiles/per-user/alice/profile", &format!("/nix/store/{HASH}-old"));
        // As Nix writes it.
        link(root, "home/alice/.local/state/nix/profile", "/var/home/alice/.local/state/nix/profiles/profile");
    };
    check(Source::Nix, Scope::Person(ALICE), prepare, &["pkg:nix/cowsay@3.7", "pkg:nix/hello@2.12.1"], &[]);
    let prepare = |root: &Path| {
        link(root, "home/alice/.nix-profile", "/home/alice/.local/state/nix/profiles/profile");
    };
    check(Source::Nix, Scope::Person(ALICE), prepare, &[], &[]);
}

#[test]
fn a_nix_profile_that_can_t_be_read_is_a_gap() {
    let prepare = |root: &Path| {
        profile(root, "old", "cowsay-3.7");
        write(root, "home/alice/.local/state/nix/profiles/profile/bin/x", "");
        link(root, "home/alice/.local/state/nix/profile", "profile");
        link(root, "home/alice/.nix-profile", &format!("/nix/store/{HASH}-old"));
    };
    let expected = [
        "home/alice/.local/state/nix/profiles/profile: the profile is not a link",
        "home/alice/.local/state/nix/profile: the profile leads over more than 5 links",
    ];
    check(Source::Nix, Scope::Person(ALICE), prepare, &["pkg:nix/cowsay@3.7"], &expected);
    let prepare = |root: &Path| {
        profile(root, "new", "home-manager-path");
        link(root, "home/alice/.nix-profile", &format!("/nix/store/{HASH}-new"));
    };
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    prepare(root.path());
    let listed = listing(&places, Source::Nix, Scope::Person(ALICE));
    assert_eq!(
        gaps(&listed, root.path()),
        [format!("/nix/store/{HASH}-home-manager-path: it is a profile of Home Manager's; its packages are not read")]
    );
}

#[test]
fn what_nixos_s_configuration_installs_is_a_gap() {
    let prepare = |root: &Path| {
        profile(root, "new", "hello-2.12.1");
        link(root, "nix/var/nix/profiles/default", &format!("/nix/store/{HASH}-new"));
        link(root, "run/current-system", &format!("/nix/store/{HASH}-nixos-system"));
        link(root, &format!("nix/store/{HASH}-nixos-system/sw"), &format!("/nix/store/{HASH}-system-path"));
        write(root, &format!("nix/store/{HASH}-system-path/bin/bash"), "");
        link(root, "etc/profiles/per-user/alice", &format!("/nix/store/{HASH}-user-environment"));
    };
    let gaps = [
        &format!("nix/store/{HASH}-system-path: it is a NixOS system profile; its packages are not read"),
        "etc/profiles/per-user/alice: it is a person's NixOS profile; its packages are not read",
    ];
    check(Source::Nix, Scope::System, prepare, &["pkg:nix/hello@2.12.1"], &gaps);
}

#[test]
fn extensions_of_browsers_are_listed() {
    let id = "cjpalhdlnbpafiamejdnhcphjbkeiagm";
    let prepare = |root: &Path| {
        let profile = "home/alice/.config/google-chrome/Profile 1";
        write(root, &format!("{profile}/Extensions/{id}/1.58.0_0/manifest.json"), "{}");
        write(root, &format!("{profile}/Extensions/Temp/x/y"), "");
        let addons = r#"{"addons":[{"id":"a@b.c","version":"2","type":"extension","location":"app-profile"}]}"#;
        write(root, "home/alice/.mozilla/firefox/x.default/extensions.json", addons);
        write(root, "home/alice/.mozilla/firefox/y.other/extensions.json", "[]");
    };
    let expected = ["pkg:chrome-extension/cjpalhdlnbpafiamejdnhcphjbkeiagm@1.58.0", "pkg:firefox-extension/a%40b.c@2"];
    let gap = "home/alice/.mozilla/firefox/y.other/extensions.json: it is not a list of add-ons: invalid length 0, \
               expected struct Addons with 1 element at line 1 column 2";
    check(Source::Browser, Scope::Person(ALICE), prepare, &expected, &[gap]);
}

const ADDONS: &str = r#"{"addons":[{"id":"a@b.c","version":"2","type":"extension","location":"app-profile"}]}"#;
const OUT: &str = "a link or mount leads out of the home folder";

#[test]
fn a_profile_of_a_relative_of_firefox_s_is_listed_wherever_it_is_kept() {
    for folder in [".var/app/org.mozilla.firefox/config/mozilla/firefox", ".config/zen", ".floorp"] {
        let prepare = |root: &Path| write(root, &format!("home/alice/{folder}/x.default/extensions.json"), ADDONS);
        check(Source::Browser, Scope::Person(ALICE), prepare, &["pkg:firefox-extension/a%40b.c@2"], &[]);
    }
}

#[test]
fn a_profile_or_an_extension_that_is_a_link_is_followed_within_the_home() {
    let id = "cjpalhdlnbpafiamejdnhcphjbkeiagm";
    let prepare = |root: &Path| {
        let chrome = "home/alice/.config/google-chrome";
        write(root, &format!("home/alice/disk/p/Extensions/{id}/1_0/manifest.json"), "{}");
        write(root, "home/alice/disk/x/extensions.json", ADDONS);
        write(root, &format!("home/alice/disk/{id}/2_0/manifest.json"), "{}");
        write(root, "home/alice/disk/3/manifest.json", "{}");
        link(root, &format!("{chrome}/Profile 1"), "../../disk/p");
        link(root, &format!("{chrome}/Default/Extensions/{id}"), &format!("../../../../disk/{id}"));
        link(root, &format!("{chrome}/Default/Extensions/Temp"), "/tmp");
        link(root, &format!("home/alice/.config/chromium/Default/Extensions/{id}/3_0"), "../../../../../disk/3");
        link(root, &format!("home/alice/.config/chromium/Default/Extensions/{id}/4_0"), "nowhere");
        link(root, "home/alice/.mozilla/firefox/x.default", "../../disk/x");
        // As they are while it runs.
        link(root, &format!("{chrome}/SingletonLock"), "host-4711");
        link(root, &format!("{chrome}/SingletonCookie"), "1234567");
        link(root, &format!("{chrome}/SingletonSocket"), "/tmp/.org.chromium.Chromium.x/SingletonSocket");
        link(root, &format!("{chrome}/WidevineCdm"), "/opt/google/chrome/WidevineCdm");
    };
    let expected = [
        "pkg:chrome-extension/cjpalhdlnbpafiamejdnhcphjbkeiagm@1",
        "pkg:chrome-extension/cjpalhdlnbpafiamejdnhcphjbkeiagm@2",
        "pkg:chrome-extension/cjpalhdlnbpafiamejdnhcphjbkeiagm@3",
        "pkg:firefox-extension/a%40b.c@2",
    ];
    check(Source::Browser, Scope::Person(ALICE), prepare, &expected, &[]);
    let prepare = |root: &Path| {
        link(root, "home/alice/.config/google-chrome/Profile 1", "/mnt/disk/p");
        link(root, &format!("home/alice/.config/chromium/Default/Extensions/{id}"), "/mnt/disk/e");
        link(root, "home/alice/.mozilla/firefox/x.default", "/mnt/disk/x");
    };
    let gaps = [
        format!("home/alice/.config/chromium/Default/Extensions/{id}: {OUT}"),
        format!("home/alice/.config/google-chrome/Profile 1/Extensions: {OUT}"),
        format!("home/alice/.mozilla/firefox/x.default/extensions.json: it can't be read: {OUT}"),
    ];
    check(Source::Browser, Scope::Person(ALICE), prepare, &[], &gaps.each_ref().map(String::as_str));
}

#[test]
fn a_profile_that_firefox_s_index_names_is_listed_once_wherever_it_is_in_the_home() {
    let prepare = |root: &Path| {
        let index = format!(
            "[Profile0]\nIsRelative=1\nPath=x.default\n[Profile1]\nIsRelative=0\nPath={}\n[Profile2]\nPath=/mnt/p\n",
            root.join("home/alice/work/profile").display()
        );
        write(root, "home/alice/.mozilla/firefox/profiles.ini", index);
        write(root, "home/alice/.mozilla/firefox/x.default/extensions.json", ADDONS);
        write(root, "home/alice/work/profile/extensions.json", ADDONS.replace("a@b.c", "work@b.c"));
    };
    let gap = "home/alice/.mozilla/firefox/profiles.ini: the profile `/mnt/p` lies out of the home folder";
    let expected = ["pkg:firefox-extension/a%40b.c@2", "pkg:firefox-extension/work%40b.c@2"];
    check(Source::Browser, Scope::Person(ALICE), prepare, &expected, &[gap]);
}

#[test]
fn extensions_of_editors_are_listed() {
    let prepare = |root: &Path| {
        let list = r#"[{"identifier":{"id":"MS-Python.python","uuid":"u"},"version":"2024.2.1","location":{}}]"#;
        write(root, "home/alice/.vscode/extensions/extensions.json", list);
        write(root, "home/alice/.cursor/extensions/rust-lang.rust-analyzer-0.3.1-linux-x64/package.json", "");
        write(root, "home/alice/.cursor/extensions/.obsolete", "");
        write(root, "home/alice/.trae/extensions/a.trae-1.0.0/package.json", "");
        write(root, "home/alice/.antigravity/extensions/a.antigravity-1.0.0-universal/package.json", "");
    };
    let expected = [
        "pkg:vscode-extension/a/antigravity@1.0.0",
        "pkg:vscode-extension/a/trae@1.0.0",
        "pkg:vscode-extension/ms-python/python@2024.2.1",
        "pkg:vscode-extension/rust-lang/rust-analyzer@0.3.1",
    ];
    check(Source::Editor, Scope::Person(ALICE), prepare, &expected, &[]);
}

#[test]
fn the_lists_of_an_editor_s_profiles_and_its_folders_are_united() {
    let prepare = |root: &Path| {
        let list = |id: &str, version: &str| format!(r#"[{{"identifier":{{"id":"{id}"}},"version":"{version}"}}]"#);
        write(root, "home/alice/.vscode/extensions/extensions.json", list("A.default", "1.0.0"));
        write(root, "home/alice/.config/Code/User/profiles/-5f7c1/extensions.json", list("a.work", "2.0.0"));
        write(root, "home/alice/.config/Code/User/profiles/6a3/extensions.json", list("a.default", "1.0.0"));
        write(root, "home/alice/.config/Code - Insiders/User/profiles/6a3/extensions.json", list("a.insider", "3.0.0"));
        let obsolete = r#"{"a.gone-4.0.0":true,"a.back-5.0.0":false}"#;
        write(root, "home/alice/.vscode/extensions/.obsolete", obsolete);
        let folders = [
            "a.default-1.0.0-linux-x64",
            "a.work-2.0.0",
            "a.gone-4.0.0",
            "a.back-5.0.0",
            "a.default",
            "a.going-6.0.0.5f3.vsctmp",
            ".7c1f",
        ];
        for folder in folders {
            write(root, &format!("home/alice/.vscode/extensions/{folder}/package.json"), "{}");
        }
        write(root, "home/alice/.vscode/extensions/mine/package.json", "{}");
        write(root, "home/alice/.vscode/extensions/cache/x", "");
        link(root, "home/alice/.vscode/extensions/theirs", "/opt/extension");
    };
    let expected = [
        "pkg:vscode-extension/a/back@5.0.0",
        "pkg:vscode-extension/a/default@1.0.0",
        "pkg:vscode-extension/a/insider@3.0.0",
        "pkg:vscode-extension/a/work@2.0.0",
    ];
    check(Source::Editor, Scope::Person(ALICE), prepare, &expected, &[]);
}

#[test]
fn extensions_of_an_editor_that_is_worked_in_from_elsewhere_are_listed() {
    let list = r#"[{"identifier":{"id":"a.b"},"version":"1.0.0"}]"#;
    for server in [".vscode-server-insiders", ".windsurf-server", ".kiro-server"] {
        let prepare = |root: &Path| {
            write(root, &format!("home/alice/{server}/extensions/a.c-1.0.0/package.json"), "{}");
            write(root, &format!("home/alice/{server}/data/User/profiles/x/extensions.json"), list);
        };
        let expected = ["pkg:vscode-extension/a/b@1.0.0", "pkg:vscode-extension/a/c@1.0.0"];
        check(Source::Editor, Scope::Person(ALICE), prepare, &expected, &[]);
    }
}

#[test]
fn an_extension_is_known_by_its_package_json_where_its_folder_s_name_does_not_say() {
    let prepare = |root: &Path| {
        let folder = "home/alice/.vscode/extensions";
        let manifest = |name: &str| format!(r#"{{"publisher":"A","name":"{name}","version":"1.0.0"}}"#);
        write(root, &format!("{folder}/underground-theme/package.json"), manifest("underground"));
        write(root, &format!("{folder}/mine/package.json"), r#"{"name":"mine"}"#);
        write(root, &format!("{folder}/a.unversioned/package.json"), manifest("unversioned"));
        write(root, "home/alice/src/linked/package.json", manifest("linked"));
        write(root, "home/alice/src/absolute/package.json", manifest("absolute"));
        link(root, &format!("{folder}/linked"), "../../src/linked");
        link(root, &format!("{folder}/absolute"), &root.join("home/alice/src/absolute").to_string_lossy());
    };
    let expected = [
        "pkg:vscode-extension/a/absolute@1.0.0",
        "pkg:vscode-extension/a/linked@1.0.0",
        "pkg:vscode-extension/a/underground@1.0.0",
        "pkg:vscode-extension/a/unversioned@1.0.0",
        "pkg:vscode-extension/undefined_publisher/mine",
    ];
    check(Source::Editor, Scope::Person(ALICE), prepare, &expected, &[]);
}

#[test]
fn a_folder_that_an_editor_loads_and_that_can_t_be_read_is_a_gap() {
    let folder = "home/alice/.vscode/extensions";
    let prepare = |list: Option<&'static str>| {
        move |root: &Path| {
            list.into_iter().for_each(|list| write(root, &format!("{folder}/extensions.json"), list));
            link(root, &format!("{folder}/theirs"), "/opt/extension");
            write(root, &format!("{folder}/broken/package.json"), "{");
        }
    };
    let gap = |name: &str, reason: &str| {
        format!("{folder}/{name}: its name is not <publisher>.<name>-<version>, and its package.json: {reason}")
    };
    let broken = gap("broken", "EOF while parsing an object at line 1 column 1");
    let theirs = gap("theirs", &format!("it can't be read: {OUT}"));
    check(Source::Editor, Scope::Person(ALICE), prepare(None), &[], &[&broken, &theirs]);
    check(Source::Editor, Scope::Person(ALICE), prepare(Some("[]")), &[], &[]);
    let list = r#"[{"identifier":{"id":"a.theirs"},"version":"1.0.0","location":{},"relativeLocation":"theirs"}]"#;
    let expected = ["pkg:vscode-extension/a/theirs@1.0.0"];
    check(Source::Editor, Scope::Person(ALICE), prepare(Some(list)), &expected, &[&theirs]);
}

#[test]
fn a_broken_list_of_an_editor_s_does_not_hide_its_folders() {
    let prepare = |root: &Path| {
        write(root, "home/alice/.vscode/extensions/extensions.json", "[");
        write(root, "home/alice/.vscode/extensions/.obsolete", "[]");
        write(root, "home/alice/.vscode/extensions/a.b-1.0.0/package.json", "{}");
    };
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    prepare(root.path());
    let listed = listing(&places, Source::Editor, Scope::Person(ALICE));
    assert_eq!((purls(&listed), listed.gaps.len()), (vec!["pkg:vscode-extension/a/b@1.0.0"], 2), "{listed:?}");
}

#[test]
fn a_broken_add_on_or_extension_does_not_take_the_others_with_it() {
    let prepare = |root: &Path| {
        let addons = r#"{"addons":[{"id":"old","version":7,"type":"extension"},
            {"id":"a@b.c","version":"2","type":"extension"}]}"#;
        write(root, "home/alice/.mozilla/firefox/x.default/extensions.json", addons);
    };
    let gap = "home/alice/.mozilla/firefox/x.default/extensions.json @11: an element is not an add-on: invalid type: \
               integer `7`, expected a string";
    check(Source::Browser, Scope::Person(ALICE), prepare, &["pkg:firefox-extension/a%40b.c@2"], &[gap]);
    let prepare = |root: &Path| {
        let list = r#"[{"identifier":{},"version":"1"}, {"identifier":{"id":"a.b"},"version":"2"}]"#;
        write(root, "home/alice/.vscode/extensions/extensions.json", list);
        write(root, "home/alice/.cursor/extensions/extensions.json", "{}");
    };
    let gaps = [
        "home/alice/.cursor/extensions/extensions.json: it is not a list of extensions: an object where a list is \
         expected",
        "home/alice/.vscode/extensions/extensions.json @1: an element is not an extension: missing field `id`",
    ];
    check(Source::Editor, Scope::Person(ALICE), prepare, &["pkg:vscode-extension/a/b@2"], &gaps);
}

/// An AppImage of type 2: the head of an ELF file without sections, and a file system made by the real mksquashfs.
fn appimage(root: &Path, path: &str, compression: &str, entry: &str) {
    write(root, "AppDir/app.desktop", entry);
    write(root, "AppDir/usr/bin/app", "#!/bin/sh\n");
    let tool = Tool::new("mksquashfs", "squashfs-tools").in_folder(root);
    tool.run(&["AppDir", "image", "-comp", compression, "-noappend", "-quiet", "-no-progress"]);
    let mut head = [0_u8; 64];
    head[..11].copy_from_slice(b"\x7fELF\x02\x01\x01\0AI\x02");
    head[40] = 64;
    write(root, path, [&head[..], &fs_err::read(root.join("image")).unwrap()].concat());
}

#[test]
fn appimages_are_known_by_their_magic_number_and_named_by_their_desktop_entry() {
    let entry = "[Desktop Entry]\nName=AnyDesk\nX-AppImage-Version=6.3.2\n";
    for compression in ["gzip", "zstd"] {
        let prepare = |root: &Path| {
            appimage(root, "home/alice/Downloads/whatever.bin", compression, entry);
            write(root, "home/alice/Downloads/notes.AppImage", "a text");
            write(root, "home/alice/Downloads/short", "\x7fELF");
        };
        check(Source::AppImage, Scope::Person(ALICE), prepare, &["pkg:appimage/AnyDesk@6.3.2"], &[]);
    }
}

#[test]
fn an_appimage_that_can_t_be_read_is_a_gap() {
    let prepare = |root: &Path| {
        appimage(root, "home/alice/Downloads/a", "gzip", "[Desktop Entry]\nName=A\n");
        let path = root.join("home/alice/Downloads/a");
        let bytes = fs_err::read(&path).unwrap();
        fs_err::write(&path, &bytes[..100]).unwrap();
    };
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    prepare(root.path());
    let listed = listing(&places, Source::AppImage, Scope::Person(ALICE));
    assert!(gaps(&listed, root.path())[0].starts_with("home/alice/Downloads/a @64: the AppImage ends before"));
}

#[test]
fn an_appimage_that_is_not_read_says_why() {
    let cause = |root: &Path, name: &str, compression: &str| {
        appimage(root, &format!("home/alice/Downloads/{name}"), compression, "[Desktop Entry]\nName=A\n");
    };
    let prepare = |root: &Path| {
        cause(root, "1-lz4", "lz4");
        cause(root, "2-lzo", "lzo");
        cause(root, "3-xz.part", "xz");
        let mut head = [0_u8; 64];
        head[..11].copy_from_slice(b"\x7fELF\x02\x01\x01\0AI\x01");
        write(root, "home/alice/Downloads/4.AppImage", head);
        head[10] = 2;
        head[40] = 64;
        write(root, "home/alice/Downloads/5.AppImage", [&head[..], &[b'D'; 200]].concat());
        // A whole superblock and nothing of what it speaks of.
        cause(root, "6", "gzip");
        let path = root.join("home/alice/Downloads/6");
        let mut bytes = fs_err::read(&path).unwrap();
        bytes[64 + 96..].fill(0);
        fs_err::write(&path, bytes).unwrap();
    };
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    prepare(root.path());
    let listed = listing(&places, Source::AppImage, Scope::Person(ALICE));
    let gaps = gaps(&listed, root.path());
    let unread = |name: &str, by: &str| {
        format!(
            "home/alice/Downloads/{name} @64: the AppImage's file system is compressed with {by}, which is not read"
        )
    };
    assert_eq!(
        gaps[..5],
        [
            unread("1-lz4", "lz4"),
            unread("2-lzo", "lzo"),
            unread("3-xz.part", "xz"),
            "home/alice/Downloads/4.AppImage: `4.AppImage` is an AppImage of type 1, whose name can't be read"
                .to_owned(),
            "home/alice/Downloads/5.AppImage @64: the AppImage's file system is not SquashFS".to_owned(),
        ]
    );
    let cause = gaps[5].strip_prefix("home/alice/Downloads/6 @64: the AppImage's file system can't be read: ").unwrap();
    assert!(!cause.is_empty() && gaps.len() == 6, "{gaps:?}");
}

#[test]
fn an_unfinished_download_is_not_an_appimage_yet() {
    let prepare = |root: &Path| {
        let entry = "[Desktop Entry]\nName=A\n";
        appimage(root, "home/alice/Downloads/whole.part", "gzip", entry);
        let whole = fs_err::read(root.join("home/alice/Downloads/whole.part")).unwrap();
        for name in ["a.AppImage", "a.part", "a.crdownload", "a.tmp", "a.partial"] {
            write(root, &format!("home/alice/Downloads/{name}"), &whole[..64 + 200]);
        }
        write(root, "home/alice/Downloads/b.part", &whole[..100]);
        write(root, "home/alice/Downloads/c.part", &whole[..64]);
    };
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    prepare(root.path());
    let listed = listing(&places, Source::AppImage, Scope::Person(ALICE));
    assert_eq!(purls(&listed), ["pkg:appimage/A"], "by its contents, whatever its name");
    let gaps = gaps(&listed, root.path());
    let cut = "home/alice/Downloads/a.AppImage @64: the AppImage is cut off: its file system has ";
    assert!(gaps.len() == 1 && gaps[0].starts_with(cut), "{gaps:?}");
}

#[test]
fn an_appimage_at_the_top_of_a_home_is_listed() {
    let prepare = |root: &Path| {
        let entry = "[Desktop Entry]\nName=A\n";
        appimage(root, "home/alice/A.AppImage", "gzip", entry);
        appimage(root, "home/alice/Documents/B.AppImage", "gzip", entry);
    };
    check(Source::AppImage, Scope::Person(ALICE), prepare, &["pkg:appimage/A"], &[]);
}

#[test]
fn a_file_that_its_person_can_t_read_is_no_appimage_of_theirs() {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    write(root.path(), "home/alice/Downloads/x.pcap", "of root's");
    write(root.path(), "opt/x.pcap", "of root's");
    for path in ["home/alice/Downloads/x.pcap", "opt/x.pcap"] {
        fs_err::set_permissions(root.path().join(path), PermissionsExt::from_mode(0o000)).unwrap();
    }
    let gaps = |scope| {
        let places = places.clone();
        // Root reads everything, so it gives up being root, in a thread of its own.
        let list = std::thread::spawn(move || {
            if forewarn_host::user::is_root() {
                let none = CapabilitySet::empty();
                let none = CapabilitySets { effective: none, permitted: none, inheritable: none };
                set_capabilities(None, none).unwrap();
            }
            listing(&places, Source::AppImage, scope)
        });
        list.join().unwrap().gaps.len()
    };
    assert_eq!((gaps(Scope::Person(ALICE)), gaps(Scope::System)), (0, 1));
}

#[test]
fn an_appimage_of_any_bytes_breaks_nothing() {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    appimage(root.path(), "home/alice/Downloads/a", "gzip", "[Desktop Entry]\nName=A\n");
    let path = root.path().join("home/alice/Downloads/a");
    let whole = fs_err::read(&path).unwrap();
    let mut gaps = 0;
    for at in (64..whole.len()).step_by(whole.len() / 200) {
        for value in [0, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            fs_err::write(&path, bytes).unwrap();
            gaps += listing(&places, Source::AppImage, Scope::Person(ALICE)).gaps.len();
        }
    }
    println!("{gaps} of 400 could not be read");
    assert!(gaps > 0, "some of it was needed");
}
