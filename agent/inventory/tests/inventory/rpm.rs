//! RPM databases, made with the real rpm and compared with `rpm -qa`.
//!
//! Debian's rpm has the back end `sqlite` only. The headers that it made are put into an `ndb` database here, as rpm's
//! `lib/backend/ndb/rpmpkg.c` lays one out.

use std::{collections::BTreeSet, path::Path};

use forewarn_proto::inventory::{Scope, Source};

use crate::common::{Tool, gaps, listing, places, purls, write};

/// Name, version, release, epoch and architecture of the packages that are installed.
const PACKAGES: [(&str, &str, &str, Option<u32>, &str); 5] = [
    ("zoom", "5.17.11.3835", "1", None, "noarch"),
    ("anydesk", "6.3.2", "1", None, "noarch"),
    ("bind-utils", "9.18.28", "2.fc40", Some(32), "noarch"),
    ("odd+name_x", "1.0~rc1^git20240101", "0.1", Some(0), "noarch"),
    ("teamviewer", "15.58.4", "0", None, "noarch"),
];

/// Installs the packages into a database of this back end, and removes one.
fn database(root: &Path) -> String {
    let folder = root.join("var/lib/rpm");
    let rpm = |tool: &'static str| Tool::new(tool, "rpm").env("HOME", root).in_folder(root);
    let path = format!("_dbpath {}", folder.display());
    let database = ["--define", "_db_backend sqlite", "--define", &path];
    rpm("rpmdb").run(&[&database[..], &["--initdb"]].concat());
    let top = format!("_topdir {}", root.join("build").display());
    for (name, version, release, epoch, arch) in PACKAGES {
        let epoch = epoch.map_or(String::new(), |epoch| format!("Epoch: {epoch}\n"));
        let spec = format!(
            "Name: {name}\nVersion: {version}\nRelease: {release}\n{epoch}Summary: s\nLicense: l\nBuildArch: {arch}\n\
             %description\nd\n%files\n"
        );
        write(root, &format!("{name}.spec"), spec);
        rpm("rpmbuild").run(&["--quiet", "-bb", "--define", &top, &format!("{name}.spec")]);
        let file = format!("build/RPMS/{arch}/{name}-{version}-{release}.{arch}.rpm");
        rpm("rpm").run(&[&database[..], &["--install", "--justdb", "--nodeps", "--noscripts", &file]].concat());
    }
    rpm("rpm").run(&[&database[..], &["--erase", "--justdb", "--nodeps", "anydesk"]].concat());
    let format = "%{NAME} %{VERSION}-%{RELEASE} %{ARCH} %{EPOCH}\\n";
    rpm("rpm").run(&[&database[..], &["-qa", "--queryformat", format]].concat())
}

/// Puts the headers of the SQLite database into an ndb database in its place, with an empty slot between them.
fn to_ndb(root: &Path) {
    let folder = root.join("var/lib/rpm");
    let database = rusqlite::Connection::open(folder.join("rpmdb.sqlite")).unwrap();
    let mut query = database.prepare("SELECT hnum, blob FROM Packages").unwrap();
    let rows = query.query_map([], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, Vec<u8>>(1)?))).unwrap();
    let (mut slots, mut blobs) = ([*b"Slot", [0; 4], [0; 4], [0; 4]].concat(), Vec::new());
    for row in rows {
        let (index, header) = row.unwrap();
        let length = u32::try_from(header.len()).unwrap();
        let block = u32::try_from((4096 + blobs.len()) / 16).unwrap();
        slots.extend([*b"Slot", index.to_le_bytes(), block.to_le_bytes(), length.div_ceil(16).to_le_bytes()].concat());
        blobs.extend([*b"BlbS", index.to_le_bytes(), 1_u32.to_le_bytes(), length.to_le_bytes()].concat());
        blobs.extend(header);
        blobs.resize(blobs.len().next_multiple_of(16), 0);
    }
    let mut page = [*b"RpmP", [0; 4], 1_u32.to_le_bytes(), 1_u32.to_le_bytes(), 9_u32.to_le_bytes()].concat();
    page.resize(32, 0);
    page.extend(slots);
    while page.len() < 4096 {
        page.extend([*b"Slot", [0; 4], [0; 4], [0; 4]].concat());
    }
    fs_err::write(folder.join("Packages.db"), [page, blobs].concat()).unwrap();
    fs_err::remove_file(folder.join("rpmdb.sqlite")).unwrap();
}

/// Checks that what is listed is, item by item, what `rpm -qa` says.
#[track_caller]
fn check(convert: impl FnOnce(&Path)) {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    let said = database(root.path());
    convert(root.path());
    let expected: BTreeSet<String> = said.lines().map(str::to_owned).collect();
    let listed = listing(&places, Source::Rpm, Scope::System);
    assert_eq!(gaps(&listed, root.path()), [""; 0]);
    let line = |package: &forewarn_engine::Package| {
        let qualifier = |key: &str| package.purl.qualifier(key).unwrap_or("(none)").to_owned();
        let version = package.purl.version().unwrap();
        format!("{} {version} {} {}", package.purl.name(), qualifier("arch"), qualifier("epoch"))
    };
    assert_eq!(listed.packages.iter().map(line).collect::<BTreeSet<_>>(), expected);
    assert_eq!((listed.count, expected.len()), (4, 4), "one of five was removed");
}

#[test]
fn a_sqlite_database_is_listed_as_rpm_lists_it() {
    check(|_| {});
}

#[test]
fn an_ndb_database_is_listed_as_rpm_lists_it() {
    check(to_ndb);
}

#[test]
fn a_berkeley_db_is_a_gap_and_not_an_absence() {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    write(root.path(), "var/lib/rpm/Packages", [0; 4096]);
    let listed = listing(&places, Source::Rpm, Scope::System);
    assert!(gaps(&listed, root.path())[0].starts_with("var/lib/rpm/Packages: it is a Berkeley DB"));
}

#[test]
fn a_damaged_database_is_a_gap() {
    for (file, convert) in [("rpmdb.sqlite", (|_| {}) as fn(&Path)), ("Packages.db", to_ndb)] {
        let root = tempfile::tempdir().unwrap();
        let places = places(root.path());
        database(root.path());
        convert(root.path());
        let path = root.path().join("var/lib/rpm").join(file);
        let mut bytes = fs_err::read(&path).unwrap();
        let whole = bytes.len();
        bytes.truncate(whole - whole / 3);
        fs_err::write(&path, &bytes).unwrap();
        let listed = listing(&places, Source::Rpm, Scope::System);
        assert!(!listed.is_complete(), "{file} was cut off: {listed:?}");
        fs_err::write(&path, "nonsense").unwrap();
        let listed = listing(&places, Source::Rpm, Scope::System);
        assert_eq!((listed.is_complete(), purls(&listed).len()), (false, 0), "{file}");
    }
}

#[test]
fn damaged_slots_and_packages_do_not_take_the_others_with_them() {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    database(root.path());
    to_ndb(root.path());
    let path = root.path().join("var/lib/rpm/Packages.db");
    let mut bytes = fs_err::read(&path).unwrap();
    // The first package's blob begins after the page of slots; its slot is the second.
    bytes[4096] = b'X';
    bytes[32 + 2 * 16] = b'X';
    fs_err::write(&path, &bytes).unwrap();
    let listed = listing(&places, Source::Rpm, Scope::System);
    assert_eq!(
        gaps(&listed, root.path()),
        [
            "var/lib/rpm/Packages.db @48: the slot's package is damaged",
            "var/lib/rpm/Packages.db @64: the slot is damaged"
        ]
    );
    assert_eq!(listed.count, 2, "two of four");
}
