//! The real worker in a home, in trouble: the power goes, the person is hostile, the disk is full.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, reason = "tests, of real processes")]

mod full_disk;
mod hostile;
mod lab;
mod number;
mod power;
mod take_over;
mod unmounted;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use forewarn_mail::{Folder, Folders, Keys, serve};

/// The company's mail domain.
pub(crate) const DOMAIN: &str = "corp.example";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["keep", scratch, errand] => keep(Path::new(scratch), errand),
        ["full-disk", scratch] => full_disk::within(Path::new(scratch)),
        ["unmounted", scratch] => unmounted::within(Path::new(scratch)),
        filters => {
            let is_meant = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter));
            for (name, test) in [
                ("promise_4_three_hundred_power_cuts_lose_nothing", power::cuts as fn()),
                ("promise_4_a_hostile_person_gains_nothing_in_three_hundred_rounds", hostile::rounds),
                ("promise_7_no_worker_is_taken_over_by_a_process_of_its_person", take_over::attempts),
                ("promise_7_a_folder_of_root_s_with_the_number_of_a_closed_one_stays_root_s", number::given_again),
                ("promise_4_on_a_full_disk_nothing_is_touched", || apart("full-disk")),
                ("promise_3_a_home_that_is_not_mounted_gets_its_mail_back_when_it_is", || apart("unmounted")),
            ]
            .into_iter()
            .filter(|(name, _)| is_meant(name))
            {
                print!("test {name} ... ");
                std::io::Write::flush(&mut std::io::stdout()).unwrap();
                test();
                println!("ok");
            }
        }
    }
    ExitCode::SUCCESS
}

/// How often something is tried that happens by chance.
pub(crate) fn tries() -> u32 {
    if forewarn_tests::is_long() { 2_000 } else { 200 }
}

/// Runs a test of this program's by its name, where nobody else sees what it mounts.
fn apart(test: &str) {
    let scratch = tempfile::tempdir().unwrap();
    let mut command = Command::new("unshare");
    let user = if forewarn_host::user::is_root() { &[][..] } else { &["--user", "--map-root-user"] };
    command.args(user).arg("--mount").arg(myself()).arg(test).arg(scratch.path());
    assert!(command.status().unwrap().success(), "in file systems of its own");
}

/// The daemon's side, in a process of its own: starts a worker with the person's rights, keeps the vault for it, and prints what it says at the end.
fn keep(scratch: &Path, errand: &str) {
    use std::os::unix::fs::MetadataExt as _;
    let home = scratch.join("me");
    let owner = fs_err::metadata(&home).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_forewarn-daemon"));
    let (mut hears, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    command.arg("worker").env_clear().stdin(std::os::fd::OwnedFd::from(theirs)).stdout(Stdio::piped());
    if forewarn_host::user::is_root() {
        command.args([owner.uid(), owner.gid()].map(|number| number.to_string()));
    }
    let mut worker = command.spawn().unwrap();
    drop(command);
    let mut speaks = worker.stdout.take().unwrap();
    // It says that it is its person.
    std::io::Read::read_exact(&mut speaks, &mut [0]).unwrap();
    let request =
        serde_json::json!({ "mail": { "home": home, "errand": errand_of(errand), "running": [], "locks": true } });
    std::io::Write::write_all(&mut hears, format!("{request}\n").as_bytes()).unwrap();
    let folder = Folder::open(&scratch.join("vault"), "me", keys(), Duration::ZERO).unwrap();
    let folder = folder.for_home(&home, owner.uid()).unwrap();
    let folders = Folders::new(hears.try_clone().unwrap().into());
    let outcome = serve(&folder, speaks, hears, &folders).unwrap();
    assert!(worker.wait().unwrap().success());
    println!("{}", String::from_utf8(outcome).unwrap());
}

fn errand_of(name: &str) -> serde_json::Value {
    match name {
        "recover" => serde_json::json!("recover"),
        name => serde_json::json!({ name: DOMAIN }),
    }
}

pub(crate) fn keys() -> Keys {
    Keys::new(&[7; 32], &[])
}

/// This program, to be started anew.
pub(crate) fn myself() -> PathBuf {
    std::env::current_exe().unwrap()
}
