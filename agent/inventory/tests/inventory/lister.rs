//! Listing again.

use std::{path::Path, time::Duration};

use forewarn_engine::Wanted;
use forewarn_inventory::Lister;
use forewarn_proto::inventory::{Scope, Source};

use crate::common::{ALICE, link, listing, places, write};

/// Long after every file of the test was written.
const LATER: Duration = Duration::from_secs(1 << 40);

fn database(packages: usize) -> String {
    let stanza = |n| format!("Package: p{n}\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n");
    (0..packages).map(stanza).collect()
}

/// How many bytes this thread has read, whole files and folders alike.
fn bytes_read() -> u64 {
    let io = fs_err::read_to_string("/proc/thread-self/io").unwrap();
    io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().parse().unwrap()
}

fn packages(lister: &mut Lister) -> usize {
    lister.list(&Wanted::All, LATER).packages.len()
}

/// A device with a large database of dpkg's, that was listed once.
fn listed(root: &Path, now: Duration) -> Lister {
    let places = places(root);
    write(root, "var/lib/dpkg/status", database(10_000));
    let mut lister = Lister::new(places.clone(), Source::Dpkg, Scope::System);
    assert_eq!(lister.list(&Wanted::All, now), listing(&places, Source::Dpkg, Scope::System));
    lister
}

#[test]
fn what_has_not_changed_is_not_read_again() {
    let root = tempfile::tempdir().unwrap();
    let mut lister = listed(root.path(), LATER);
    let before = bytes_read();
    assert_eq!(packages(&mut lister), 10_000);
    assert!(bytes_read() - before < 10_000, "{} bytes were read", bytes_read() - before);
}

#[test]
fn whatever_changes_is_read_again() {
    let root = tempfile::tempdir().unwrap();
    let mut lister = listed(root.path(), LATER);
    let status = root.path().join("var/lib/dpkg/status");
    // As dpkg does it.
    write(root.path(), "var/lib/dpkg/status-new", database(9_999));
    fs_err::rename(root.path().join("var/lib/dpkg/status-new"), &status).unwrap();
    assert_eq!(packages(&mut lister), 9_999);
    // As an editor may.
    write(root.path(), "var/lib/dpkg/status", database(9_998));
    assert_eq!(packages(&mut lister), 9_998);
    write(root.path(), "var/lib/dpkg/updates/0000", "Package: new\nStatus: install ok installed\nVersion: 1\n\n");
    assert_eq!(packages(&mut lister), 9_999);
    fs_err::remove_file(root.path().join("etc/os-release")).unwrap();
    link(root.path(), "etc/os-release", "nowhere");
    let dpkg = lister.list(&Wanted::All, LATER);
    assert!(!dpkg.is_complete(), "which system this is can't be said any more");
    fs_err::remove_file(&status).unwrap();
    assert_eq!(packages(&mut lister), 0);
}

#[test]
fn what_changed_just_now_is_read_again_and_so_is_all_for_other_rules() {
    let root = tempfile::tempdir().unwrap();
    let mut lister = listed(root.path(), Duration::ZERO);
    let before = bytes_read();
    assert_eq!(packages(&mut lister), 10_000);
    assert!(bytes_read() - before > 100_000, "a fresh stamp proves nothing");
    let none = lister.list(&Wanted::nothing(), LATER);
    assert_eq!((none.count, none.packages.len()), (10_000, 0));
}

#[test]
fn an_application_whose_folder_was_deleted_by_hand_is_gone() {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    let app = "home/alice/.local/share/flatpak/app/org.example.Clock";
    write(root.path(), &format!("{app}/x86_64/stable/active/metadata"), "");
    let mut lister = Lister::new(places, Source::Flatpak, Scope::Person(ALICE));
    assert_eq!(packages(&mut lister), 1);
    fs_err::remove_dir_all(root.path().join(app)).unwrap();
    assert_eq!(packages(&mut lister), 0, "nobody touched .changed, and mail must not go for what is not there");
}
