//! SIGKILL to both sides at random moments.

use std::io::Read as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::lab::{Lab, State};

/// How often the power goes, in revokes and restores together.
const CUTS: u32 = 300;

pub(crate) fn cuts() {
    let seed = std::env::var("FOREWARN_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    print!("(repeat with FOREWARN_SEED={seed}) ");
    let mut random = fastrand::Rng::with_seed(seed);
    let scratch = tempfile::tempdir().unwrap();
    let lab = Lab::new(scratch.path());
    let whole = lab.state();
    let (begun, open) = (Instant::now(), lab.store());
    lab.done("revoke");
    let (length, revoked, closed) = (begun.elapsed(), lab.state(), lab.store());
    assert_ne!(open, closed, "the policy says that stored mail is closed");
    lab.done("restore");
    assert_eq!(lab.store(), open);
    let mut interrupted = 0;
    for cut in 0..CUTS {
        let errand = if cut % 2 == 0 { "revoke" } else { "restore" };
        interrupted += u32::from(cut_one(&lab, errand, length, &mut random));
        check(&lab, &whole, &revoked, &format!("cut {cut}, in a {errand}, seed {seed}"));
        // The next cut is in the other.
        lab.done(errand);
        assert_eq!(lab.store(), if errand == "revoke" { closed } else { open }, "cut {cut}, seed {seed}");
        assert!(lab.state() == if errand == "revoke" { revoked_as(&lab, &revoked) } else { whole.clone() });
    }
    assert!(interrupted > CUTS / 2, "only {interrupted} of {CUTS} came before the end");
    lab.done("restore");
    assert!(lab.state() == whole);
    print!("{interrupted} of {CUTS} before the end ... ");
}

/// Whether the power went before all was done.
fn cut_one(lab: &Lab, errand: &str, length: Duration, random: &mut fastrand::Rng) -> bool {
    let mut child = lab.start(errand, Stdio::piped());
    std::thread::sleep(length.mul_f64(random.f64()));
    let group = Pid::from_child(&child);
    let is_over = child.try_wait().unwrap().is_some();
    if !is_over {
        kill_process_group(group, Signal::KILL).unwrap();
        child.wait().unwrap();
        // The worker too is gone when nobody holds the other end any more.
        child.stderr.take().unwrap().read_to_end(&mut Vec::new()).unwrap();
    }
    !is_over
}

/// Files that a revoke writes have the time at which it did.
fn contents(state: &State) -> Vec<(String, String)> {
    state.iter().map(|(path, file)| (path.display().to_string(), file.0.clone())).collect()
}

fn revoked_as(lab: &Lab, revoked: &State) -> State {
    assert_eq!(contents(&lab.state()), contents(revoked));
    lab.state()
}

/// After the restart every profile is wholly there or wholly in the vault, and nothing is left over.
fn check(lab: &Lab, whole: &State, revoked: &State, what: &str) {
    lab.done("recover");
    assert!(!lab.has_leftovers(), "{what}: left over in {:?}", lab.state().keys());
    let (now, whole, revoked) = (contents(&lab.state()), contents(whole), contents(revoked));
    let of = |state: &[(String, String)], profile: &str| -> Vec<(String, String)> {
        state.iter().filter(|(path, _)| path.starts_with(profile)).cloned().collect()
    };
    for profile in PROFILES {
        let (now, whole, revoked) = (of(&now, profile), of(&whole, profile), of(&revoked, profile));
        assert!(now == whole || now == revoked, "{what}: {profile} is neither here nor there: {now:?}");
    }
}

/// What is taken and given back together.
const PROFILES: [&str; 10] = [
    ".thunderbird",
    ".mbsyncrc",
    ".claws-mail",
    ".config/geary",
    ".config/aerc",
    ".config/himalaya",
    ".msmtprc",
    ".offlineimaprc",
    ".config/evolution/sources/work-",
    ".config/evolution/sources/made-",
];
