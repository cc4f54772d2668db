//! What a home can do to the one who reads it: nothing but gaps in its own listing.

use std::path::Path;

use forewarn_engine::Listing;
use forewarn_proto::inventory::{Scope, Source};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::common::{ALICE, alice_s, gaps, link, listing, places, purls, write};

const ENTRY: &str = "[Desktop Entry]\nName=A\n";
const APPLICATIONS: &str = "home/alice/.local/share/applications";

/// Prepares a home and checks the person's listing of one source: purls, and gaps with their paths below the home.
/// A good entry and application beside the bad ones must always stay.
#[track_caller]
fn check(source: Source, prepare: impl FnOnce(&Path), expected: &[&str], expected_gaps: &[&str]) -> Listing {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    write(root.path(), "secret/secret.desktop", "[Desktop Entry]\nName=Secret\n");
    prepare(root.path());
    let listed = listing(&places, source, Scope::Person(ALICE));
    assert_eq!(purls(&listed), expected);
    assert_eq!(gaps(&listed, &root.path().join("home/alice")), expected_gaps);
    let system = listing(&places, source, Scope::System);
    assert!(system.packages.is_empty() && system.is_complete(), "the system's listing is its own");
    listed
}

fn good(root: &Path) {
    write(root, &format!("{APPLICATIONS}/good.desktop"), ENTRY);
}

#[test]
fn a_person_s_entries_are_theirs() {
    check(Source::Desktop, good, &["pkg:desktop/good"], &[]);
}

#[test]
fn the_entries_of_a_person_s_flatpaks_are_listed() {
    let prepare = |root: &Path| {
        let flatpak = "home/alice/.local/share/flatpak";
        let id = "org.example.App";
        let export = format!("x86_64/stable/active/export/share/applications/{id}.desktop");
        write(root, &format!("{flatpak}/app/{id}/{export}"), ENTRY);
        link(root, &format!("{flatpak}/app/{id}/current"), "x86_64/stable");
        let target = format!("../../../app/{id}/current/active/export/share/applications/{id}.desktop");
        link(root, &format!("{flatpak}/exports/share/applications/{id}.desktop"), &target);
    };
    check(Source::Desktop, prepare, &["pkg:desktop/org.example.App"], &[]);
}

#[test]
fn links_that_stay_in_the_home_are_followed() {
    let prepare = |root: &Path| {
        link(root, APPLICATIONS, "../../dotfiles/applications");
        write(root, "home/alice/dotfiles/applications/a.desktop", ENTRY);
        write(root, "home/alice/dotfiles/other/b.desktop", ENTRY);
        link(root, "home/alice/dotfiles/applications/b.desktop", "../other/b.desktop");
        link(root, "home/alice/dotfiles/applications/gone.desktop", "nowhere");
    };
    check(Source::Desktop, prepare, &["pkg:desktop/a", "pkg:desktop/b"], &[]);
}

#[test]
fn links_that_leave_the_home_are_not_followed() {
    let prepare = |root: &Path| {
        good(root);
        let secret = root.join("secret");
        let secret = secret.to_str().unwrap();
        link(root, &format!("{APPLICATIONS}/absolute.desktop"), &format!("{secret}/secret.desktop"));
        link(root, &format!("{APPLICATIONS}/folder"), secret);
        link(root, &format!("{APPLICATIONS}/magic.desktop"), "/proc/self/environ");
        link(root, &format!("{APPLICATIONS}/relative.desktop"), "../../../../../secret/secret.desktop");
    };
    check(
        Source::Desktop,
        prepare,
        &["pkg:desktop/good"],
        &[
            ".local/share/applications/absolute.desktop: a link or mount leads out of the home folder",
            ".local/share/applications/folder: a link or mount leads out of the home folder",
            ".local/share/applications/magic.desktop: a link or mount leads out of the home folder",
            ".local/share/applications/relative.desktop: a link or mount leads out of the home folder",
        ],
    );
    let prepare = |root: &Path| link(root, APPLICATIONS, "../../../../secret");
    check(Source::Desktop, prepare, &[], &[".local/share/applications: a link or mount leads out of the home folder"]);
    let prepare = |root: &Path| {
        write(root, "secret/app/a.b.C/x86_64/stable/active/metadata", "");
        link(root, "home/alice/.local/share/flatpak", "../../../../secret");
    };
    check(
        Source::Flatpak,
        prepare,
        &[],
        &[
            ".local/share/flatpak/app: a link or mount leads out of the home folder",
            ".local/share/flatpak/runtime: a link or mount leads out of the home folder",
        ],
    );
    let prepare = |root: &Path| {
        write(root, "home/alice/.local/share/flatpak/app/a.b.C/x86_64/beta/active/files/x", "");
        link(root, "home/alice/.local/share/flatpak/app/a.b.C/x86_64/stable/active", "/etc");
    };
    check(
        Source::Flatpak,
        prepare,
        &["pkg:flatpak/a.b.C?arch=x86_64&branch=beta"],
        &[".local/share/flatpak/app/a.b.C/x86_64/stable/active: a link or mount leads out of the home folder"],
    );
}

#[test]
fn links_to_themselves_end() {
    let prepare = |root: &Path| {
        good(root);
        link(root, &format!("{APPLICATIONS}/loop.desktop"), "loop.desktop");
        link(root, &format!("{APPLICATIONS}/loops"), ".");
    };
    let listed = check_loops(prepare);
    assert!(listed.gaps[0].path.ends_with("loop.desktop"), "{listed:?}");
}

/// Each turn of a loop is another path: eight folders deep, and then a gap.
#[track_caller]
fn check_loops(prepare: impl FnOnce(&Path)) -> Listing {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    prepare(root.path());
    let listed = listing(&places, Source::Desktop, Scope::Person(ALICE));
    assert_eq!(listed.packages.len(), 9);
    let deep = listed.gaps.iter().filter(|gap| gap.reason.contains("more than 8 folders deep")).count();
    assert_eq!((deep, listed.gaps.len()), (1, 10));
    listed
}

#[test]
fn a_fifo_or_socket_does_not_block() {
    let prepare = |root: &Path| {
        good(root);
        let folder = root.join(APPLICATIONS);
        mknodat(CWD, folder.join("fifo.desktop"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        mknodat(CWD, folder.join("fifo"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        link(root, &format!("{APPLICATIONS}/linked.desktop"), "fifo");
        drop(std::os::unix::net::UnixListener::bind(folder.join("s.desktop")).unwrap());
        link(root, &format!("{APPLICATIONS}/socket.desktop"), "s.desktop");
    };
    check(
        Source::Desktop,
        prepare,
        &["pkg:desktop/good"],
        &[
            ".local/share/applications/fifo.desktop: it is not a regular file",
            ".local/share/applications/linked.desktop: it is not a regular file",
            ".local/share/applications/s.desktop: it is not a regular file",
            ".local/share/applications/socket.desktop: it is not a regular file",
        ],
    );
}

#[test]
fn an_entry_above_the_limit_is_a_gap() {
    let prepare = |root: &Path| {
        good(root);
        let padded = |size: usize| format!("{ENTRY}{}", "#".repeat(size - ENTRY.len()));
        write(root, &format!("{APPLICATIONS}/full.desktop"), padded(256 * 1024));
        write(root, &format!("{APPLICATIONS}/huge.desktop"), padded(256 * 1024 + 1));
    };
    let gap = ".local/share/applications/huge.desktop: it has more than 262144 bytes";
    check(Source::Desktop, prepare, &["pkg:desktop/full", "pkg:desktop/good"], &[gap]);
}

#[test]
fn too_many_bytes_in_all_are_a_gap_and_those_before_stay() {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    for i in 0..300 {
        let name = format!("{APPLICATIONS}/{i}.desktop");
        write(root.path(), &name, format!("{ENTRY}#"));
        // A hole, in a comment: each is as large as an entry may be, and costs no disk.
        let file = fs_err::OpenOptions::new().write(true).open(root.path().join(name)).unwrap();
        file.set_len(256 * 1024).unwrap();
    }
    let listed = listing(&places, Source::Desktop, Scope::Person(ALICE));
    assert_eq!(listed.packages.len(), 256);
    let gap = format!("{APPLICATIONS}: the files hold more than 67108864 bytes, the rest was not read");
    assert_eq!(gaps(&listed, root.path()), [gap]);
}

#[test]
fn too_many_names_are_a_gap_and_those_before_stay() {
    let prepare = |root: &Path| {
        for i in 0..20_100 {
            write(root, &format!("{APPLICATIONS}/{i}.png"), "");
        }
    };
    let gap = ".local/share/applications: the folders hold more than 20000 names, the rest was not looked at";
    check(Source::Desktop, prepare, &[], &[gap]);
}

#[test]
fn eight_folders_deep_is_looked_into_and_nine_is_not() {
    let prepare = |root: &Path| {
        write(root, &format!("{APPLICATIONS}/1/2/3/4/5/6/7/8/a.desktop"), ENTRY);
        write(root, &format!("{APPLICATIONS}/1/2/3/4/5/6/7/8/9/a.desktop"), ENTRY);
    };
    let gap = ".local/share/applications/1/2/3/4/5/6/7/8/9: it lies more than 8 folders deep and was not looked into";
    check(Source::Desktop, prepare, &["pkg:desktop/1-2-3-4-5-6-7-8-a"], &[gap]);
}

#[test]
fn a_name_that_is_not_text_is_a_gap() {
    use std::os::unix::ffi::OsStrExt as _;
    let prepare = |root: &Path| {
        good(root);
        let name = std::ffi::OsStr::from_bytes(b"\xff.desktop");
        fs_err::write(root.join(APPLICATIONS).join(name), ENTRY).unwrap();
    };
    let gap = ".local/share/applications: it holds a name that is not UTF-8";
    check(Source::Desktop, prepare, &["pkg:desktop/good"], &[gap]);
}

#[test]
fn a_home_that_is_not_there_vouches_for_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut places = places(root.path());
    places.homes = vec![alice_s(root.path().join("home/not-mounted"))];
    for source in [Source::Flatpak, Source::Desktop] {
        let listed = listing(&places, source, Scope::Person(ALICE));
        assert_eq!(gaps(&listed, root.path()), ["home/not-mounted: the home folder is not there"]);
    }
}
