//! `forewarn daemon`: becomes the daemon, which is a program of its own.

use std::{os::unix::process::CommandExt as _, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::program;

#[expect(clippy::disallowed_methods, reason = "this process becomes the daemon")]
pub(super) fn run(config: Option<PathBuf>, socket: Option<PathBuf>) -> Result<()> {
    let program = program::beside("forewarn-daemon")?;
    let mut daemon = Command::new(&program);
    for (option, value) in [("--config", config), ("--socket", socket)] {
        if let Some(value) = value {
            daemon.arg(option).arg(value);
        }
    }
    Err(daemon.exec()).with_context(|| format!("{} can't be started", program.display()))
}
