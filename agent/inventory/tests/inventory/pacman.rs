//! pacman's database, made with the real pacman and compared with `pacman -Q`.

use std::path::Path;

use forewarn_proto::inventory::{Scope, Source};

use crate::common::{Tool, gaps, listing, places, purls, write};

const PACKAGES: [(&str, &str); 4] = [
    ("lib32-glibc", "2.39+r52+gf8e4623421-1"),
    ("anydesk-bin", "6.3.2-1"),
    ("zoom", "1:5.17.11-1.1"),
    ("zlib", "1.3-2"),
];

fn pacman(root: &Path, arguments: &[&str]) -> String {
    let database = root.join("var/lib/pacman");
    let (database, cache) = (database.to_str().unwrap().to_owned(), root.join("cache").to_str().unwrap().to_owned());
    write(root, "pacman.conf", "[options]\nSigLevel = Never\nLocalFileSigLevel = Never\nArchitecture = auto\n");
    let config = root.join("pacman.conf");
    let common = ["--root", root.to_str().unwrap(), "--dbpath", &database, "--cachedir", &cache];
    let config = ["--config", config.to_str().unwrap(), "--logfile", "/dev/null"];
    Tool::new("pacman", "pacman-package-manager").in_folder(root).run(&[&common[..], &config, arguments].concat())
}

#[test]
fn a_database_is_listed_as_pacman_lists_it() {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    write(root.path(), "etc/os-release", "ID=arch\n");
    fs_err::create_dir_all(root.path().join("var/lib/pacman")).unwrap();
    for (name, version) in PACKAGES {
        let info = format!("pkgname = {name}\npkgver = {version}\npkgdesc = d\nsize = 1\narch = any\n");
        write(root.path(), ".PKGINFO", info);
        let file = format!("{name}.pkg.tar");
        Tool::new("tar", "tar").in_folder(root.path()).run(&["-cf", &file, ".PKGINFO"]);
        pacman(root.path(), &["-U", "--noconfirm", "--noprogressbar", &file]);
    }
    pacman(root.path(), &["-R", "--noconfirm", "zlib"]);
    let said = pacman(root.path(), &["-Q"]);
    let listed = listing(&places, Source::Pacman, Scope::System);
    assert_eq!(gaps(&listed, root.path()), [""; 0]);
    let line = |p: &forewarn_engine::Package| format!("{} {}", p.purl.name(), p.purl.version().unwrap());
    assert_eq!(listed.packages.iter().map(line).collect::<Vec<_>>(), said.lines().collect::<Vec<_>>());
    assert_eq!(listed.count, 3);
    assert_eq!(purls(&listed)[0], "pkg:alpm/arch/anydesk-bin@6.3.2-1?arch=any");
}

#[test]
fn a_folder_that_is_no_package_is_a_gap() {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    write(root.path(), "var/lib/pacman/local/ALPM_DB_VERSION", "9\n");
    write(root.path(), "var/lib/pacman/local/nonsense/desc", "");
    let listed = listing(&places, Source::Pacman, Scope::System);
    assert_eq!(
        gaps(&listed, root.path()),
        ["var/lib/pacman/local/nonsense: its name is not <name>-<version>-<release>"]
    );
}
