//! A number of the user database is given to somebody else, or to another group, while the daemon runs.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use forewarn_tests::{Terminal, home, wait_until};

use crate::people::{ANN, BEN, Family, as_root, own};

/// A group that BEN is moved to.
const GROUP: u32 = 61010;

/// How long something is waited for that must not come. A notice comes within a second, and a companion, which has ended a few
/// times, within sixteen.
const LONG_ENOUGH: Duration = Duration::from_secs(20);

/// A family's daemon, for which BEN has an account as `passwd` says it. It ends with this value.
struct Apart {
    family: Family,
    passwd: PathBuf,
    daemon: Child,
}

impl Apart {
    fn begin(mut family: Family, notices: &str) -> Self {
        family.device.kill();
        let folder = family.folder.path().to_owned();
        for program in ["forewarn", "forewarn-daemon"] {
            // By another process: while one of ours has it open for writing, nobody can run it.
            let copied = Command::new("cp").arg(family.company.binaries.path(program)).arg(&folder).status().unwrap();
            assert!(copied.success());
        }
        let config = family.device.folder.join("agent.toml");
        let text = fs_err::read_to_string(&config).unwrap();
        fs_err::write(&config, text.replace("notices = \"desktop\"", notices)).unwrap();
        let passwd = folder.join("passwd");
        say(&passwd, "ben", BEN);
        let mut apart = Command::new("unshare");
        apart.args(["--mount", "bash", "-c", include_str!("given_again.sh")]);
        apart.env("FOLDER", &folder).env("USER_ID", BEN.to_string()).env("CONFIG", &config).stdin(Stdio::null());
        let log = fs_err::File::create(folder.join("log")).unwrap();
        let daemon = apart.stdout(Stdio::null()).stderr(log.into_file()).spawn().unwrap();
        let apart = Self { family, passwd, daemon };
        // What is to be watched in a home is known once it was looked at.
        wait_until("BEN's home was looked at", || {
            let sources = apart.family.asked_by(BEN)?.sources;
            let is_first = sources.iter().all(|source| source.packages == 0);
            anyhow::ensure!(!is_first && sources.iter().all(|source| source.gaps.is_empty()), "{sources:#?}");
            Ok(())
        })
        .unwrap();
        apart
    }

    fn log(&self) -> String {
        fs_err::read_to_string(self.family.folder.path().join("log")).unwrap_or_default()
    }

    /// The group of what attends to BEN's number, once something does.
    fn companion(&self) -> Option<String> {
        let found = Command::new("pgrep").args(["--uid", &BEN.to_string(), "--full", "session$"]).output().unwrap();
        let found = String::from_utf8(found.stdout).unwrap();
        let status = fs_err::read_to_string(format!("/proc/{}/status", found.lines().next()?)).ok()?;
        Some(status.lines().find_map(|line| line.strip_prefix("Gid:\t"))?.split('\t').next()?.to_owned())
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
        let _ = Command::new("pkill").args(["-KILL", "--uid", &BEN.to_string()]).status();
    }
}

/// What the user database says of BEN's number from now on. In its place: it is mounted.
fn say(passwd: &std::path::Path, name: &str, group: u32) {
    let others = fs_err::read_to_string("/etc/passwd").unwrap();
    fs_err::write(passwd, format!("{others}{name}:x:{BEN}:{group}::/nonexistent/{name}:/bin/sh\n")).unwrap();
}

/// Whether it comes at all while it is waited for.
fn comes<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    while begun.elapsed() < LONG_ENOUGH {
        if let Some(found) = look() {
            return Some(found);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    None
}

#[test]
fn promise_1_whoever_gets_a_number_is_shown_nothing_that_was_for_the_former() {
    as_root(|family| {
        let seat = family.folder.path().join("bens-terminal");
        let terminal = Terminal::new(BEN, &seat).unwrap();
        let config = family.device.folder.join("agent.toml");
        let text = fs_err::read_to_string(&config).unwrap();
        fs_err::write(&config, text.replace("terminals = [", &format!("terminals = [{:?}, ", terminal.path))).unwrap();
        let bens = family.device.folder.join("ben");
        home::TIKTOK.install(&bens).unwrap();
        own(&bens, BEN);
        let apart = Apart::begin(family, "notices = \"terminal\"");
        say(&apart.passwd, "eve", BEN);
        apart.family.company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\"")).unwrap();
        apart.family.device.wait_for_notice("TikTok").unwrap();
        let shown = || fs_err::read_to_string(&seat).ok().filter(|shown| !shown.is_empty());
        assert_eq!(comes(shown), None, "EVE reads what is BEN's");
        assert!(apart.family.asked_by(BEN).is_err(), "EVE is answered as BEN");
        assert_eq!(apart.family.status_of(ANN).obligations.len(), 1, "and nobody else is kept waiting");
        // It was his number that kept it from the terminal, and nothing else.
        say(&apart.passwd, "ben", BEN);
        home::TIKTOK.remove(&bens).unwrap();
        wait_until("it is known to be gone", || {
            anyhow::ensure!(apart.family.status_of(BEN).obligations.is_empty());
            Ok(())
        })
        .unwrap();
        home::TIKTOK.install(&bens).unwrap();
        own(&bens, BEN);
        wait_until("BEN is told", || {
            let told = shown().is_some_and(|shown| shown.contains("TikTok"));
            anyhow::ensure!(told, "{:#?}\n{}", apart.family.status_of(BEN), apart.log());
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn promise_7_whoever_gets_a_number_is_attended_to_with_no_right_of_the_former_s() {
    as_root(|family| {
        let apart = Apart::begin(family, "notices = \"desktop\"");
        let attended = |apart: &Apart| {
            let _ = Command::new("pkill").args(["-KILL", "--uid", &BEN.to_string(), "--full", "session$"]).status();
            comes(|| apart.companion())
        };
        assert_eq!(comes(|| apart.companion()), Some(BEN.to_string()));
        say(&apart.passwd, "ben", GROUP);
        assert_eq!(attended(&apart), Some(GROUP.to_string()), "the group is the one that he has now");
        say(&apart.passwd, "eve", GROUP);
        assert_eq!(attended(&apart), None, "nobody is attended to as BEN");
    });
}
