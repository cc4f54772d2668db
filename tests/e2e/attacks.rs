//! A person means harm beside an honest one, on a device whose daemon is root's: they try to take workers over, lead root out of
//! their home by links, and reach what is the other's.

use std::{
    os::unix::fs::{MetadataExt as _, symlink},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use forewarn_tests::{TakeOver, Tries, home, is_long, wait_until};

use crate::people::{ANN, BEN, Family, as_root};

/// Where Visual Studio Code has its extensions.
const EXTENSIONS: &str = ".vscode/extensions";

/// How long the attacks go on.
fn length() -> Duration {
    Duration::from_secs(if is_long() { 120 } else { 20 })
}

#[test]
fn promise_7_a_hostile_person_reaches_nothing_of_another_s_or_of_root_s() {
    as_root(|family| {
        let secret = tempfile::tempdir().unwrap();
        let bens = family.device.folder.join("ben");
        lead_out(&bens, secret.path());
        family.company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\"")).unwrap();
        wait_until("it is found", || {
            anyhow::ensure!(!family.status_of(ANN).obligations.is_empty());
            Ok(())
        })
        .unwrap();
        let attacker = TakeOver::begin(BEN).unwrap();
        let (begun, mut asked, mut slowest) = (Instant::now(), 0, Duration::ZERO);
        while begun.elapsed() < length() {
            have_ben_looked_at(&bens, asked);
            let question = Instant::now();
            let status = family.status_of(ANN);
            slowest = slowest.max(question.elapsed());
            assert_eq!(status.obligations.len(), 1, "what is asked of her stays hers");
            assert_eq!(status.obligations[0].acknowledged, None);
            asked += 1;
            std::thread::sleep(Duration::from_millis(100));
        }
        let Tries { tried, taken } = attacker.end().unwrap();
        println!("{tried} workers tried, {taken} taken; ANN asked {asked} times, answered in {slowest:?} at most");
        assert_eq!(taken, 0);
        assert!(tried > 0, "no worker was there to be tried");
        assert!(slowest < Duration::from_secs(5), "{slowest:?}");
        assert!(!is_watched(&family, secret.path()), "root watches a folder that a link of BEN's leads to");
        assert!(is_watched(&family, &bens.join(".local/share")), "what is BEN's is watched");
    });
}

#[test]
fn promise_7_what_attends_to_a_person_has_nothing_of_the_daemon_s() {
    as_root(|mut family| {
        family.device.kill();
        let folder = family.folder.path();
        fs_err::write(folder.join("secret"), "of root's").unwrap();
        for program in ["forewarn", "forewarn-daemon"] {
            // By another process: while one of ours has it open for writing, nobody can run it.
            let copied = Command::new("cp").arg(family.company.binaries.path(program)).arg(folder).status().unwrap();
            assert!(copied.success());
        }
        let mut apart = Command::new("unshare");
        apart.args(["--mount", "bash", "-c", include_str!("companion.sh")]).stdin(Stdio::null());
        apart.env("FOLDER", folder).env("USER_ID", BEN.to_string());
        let output = apart.env("CONFIG", family.device.folder.join("agent.toml")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let expected = ["?", "/dev/null", "Gid: 61002 61002", "Groups: 61002 ", "0"];
        assert_eq!(said.lines().collect::<Vec<_>>(), expected, "{}", String::from_utf8_lossy(&output.stderr));
    });
}

/// Everything that is looked at in a home leads to a folder that only root can enter.
fn lead_out(home: &Path, secret: &Path) {
    fs_err::remove_dir_all(home.join(".local/share/applications")).unwrap();
    symlink(secret, home.join(".local/share/applications")).unwrap();
    fs_err::create_dir_all(home.join(".config/chromium")).unwrap();
    symlink(secret, home.join(".config/chromium/Default")).unwrap();
    symlink(secret, home.join("Applications")).unwrap();
    // It is watched from the look on that follows the policy.
    fs_err::create_dir_all(home.join(EXTENSIONS)).unwrap();
    for path in [".local/share/applications", ".config", ".config/chromium", ".config/chromium/Default", "Applications"]
    {
        std::os::unix::fs::lchown(home.join(path), Some(BEN), Some(BEN)).unwrap();
    }
}

/// Something changes in BEN's home, so that a worker is started.
fn have_ben_looked_at(home: &Path, round: u32) {
    fs_err::create_dir(home.join(EXTENSIONS).join(format!("a.b-{round}"))).unwrap();
}

/// Whether the daemon has a watch on a folder, by the kernel's word (proc(5), `fdinfo`).
fn is_watched(family: &Family, folder: &Path) -> bool {
    let daemon = family.device.daemon_id().unwrap();
    let ino = format!("ino:{:x} ", fs_err::metadata(folder).unwrap().ino());
    let infos = fs_err::read_dir(format!("/proc/{daemon}/fdinfo")).unwrap().flatten();
    infos.filter_map(|info| fs_err::read_to_string(info.path()).ok()).any(|info| info.contains(&ino))
}
