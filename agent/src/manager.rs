//! The person's own service manager: `systemd --user`. What is theirs and lasts runs there, and not among the daemon's processes,
//! whose restrictions it would have.

use std::{
    ffi::OsStr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// How often a command of the manager's is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Whether they have one: it listens in their runtime folder (systemd, `src/core/dbus.c`).
pub(crate) fn is_there() -> bool {
    let folder = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    folder.is_some_and(|folder| fs_err::symlink_metadata(folder.join("systemd/private")).is_ok())
}

/// Asks it to start a unit. Gives what `systemctl` says of that; none where there is no answer.
pub(crate) fn start(unit: &str, patience: Duration) -> Option<i32> {
    answer(command("systemctl").args(["--user", "--quiet", "--no-ask-password", "start", unit]), patience)
}

/// Asks it to run a program in a unit of its own that nobody has installed. Says whether it runs.
pub(crate) fn run(unit: &str, environment: &[&str], words: &[&OsStr], patience: Duration) -> bool {
    let mut command = transient(environment);
    command.arg(format!("--unit={unit}"));
    answer(command.arg("--").args(words), patience) == Some(0)
}

/// A program in a unit of its own, to be waited for: the command ends with it, and as it does.
pub(crate) fn waited_for(environment: &[&str], words: &[&OsStr]) -> Command {
    let mut command = transient(environment);
    // A browser that it opens goes on.
    command.args(["--wait", "--property=KillMode=process", "--"]).args(words);
    command
}

/// `systemd-run`, which passes this environment on (systemd-run(1)).
fn transient(environment: &[&str]) -> Command {
    let mut command = command("systemd-run");
    command.args(["--user", "--quiet", "--collect", "--no-ask-password"]);
    let set = environment.iter().filter(|name| std::env::var_os(name).is_some());
    command.args(set.map(|name| format!("--setenv={name}")));
    command
}

#[expect(clippy::disallowed_methods, reason = "systemd's own commands, with fixed arguments")]
fn command(name: &str) -> Command {
    let mut command = Command::new(name);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// The exit status of a command, if it comes in time.
fn answer(command: &mut Command, patience: Duration) -> Option<i32> {
    let mut child = command.spawn().ok()?;
    let tries = patience.as_millis() / LOOK_EVERY.as_millis();
    for _ in 0..tries {
        if let Ok(Some(status)) = child.try_wait() {
            return status.code();
        }
        std::thread::sleep(LOOK_EVERY);
    }
    give_up(&mut child);
    None
}

fn give_up(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
