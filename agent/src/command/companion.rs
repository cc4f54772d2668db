//! `companion`: what the daemon starts, as root, to have somebody attended to in their session. It becomes that person, and asks
//! their own service manager to run the companion; where they have none, it becomes the companion itself.

use std::{
    ffi::OsStr,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{
    config::SYSTEM_SOCKET,
    manager,
    people::{group_of, groups_of},
    program,
    rights::{self, Numbers},
};

/// The unit that the package installs for each person.
const UNIT: &str = "forewarn-session.service";
/// The unit in which a companion of another daemon's runs, that nobody has installed.
const OWN_UNIT: &str = "forewarn-session-transient.service";
/// How long a service manager may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The environment that the companion finds the desktop by, and how it speaks.
const PASSED_ON: [&str; 7] =
    ["DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS", "LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "TZ"];

/// The number of nobody's unit, by `systemctl` (systemctl(1), exit status; LSB).
const NOT_INSTALLED: i32 = 5;

/// Whom it becomes, if this is root's: a user's number. Their groups are those that the user database has now.
#[derive(clap::Args)]
pub(super) struct Options {
    user: Option<u32>,
}

pub(super) fn run(socket: &Path, options: &Options) -> Result<()> {
    rights::leave_session()?;
    if let Some(user) = options.user {
        let group = group_of(user);
        rights::become_user(Numbers { user, group }, &groups_of(user, group)?)?;
    }
    let program = program::beside("forewarn")?;
    let words = [program.as_os_str(), OsStr::new("--socket"), socket.as_os_str(), OsStr::new("session")];
    if manager::is_there() && is_run_by_manager(socket, &words) {
        return Ok(());
    }
    become_companion(&words)
}

/// Has the person's own service manager run the companion: as the unit that is installed, if that finds this daemon.
fn is_run_by_manager(socket: &Path, words: &[&OsStr]) -> bool {
    let installed =
        if socket == Path::new(SYSTEM_SOCKET) { manager::start(UNIT, PATIENCE) } else { Some(NOT_INSTALLED) };
    match installed {
        Some(0) => true,
        Some(NOT_INSTALLED) => manager::run(OWN_UNIT, &PASSED_ON, words, PATIENCE),
        Some(_) | None => false,
    }
}

/// A program that has run anew is an ordinary one of the person's: the desktop's portal speaks with no other.
#[expect(clippy::disallowed_methods, reason = "this process becomes the companion")]
fn become_companion(words: &[&OsStr]) -> Result<()> {
    let [program, arguments @ ..] = words else { return Ok(()) };
    let mut companion = Command::new(program);
    companion.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    Err(companion.exec()).context("the companion can't be started")
}
