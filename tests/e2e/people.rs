//! Several people on one device, each of whom sees and answers for themself alone; and one who means harm.
//!
//! These tests are root's, as the daemon is that looks after several people. Who is not root runs them through sudo.

use std::{
    io::{Read as _, Write as _},
    os::unix::{net::UnixStream, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use forewarn_proto::{ipc::Status, report::Medium};
use forewarn_tests::{Binaries, Company, Device, home, wait_until};
use tempfile::TempDir;

use crate::device;

/// Two people of the device, and somebody whose home is elsewhere.
pub(crate) const ANN: u32 = 61001;
pub(crate) const BEN: u32 = 61002;
const STRANGER: u32 = 61003;

pub(crate) struct Family {
    pub(crate) company: Company,
    pub(crate) device: Device,
    pub(crate) folder: TempDir,
}

impl Family {
    /// ANN and BEN have company mail; ANN has TikTok.
    fn move_in() -> Self {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path());
        let company = Company::found(Binaries::beside_test().unwrap(), folder.path()).unwrap();
        let mut device = device(&folder, &company, "notices = \"desktop\"");
        open(&device.folder);
        let bens = device.folder.join("ben");
        home::furnish(&bens).unwrap();
        home::TIKTOK.install(&device.home).unwrap();
        own(&device.home, ANN);
        own(&bens, BEN);
        let config = device.folder.join("agent.toml");
        let text = fs_err::read_to_string(&config).unwrap();
        let home = format!("homes = [{:?}]", device.home);
        assert!(text.contains(&home));
        fs_err::write(&config, text.replace(&home, &format!("homes = [{:?}, {bens:?}]", device.home))).unwrap();
        device.enroll(&company.token().unwrap(), &company.path("bob/root.json")).unwrap();
        device.start().unwrap();
        Self { company, device, folder }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.device.folder.join("forewarn.sock")
    }

    /// What a command says when this user runs it, within a terminal of theirs.
    fn run_as(&self, user: u32, arguments: &[&str]) -> (bool, String) {
        let program = self.folder.path().join("forewarn");
        if !program.exists() {
            // By another process: while one of ours has it open for writing, nobody can run it.
            let copied = Command::new("cp").arg(self.company.binaries.path("forewarn")).arg(&program).status().unwrap();
            assert!(copied.success());
        }
        let mut command = Command::new(program);
        command.arg("--config").arg(self.device.folder.join("agent.toml")).args(arguments);
        let output = command.uid(user).gid(user).env_clear().current_dir("/").stdin(Stdio::null()).output().unwrap();
        let text = if output.status.success() { output.stdout } else { output.stderr };
        (output.status.success(), String::from_utf8(text).unwrap())
    }

    pub(crate) fn status_of(&self, user: u32) -> Status {
        self.asked_by(user).unwrap()
    }

    /// What the daemon says to this user, or why it does not.
    pub(crate) fn asked_by(&self, user: u32) -> anyhow::Result<Status> {
        let (success, text) = self.run_as(user, &["status", "--json"]);
        anyhow::ensure!(success, "{text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// A connection of this user's. The kernel tells the daemon whose it is, so it is made by a process of theirs.
    fn flood_as(&self, user: u32, script: &str) -> String {
        let mut python = Command::new("python3");
        python.args(["-c", script]).arg(self.socket()).uid(user).gid(user).env_clear().current_dir("/");
        let output = python.output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }
}

/// Runs this test: at once where we are root, else once more through sudo.
pub(crate) fn as_root(test: impl FnOnce(Family)) {
    if std::os::unix::fs::MetadataExt::uid(&fs_err::metadata("/proc/self").unwrap()) == 0 {
        return test(Family::move_in());
    }
    let name = std::thread::current().name().unwrap().to_owned();
    let mut again = Command::new("sudo");
    again.arg("--non-interactive").arg(std::env::current_exe().unwrap()).args(["--exact", &name, "--nocapture"]);
    let status = again.status().expect("this test is root's, and there is no sudo");
    assert!(
        status.success(),
        "this test is root's, and failed there, or sudo asks for a password: run `sudo true` before"
    );
}

/// Others may pass through.
fn open(folder: &Path) {
    fs_err::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for file in ["agent.toml", "clock.json"] {
        let file = folder.join(file);
        if file.exists() {
            fs_err::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        }
    }
}

pub(crate) fn own(path: &Path, user: u32) {
    std::os::unix::fs::chown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() {
        fs_err::read_dir(path).unwrap().for_each(|entry| own(&entry.unwrap().path(), user));
    }
}

#[test]
fn promise_5_two_people_see_only_their_own_and_a_third_sees_nothing() {
    as_root(|family| {
        family.company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\"")).unwrap();
        let found = || -> anyhow::Result<()> {
            anyhow::ensure!(!family.status_of(ANN).obligations.is_empty());
            Ok(())
        };
        wait_until("it is found", found).unwrap();
        let (anns, bens) = (family.status_of(ANN), family.status_of(BEN));
        let ann = anns.obligations[0].person.to_string();
        assert!(bens.obligations.is_empty(), "{bens:#?}");
        let said = serde_json::to_string(&bens).unwrap();
        for anns in ["61001", &ann, "nlalbmkafgmoifbeooblidblkmlhhpnc", "device/home", "not_met"] {
            assert!(!said.contains(anns), "{anns} is ANN's: {said}");
        }
        let (success, said) = family.run_as(STRANGER, &["status"]);
        assert!(!success && !said.contains("TikTok"), "{said}");
        let (success, said) = family.run_as(BEN, &["--person", "61001", "status"]);
        assert!(!success && !said.contains("TikTok"), "{said}");
        let (success, _) = family.run_as(BEN, &["acknowledge"]);
        assert!(success);
        assert_eq!(family.status_of(ANN).obligations[0].acknowledged, None);
        let (_, said) = family.run_as(STRANGER, &["status"]);
        assert!(said.contains("does not answer you"), "{said}");
        assert_eq!(family.device.log().matches("has nothing to ask here").count(), 1, "it is said once");
    });
}

#[test]
fn promise_1_who_logs_in_at_a_terminal_is_told_there() {
    as_root(|family| {
        family.company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\"")).unwrap();
        wait_until("it is found", || {
            anyhow::ensure!(!family.status_of(ANN).obligations.is_empty());
            Ok(())
        })
        .unwrap();
        // Into a file nobody reads, nothing is shown.
        let (success, said) = family.run_as(ANN, &["greet"]);
        assert!(success && said.is_empty(), "{said}");
        assert_eq!(family.status_of(ANN).obligations[0].shown, None);
        // script(1) makes a terminal.
        let config = family.device.folder.join("agent.toml");
        let greet = format!("{} --config {} greet", family.folder.path().join("forewarn").display(), config.display());
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &greet, "/dev/null"]);
        let output = script.uid(ANN).gid(ANN).env_clear().env("SHELL", "/bin/sh").current_dir("/").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("[forewarn] TikTok is not permitted on devices with company mail"), "{said}");
        wait_until("the receipt has come", || {
            let status = family.status_of(ANN);
            anyhow::ensure!(status.obligations[0].shown_on == Some(Medium::Login), "{status:#?}");
            Ok(())
        })
        .unwrap();
    });
}

/// Each holds what it can, for a moment; then the person asks, and is answered.
#[test]
fn a_hostile_person_holds_up_nobody_else() {
    as_root(|family| {
        let floods = [
            // As many connections as there may be, that say nothing.
            "import socket,sys,time\nc=[]\nfor _ in range(500):\n s=socket.socket(socket.AF_UNIX)\n s.connect(sys.argv[1])\n c.append(s)\ntime.sleep(1)",
            // A line of a gigabyte, as far as somebody reads it.
            "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.settimeout(3)\ns.connect(sys.argv[1])\nsent=0\ntry:\n for _ in range(1024):\n  s.sendall(b'a'*(1<<20))\n  sent+=1\nexcept OSError: pass\nprint(sent)",
            // Garbage.
            "import os,socket,sys\nfor _ in range(200):\n s=socket.socket(socket.AF_UNIX)\n s.connect(sys.argv[1])\n try:\n  s.sendall(os.urandom(200)+b'\\n')\n except OSError: pass\n s.close()",
            // Words about what is not theirs, without end.
            "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.settimeout(3)\ns.connect(sys.argv[1])\ns.sendall(b'{\"user\":null,\"question\":{\"attend\":{\"medium\":\"desktop\"}}}\\n')\ntry:\n for n in range(20000):\n  s.sendall(b'{\"shown\":%d}\\n{\"acknowledged\":\"app/tiktok/000000000000ee49\"}\\n' % n)\nexcept OSError: pass",
        ];
        family.company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\"")).unwrap();
        wait_until("it is found", || {
            anyhow::ensure!(!family.status_of(ANN).obligations.is_empty());
            Ok(())
        })
        .unwrap();
        for flood in floods {
            std::thread::scope(|scope| {
                let flooding = scope.spawn(|| family.flood_as(BEN, flood));
                let asked = std::time::Instant::now();
                while !flooding.is_finished() {
                    let status = family.status_of(ANN);
                    assert_eq!(status.obligations[0].acknowledged, None, "BEN can't answer for ANN");
                    assert_eq!(status.obligations[0].shown, None, "nor take a receipt of hers");
                    std::thread::sleep(Duration::from_millis(50));
                    assert!(asked.elapsed() < Duration::from_secs(60));
                }
                let said = flooding.join().unwrap();
                if let Ok(megabytes) = said.trim().parse::<u32>() {
                    assert!(megabytes < 16, "the daemon read {megabytes} MiB");
                }
            });
        }
        let daemon = family.device.daemon_id().unwrap();
        let status = fs_err::read_to_string(format!("/proc/{daemon}/status")).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak: u64 = peak.split_whitespace().next().unwrap().parse().unwrap();
        assert!(peak < 128 * 1024, "the daemon's memory grew to {peak} KiB");
        assert_eq!(family.device.log().matches("holds too many connections").count(), 1, "it is said once");
    });
}

/// Their number proves nothing, so nobody else gets what is kept for them.
#[test]
fn promise_4_what_is_kept_for_somebody_who_left_is_given_by_root_s_word_alone() {
    as_root(|mut family| {
        let list = |family: &Family| family.device.run(&["vault", "list"]).unwrap().text;
        assert!(list(&family).contains("stop the daemon first"), "{}", list(&family));
        family.device.kill();
        let known = list(&family);
        let of =
            |user: &str| known.lines().find(|line| line.contains(user)).unwrap().split(' ').next().unwrap().to_owned();
        let (ann, ben) = (of("user 61001"), of("user 61002"));
        let give = |family: &Family| family.device.run(&["vault", "give", &ann, "--to", "61002"]).unwrap();
        let refused = give(&family);
        assert!(!refused.success && refused.text.contains("is still there"), "{}", refused.text);
        std::os::unix::fs::chown(&family.device.home, Some(0), None).unwrap();
        let given = give(&family);
        assert!(given.success && given.text.contains(&ann), "{}", given.text);
        let known = list(&family);
        assert!(known.contains(&format!("{ann}  user 61002")) && !known.contains(&ben), "{known}");
    });
}

/// A stranger's connection is closed before it has said anything.
#[test]
fn a_stranger_is_not_even_heard() {
    as_root(|family| {
        let script = "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.settimeout(5)\ns.connect(sys.argv[1])\nprint(len(s.recv(1)))";
        assert_eq!(family.flood_as(STRANGER, script).trim(), "0");
        // Root may ask about each.
        let mut stream = UnixStream::connect(family.socket()).unwrap();
        stream.write_all(b"{\"user\":61002,\"question\":\"status\"}\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("\"obligations\":[]"), "{answer}");
    });
}
