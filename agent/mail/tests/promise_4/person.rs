//! A person's home with the stored Thunderbird profile and isync configuration, and its state to compare.

use std::collections::BTreeMap;
use std::fs::{FileTimes, OpenOptions, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use forewarn_mail::{Digest, Folder, Home, Keys, Vault};
use tempfile::TempDir;

/// What must be the same after a restore: content, mode, time of last change in nanoseconds.
pub(crate) type State = BTreeMap<String, (Digest, u32, i64, i64)>;

pub(crate) struct Person {
    pub(crate) home: Home,
    pub(crate) vault: Vault<Folder>,
    pub(crate) dir: PathBuf,
    /// The Thunderbird profile, as a path from the home.
    pub(crate) profile: String,
    scratch: TempDir,
}

impl Person {
    /// With Thunderbird and isync.
    pub(crate) fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("me");
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        let thunderbird = dir.join(".thunderbird");
        copy(&data.join("thunderbird-two-accounts"), &thunderbird);
        // How the profile was made isn't part of it.
        for name in ["README.md", "autoconfig.cfg", "make.sh", "version.txt"] {
            fs_err::remove_file(thunderbird.join(name)).unwrap();
        }
        fs_err::copy(data.join("mbsyncrc-two-accounts"), dir.join(".mbsyncrc")).unwrap();
        let mut names = fs_err::read_dir(dir.join(".thunderbird"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let profile = format!(".thunderbird/{}", names.find(|name| name.ends_with(".default-default")).unwrap());
        let person =
            Self { home: Home::open(&dir).unwrap(), vault: open(&scratch.path().join("vault")), dir, profile, scratch };
        person.shape();
        person
    }

    /// With every mail program that there is.
    pub(crate) fn with_every_client() -> Self {
        let person = Self::new();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/every-client"), &person.dir);
        person.shape();
        person
    }

    /// The folder that the home and the vault are in.
    pub(crate) fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    pub(crate) fn in_profile(&self, name: &str) -> PathBuf {
        self.dir.join(&self.profile).join(name)
    }

    /// Modes and times as in a real home, with nanoseconds; a checkout keeps neither.
    fn shape(&self) {
        for (number, path) in (0..).zip(files(&self.dir)) {
            let mode = if path.ends_with("prefs.js") { 0o600 } else { 0o640 };
            fs_err::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000 + number, 123_456_789);
            OpenOptions::new().write(true).open(&path).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
        }
    }

    pub(crate) fn state(&self) -> State {
        let state = |path: PathBuf| {
            let meta = fs_err::symlink_metadata(&path).unwrap();
            let name = path.strip_prefix(&self.dir).unwrap().to_str().unwrap().to_owned();
            (name, (Digest::of(&fs_err::read(&path).unwrap()), meta.mode(), meta.mtime(), meta.mtime_nsec()))
        };
        files(&self.dir).into_iter().filter(|path| !path.ends_with(".parentlock")).map(state).collect()
    }

    /// All that is in the home, as text.
    pub(crate) fn text(&self) -> String {
        files(&self.dir)
            .iter()
            .map(|path| format!("{}\n{}\n", path.display(), String::from_utf8_lossy(&fs_err::read(path).unwrap())))
            .collect()
    }
}

/// A vault of this test's.
pub(crate) fn open(dir: &Path) -> Vault<Folder> {
    Vault::new(folder(dir))
}

/// The same, which closes stored mail in this home.
pub(crate) fn open_locking(dir: &Path, home: &Path) -> Vault<Folder> {
    let user = std::os::unix::fs::MetadataExt::uid(&fs_err::metadata(home).unwrap());
    Vault::new(folder(dir).for_home(home, user).unwrap()).locking(true)
}

fn folder(dir: &Path) -> Folder {
    Folder::open(dir, "ann", Keys::new(&[7; 32], &[]), Duration::ZERO).unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs_err::copy(entry.path(), &target).unwrap();
        }
    }
}

/// Every regular file below a folder, sorted.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let kind = fs_err::symlink_metadata(&path).unwrap().file_type();
        if kind.is_dir() {
            found.extend(files(&path));
        } else if kind.is_file() {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Changes a text file.
pub(crate) fn edit(path: &Path, change: impl FnOnce(String) -> String) {
    let text = fs_err::read_to_string(path).unwrap();
    fs_err::write(path, change(text)).unwrap();
}
