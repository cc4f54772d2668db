//! Programs of Python's packages.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Result, ensure};

/// A program that `cargo xtask test` has installed into `target/python`.
///
/// # Errors
/// When it has not.
#[expect(clippy::disallowed_methods, reason = "the tests run the real programs")]
pub fn python(name: &str) -> Result<Command> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python/bin").join(name);
    ensure!(program.exists(), "{name} is not there; `cargo xtask test` installs it into target/python");
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    Ok(command)
}
