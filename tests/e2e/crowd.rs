//! Several people mean harm beside an honest one, all at once: a home that is dead, workers that are stopped, a vault with a
//! thousand claims, words without end, attendants that never read, files that change all the time. She is told, and has her mail
//! back, as if they were not there.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    os::{fd::AsRawFd as _, unix::process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use forewarn_mail::{Folder, Keys, Store as _};
use forewarn_proto::ipc::Status;
use forewarn_tests::{home, is_long, wait_until};

use crate::{
    HOUR,
    people::{ANN, Family, as_root, own},
};

/// Who stops their own workers.
const STOPS: u32 = 61004;
/// Who says words without end.
const SAYS: u32 = 61005;
/// Whose attendants don't read.
const DEAF: u32 = 61006;
/// Whose vault is full of claims.
const CLAIMS: u32 = 61007;
/// Whose files change all the time.
const HINTS: u32 = 61008;
/// The most that she may wait longer than alone.
const LONGER: Duration = Duration::from_secs(5);
/// The most memory that the daemon may ever have held, in KiB.
const MOST_KIB: u64 = 64 * 1024;

/// How long she waited at the most.
#[derive(Debug, Default)]
struct Waited {
    status: Duration,
    notice: Duration,
    restore: Duration,
    rounds: u32,
}

/// An attack by a user, until it is asked how often it was tried.
struct Attack(&'static str, Child);

impl Attack {
    fn begin(user: u32, what: &'static str, arguments: &[&str]) -> Self {
        let mut python = Command::new("python3");
        python.args(["-c", include_str!("crowd.py"), what]).args(arguments).uid(user).gid(user).env_clear();
        let mut child = python.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "begun\n");
        Self(what, child)
    }

    fn end(mut self) -> (&'static str, u64) {
        drop(self.1.stdin.take());
        let mut said = String::new();
        self.1.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        self.1.wait().unwrap();
        (self.0, said.trim().parse().unwrap_or_default())
    }
}

/// A file system that never answers, as long as this value lives.
struct Dead {
    _device: File,
    place: PathBuf,
}

impl Dead {
    fn over(place: &Path) -> Self {
        let device = File::options().read(true).write(true).open("/dev/fuse").expect("this test needs /dev/fuse");
        let options = format!("fd={},rootmode=40000,user_id=0,group_id=0,allow_other", device.as_raw_fd());
        let options = std::ffi::CString::new(options).unwrap();
        let flags = rustix::mount::MountFlags::empty();
        rustix::mount::mount("dead", place, "fuse.dead", flags, Some(options.as_c_str()))
            .expect("FUSE can't be mounted");
        Self { _device: device, place: place.to_owned() }
    }
}

impl Drop for Dead {
    fn drop(&mut self) {
        let _ = rustix::mount::unmount(&self.place, rustix::mount::UnmountFlags::DETACH);
    }
}

fn home_of(family: &Family, user: u32) -> PathBuf {
    family.device.folder.join(format!("home-{user}"))
}

/// The family with those who mean harm, before the daemon starts anew.
fn settle(family: &mut Family) {
    family.device.kill();
    let config = family.device.folder.join("agent.toml");
    let text = fs_err::read_to_string(&config).unwrap();
    let mut homes = String::new();
    for user in [STOPS, SAYS, DEAF, CLAIMS, HINTS] {
        let home = home_of(family, user);
        home::furnish(&home).unwrap();
        if user == SAYS {
            home::TIKTOK.install(&home).unwrap();
        }
        own(&home, user);
        homes.push_str(&format!(", {home:?}"));
    }
    let text = text.replace("notices = \"desktop\"", "notices = \"auto\"");
    let end = text.find("]\nsimulated_clock").unwrap();
    fs_err::write(&config, format!("{}{homes}{}", &text[..end], &text[end..])).unwrap();
    home::TIKTOK.remove(&family.device.home).unwrap();
    family.device.start().unwrap();
}

/// A thousand entries in somebody's vault, each of another domain.
fn claim(family: &mut Family) -> u64 {
    family.device.kill();
    let state = family.device.folder.join("agent");
    let known = family.device.run(&["vault", "list"]).unwrap().text;
    let line = known.lines().find(|line| line.contains(&format!("user {CLAIMS}"))).unwrap();
    let person = line.split(' ').next().unwrap();
    let key: [u8; 32] = fs_err::read(state.join("vault.key")).unwrap().try_into().unwrap();
    let vault = Folder::open(&state.join("vault").join(person), person, Keys::new(&key, &[]), Duration::ZERO).unwrap();
    let journal = |number: u32| {
        serde_json::json!({
            "format": 3, "stage": "revoked", "client": "isync", "profile": ".mbsyncrc",
            "domain": format!("claim-{number}.example"), "accounts": [], "files": [], "moves": [], "stores": [],
            "renames": {}, "besides": [],
        })
    };
    let made = (0..1000).filter(|number| vault.create(journal(*number).to_string().as_bytes(), &[]).is_ok()).count();
    family.device.start().unwrap();
    made as u64
}

fn status_of(family: &Family, waited: &mut Waited) -> Status {
    let asked = Instant::now();
    let status = family.status_of(ANN);
    waited.status = waited.status.max(asked.elapsed());
    status
}

/// Waits until her status is so; gives how long that took.
fn wait_for(family: &Family, waited: &mut Waited, what: &str, is_so: impl Fn(&Status) -> bool) -> Duration {
    let begun = Instant::now();
    wait_until(what, || {
        let status = status_of(family, waited);
        anyhow::ensure!(is_so(&status), "{:#?}", status.obligations);
        Ok(())
    })
    .unwrap();
    begun.elapsed()
}

/// She gets the app, is told, keeps it until her mail goes, and removes it.
fn live(family: &Family, waited: &mut Waited) {
    home::TIKTOK.install(&family.device.home).unwrap();
    own(&family.device.home, ANN);
    let told = wait_for(family, waited, "she is told", |status| {
        status.obligations.first().is_some_and(|obligation| obligation.shown.is_some())
    });
    let pass = |hours| {
        family.company.pass(HOUR * hours).unwrap();
        family.device.pass(HOUR * hours).unwrap();
    };
    pass(24);
    wait_for(family, waited, "the last call", |status| {
        status.obligations.first().is_some_and(|obligation| obligation.last_call.is_some())
    });
    pass(1);
    wait_for(family, waited, "her mail is taken", |status| !status.revoked.is_empty());
    home::TIKTOK.remove(&family.device.home).unwrap();
    let restored = wait_for(family, waited, "her mail is back", |status| status.revoked.is_empty());
    waited.notice = waited.notice.max(told);
    waited.restore = waited.restore.max(restored);
    waited.rounds += 1;
}

#[test]
fn promise_7_nobody_waits_for_somebody_else_s_dead_home_stopped_workers_claims_or_words() {
    as_root(|mut family| {
        family.company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"24h\"")).unwrap();
        settle(&mut family);
        let mut alone = Waited::default();
        (0..5).for_each(|_| live(&family, &mut alone));
        let claims = claim(&mut family);
        let subject = wait_until("who says words has something to speak of", || {
            let status = family.asked_by(SAYS)?;
            let told = status.obligations.first().is_some_and(|obligation| obligation.shown.is_some());
            let person = status.obligations.first().map(|obligation| obligation.person.to_string());
            anyhow::ensure!(told || person.is_some());
            Ok(format!("app/tiktok/{}", person.unwrap_or_default()))
        })
        .unwrap();
        let socket = family.socket().display().to_string();
        let dead = Dead::over(&family.device.folder.join("ben"));
        let attacks = [
            Attack::begin(STOPS, "stop", &[]),
            Attack::begin(STOPS, "hints", &[&home_of(&family, STOPS).display().to_string()]),
            Attack::begin(SAYS, "words", &[&socket, &subject]),
            Attack::begin(DEAF, "deaf", &[&socket]),
            Attack::begin(HINTS, "hints", &[&home_of(&family, HINTS).display().to_string()]),
        ];
        // What is dead is looked at, too.
        family.company.publish(&home::ban(&home::INSTAGRAM, "no-instagram", 1, "grace = \"24h\"")).unwrap();
        let (begun, mut beside) = (Instant::now(), Waited::default());
        while begun.elapsed() < Duration::from_secs(if is_long() { 120 } else { 20 }) {
            live(&family, &mut beside);
        }
        let counted: Vec<_> = attacks.into_iter().map(Attack::end).collect();
        let daemon = family.device.daemon_id().unwrap();
        let text = fs_err::read_to_string(format!("/proc/{}/status", daemon)).unwrap();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak: u64 = peak.split_whitespace().next().unwrap().parse().unwrap();
        drop(dead);
        println!(
            "alone:  {alone:?}\nbeside: {beside:?}\nattacks: {counted:?}, {claims} claims, 1 dead home; VmHWM {peak} KiB"
        );
        assert!(claims > 0 && counted.iter().all(|(_, count)| *count > 0), "{counted:?}");
        assert!(beside.status < alone.status + LONGER && beside.notice < alone.notice + LONGER);
        assert!(beside.restore < alone.restore + LONGER, "{:?}", beside.restore);
        assert!(peak <= MOST_KIB, "{peak} KiB");
        // It stops when it is told to, whatever hangs.
        let told = Instant::now();
        assert!(Command::new("kill").arg(daemon.to_string()).status().unwrap().success());
        wait_until("it stops", || {
            anyhow::ensure!(is_over(daemon));
            Ok(())
        })
        .unwrap();
        assert!(told.elapsed() < LONGER, "{:?}", told.elapsed());
    });
}

fn is_over(process: u32) -> bool {
    fs_err::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}
