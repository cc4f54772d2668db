//! Real processes, found, started, waited for, killed.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// How long anything may take before a story has failed. Far above what it takes, for machines that are busy.
const PATIENCE: Duration = Duration::from_secs(60);

const NAMES: [&str; 4] = ["forewarn", "forewarn-daemon", "forewarn-admin", "forewarn-server"];

/// Where the built binaries are.
#[derive(Debug, Clone)]
pub struct Binaries(PathBuf);

impl Binaries {
    /// The binaries in `folder`.
    ///
    /// # Errors
    /// When one is missing.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        for name in NAMES {
            if !folder.join(name).exists() {
                bail!("{} is not built; run `cargo build`", folder.join(name).display());
            }
        }
        Ok(Self(folder.to_owned()))
    }

    /// The binaries beside the running test: `target/debug` for `target/debug/deps/e2e-…`.
    ///
    /// # Errors
    /// When one is missing, or older than what it is made of: `cargo test` builds none of another package.
    pub fn beside_test() -> Result<Self> {
        let test = std::env::current_exe()?;
        let folder = test.ancestors().nth(2).context("the test has no folder")?;
        let binaries = Self::in_folder(folder)?;
        for binary in NAMES.map(|name| binaries.path(name)) {
            if let Some(newer) = newer_source(&binary)? {
                bail!("{} is older than {newer}; run `cargo build`", binary.display());
            }
        }
        Ok(binaries)
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

/// A file of ours that a binary is made of, and that was changed after it. Cargo lists them beside it, as make does
/// (<https://doc.rust-lang.org/cargo/reference/build-cache.html#dep-info-files>).
fn newer_source(binary: &Path) -> Result<Option<String>> {
    let built = fs_err::metadata(binary)?.modified()?;
    let list = fs_err::read_to_string(binary.with_extension("d"))?;
    let (_, sources) = list.split_once(": ").context("the list of a binary's sources names none")?;
    // A space in a path is written with a backslash; such a path is put together again.
    let sources = sources.replace("\\ ", "\0");
    let sources = sources.split_whitespace().map(|source| source.replace('\0', " "));
    let changed = |source: &String| fs_err::metadata(source).and_then(|m| m.modified()).is_ok_and(|at| at > built);
    Ok(sources.into_iter().find(changed))
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

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_binary_that_is_older_than_its_sources_is_not_tried() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("with a space");
        fs_err::create_dir(&folder).unwrap();
        let [binary, old, source] = ["server", "old.rs", "source.rs"].map(|name| folder.join(name));
        let in_list = |path: &Path| path.to_str().unwrap().replace(' ', "\\ ");
        let list = format!("{}: {} {}\n", in_list(&binary), in_list(&old), in_list(&source));
        fs_err::write(binary.with_extension("d"), list).unwrap();
        let begin = SystemTime::UNIX_EPOCH;
        for (path, second) in [(&old, 0), (&binary, 10), (&source, 20)] {
            let file = fs_err::File::create(path).unwrap();
            file.file().set_modified(begin + Duration::from_secs(second)).unwrap();
        }
        assert_eq!(newer_source(&binary).unwrap(), source.to_str().map(str::to_owned));
        let built = fs_err::OpenOptions::new().write(true).open(&binary).unwrap();
        built.file().set_modified(begin + Duration::from_secs(30)).unwrap();
        assert_eq!(newer_source(&binary).unwrap(), None);
    }
}
