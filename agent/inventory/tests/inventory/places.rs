//! The places as a whole: what is listed in which order, and what a watcher watches.

use forewarn_inventory::{HomeFolder, Places, watch_points};
use forewarn_proto::inventory::{Person, Scope, Source};

use crate::common::{ALICE, everything, places, write};

#[test]
fn the_system_and_each_home_have_their_sources() {
    let root = tempfile::tempdir().unwrap();
    let mut places = places(root.path());
    let bob = Person::from_bits(1001);
    places.homes.push(HomeFolder { person: bob, user: 1001, path: root.path().join("home/bob") });
    let in_homes =
        |source: &Source| !matches!(source, Source::Dpkg | Source::Rpm | Source::Pacman | Source::Apk | Source::Snap);
    let mut expected: Vec<_> = Source::ALL.map(|source| (source, Scope::System)).into();
    for home in [Scope::Person(ALICE), Scope::Person(Person::from_bits(1001))] {
        expected.extend(Source::ALL.into_iter().filter(in_homes).map(|source| (source, home)));
    }
    assert_eq!(everything(&places).iter().map(|l| (l.source, l.scope)).collect::<Vec<_>>(), expected);
}

#[test]
fn a_device_with_nothing_on_it_is_complete() {
    let root = tempfile::tempdir().unwrap();
    for listing in everything(&places(root.path())) {
        assert!(listing.is_complete() && listing.packages.is_empty(), "{listing:?}");
    }
}

#[test]
fn the_real_places_are_read_without_a_gap() {
    for listing in everything(&Places::default()) {
        println!("{}: {} packages", listing.source.name(), listing.packages.len());
        assert_eq!(listing.gaps, []);
        assert!(listing.packages.is_sorted());
        let kinds = listing.source.purl_kinds();
        assert!(listing.packages.iter().all(|package| kinds.contains(&package.purl.kind())));
    }
}

#[test]
fn the_watcher_gets_every_source_scope_and_subfolder() {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    write(root.path(), "usr/share/applications/kde/deep/a.desktop", "");
    write(root.path(), "home/alice/.local/share/applications/wine/b.desktop", "");
    write(root.path(), "home/alice/.config/chromium/Default/Extensions/.keep", "");
    write(root.path(), "home/alice/Downloads/notes.txt", "");
    write(root.path(), "home/alice/Applications/tool", "");
    let mut points = [Scope::System, Scope::Person(ALICE)].map(|scope| watch_points(&places, scope)).concat();
    points.sort_unstable();
    let points: Vec<_> = points.iter().map(|path| path.strip_prefix(root.path()).unwrap().to_str().unwrap()).collect();
    for expected in [
        "etc/flatpak/installations.d",
        "etc/os-release",
        "home/alice/.config/chromium/Default/Extensions",
        "home/alice/.local/share/applications/wine",
        "home/alice/.local/share/flatpak/.changed",
        "home/alice/Applications",
        "snap",
        "usr/lib/sysimage/rpm",
        "usr/share/applications/kde/deep",
        "var/lib/dpkg",
        "var/lib/dpkg/updates",
        "var/lib/flatpak/.changed",
        "var/lib/pacman/local",
        "var/lib/rpm",
    ] {
        assert!(points.contains(&expected), "`{expected}` is not among {points:?}");
    }
    assert!(points.is_sorted(), "each once: {points:?}");
    assert!(!points.contains(&"home/alice/bin"), "folders that homes rarely have are watched once they are there");
    for busy in ["home/alice/Downloads", "home/alice/.config/chromium"] {
        assert!(!points.contains(&busy), "`{busy}` changes all the time");
    }
}
