//! A real ssh-agent, for admins whose key is in one.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Result, ensure};

use crate::process::{Running, wait_until};

/// An agent that ends with this value, and takes its keys with it.
#[derive(Debug)]
pub struct SshAgent {
    folder: PathBuf,
    /// Where it listens: what `SSH_AUTH_SOCK` has to say.
    pub socket: String,
    _process: Running,
}

impl SshAgent {
    /// Starts one in a folder that is there.
    ///
    /// # Errors
    /// When it isn't installed, or does not listen.
    pub fn start(folder: &Path) -> Result<Self> {
        let socket = folder.join("agent.sock");
        let mut command = program("ssh-agent");
        command.arg("-D").arg("-a").arg(&socket);
        let process = Running::start(command, &folder.join("agent.log"))?;
        wait_until("the agent listens", || {
            ensure!(socket.exists(), "not yet");
            Ok(())
        })?;
        Ok(Self { folder: folder.to_owned(), socket: socket.to_string_lossy().into_owned(), _process: process })
    }

    /// Makes a key and has the agent hold it; no file of it is left. Gives its fingerprint, as `ssh-add -l` shows it.
    ///
    /// # Errors
    /// When a program fails.
    pub fn add(&self, kind: &str, comment: &str) -> Result<String> {
        let file = self.folder.join("key");
        let mut keygen = program("ssh-keygen");
        run(keygen.args(["-q", "-N", "", "-t", kind, "-C", comment, "-f"]).arg(&file))?;
        run(program("ssh-add").arg("-q").arg(&file).env("SSH_AUTH_SOCK", &self.socket))?;
        let shown = run(program("ssh-keygen").args(["-l", "-f"]).arg(self.folder.join("key.pub")))?;
        fs_err::remove_file(&file)?;
        fs_err::remove_file(self.folder.join("key.pub"))?;
        Ok(shown.split(' ').nth(1).unwrap_or_default().to_owned())
    }

    /// Has the agent forget every key.
    ///
    /// # Errors
    /// When the program fails.
    pub fn forget(&self) -> Result<()> {
        run(program("ssh-add").arg("-D").env("SSH_AUTH_SOCK", &self.socket)).map(drop)
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests run the real programs")]
fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
