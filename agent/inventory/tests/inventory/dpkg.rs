//! dpkg's database, compared item by item with the real dpkg-query.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{Tool, gaps, listing, places, purls, write};
use forewarn_engine::Listing;
use forewarn_inventory::Places;
use forewarn_proto::{
    inventory::{Scope, Source},
    purl::Purl,
};

const FORMAT: &str = "-f=${db:Status-Abbrev} ${Package} ${Version} ${Architecture}\n";

fn dpkg(places: &Places) -> Listing {
    listing(places, Source::Dpkg, Scope::System)
}

/// What dpkg-query says is there, as sorted purls.
fn queried(places: &Places, vendor: &str) -> Vec<String> {
    let admin = format!("--admindir={}", places.root.join("var/lib/dpkg").display());
    let lines = Tool::new("dpkg-query", "dpkg").run(&[&admin, "-W", FORMAT]);
    let mut purls: Vec<_> = lines.lines().filter_map(|line| purl(line, vendor)).collect();
    purls.sort_unstable();
    purls
}

/// `ii  vim 2:9.0 amd64` as a purl. In the second letter `n` is not-installed and `c` config-files.
fn purl(line: &str, vendor: &str) -> Option<String> {
    let (status, rest) = line.split_at(3);
    if matches!(status.as_bytes()[1], b'n' | b'c') {
        return None;
    }
    let [name, version, arch] = rest.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line:?}") };
    Some(Purl::new("deb", Some(vendor), name, Some(version), &[("arch", arch)]).unwrap().to_string())
}

#[test]
fn this_machine_s_packages_are_those_of_dpkg_query() {
    let places = Places::default();
    let vendor = fs_err::read_to_string(places.root.join("etc/os-release")).unwrap();
    let vendor = vendor.lines().find_map(|line| line.strip_prefix("ID=")).unwrap();
    // dpkg may be at work meanwhile.
    let (listed, queried) = (0..5)
        .map(|_| (dpkg(&places), queried(&places, vendor)))
        .find(|(a, b)| purls(a) == *b)
        .unwrap_or_else(|| (dpkg(&places), queried(&places, vendor)));
    println!("{} packages, dpkg-query {}", listed.packages.len(), queried.len());
    assert_eq!(purls(&listed), queried);
    assert!(queried.len() > 50 && listed.is_complete(), "{:?}", listed.gaps);
    assert!(listed.packages.iter().all(|package| package.found_in == "/var/lib/dpkg/status"));
    assert!(listed.packages.iter().all(|package| package.purl.as_str().parse().as_ref() == Ok(&package.purl)));
}

fn stanza(name: &str, arch: &str, state: &str, version: &str) -> String {
    let multi_arch = if arch == "all" { "" } else { "Multi-Arch: same\n" };
    let triggers = if state == "triggers-pending" { "Triggers-Pending: t\n" } else { "" };
    format!(
        "Package: {name}\nStatus: install ok {state}\nMaintainer: A <a@example.org>\nArchitecture: {arch}\n\
         {multi_arch}Version: {version}\nDescription: short\n long\n{triggers}\n"
    )
}

#[test]
fn every_state_architecture_and_journal_file_reads_as_in_dpkg_query() {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    let states = [
        "not-installed",
        "config-files",
        "half-installed",
        "unpacked",
        "half-configured",
        "triggers-pending",
        "installed",
    ];
    let status: String =
        states.iter().enumerate().map(|(i, s)| stanza(&format!("p{i}"), "amd64", s, "1:2~3+4-5")).collect();
    write(
        root.path(),
        "var/lib/dpkg/status",
        status
            + &stanza("lib", "amd64", "installed", "1")
            + &stanza("lib", "i386", "installed", "1")
            + &stanza("purged", "amd64", "installed", "1")
            + &stanza("lax", "amd64", "installed", "7.5.51_a1243")
            + &stanza("held", "amd64", "installed", "1").replace("install ok", "hold ok"),
    );
    write(
        root.path(),
        "var/lib/dpkg/updates/0000",
        stanza("lib", "i386", "installed", "2") + &stanza("p1", "amd64", "installed", "8"),
    );
    write(
        root.path(),
        "var/lib/dpkg/updates/0001",
        stanza("lib", "i386", "installed", "3") + &stanza("new", "all", "unpacked", "9"),
    );
    write(root.path(), "var/lib/dpkg/updates/0002", stanza("p6", "amd64", "not-installed", "1"));
    // As dpkg itself writes what it has purged.
    write(root.path(), "var/lib/dpkg/updates/0003", "Package: purged\nStatus: purge ok not-installed\n\n");
    write(root.path(), "var/lib/dpkg/updates/tmp.i", "#padded\n#padded\n");
    let listed = dpkg(&places);
    assert_eq!(purls(&listed), queried(&places, "debian"));
    assert_eq!(listed.gaps, []);
    assert_eq!(purls(&listed).len(), 10);
    let said = |purl: &str| listed.packages.iter().find(|p| p.purl.as_str().contains(purl)).unwrap().state.as_deref();
    let states = ["/p2@", "/p3@", "/p4@", "/p5@", "/lib@3", "/held@", "/new@"].map(said);
    let words = ["half-installed", "unpacked", "half-configured", "triggers-pending", "", "held", "unpacked"];
    assert_eq!(states.map(Option::unwrap_or_default), words);
    assert!(purls(&listed).contains(&"pkg:deb/debian/lib@3?arch=i386"));
    assert!(purls(&listed).contains(&"pkg:deb/debian/p2@1:2~3%2B4-5?arch=amd64"));
}

/// A status file's packages and gaps.
#[track_caller]
fn check(status: impl AsRef<[u8]>, expected: &[&str], expected_gaps: &[&str]) {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    write(root.path(), "var/lib/dpkg/status", status);
    let listed = dpkg(&places);
    assert_eq!(purls(&listed), expected);
    assert_eq!(gaps(&listed, root.path()), expected_gaps);
}

#[test]
fn a_file_that_was_cut_off_does_not_vouch_for_what_came_after() {
    let b = stanza("b", "all", "installed", "1");
    let cut = 2 * b.len() - 9;
    let gap = format!("var/lib/dpkg/status @{cut}: it ends within a line");
    check(&format!("{b}{b}{b}")[..cut], &["pkg:deb/debian/b@1?arch=all"; 2], &[&gap]);
}

#[test]
fn odd_status_files_are_read_as_far_as_they_go() {
    let a = stanza("a", "amd64", "installed", "1");
    let b = stanza("b", "all", "installed", "1");
    let at = a.len();
    let both = ["pkg:deb/debian/a@1?arch=amd64", "pkg:deb/debian/b@1?arch=all"];
    check("", &[], &[]);
    check(format!("{b}{a}"), &both, &[]);
    // dpkg refuses such a file too.
    let blank = format!("{b}{a}").replace('\n', "\r\n");
    check(blank, &[], &["var/lib/dpkg/status @0: stanza has two Package fields"]);
    let cut = format!("{a}{b}").trim_end().to_owned();
    check(&cut, &both, &[&format!("var/lib/dpkg/status @{}: it ends within a line", cut.len())]);
    check(format!("{a}Package: c\n\n{b}"), &both, &[&format!("var/lib/dpkg/status @{at}: stanza has no Status field")]);
    check(
        format!("{a}\0\0\0\0\0\n\n{b}"),
        &both,
        &[&format!("var/lib/dpkg/status @{at}: stanza has a line that is neither a field nor a continuation")],
    );
    let long = "x".repeat(1100);
    check(
        format!("{a}{}{b}", stanza(&long, "all", "installed", "1")),
        &both,
        &[&format!(
            "var/lib/dpkg/status @{at}: `pkg:deb/debian/{}` is not a package URL: it has 1126 bytes, the limit is 1024",
            "x".repeat(80 - "pkg:deb/debian/".len()),
        )],
    );
}

#[test]
fn a_package_whose_version_no_purl_can_carry_is_there_without_one() {
    check(stanza("a", "all", "installed", "1.0/2"), &["pkg:deb/debian/a?arch=all"], &[]);
}

#[test]
fn a_large_status_file_is_read_in_chunks_and_wholly() {
    let count = 5000;
    let status: String = (0..count).map(|i| stanza(&format!("p{i}"), "all", "installed", "1")).collect();
    let broken = status.replacen("Version: 1\n", "", 2);
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    write(root.path(), "var/lib/dpkg/status", &broken);
    let listed = dpkg(&places);
    assert_eq!((listed.packages.len(), listed.gaps.len()), (count - 2, 2));
    let offset = listed.gaps[1].offset.unwrap() as usize;
    assert!(broken[offset..].starts_with("Package: p1\n"), "{offset}");
}

#[test]
fn a_package_is_never_missed_while_dpkg_merges_its_journal() {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    write(root.path(), "var/lib/dpkg/status", "");
    fs_err::create_dir_all(root.path().join("var/lib/dpkg/updates")).unwrap();
    let (journaled, rounds) = (AtomicUsize::new(0), 1000);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut status = String::new();
            for i in 1..=rounds {
                let new = stanza(&format!("p{i}"), "all", "installed", "1");
                status += &new;
                write(root.path(), "var/lib/dpkg/updates/tmp.i", &new);
                rename(&places, "updates/tmp.i", "updates/0000");
                journaled.store(i, Ordering::SeqCst);
                write(root.path(), "var/lib/dpkg/status-new", &status);
                rename(&places, "status-new", "status");
                fs_err::remove_file(places.root.join("var/lib/dpkg").join("updates/0000")).unwrap();
            }
        });
        while journaled.load(Ordering::SeqCst) < rounds {
            let at_least = journaled.load(Ordering::SeqCst);
            let listed = dpkg(&places);
            let count = listed.packages.len();
            assert!(count >= at_least || !listed.is_complete(), "{count} of {at_least}");
        }
    });
    assert_eq!(dpkg(&places).packages.len(), rounds);
}

fn rename(places: &Places, from: &str, to: &str) {
    fs_err::rename(places.root.join("var/lib/dpkg").join(from), places.root.join("var/lib/dpkg").join(to)).unwrap();
}

#[test]
fn a_device_without_dpkg_is_complete_and_lists_nothing() {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    let nothing = |places: &Places| assert!(dpkg(places).is_complete() && dpkg(places).packages.is_empty());
    nothing(&places);
    fs_err::create_dir_all(places.root.join("var/lib/dpkg")).unwrap();
    nothing(&places);
}

#[test]
fn a_status_that_is_no_file_is_a_gap() {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    fs_err::create_dir_all(places.root.join("var/lib/dpkg").join("status")).unwrap();
    assert_eq!(gaps(&dpkg(&places), root.path()), ["var/lib/dpkg/status: it is not a regular file"]);
}

#[test]
fn a_status_above_the_limit_is_a_gap() {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    // Holes, so this costs no disk. A stanza without end is given up early, whatever the file's size.
    let a = stanza("a", "all", "installed", "1");
    write(root.path(), "var/lib/dpkg/status", &a);
    let file = fs_err::OpenOptions::new().append(true).open(places.root.join("var/lib/dpkg").join("status")).unwrap();
    file.set_len(101 * 1024 * 1024).unwrap();
    let listed = dpkg(&places);
    assert_eq!(purls(&listed), ["pkg:deb/debian/a@1?arch=all"]);
    assert_eq!(
        gaps(&listed, root.path()),
        [format!("var/lib/dpkg/status @{}: stanza has more than 4194304 bytes", a.len())]
    );
    let filled = a.replace("short", &"x".repeat(1024 * 1024));
    write(root.path(), "var/lib/dpkg/status", filled.repeat(101));
    let listed = dpkg(&places);
    assert_eq!(listed.gaps.len(), 1);
    assert_eq!(listed.gaps[0].reason, "it has more than 104857600 bytes");
}

#[test]
fn an_unknown_vendor_is_a_gap() {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    write(root.path(), "var/lib/dpkg/status", stanza("a", "all", "installed", "1"));
    write(root.path(), "etc/os-release", "NAME=Something\n");
    let listed = dpkg(&places);
    assert_eq!(purls(&listed), ["pkg:deb/linux/a@1?arch=all"]);
    assert_eq!(gaps(&listed, root.path()), ["etc/os-release: it has no valid ID field"]);
}

#[test]
fn gaps_above_the_limit_are_counted() {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    write(root.path(), "var/lib/dpkg/status", "Package: a\n\n".repeat(150));
    let listed = dpkg(&places);
    assert_eq!(listed.gaps.len(), 100);
    assert_eq!(listed.gaps[99].reason, "stanza has no Status field (and 50 more gaps)");
}
