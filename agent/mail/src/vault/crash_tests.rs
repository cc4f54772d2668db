//! A crash at every instruction that changes a disk, in revoke, restore and recover.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::crash;
use crate::limits::MAX_FILE_BYTES;

const PROFILE: &str = ".thunderbird/a.default";
const DOMAIN: &str = "corp.example";

type State = BTreeMap<PathBuf, (Vec<u8>, u32, i64, i64)>;

struct Lab {
    scratch: TempDir,
}

impl Lab {
    fn new() -> Self {
        let lab = Self { scratch: tempfile::tempdir().unwrap() };
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        let from = data.join("thunderbird-two-accounts");
        let real =
            fs_err::read_dir(&from).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap();
        let to = lab.home_dir().join(PROFILE);
        fs_err::create_dir_all(to.join("Mail/Local Folders")).unwrap();
        for name in
            ["prefs.js", "logins.json", "Mail/Local Folders/Unsent Messages", "Mail/Local Folders/Unsent Messages.msf"]
        {
            fs_err::copy(real.join(name), to.join(name)).unwrap();
        }
        fs_err::write(lab.home_dir().join(".thunderbird/profiles.ini"), "[Profile0]\nPath=a.default\n").unwrap();
        fs_err::copy(data.join("mbsyncrc-two-accounts"), lab.home_dir().join(".mbsyncrc")).unwrap();
        lab
    }

    fn home_dir(&self) -> PathBuf {
        self.scratch.path().join("me")
    }

    fn home(&self) -> Home {
        Home::open(&self.home_dir()).unwrap()
    }

    fn vault(&self) -> Vault<Folder> {
        self.vault_at(Duration::ZERO)
    }

    fn vault_at(&self, now: Duration) -> Vault<Folder> {
        let dir = self.scratch.path().join("vault");
        Vault::new(Folder::open(&dir, "ann", Keys::new(&[7; 32], &[]), now).unwrap())
    }

    fn state(&self) -> State {
        let mut state = State::new();
        collect(&self.home_dir(), &mut state);
        state
    }

    /// Lets `steps` steps be done, then crashes. `false` when the work was done before that.
    fn crashes(&self, steps: u32, work: impl FnOnce(&Vault<Folder>, &Home)) -> bool {
        let (home, vault) = (self.home(), self.vault());
        crash::after(Some(steps));
        let crashed = catch_unwind(AssertUnwindSafe(|| work(&vault, &home))).is_err();
        crash::after(None);
        crashed
    }

    /// After a restart: all is there, or all is in the vault; nothing is left over; and it can be had back.
    fn check(&self, whole: &State, revoked: &State, what: &str) {
        self.vault().recover(&self.home()).unwrap();
        let state = self.state();
        assert!(
            !state.keys().any(|path| path.to_string_lossy().contains(".forewarn-")),
            "{what}: left over in {:?}",
            state.keys()
        );
        assert!(!self.scratch.path().join("vault/entries/.new-0001").exists(), "{what}: left over in the vault");
        let unlocked = |path: &Path| !path.ends_with(".parentlock");
        for profile in [Path::new(".thunderbird"), Path::new(".mbsyncrc")] {
            let part = |of: &State| {
                of.iter()
                    .filter(|(path, _)| path.starts_with(profile) && unlocked(path))
                    .map(|(path, file)| (path.clone(), file.0.clone()))
                    .collect::<Vec<_>>()
            };
            assert!(
                [part(whole), part(revoked)].contains(&part(&state)),
                "{what}: {profile:?} is neither here nor there"
            );
            let holds = self
                .vault()
                .holdings()
                .unwrap()
                .iter()
                .any(|holding| Path::new(&holding.account.profile).starts_with(profile));
            assert_eq!(holds, part(&state) == part(revoked), "{what}: the vault must hold what the home lacks");
        }
        assert!(self.vault().holdings().unwrap().iter().all(|holding| holding.stage == Stage::Revoked), "{what}");
        self.vault().restore(&self.home(), DOMAIN).unwrap();
        let (mut restored, mut whole) = (self.state(), whole.clone());
        restored.retain(|path, _| unlocked(path));
        whole.retain(|path, _| unlocked(path));
        assert!(restored == whole, "{what}: not identical after the restore");
    }
}

fn collect(dir: &Path, state: &mut State) {
    use std::os::unix::fs::MetadataExt as _;
    for entry in fs_err::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, state);
            continue;
        }
        let meta = fs_err::metadata(&path).unwrap();
        let home = path.ancestors().find(|above| above.ends_with("me") || above.ends_with("vault")).unwrap();
        let name = path.strip_prefix(home).unwrap().to_owned();
        state.insert(name, (fs_err::read(&path).unwrap(), meta.mode(), meta.mtime(), meta.mtime_nsec()));
    }
}

/// The home when everything is revoked.
fn revoked() -> State {
    let lab = Lab::new();
    assert_eq!(lab.vault().revoke(&lab.home(), DOMAIN).unwrap().taken.len(), 2);
    lab.state()
}

/// The work, crashed after each number of steps, and then checked. Returns the number of steps.
fn check_each(prepare: impl Fn(&Lab), work: impl Fn(&Vault<Folder>, &Home)) -> u32 {
    let revoked = revoked();
    for steps in 0.. {
        let lab = Lab::new();
        let whole = lab.state();
        prepare(&lab);
        if !lab.crashes(steps, &work) {
            return steps;
        }
        lab.check(&whole, &revoked, &format!("crash after {steps} steps"));
    }
    unreachable!()
}

#[test]
fn a_crash_at_any_step_of_a_revoke_loses_nothing() {
    let steps = check_each(|_| {}, |vault, home| drop(vault.revoke(home, DOMAIN).unwrap()));
    assert!(steps > 50, "{steps}");
}

#[test]
fn a_crash_at_any_step_of_a_restore_loses_nothing() {
    let prepare = |lab: &Lab| drop(lab.vault().revoke(&lab.home(), DOMAIN).unwrap());
    let steps = check_each(prepare, |vault, home| drop(vault.restore(home, DOMAIN).unwrap()));
    assert!(steps > 50, "{steps}");
}

#[test]
fn a_crash_at_any_step_of_a_recovery_loses_nothing() {
    for first in [10, 30, 40, 50, 60] {
        let prepare = |lab: &Lab| assert!(lab.crashes(first, |vault, home| drop(vault.revoke(home, DOMAIN).unwrap())));
        check_each(prepare, |vault, home| vault.recover(home).unwrap());
    }
}

/// A new account has got the freed numbers, a message waits, and isync's file has a new end.
fn rewrite(lab: &Lab) {
    lab.vault().revoke(&lab.home(), DOMAIN).unwrap();
    let append = |path: &str, text: &str| {
        let path = lab.home_dir().join(path);
        fs_err::write(&path, fs_err::read_to_string(&path).unwrap() + text).unwrap();
    };
    append(".mbsyncrc", "\n# mine\n");
    let prefs = format!("{PROFILE}/prefs.js");
    for (key, value) in [
        ("account.account4.server", "server3"),
        ("server.server3.hostname", "club"),
        ("server.server3.type", "imap"),
        ("server.server3.userName", "me@club.example"),
    ] {
        append(&prefs, &format!("user_pref(\"mail.{key}\", \"{value}\");\n"));
    }
    append(&format!("{PROFILE}/Mail/Local Folders/Unsent Messages"), "From - x\nX-Identity-Key: id9\n\nmine\n\n");
}

fn contents(lab: &Lab) -> Vec<(PathBuf, Vec<u8>)> {
    lab.state().into_iter().map(|(path, file)| (path, file.0)).collect()
}

#[test]
fn a_crash_at_any_step_of_a_merge_gives_the_same_files() {
    let straight = Lab::new();
    rewrite(&straight);
    assert_eq!(straight.vault().restore(&straight.home(), DOMAIN).unwrap().merged.len(), 2);
    let expected = contents(&straight);
    let prefs = &straight.state()[&Path::new(PROFILE).join("prefs.js")].0;
    assert!(String::from_utf8_lossy(prefs).contains("mail.server.server4.hostname"));
    for steps in 0.. {
        let lab = Lab::new();
        rewrite(&lab);
        if !lab.crashes(steps, |vault, home| drop(vault.restore(home, DOMAIN).unwrap())) {
            assert!(steps > 50, "{steps}");
            break;
        }
        lab.vault().recover(&lab.home()).unwrap();
        lab.vault().restore(&lab.home(), DOMAIN).unwrap();
        assert!(contents(&lab) == expected, "after {steps} steps");
        assert_eq!(lab.vault().holdings().unwrap(), []);
    }
}

#[test]
fn a_crash_at_any_step_leaves_an_account_that_was_set_up_again_as_theirs() {
    let beside = ".mbsyncrc.restored-by-policy";
    for steps in 0.. {
        let lab = Lab::new();
        lab.vault().revoke(&lab.home(), DOMAIN).unwrap();
        let rc = lab.home_dir().join(".mbsyncrc");
        let theirs = fs_err::read_to_string(&rc).unwrap() + "\nIMAPAccount work\nUser me@corp.example\n";
        fs_err::write(&rc, &theirs).unwrap();
        if !lab.crashes(steps, |vault, home| drop(vault.restore(home, DOMAIN).unwrap())) {
            assert!(steps > 50, "{steps}");
            return;
        }
        lab.vault().recover(&lab.home()).unwrap();
        lab.vault().restore(&lab.home(), DOMAIN).unwrap();
        assert_eq!(fs_err::read_to_string(&rc).unwrap(), theirs, "after {steps} steps");
        assert!(lab.home_dir().join(beside).exists(), "after {steps} steps");
        assert_eq!(lab.vault().holdings().unwrap(), [], "after {steps} steps");
        // Recover notes what the crash left without a note; from then on its time runs.
        lab.vault().recover(&lab.home()).unwrap();
        let later = lab.vault_at(KEPT_AFTER_RESTORE + Duration::from_secs(1));
        later.recover(&lab.home()).unwrap();
        let mut kept = State::new();
        collect(&lab.scratch.path().join("vault"), &mut kept);
        assert!(!kept.keys().any(|path| path.ends_with("0.original")), "after {steps} steps: {:?}", kept.keys());
        later.revoke(&lab.home(), DOMAIN).unwrap();
        assert!(!lab.home_dir().join(beside).exists(), "after {steps} steps");
    }
}

/// Writes a file as an editor does: anew, and renamed over the old one.
fn write_meanwhile(path: PathBuf) {
    let text = fs_err::read_to_string(&path).unwrap() + "\n# mine\n";
    let new = path.with_extension("editor");
    fs_err::write(&new, text).unwrap();
    fs_err::rename(&new, &path).unwrap();
}

/// The work, with a write of the person's before each step. Returns the number of steps.
fn check_writes(prepare: impl Fn(&Lab), work: impl Fn(&Vault<Folder>, &Home)) -> u32 {
    for steps in 0.. {
        let lab = Lab::new();
        prepare(&lab);
        let rc = lab.home_dir().join(".mbsyncrc");
        let writer = rc.clone();
        crash::interrupt(steps, move || write_meanwhile(writer));
        work(&lab.vault(), &lab.home());
        if crash::is_pending() {
            return steps;
        }
        let text = || fs_err::read_to_string(&rc).unwrap();
        assert_eq!(text().matches("# mine").count(), 1, "lost the write before step {steps}");
        lab.vault().recover(&lab.home()).unwrap();
        lab.vault().restore(&lab.home(), DOMAIN).unwrap();
        assert_eq!(text().matches("# mine").count(), 1, "lost the write before step {steps}");
        for line in ["IMAPAccount work\n", "Group all private work-inbox work-rest\n"] {
            assert_eq!(text().matches(line).count(), 1, "{line} after a write before step {steps}");
        }
        assert!(!lab.state().keys().any(|path| path.to_string_lossy().contains(".forewarn-")));
    }
    unreachable!()
}

#[test]
fn what_the_person_writes_at_any_step_is_kept() {
    let steps = check_writes(|_| {}, |vault, home| assert_eq!(vault.revoke(home, DOMAIN).unwrap().taken.len(), 2));
    assert!(steps > 50, "{steps}");
    let prepare = |lab: &Lab| drop(lab.vault().revoke(&lab.home(), DOMAIN).unwrap());
    let steps = check_writes(prepare, |vault, home| assert_eq!(vault.restore(home, DOMAIN).unwrap().conflicts, []));
    assert!(steps > 50, "{steps}");
}

#[test]
fn what_the_person_wrote_in_the_last_moment_is_theirs() {
    let lab = Lab::new();
    let rc = lab.home_dir().join(".mbsyncrc");
    let theirs = [&fs_err::read(&rc).unwrap()[..], b"\n# written meanwhile\n"].concat();
    let mut seen = 0;
    for steps in 0..200 {
        let lab = Lab::new();
        let rc = lab.home_dir().join(".mbsyncrc");
        if !lab.crashes(steps, |vault, home| drop(vault.revoke(home, DOMAIN).unwrap())) {
            break;
        }
        // As if the file had been written just before the exchange: what came out is the person's.
        let Some(left) = fs_err::read_dir(lab.home_dir())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.to_string_lossy().contains(".forewarn-"))
        else {
            continue;
        };
        if !fs_err::read(&left).unwrap().starts_with(b"# Mail to ~/Mail")
            || !fs_err::read_to_string(&left).unwrap().contains("IMAPAccount work")
        {
            continue;
        }
        seen += 1;
        fs_err::write(&left, &theirs).unwrap();
        lab.vault().recover(&lab.home()).unwrap();
        assert_eq!(fs_err::read(&rc).unwrap(), theirs);
        assert!(!left.exists());
    }
    assert!(seen > 0, "the exchange was never interrupted");
}

#[test]
fn a_half_written_profile_waits_while_its_size_is_refused() {
    let lab = Lab::new();
    lab.vault().revoke(&lab.home(), DOMAIN).unwrap();
    let prefs = lab.home_dir().join(PROFILE).join("prefs.js");
    fs_err::OpenOptions::new().write(true).open(&prefs).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
    let conflicts = lab.vault().restore(&lab.home(), DOMAIN).unwrap().conflicts;
    assert_eq!(
        conflicts.iter().map(|conflict| conflict.reason).collect::<Vec<_>>(),
        [ConflictReason::Refused(Refusal::TooLarge)]
    );
}

/// An Evolution account of three files, one of which its program writes anew before each step of a revoke.
#[test]
fn an_account_whose_program_writes_meanwhile_is_never_split() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/every-client/.config/evolution/sources");
    for steps in 0.. {
        let lab = Lab::new();
        let sources = lab.home_dir().join(".config/evolution/sources");
        fs_err::create_dir_all(&sources).unwrap();
        for name in ["work-account.source", "work-identity.source", "work-transport.source"] {
            fs_err::copy(data.join(name), sources.join(name)).unwrap();
        }
        let written = sources.join("work-identity.source");
        let writer = written.clone();
        crash::interrupt(steps, move || {
            // It may be in the vault already.
            if let Ok(text) = fs_err::read_to_string(&writer) {
                let new = writer.with_extension("new");
                fs_err::write(&new, text + "# written\n").unwrap();
                fs_err::rename(&new, &writer).unwrap();
            }
        });
        lab.vault().revoke(&lab.home(), DOMAIN).unwrap();
        if crash::is_pending() {
            assert!(steps > 50, "{steps}");
            return;
        }
        let there = || fs_err::read_dir(&sources).unwrap().count();
        assert!([0, 3].contains(&there()), "split by a write before step {steps}");
        lab.vault().recover(&lab.home()).unwrap();
        assert!(lab.vault().holdings().unwrap().iter().all(|holding| holding.stage == Stage::Revoked), "{steps}");
        let restored = lab.vault().restore(&lab.home(), DOMAIN).unwrap();
        assert_eq!((there(), restored.conflicts.len(), restored.failed.len()), (3, 0, 0), "step {steps}");
        assert!(lab.vault().holdings().unwrap().is_empty());
    }
}
