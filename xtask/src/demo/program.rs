//! A mail program that runs while its account is to be taken. The demonstration must not depend on a desktop, so it is a
//! process with Thunderbird's name, which holds the lock that Thunderbird holds.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};
use forewarn_tests::wait_until;
use rustix::fs::{FlockOperation, fcntl_lock};

/// It runs as long as this value lives.
pub(super) struct Program(Child);

impl Program {
    /// Opens the Thunderbird profile in a home.
    pub(super) fn open(home: &Path) -> Result<Self> {
        let profiles = fs_err::read_dir(home.join(".thunderbird"))?.flatten().map(|entry| entry.path());
        let profile =
            profiles.into_iter().find(|path| path.join("prefs.js").exists()).context("there is no profile")?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("hold-lock").arg(profile.join(".parentlock")).stdin(Stdio::null());
        let program = Self(command.spawn()?);
        let name = format!("/proc/{}/comm", program.0.id());
        wait_until("it runs", || {
            anyhow::ensure!(fs_err::read_to_string(&name)?.trim() == "thunderbird");
            Ok(())
        })?;
        Ok(program)
    }

    /// The person closes it.
    pub(super) fn close(mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the process does.
pub(crate) fn hold_lock(path: &Path) -> Result<()> {
    let lock = fs_err::File::create(path)?;
    fcntl_lock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    nix::sys::prctl::set_name(c"thunderbird")?;
    loop {
        std::thread::park();
    }
}
