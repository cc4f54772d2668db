//! Real mail programs against a real Dovecot: before, revoked, restored. What the mail servers saw is what counts.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, reason = "tests, of real programs")]

mod dovecot;
mod evolution;
mod programs;

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use dovecot::{Seen, Servers};
use forewarn_mail::{Digest, Folder, Home, Keys, Vault, find};
use programs::{PROGRAMS, Program};

const COMPANY: &str = "corp.example";
const PRIVATE: &str = "private.example";

/// What must be the same again: content, mode, owner, time of last change.
type State = BTreeMap<String, (Digest, u32, u32, i64, i64)>;

pub(crate) struct Lab {
    pub(crate) scratch: tempfile::TempDir,
    pub(crate) home: PathBuf,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let home = scratch.path().join("me");
        fs_err::create_dir_all(home.join(".run")).unwrap();
        fs_err::set_permissions(home.join(".run"), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        Self { scratch, home }
    }

    pub(crate) fn open(&self) -> Home {
        Home::open(&self.home).unwrap()
    }

    pub(crate) fn vault(&self) -> Vault<Folder> {
        let dir = self.scratch.path().join("vault");
        Vault::new(Folder::open(&dir, "ann", Keys::new(&[7; 32], &[]), Duration::ZERO).unwrap())
    }

    /// The files that taking the company's accounts touches, as far as they are there.
    pub(crate) fn touched(&self) -> Vec<String> {
        find(&self.open(), COMPANY).accounts.into_iter().flat_map(|account| account.touches).collect()
    }

    pub(crate) fn state(&self, files: &[String]) -> State {
        let of = |path: &String| {
            let (full, meta) = (self.home.join(path), fs_err::metadata(self.home.join(path)).ok()?);
            let digest = Digest::of(&fs_err::read(full).unwrap());
            Some((path.clone(), (digest, meta.mode(), meta.uid(), meta.mtime(), meta.mtime_nsec())))
        };
        files.iter().filter_map(of).collect()
    }

    pub(crate) fn addresses(&self, domain: &str) -> Vec<String> {
        find(&self.open(), domain).accounts.into_iter().map(|account| account.address).collect()
    }
}

fn main() {
    let scratch = tempfile::tempdir().unwrap();
    let servers = Servers::start(scratch.path());
    println!("\nreal programs against a real Dovecot: who logs in, or sends\n");
    println!("{:<14}{:<22}{:<22}{:<22}{:<12}{:>6}", "client", "before", "revoked", "restored", "bytes", "");
    for program in &PROGRAMS {
        check(program, &servers);
    }
    evolution::check();
    println!("\nreal programs: all as they should\n");
}

fn check(program: &Program, servers: &Servers) {
    let begun = Instant::now();
    let lab = Lab::new();
    (program.set_up)(&lab.home, servers);
    let run = || servers.watch(|| (program.run)(&lab.home, servers));
    let before = run();
    expect(program, "before", before, [true, true]);
    // A program that ran has its files in the form that it likes.
    let (files, private, company) = (lab.touched(), lab.addresses(PRIVATE), lab.addresses(COMPANY));
    let whole = lab.state(&files);
    let revoke = || {
        let revoked = lab.vault().revoke(&lab.open(), COMPANY).unwrap();
        assert_eq!((revoked.taken.len(), revoked.waiting.len()), (company.len(), 0), "{revoked:?}");
        assert_eq!((lab.addresses(COMPANY), lab.addresses(PRIVATE)), (vec![], private.clone()));
    };
    // At once: identical, whatever the program does with its files.
    revoke();
    let restored = lab.vault().restore(&lab.open(), COMPANY).unwrap();
    assert_eq!((restored.exact.len(), lab.state(&files)), (company.len(), whole.clone()));
    // And after the program was used without the account.
    revoke();
    let revoked = run();
    expect(program, "revoked", revoked, [false, true]);
    let restored = lab.vault().restore(&lab.open(), COMPANY).unwrap();
    assert_eq!((restored.conflicts.len(), restored.waiting.len()), (0, 0), "{restored:?}");
    let identical = lab.state(&files) == whole;
    assert!(identical || program.rewrites, "{}: not identical", program.client);
    assert_eq!((lab.addresses(COMPANY), lab.addresses(PRIVATE)), (company, private));
    let after = run();
    expect(program, "restored", after, [true, true]);
    let bytes = if identical { "identical" } else { "merged" };
    row(&program.client.to_string(), [before, revoked, after].map(shown), bytes, begun);
}

pub(crate) fn row(client: &str, [before, revoked, restored]: [String; 3], bytes: &str, begun: Instant) {
    println!("{client:<14}{before:<22}{revoked:<22}{restored:<22}{bytes:<12}{:>4} s", begun.elapsed().as_secs());
}

fn shown([company, private]: Seen) -> String {
    let said = |seen: bool, name: &str| if seen { name.to_owned() } else { format!("no {name}") };
    format!("{}, {}", said(company, "company"), said(private, "private"))
}

#[track_caller]
fn expect(program: &Program, when: &str, seen: Seen, expected: Seen) {
    let Program { client, package, .. } = program;
    assert!(seen == expected, "{client} (Debian's {package}), {when}: {}", shown(seen));
}

pub(crate) fn wait_for(what: &str, mut is: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !is() {
        assert!(Instant::now() < end, "{what} did not happen within 30 s");
        std::thread::sleep(Duration::from_millis(50));
    }
}
