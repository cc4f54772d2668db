//! What a home can hold to lead the agent astray, and a program that is running.
#![expect(clippy::disallowed_methods, reason = "another process must hold the lock: fcntl locks belong to a process")]

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::person::{Person, edit, files};
use forewarn_mail::{Client, MAX_FILE_BYTES, Refusal, SkipReason, find};

const DOMAIN: &str = "corp.example";

/// Another process with the lock that Thunderbird holds while it runs.
struct Running(Child);

impl Running {
    fn start(me: &Person) -> Self {
        let script = "import fcntl,sys\nf=open(sys.argv[1],'w')\nfcntl.lockf(f,fcntl.LOCK_EX|fcntl.LOCK_NB)\nprint('locked',flush=True)\nsys.stdin.read()";
        let lock = me.in_profile(".parentlock");
        let mut child = Command::new("python3")
            .args(["-c", script])
            .arg(lock)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test needs python3: apt-get install python3");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "locked\n");
        Self(child)
    }

    fn quit(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

#[test]
fn a_running_thunderbird_waits_and_is_taken_later() {
    let me = Person::new();
    let running = Running::start(&me);
    let before = me.state();
    let revoked = me.vault.revoke(&me.home, DOMAIN).unwrap();
    assert_eq!(revoked.waiting.iter().map(|account| account.client).collect::<Vec<_>>(), [Client::Thunderbird]);
    assert_eq!(revoked.taken.iter().map(|account| account.client).collect::<Vec<_>>(), [Client::Isync]);
    assert!(me.state().iter().all(|(path, state)| path == ".mbsyncrc" || before.get(path) == Some(state)));
    running.quit();
    assert_eq!(me.vault.revoke(&me.home, DOMAIN).unwrap().taken.len(), 1);
    let running = Running::start(&me);
    let revoked = me.state();
    let restored = me.vault.restore(&me.home, DOMAIN).unwrap();
    assert_eq!((restored.exact.len(), restored.waiting.len()), (1, 1));
    assert!(me.state().iter().all(|(path, state)| path == ".mbsyncrc" || revoked.get(path) == Some(state)));
    running.quit();
    assert_eq!(me.vault.restore(&me.home, DOMAIN).unwrap().exact.len(), 1);
    assert_eq!(me.state(), before);
}

#[test]
fn a_link_within_the_home_is_followed_and_kept() {
    let me = Person::new();
    fs_err::rename(me.dir.join(".thunderbird"), me.dir.join(".icedove")).unwrap();
    symlink(".icedove", me.dir.join(".thunderbird")).unwrap();
    fs_err::create_dir(me.dir.join("dotfiles")).unwrap();
    fs_err::rename(me.dir.join(".mbsyncrc"), me.dir.join("dotfiles/mbsyncrc")).unwrap();
    symlink("dotfiles/mbsyncrc", me.dir.join(".mbsyncrc")).unwrap();
    let before = me.state();
    assert_eq!(me.vault.revoke(&me.home, DOMAIN).unwrap().taken.len(), 2);
    assert!(!me.text().contains("mail.corp.example"));
    assert_eq!(me.vault.restore(&me.home, DOMAIN).unwrap().exact.len(), 2);
    assert_eq!(me.state(), before);
    for link in [".thunderbird", ".mbsyncrc"] {
        assert!(fs_err::symlink_metadata(me.dir.join(link)).unwrap().is_symlink());
    }
}

/// Replaces isync's configuration by something that must not be touched.
fn check_refused(make: impl FnOnce(&Person, &Path), expected: Refusal) {
    let me = Person::new();
    let rc = me.dir.join(".mbsyncrc");
    fs_err::rename(&rc, me.scratch().join("rc")).unwrap();
    make(&me, &rc);
    let outside = fs_err::read(me.scratch().join("rc")).ok();
    let revoked = me.vault.revoke(&me.home, DOMAIN).unwrap();
    let refused: Vec<_> = revoked.skipped.iter().map(|skipped| (&skipped.reason, skipped.client)).collect();
    assert_eq!(refused, [(&SkipReason::Refused { path: ".mbsyncrc".into(), refusal: expected }, Client::Isync)]);
    assert!(revoked.taken.iter().all(|account| account.client == Client::Thunderbird));
    assert_eq!(fs_err::read(me.scratch().join("rc")).ok(), outside);
}

#[test]
fn what_is_no_plain_file_of_the_person_s_is_refused() {
    check_refused(|_, rc| symlink("../rc", rc).unwrap(), Refusal::Outside);
    check_refused(|me, rc| symlink(me.scratch().join("rc"), rc).unwrap(), Refusal::Outside);
    check_refused(|_, rc| symlink("/proc/self/root/etc/passwd", rc).unwrap(), Refusal::Outside);
    check_refused(|me, rc| fs_err::hard_link(me.scratch().join("rc"), rc).unwrap(), Refusal::HardLinked);
    check_refused(|_, rc| fs_err::create_dir(rc).unwrap(), Refusal::NotRegular);
    check_refused(
        |_, rc| {
            rustix::fs::mknodat(rustix::fs::CWD, rc, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap()
        },
        Refusal::NotRegular,
    );
    check_refused(|_, rc| drop(std::os::unix::net::UnixListener::bind(rc).unwrap()), Refusal::NotRegular);
    let huge = |_: &Person, rc: &Path| {
        fs_err::OpenOptions::new().create_new(true).write(true).open(rc).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap()
    };
    check_refused(huge, Refusal::TooLarge);
}

#[test]
fn a_link_out_of_the_home_hides_no_profile_from_the_report() {
    let me = Person::new();
    fs_err::rename(me.dir.join(".thunderbird"), me.scratch().join("tb")).unwrap();
    symlink("../tb", me.dir.join(".thunderbird")).unwrap();
    let before = files(&me.scratch().join("tb"));
    let revoked = me.vault.revoke(&me.home, DOMAIN).unwrap();
    assert!(
        matches!(&revoked.skipped[0].reason, SkipReason::Refused { refusal: Refusal::Outside, .. }),
        "{:?}",
        revoked.skipped
    );
    assert_eq!(revoked.taken.len(), 1);
    assert_eq!(files(&me.scratch().join("tb")), before);
}

#[test]
fn a_profile_outside_the_home_is_reported() {
    let me = Person::new();
    edit(&me.dir.join(".thunderbird/profiles.ini"), |text| text + "\n[Profile7]\nIsRelative=0\nPath=/elsewhere/p\n");
    let skipped = find(&me.home, DOMAIN).skipped;
    assert_eq!(
        skipped.iter().map(|skipped| &skipped.reason).collect::<Vec<_>>(),
        [&SkipReason::Outside { path: "/elsewhere/p".into() }]
    );
}

#[test]
fn a_lock_that_is_a_trap_is_refused_and_protects_no_other_program() {
    let me = Person::new();
    symlink(me.scratch().join("target"), me.in_profile(".parentlock")).unwrap();
    let revoked = me.vault.revoke(&me.home, DOMAIN).unwrap();
    assert_eq!(revoked.taken.iter().map(|account| account.client).collect::<Vec<_>>(), [Client::Isync]);
    assert_eq!(revoked.skipped.len(), 1);
    assert!(!me.scratch().join("target").exists());
}

#[test]
fn broken_files_are_reported_and_left() {
    let me = Person::new();
    fs_err::write(me.in_profile("logins.json"), "{\"logins\":[").unwrap();
    let revoked = me.vault.revoke(&me.home, DOMAIN).unwrap();
    assert_eq!(revoked.taken.len(), 2);
    assert_eq!(revoked.skipped[0].reason, SkipReason::Malformed { path: format!("{}/logins.json", me.profile) });
    assert_eq!(fs_err::read(me.in_profile("logins.json")).unwrap(), b"{\"logins\":[");
}
