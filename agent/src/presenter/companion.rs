//! Starts a companion in a person's session.

use std::{
    ffi::OsString,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result};
use tokio::process::{Child, Command};

use crate::{people::Account, program};

/// The environment that says how to speak to the person, and how to find their desktop.
const PASSED_ON: [&str; 5] = ["LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "TZ"];

/// A session bus.
pub(super) enum Bus {
    /// Our own, as the environment names it.
    Named,
    /// The one at which systemd lets this person's session listen.
    Socket(PathBuf),
}

/// An account's session bus, if this process can find it.
pub(super) fn bus_of(account: &Account) -> Option<Bus> {
    if is_me(account) && std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some() {
        return Some(Bus::Named);
    }
    // systemd, `user@.service`
    let path = Path::new("/run/user").join(account.user.to_string()).join("bus");
    let bus = fs_err::symlink_metadata(&path).ok()?;
    (bus.uid() == account.user && bus.file_type().is_socket()).then_some(Bus::Socket(path))
}

fn is_me(account: &Account) -> bool {
    account.user == forewarn_host::user::current()
}

/// Starts what becomes the person and has them attended to. It inherits nothing of ours: no terminal, no descriptor, no
/// environment but how they are spoken to.
#[expect(clippy::disallowed_methods, reason = "the companion is a process of its own")]
pub(super) fn spawn(socket: &Path, account: &Account, bus: Bus) -> Result<Child> {
    let program = program::beside("forewarn")?;
    let mut command = Command::new(&program);
    command.arg("--socket").arg(socket).arg("companion");
    command.stdin(Stdio::null()).stdout(Stdio::null()).current_dir("/");
    if let Bus::Socket(path) = bus {
        if !is_me(account) {
            let passed_on = PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
            command.env_clear().envs(passed_on).env("HOME", &account.home).stderr(Stdio::null());
            command.arg(account.user.to_string());
        }
        let mut address = OsString::from("unix:path=");
        address.push(&path);
        command.env("DBUS_SESSION_BUS_ADDRESS", address).env("XDG_RUNTIME_DIR", path.parent().unwrap_or(&path));
    }
    command.spawn().with_context(|| format!("{} can't be run", program.display()))
}
