//! The places as a whole: what is listed in which order, and what a watcher watches.

use forewarn_inventory::{Places, list, list_source, watch_points};
use forewarn_proto::inventory::{Person, Scope, Source};

use crate::common::{ALICE, places, write};

#[test]
fn each_source_lists_each_of_its_scopes_once_in_order() {
    let root = tempfile::tempdir().unwrap();
    let mut places = places(root.path());
    places.homes.push((Person(1001), root.path().join("home/bob")));
    let scopes = [Scope::System, Scope::Person(ALICE), Scope::Person(Person(1001))];
    let mut expected = vec![(Source::Dpkg, Scope::System)];
    expected.extend(scopes.map(|scope| (Source::Flatpak, scope)));
    expected.extend(scopes.map(|scope| (Source::Desktop, scope)));
    let listings = list(&places);
    assert_eq!(listings.iter().map(|l| (l.source, l.scope)).collect::<Vec<_>>(), expected);
    let apart: Vec<_> = Source::ALL.into_iter().flat_map(|source| list_source(&places, source)).collect();
    assert_eq!(listings, apart);
}

#[test]
fn a_device_with_nothing_on_it_is_complete() {
    let root = tempfile::tempdir().unwrap();
    for listing in list(&places(root.path())) {
        assert!(listing.is_complete() && listing.packages.is_empty(), "{listing:?}");
    }
}

#[test]
fn the_real_places_are_read_without_a_gap() {
    for listing in list(&Places::default()) {
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
    write(root.path(), "applications/kde/deep/a.desktop", "");
    write(root.path(), "home/alice/.local/share/applications/wine/b.desktop", "");
    let points = watch_points(&places);
    let points: Vec<_> = points.iter().map(|path| path.strip_prefix(root.path()).unwrap().to_str().unwrap()).collect();
    assert_eq!(
        points,
        [
            "applications",
            "applications/kde",
            "applications/kde/deep",
            "dpkg",
            "dpkg/updates",
            "flatpak",
            "flatpak/.changed",
            "home/alice/.local/share/applications",
            "home/alice/.local/share/applications/wine",
            "home/alice/.local/share/flatpak",
            "home/alice/.local/share/flatpak/.changed",
            "os-release",
        ]
    );
}
