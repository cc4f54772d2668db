use std::process::Command;

use anyhow::Result;

use crate::{cargo, packages};

/// Everything that has to hold before a change lands.
pub(crate) fn run() -> Result<()> {
    packages::install()?;
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])?;
    cargo(&["build", "--workspace"])?;
    cargo(&["test", "--workspace"])
}

/// Checks what we depend on.
pub(crate) fn deny() -> Result<()> {
    let installed = Command::new("cargo-deny").arg("--version").output().is_ok();
    if !installed {
        cargo(&["install", "--locked", "cargo-deny"])?;
    }
    cargo(&["deny", "check", "bans", "licenses", "sources"])
}
