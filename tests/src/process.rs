//! Real processes, found, started, waited for, killed.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// How long anything may take before a story has failed. Far above what it takes, for machines that are busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the built binaries are.
#[derive(Debug, Clone)]
pub struct Binaries(PathBuf);

impl Binaries {
    /// The binaries in `folder`.
    ///
    /// # Errors
    /// When one is missing.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        for name in ["forewarn", "forewarn-daemon", "forewarn-admin", "forewarn-server"] {
            if !folder.join(name).exists() {
                bail!("{} is not built; run `cargo build`", folder.join(name).display());
            }
        }
        Ok(Self(folder.to_owned()))
    }

    /// The binaries beside the running test: `target/debug` for `target/debug/deps/e2e-…`.
    ///
    /// # Errors
    /// When one is missing.
    pub fn beside_test() -> Result<Self> {
        let test = std::env::current_exe()?;
        let folder = test.ancestors().nth(2).context("the test has no folder")?;
        Self::in_folder(folder)
    }

    /// Where one of the binaries is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A command of one of the binaries, without this process's D-Bus session.
    #[expect(clippy::disallowed_methods, reason = "the tests run the real binaries")]
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.0.join(name));
        command.env_remove("DBUS_SESSION_BUS_ADDRESS").env("LANG", "C.UTF-8").stdin(Stdio::null());
        command
    }
}

/// A process that is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Running(Child);

impl Running {
    /// Starts a command with its output in `log`, after what is there.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Self> {
        let file = fs_err::OpenOptions::new().create(true).append(true).open(log)?;
        let (out, err) = (file.file().try_clone()?, file.file().try_clone()?);
        Ok(Self(command.stdout(out).stderr(err).spawn()?))
    }

    /// The power goes: SIGKILL.
    pub(crate) fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// The process's id.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Whether the process has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Tries until it succeeds, every few milliseconds.
///
/// # Errors
/// The last error, after a minute.
#[expect(clippy::disallowed_methods, reason = "the story waits in real time, whatever the simulated clock says")]
pub fn wait_until<T>(what: &str, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    loop {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(error) if start.elapsed() > PATIENCE => return Err(error.context(format!("waited in vain: {what}"))),
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}
