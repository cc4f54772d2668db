//! A process of a person's that tries to take over the workers of the daemon.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    os::unix::process::CommandExt as _,
    process::{Child, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result};

const SCRIPT: &str = include_str!("take_over.py");

/// Somebody who tries, until they are asked how it went.
#[derive(Debug)]
pub struct TakeOver {
    child: Child,
    says: BufReader<ChildStdout>,
}

/// How many workers were tried, and how many taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tries {
    /// Workers that were seen.
    pub tried: u32,
    /// Those of which a descriptor could be copied, or that could be traced.
    pub taken: u32,
}

impl TakeOver {
    /// Begins, as this user.
    ///
    /// # Errors
    /// When there is no Python 3.
    #[expect(clippy::disallowed_methods, reason = "whoever attacks is a process of their own")]
    pub fn begin(user: u32) -> Result<Self> {
        let mut python = Command::new("python3");
        python.args(["-c", SCRIPT]).uid(user).gid(user).env_clear().current_dir("/");
        let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("install python3")?;
        let mut says = BufReader::new(child.stdout.take().context("it has an output")?);
        says.read_line(&mut String::new())?;
        Ok(Self { child, says })
    }

    /// Ends, and says how it went.
    ///
    /// # Errors
    /// When it broke off.
    pub fn end(mut self) -> Result<Tries> {
        drop(self.child.stdin.take());
        let mut said = String::new();
        self.says.read_to_string(&mut said)?;
        self.child.wait()?;
        let (tried, taken) = said.trim().split_once(' ').with_context(|| format!("it broke off: {said}"))?;
        Ok(Tries { tried: tried.parse()?, taken: taken.parse()? })
    }
}
