//! A process of the person's turns the profile into everything that a name can be, while it is taken and given back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use forewarn_mail::{Folder, Store as _};
use sha2::{Digest as _, Sha256};

use crate::keys;
use crate::lab::Lab;

const ROUNDS: u32 = 300;

/// Files that are flipped, as paths from the home.
const FLIPPED: [&str; 3] =
    [".mbsyncrc", ".thunderbird/5ee0q7cw.default-default/prefs.js", ".config/aerc/accounts.conf"];

const SECRET: &str = "IMAPAccount outside\nHost mail.corp.example\nUser root@corp.example\nPass outside\n";

pub(crate) fn rounds() {
    let scratch = tempfile::tempdir().unwrap();
    let lab = Lab::new(scratch.path());
    let outside = scratch.path().join("outside");
    fs_err::create_dir(&outside).unwrap();
    // Readable and writable for everyone: only we keep ourselves from it.
    fs_err::write(outside.join("secret"), SECRET).unwrap();
    for path in [outside.clone(), outside.join("secret")] {
        fs_err::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    }
    let flipper = Flipper::start(&lab.home, &outside.join("secret"));
    // What was read is in the vault, and each journal says the digest of what it holds.
    let digest = hex::encode(Sha256::digest(SECRET));
    let (mut said, mut kept) = (0, BTreeSet::new());
    for round in 0..ROUNDS {
        said += u32::from(lab.run(if round % 2 == 0 { "revoke" } else { "restore" }).is_some());
        let vault = Folder::open(&scratch.path().join("vault"), "me", keys(), Duration::ZERO).unwrap();
        for number in vault.entries().unwrap() {
            let journal = vault.journal(number).unwrap();
            let journal = String::from_utf8_lossy(&journal);
            assert!(!journal.contains(&digest) && !journal.contains("root@"), "entry {number} holds what is outside");
            kept.insert(number);
        }
    }
    let flips = flipper.stop();
    assert_eq!(fs_err::read_to_string(outside.join("secret")).unwrap(), SECRET);
    let mut names: Vec<_> = fs_err::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["secret"], "something was written outside the home");
    assert!(said > ROUNDS / 2 && kept.len() > 50, "{said} of {ROUNDS} errands ended, {} entries", kept.len());
    print!("{flips} flips, {} entries in the vault ... ", kept.len());
}

/// A process with the person's rights that flips files as fast as it can.
struct Flipper {
    child: Child,
    count: PathBuf,
}

impl Flipper {
    fn start(home: &Path, outside: &Path) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        use std::os::unix::process::CommandExt as _;
        let mut command = Command::new("python3");
        command.args(["-c", SCRIPT]).arg(home).arg(outside).args(FLIPPED).stdin(Stdio::piped()).stdout(Stdio::piped());
        let owner = fs_err::metadata(home).unwrap();
        if forewarn_host::user::is_root() {
            command.uid(owner.uid()).gid(owner.gid());
        }
        let child = command.spawn().expect("this test needs python3: apt-get install python3");
        Self { child, count: home.join(".flips") }
    }

    /// Gives how often it has flipped a file.
    fn stop(mut self) -> u64 {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success(), "the flipper failed");
        fs_err::read_to_string(&self.count).unwrap().trim().parse().unwrap()
    }
}

/// Until its input ends. Every form is made beside the file and renamed over it; a folder has to be moved away first.
const SCRIPT: &str = r"
import os, select, sys, random
home, outside, *names = sys.argv[1:]
paths = [os.path.join(home, name) for name in names]
originals = {path: open(path, 'rb').read() for path in paths}
def regular(new, path): open(new, 'wb').write(originals[path])
def mine(new, path): open(new, 'wb').write(originals[path] + b'# mine\n')
def link(new, path): os.symlink(outside, new)
def shadow(new, path): os.symlink('/etc/shadow', new)
def magic(new, path): os.symlink('/proc/self/root' + outside, new)
def climb(new, path): os.symlink('../' * 20 + outside.lstrip('/'), new)
def fifo(new, path): os.mkfifo(new)
def sparse(new, path):
    with open(new, 'wb') as file: file.truncate(100 << 30)
def hard(new, path):
    twin = path + '.twin'
    if not os.path.exists(twin): open(twin, 'wb').write(originals[path])
    os.link(twin, new)
def folder(new, path): os.mkdir(new)
forms = [regular, regular, regular, mine, link, shadow, magic, climb, fifo, sparse, hard, folder]
count = 0
while not select.select([sys.stdin], [], [], 0.0005)[0]:
    path, form = random.choice(paths), random.choice(forms)
    new = path + '.flip' + str(count)
    try:
        form(new, path)
        if os.path.isdir(path) and not os.path.islink(path): os.rmdir(path)
        elif form is folder: os.remove(path)
        os.rename(new, path)
    except OSError:
        pass
    if os.path.lexists(new): os.rmdir(new) if form is folder else os.remove(new)
    count += 1
open(os.path.join(home, '.flips'), 'w').write(str(count))
";
