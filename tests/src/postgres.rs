//! A real PostgreSQL, with a database of its own, for one test.

#![expect(clippy::disallowed_methods, reason = "it runs a real database")]

use std::{
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use forewarn_host::user;

use crate::process::{Running, wait_until};

/// Where Debian puts the programs of each version.
const PROGRAMS: &str = "/usr/lib/postgresql";

/// The database server; killed when it is dropped.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    port: u16,
    process: Option<Running>,
}

impl Postgres {
    /// Makes a cluster in `folder` and starts it.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or does not start.
    pub fn start(folder: &Path) -> Result<Self> {
        let port = crate::free_port();
        let mut postgres = Self { folder: folder.to_owned(), programs: programs()?, port, process: None };
        fs_err::create_dir_all(folder)?;
        give_to_nobody(folder)?;
        let made = postgres
            .command("initdb")
            .args(["--auth=trust", "--username=forewarn", "--encoding=UTF8", "--no-locale", "--no-sync", "-D"])
            .arg(folder.join("data"))
            .output()?;
        if !made.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        }
        postgres.run()?;
        Ok(postgres)
    }

    /// Starts it again.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn run(&mut self) -> Result<()> {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.folder.join("data")).args(["-p", &self.port.to_string(), "-k", ""]);
        let log = self.folder.with_extension("log");
        self.process = Some(Running::start(command, &log)?);
        wait_until("PostgreSQL answers", || {
            let ready =
                self.command("pg_isready").args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]).status()?;
            ready.success().then_some(()).context("not yet")
        })
    }

    /// SIGKILL for all of it.
    pub fn kill(&mut self) {
        self.process = None;
        // Its helpers notice that the postmaster is gone, and end; only then can another one start.
        let _ = wait_until("its helpers end", || {
            let left = Command::new("pgrep").args(["-f", &self.folder.join("data").to_string_lossy()]).output()?;
            left.stdout.is_empty().then_some(()).context("not yet")
        });
    }

    /// The address for `store = "…"`.
    pub fn url(&self) -> String {
        format!("postgres://forewarn@127.0.0.1:{}/postgres", self.port)
    }

    /// PostgreSQL refuses to run as root.
    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = if user::is_root() {
            let mut setpriv = Command::new("setpriv");
            setpriv.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(program);
            setpriv
        } else {
            Command::new(program)
        };
        command.current_dir(&self.folder).env("LC_ALL", "C");
        command
    }
}

/// The newest version's programs.
fn programs() -> Result<PathBuf> {
    let missing = "PostgreSQL is not installed; `cargo xtask test` installs it";
    let versions = fs_err::read_dir(PROGRAMS).context(missing)?;
    let bins = versions.filter_map(Result::ok).map(|version| version.path().join("bin"));
    bins.filter(|bin| bin.join("initdb").exists()).max().context(missing)
}

/// Debian's user for whoever needs none, and a way down to the folder.
fn give_to_nobody(folder: &Path) -> Result<()> {
    if !user::is_root() {
        return Ok(());
    }
    chown(folder, Some(65534), Some(65534))?;
    for parent in
        folder.ancestors().skip(1).take_while(|parent| parent.starts_with("/tmp") && *parent != Path::new("/tmp"))
    {
        let mode = fs_err::metadata(parent)?.permissions().mode();
        fs_err::set_permissions(parent, PermissionsExt::from_mode(mode | 0o011))?;
    }
    Ok(())
}
