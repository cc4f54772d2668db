//! Flatpak's installations, made with the real flatpak and compared with `flatpak list`.

use std::path::{Path, PathBuf};

use forewarn_engine::Listing;
use forewarn_inventory::Places;
use forewarn_proto::{
    inventory::{Scope, Source},
    purl::Purl,
};

use crate::common::{ALICE, Tool, gaps, link, listing, places, purls, write};

const CLOCK: &str = "org.example.Clock";
const PLATFORM: &str = "org.example.Platform";

/// A flatpak whose every folder lies in the scratch folder, with this installation as the person's.
fn flatpak(root: &Path, installation: &Path) -> Tool {
    let (home, nowhere) = (root.join("tool"), root.join("nowhere"));
    let tool = Tool::new("flatpak", "flatpak").in_folder(root).env("HOME", &home).env("XDG_DATA_HOME", &home);
    let tool = tool.env("XDG_CACHE_HOME", &home).env("FLATPAK_SYSTEM_DIR", nowhere.join("system"));
    tool.env("FLATPAK_CONFIG_DIR", nowhere.join("config")).env("FLATPAK_USER_DIR", installation)
}

/// A repository with a runtime and two branches of an application, the stable one with a version.
fn repository(root: &Path) {
    // build-export looks into no installation, but makes one.
    let tool = || flatpak(root, &root.join("nowhere/user"));
    let uses = format!("runtime={PLATFORM}/x86_64/1\nsdk={PLATFORM}/x86_64/1\n");
    write(root, "runtime/metadata", format!("[Runtime]\nname={PLATFORM}\n{uses}"));
    fs_err::create_dir_all(root.join("runtime/usr")).unwrap();
    fs_err::create_dir_all(root.join("runtime/files")).unwrap();
    tool().run(&["build-export", "--disable-sandbox", "--runtime", "--arch=x86_64", "repo", "runtime", "1"]);
    for branch in ["beta", "stable"] {
        write(root, &format!("{branch}/metadata"), format!("[Application]\nname={CLOCK}\n{uses}command=clock\n"));
        write(root, &format!("{branch}/files/bin/clock"), "#!/bin/sh\n");
        fs_err::create_dir_all(root.join(branch).join("export")).unwrap();
    }
    let metainfo = include_str!("../data/metainfo/component-with-two-releases.xml");
    write(root, &format!("stable/files/share/metainfo/{CLOCK}.metainfo.xml"), metainfo);
    // Flatpak takes the version from here, in which flatpak-builder composes the metainfo.
    let composed = format!("<components>{}</components>", metainfo.split_once("?>").unwrap().1);
    write(root, &format!("stable/files/share/app-info/xmls/{CLOCK}.xml"), composed);
    let xmls = root.join("stable/files/share/app-info/xmls");
    Tool::new("gzip", "gzip").in_folder(&xmls).run(&[&format!("{CLOCK}.xml")]);
    for branch in ["beta", "stable"] {
        tool().run(&["build-export", "--disable-sandbox", "--arch=x86_64", "repo", branch, branch]);
    }
    tool().run(&["build-update-repo", "repo"]);
}

fn install(root: &Path, installation: &Path, refs: &[&str]) {
    flatpak(root, installation).run(&["--user", "remote-add", "--if-not-exists", "--no-gpg-verify", "local", "repo"]);
    for name in refs {
        flatpak(root, installation).run(&[
            "--user",
            "install",
            "-y",
            "--noninteractive",
            "--arch=x86_64",
            "local",
            name,
        ]);
    }
}

/// What `flatpak list` shows, as sorted purls.
fn shown(root: &Path, installation: &Path) -> Vec<String> {
    let columns = "--columns=application:f,version:f,branch:f,arch:f";
    let lines = flatpak(root, installation).run(&["--user", "list", "--all", columns]);
    let mut purls: Vec<_> = lines.lines().map(purl).collect();
    purls.sort_unstable();
    purls
}

fn purl(line: &str) -> String {
    let [id, version, branch, arch] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line:?}") };
    let version = Some(version).filter(|version| !version.is_empty());
    Purl::new("flatpak", None, id, version, &[("arch", arch), ("branch", branch)]).unwrap().to_string()
}

/// Compares both installations with flatpak's own view, and returns how many refs there are.
#[track_caller]
fn compare(root: &Path, places: &Places, person: &Path) -> (usize, usize) {
    let system = listing(places, Source::Flatpak, Scope::System);
    let alice = listing(places, Source::Flatpak, Scope::Person(ALICE));
    assert_eq!(purls(&system), shown(root, &places.root.join("var/lib/flatpak")));
    assert_eq!(purls(&alice), shown(root, person));
    assert!(system.is_complete() && alice.is_complete(), "{:?} {:?}", system.gaps, alice.gaps);
    (system.packages.len(), alice.packages.len())
}

#[test]
fn installed_applications_and_runtimes_are_those_of_flatpak_list() {
    let root = tempfile::tempdir().unwrap();
    let (places, root) = (places(root.path()), root.path());
    let person = root.join("home/alice/.local/share/flatpak");
    repository(root);
    install(root, &places.root.join("var/lib/flatpak"), &["org.example.Clock//stable"]);
    install(root, &person, &["org.example.Clock//stable", "org.example.Clock//beta"]);
    assert_eq!(compare(root, &places, &person), (2, 3));

    let alice = listing(&places, Source::Flatpak, Scope::Person(ALICE));
    assert_eq!(
        purls(&alice),
        [
            "pkg:flatpak/org.example.Clock?arch=x86_64&branch=beta",
            "pkg:flatpak/org.example.Clock@2.1?arch=x86_64&branch=stable",
            "pkg:flatpak/org.example.Platform?arch=x86_64&branch=1",
        ]
    );
    assert_eq!(alice.packages[1].display_name.as_deref(), Some("Clock & Alarm"));

    flatpak(root, &person).run(&[
        "--user",
        "uninstall",
        "-y",
        "--noninteractive",
        "--arch=x86_64",
        "org.example.Clock//stable",
    ]);
    flatpak(root, &places.root.join("var/lib/flatpak")).run(&[
        "--user",
        "uninstall",
        "-y",
        "--noninteractive",
        "--arch=x86_64",
        CLOCK,
        PLATFORM,
    ]);
    assert_eq!(compare(root, &places, &person), (0, 2));
}

/// The system's listing of an installation that `prepare` makes.
fn listed(prepare: impl FnOnce(&Path)) -> (Listing, PathBuf, tempfile::TempDir) {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    prepare(root.path());
    (listing(&places, Source::Flatpak, Scope::System), root.path().to_owned(), root)
}

#[test]
fn what_is_not_deployed_is_not_listed() {
    let (listed, ..) = listed(|root| {
        write(root, "var/lib/flatpak/app/a.b.C/x86_64/stable/abc/metadata", "");
        link(root, "var/lib/flatpak/app/a.b.D/x86_64/stable/active", "gone");
        link(root, "var/lib/flatpak/app/a.b.D/current", "x86_64/stable");
        write(root, "var/lib/flatpak/app/README", "");
    });
    assert!(listed.packages.is_empty() && listed.is_complete(), "{listed:?}");
}

#[test]
fn what_can_t_be_an_application_is_a_gap_and_the_rest_stays() {
    let (listed, root, _guard) = listed(|root| {
        write(root, "var/lib/flatpak/app/a.b.C/x86_64/stable/active", "not a link");
        write(root, "var/lib/flatpak/app/a.b.D/x86_64/stable/abc/metadata", "");
        link(root, "var/lib/flatpak/app/a.b.D/x86_64/stable/active", "abc");
        let long = "x".repeat(240);
        write(root, &format!("var/lib/flatpak/app/{long}/{long}/{}/active/metadata", "<".repeat(240)), "");
        let large = vec![b' '; 1024 * 1024 + 1];
        write(root, "var/lib/flatpak/app/a.b.E/x86_64/stable/active/files/share/appdata/a.b.E.appdata.xml", large);
    });
    assert_eq!(
        purls(&listed),
        ["pkg:flatpak/a.b.D?arch=x86_64&branch=stable", "pkg:flatpak/a.b.E?arch=x86_64&branch=stable",]
    );
    let gaps = gaps(&listed, &root);
    assert_eq!(gaps[0], "var/lib/flatpak/app/a.b.C/x86_64/stable/active: it is not a folder");
    assert!(gaps[1].ends_with("a.b.E.appdata.xml: it has more than 1048576 bytes"), "{gaps:?}");
    assert!(gaps[2].contains("is not a package URL: it has"), "{gaps:?}");
    assert_eq!(gaps.len(), 3);
}

#[test]
fn the_system_s_further_installations_are_those_that_flatpak_names() {
    let app = "app/a.b.C/x86_64/stable/active/metadata";
    let (listed, root, _guard) = listed(|root| {
        let two = "[Installation \"extra\"]\nPath=/opt/extra\nDisplayName=Extra\n\n[Installation \"card\"]\nPath=/run/a\\sb\n";
        write(root, "etc/flatpak/installations.d/two.conf", two);
        write(root, "etc/flatpak/installations.d/again.conf", "[Installation \"again\"]\nPath=/opt/extra\n");
        write(root, "etc/flatpak/installations.d/none.conf.bak", "[Installation \"bak\"]\nPath=/opt/bak\n");
        for folder in ["opt/extra", "opt/bak", "run/a b"] {
            write(root, &format!("{folder}/{app}"), "");
        }
    });
    let tool = flatpak(&root, &root.join("nowhere/user")).env("FLATPAK_CONFIG_DIR", root.join("etc/flatpak"));
    let said = tool.run(&["--installations"]);
    let is_extra = |line: &&str| !line.starts_with(root.to_str().unwrap());
    let mut expected: Vec<String> =
        said.lines().filter(is_extra).map(|line| format!("{}{line}/app/a.b.C", root.display())).collect();
    expected.sort_unstable();
    expected.dedup();
    let found = |p: &forewarn_engine::Package| p.found_in.replace("/x86_64/stable/active", "");
    assert_eq!(listed.packages.iter().map(found).collect::<Vec<_>>(), expected);
    assert_eq!((expected.len(), listed.gaps.len()), (2, 0), "{listed:?}");
}

#[test]
fn a_broken_installation_is_a_gap_and_the_others_stay() {
    let (listed, root, _guard) = listed(|root| {
        let conf = "[Installation \"a\"]\n[Installation \"b\"]\nPath=/opt/b\n[Installation \"c\"]\nPath=/run/card\n";
        write(root, "etc/flatpak/installations.d/a.conf", conf);
        write(root, "etc/flatpak/installations.d/b.conf", "nonsense");
        write(root, "opt/b/app/a.b.C/x86_64/stable/active/metadata", "");
        write(root, "var/lib/flatpak/app/a.b.D/x86_64/stable/active/metadata", "");
    });
    assert_eq!(
        purls(&listed),
        ["pkg:flatpak/a.b.C?arch=x86_64&branch=stable", "pkg:flatpak/a.b.D?arch=x86_64&branch=stable"]
    );
    assert_eq!(
        gaps(&listed, &root),
        [
            "etc/flatpak/installations.d/a.conf: the installation that begins at line 1 has no Path",
            "etc/flatpak/installations.d/b.conf: line 1 is not a group, a key with its value or a comment",
            "run/card: the installation is not there",
        ]
    );
}

#[test]
fn more_than_twenty_thousand_names_are_a_gap() {
    let (listed, root, _guard) = listed(|root| {
        for i in 0..20_001 {
            fs_err::create_dir_all(root.join(format!("var/lib/flatpak/app/a.b.C{i}"))).unwrap();
        }
        write(root, "var/lib/flatpak/runtime/a.b.P/x86_64/1/active/metadata", "");
    });
    assert_eq!(purls(&listed), ["pkg:flatpak/a.b.P?arch=x86_64&branch=1"]);
    assert_eq!(
        gaps(&listed, &root),
        ["var/lib/flatpak/app: the folders hold more than 20000 names, the rest was not looked at"]
    );
}
