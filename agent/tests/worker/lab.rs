//! A home with every mail program, its vault, and errands in processes of their own.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use forewarn_mail::Folder;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{keys, myself};

/// Content, mode, owner and time of last change of every file.
pub(crate) type State = BTreeMap<PathBuf, (String, u32, u32, i64, i64)>;

/// Far above what any errand takes: one that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where Thunderbird keeps the company's mail.
const STORE: &str = ".thunderbird/5ee0q7cw.default-default/ImapMail/mail.corp.example";

pub(crate) struct Lab {
    pub(crate) scratch: PathBuf,
    pub(crate) home: PathBuf,
}

impl Lab {
    /// In a folder that is there. Where we are root, the home is nobody's.
    pub(crate) fn new(scratch: &Path) -> Self {
        let home = scratch.join("me");
        fs_err::create_dir_all(&home).unwrap();
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("mail/tests/data");
        copy(&data.join("every-client"), &home);
        copy(&data.join("thunderbird-two-accounts"), &home.join(".thunderbird"));
        fs_err::copy(data.join("mbsyncrc-two-accounts"), home.join(".mbsyncrc")).unwrap();
        let store = home.join(STORE);
        fs_err::create_dir_all(&store).unwrap();
        fs_err::write(store.join("Drafts"), "only here").unwrap();
        fs_err::set_permissions(store, std::fs::Permissions::from_mode(0o750)).unwrap();
        fs_err::set_permissions(scratch, std::fs::Permissions::from_mode(0o755)).unwrap();
        if forewarn_host::user::is_root() {
            own(&home);
        }
        Self { scratch: scratch.to_owned(), home }
    }

    /// Starts an errand, in a group of processes of its own. Both sides have this `stderr`.
    pub(crate) fn start(&self, errand: &str, stderr: Stdio) -> Child {
        let mut command = Command::new(myself());
        command.args(["keep", self.scratch.to_str().unwrap(), errand]).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).spawn().unwrap()
    }

    /// Does an errand, and gives what the worker said, if it came to that.
    pub(crate) fn run(&self, errand: &str) -> Option<Value> {
        let mut child = self.start(errand, Stdio::null());
        let end = Instant::now() + PATIENCE;
        while child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "{errand} hangs");
            std::thread::sleep(Duration::from_millis(1));
        }
        serde_json::from_slice(&child.wait_with_output().unwrap().stdout).ok()
    }

    /// Does an errand that has to succeed.
    pub(crate) fn done(&self, errand: &str) -> Value {
        let said = self.run(errand).unwrap_or_else(|| panic!("{errand} broke off"));
        assert!(said.get("failed").is_none(), "{errand}: {said}");
        said
    }

    /// The domains of which the vault has mail, as the daemon reads them at its start.
    pub(crate) fn held(&self) -> Vec<String> {
        let vault = Folder::open(&self.scratch.join("vault"), "me", keys(), Duration::ZERO).unwrap();
        vault.held().unwrap().into_iter().collect()
    }

    pub(crate) fn state(&self) -> State {
        let mut state = State::new();
        collect(&self.home, &self.home, &mut state);
        state.retain(|path, _| !path.ends_with(".parentlock"));
        state
    }

    /// Owner and mode of the folder of the company's mail.
    pub(crate) fn store(&self) -> (u32, u32) {
        let meta = fs_err::metadata(self.home.join(STORE)).unwrap();
        (meta.uid(), meta.mode() & 0o7777)
    }

    pub(crate) fn has_leftovers(&self) -> bool {
        self.state().keys().any(|path| path.to_string_lossy().contains(".forewarn-"))
    }
}

fn collect(folder: &Path, home: &Path, state: &mut State) {
    // Who isn't root sees nothing in one that is closed.
    for entry in fs_err::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let meta = fs_err::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            collect(&path, home, state);
        } else if meta.is_file() {
            let digest = hex::encode(Sha256::digest(fs_err::read(&path).unwrap()));
            let name = path.strip_prefix(home).unwrap().to_owned();
            state.insert(name, (digest, meta.mode(), meta.uid(), meta.mtime(), meta.mtime_nsec()));
        }
    }
}

/// Gives a file, or a folder and all in it, to nobody.
pub(crate) fn own(path: &Path) {
    std::os::unix::fs::chown(path, Some(65534), Some(65534)).unwrap();
    if path.is_dir() {
        fs_err::read_dir(path).unwrap().for_each(|entry| own(&entry.unwrap().path()));
    }
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap() {
        let (from, name) = (entry.as_ref().unwrap().path(), entry.as_ref().unwrap().file_name());
        if from.is_dir() {
            copy(&from, &to.join(name));
        } else {
            fs_err::copy(&from, to.join(name)).unwrap();
        }
    }
}
