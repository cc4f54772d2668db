//! The company's side: its server, and its admins alice and bob.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use forewarn_host::{Clock, Shift};
use jiff::SignedDuration;

use crate::process::{Binaries, Running, wait_until};

/// The passphrase of both admins' keys.
const PASSPHRASE: &str = "correct horse battery staple\n";

/// A company with a founded repository.
#[derive(Debug)]
pub struct Company {
    /// The scratch folder.
    pub folder: PathBuf,
    /// The binaries that are played with.
    pub binaries: Binaries,
    /// The server's address.
    pub url: String,
    port: u16,
    /// What this server's files are called.
    name: &'static str,
    server: Option<Running>,
    /// What more is in the server's environment.
    pub environment: Vec<(String, String)>,
}

/// What a command said.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Whether it succeeded.
    pub success: bool,
    /// Standard output, or standard error if it failed.
    pub text: String,
}

impl Outcome {
    /// The output of a command that has to succeed.
    ///
    /// # Errors
    /// What the command said if it failed.
    pub fn ok(self) -> Result<String> {
        if self.success { Ok(self.text) } else { bail!("{}", self.text.trim()) }
    }
}

impl Company {
    /// Sets up a server in `folder`, not started.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn prepare(binaries: Binaries, folder: &Path) -> Result<Self> {
        Self::prepare_with(binaries, folder, "")
    }

    /// The same; `extra` is added to the server's configuration.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn prepare_with(binaries: Binaries, folder: &Path, extra: &str) -> Result<Self> {
        let (name, url) = ("server", String::new());
        let mut company =
            Self { folder: folder.to_owned(), binaries, url, port: 0, name, server: None, environment: Vec::new() };
        fs_err::write(company.path("passphrase"), PASSPHRASE)?;
        Shift::default().write(&company.clock_file())?;
        company.configure(extra)?;
        Ok(company)
    }

    /// Another server of the same company, not started, with `extra` in its configuration: a database that they share.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn another_server(&self, extra: &str) -> Result<Self> {
        let mut another = Self { name: "another", ..self.view() };
        another.configure(extra)?;
        Ok(another)
    }

    fn configure(&mut self, extra: &str) -> Result<()> {
        // The server has a place of its own when it is started anew.
        self.port = crate::free_port();
        self.url = format!("https://127.0.0.1:{}", self.port);
        let config = format!(
            "state = {:?}\nlisten = \"127.0.0.1:{}\"\nurl = {:?}\nsimulated_clock = {:?}\nblast_limit = 100\n{extra}\n",
            self.path(self.name),
            self.port,
            self.url,
            self.clock_file(),
        );
        Ok(fs_err::write(self.config_file(), config)?)
    }

    fn config_file(&self) -> PathBuf {
        self.path(&format!("{}.toml", self.name))
    }

    fn log(&self) -> PathBuf {
        self.path(&format!("{}.log", self.name))
    }

    /// A company whose server runs and whose admins have founded the repository.
    ///
    /// # Errors
    /// When any step fails.
    pub fn found(binaries: Binaries, folder: &Path) -> Result<Self> {
        let mut company = Self::prepare(binaries, folder)?;
        company.begin()?;
        Ok(company)
    }

    /// Starts the server for the first time, and has the admins found the repository.
    ///
    /// # Errors
    /// When any step fails.
    pub fn begin(&mut self) -> Result<()> {
        self.start_server()?;
        for name in ["alice", "bob"] {
            self.init_admin(name)?;
        }
        self.found_repository()
    }

    /// The same company for another thread, without its server process.
    #[must_use]
    pub fn view(&self) -> Self {
        Self {
            folder: self.folder.clone(),
            binaries: self.binaries.clone(),
            url: self.url.clone(),
            port: self.port,
            name: self.name,
            server: None,
            environment: self.environment.clone(),
        }
    }

    /// Starts the server and waits until it listens.
    ///
    /// # Errors
    /// When it ends instead.
    pub fn start_server(&mut self) -> Result<()> {
        let log = self.log();
        let before = fs_err::read_to_string(&log).unwrap_or_default().len();
        let mut command = self.binaries.command("forewarn-server");
        command.arg("--config").arg(self.config_file()).arg("run").envs(self.environment.iter().cloned());
        let mut running = Running::start(command, &log)?;
        wait_until("the server listens", || {
            let text = fs_err::read_to_string(&log)?;
            let new = text.get(before..).unwrap_or_default();
            if running.has_ended() {
                bail!("the server ended: {new}");
            }
            new.contains("listening on").then_some(()).context("not yet")
        })?;
        self.server = Some(running);
        Ok(())
    }

    /// The server's process, while it runs.
    pub fn server_id(&self) -> Option<u32> {
        self.server.as_ref().map(Running::id)
    }

    /// SIGKILL for the server.
    pub fn kill_server(&mut self) {
        self.server = None;
    }

    /// Makes an admin's key.
    ///
    /// # Errors
    /// What the command says.
    pub fn init_admin(&self, name: &str) -> Result<String> {
        let (ca, clock) = (self.path("server/ca.pem"), self.clock_file());
        let (ca, clock) = (ca.to_string_lossy(), clock.to_string_lossy());
        self.admin(name, &["init", "--name", name, "--server", &self.url, "--ca", &ca, "--simulated-clock", &clock])?
            .ok()
    }

    /// alice founds, bob signs, which publishes.
    ///
    /// # Errors
    /// What the commands say.
    pub fn found_repository(&self) -> Result<()> {
        let code = self.printed("founding code:")?;
        let (alice, bob) = (self.path("alice/alice.pub"), self.path("bob/bob.pub"));
        let (alice, bob) = (alice.to_string_lossy(), bob.to_string_lossy());
        self.admin("alice", &["found", "--admin", &alice, "--admin", &bob, "--code", &code])?.ok()?;
        self.admin("bob", &["sign", "--yes", "--code", &code])?.ok()?;
        Ok(())
    }

    /// Runs a command of an admin.
    ///
    /// # Errors
    /// When it can't be started; what it says is in the outcome.
    pub fn admin(&self, name: &str, arguments: &[&str]) -> Result<Outcome> {
        self.admin_with(name, arguments, &[])
    }

    /// The same with more in the environment, such as where an ssh-agent listens.
    ///
    /// # Errors
    /// As [`Company::admin`].
    pub fn admin_with(&self, name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Outcome> {
        let output = self.admin_command(name, arguments).envs(environment.iter().copied()).output()?;
        let said = if output.status.success() { output.stdout } else { output.stderr };
        Ok(Outcome { success: output.status.success(), text: String::from_utf8_lossy(&said).into_owned() })
    }

    /// A command of an admin, to be started.
    pub fn admin_command(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = self.binaries.command("forewarn-admin");
        command.arg("--home").arg(self.path(name)).arg("--passphrase-file").arg(self.path("passphrase"));
        command.env_remove("SSH_AUTH_SOCK").args(arguments);
        command
    }

    /// alice proposes the policy, bob signs it, which publishes.
    ///
    /// # Errors
    /// What the commands say.
    pub fn publish(&self, policy: &str) -> Result<()> {
        let file = self.policy_file(policy)?;
        self.admin("alice", &["propose", &file])?.ok()?;
        self.admin("bob", &["sign", "--yes"])?.ok()?;
        Ok(())
    }

    /// Writes a policy where the admins' commands can read it.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn policy_file(&self, policy: &str) -> Result<String> {
        let path = self.path("policy.toml");
        fs_err::write(&path, policy)?;
        Ok(path.to_string_lossy().into_owned())
    }

    /// A one-time enrolment token.
    ///
    /// # Errors
    /// When the command fails.
    pub fn token(&self) -> Result<String> {
        self.token_for(&[])
    }

    /// The same for a device that will be in these groups.
    ///
    /// # Errors
    /// When the command fails.
    pub fn token_for(&self, groups: &[&str]) -> Result<String> {
        let groups = groups.iter().flat_map(|group| ["--group", group]);
        self.server_command(&["token"].into_iter().chain(groups).collect::<Vec<_>>())
    }

    /// What another command of the server says.
    ///
    /// # Errors
    /// When it fails: what it says then.
    pub fn server_command(&self, arguments: &[&str]) -> Result<String> {
        let mut command = self.binaries.command("forewarn-server");
        let output = command.arg("--config").arg(self.config_file()).args(arguments).output()?;
        let said = if output.status.success() { output.stdout } else { output.stderr };
        Outcome { success: output.status.success(), text: String::from_utf8(said)?.trim().to_owned() }.ok()
    }

    /// What the server printed at its first start after `label`.
    ///
    /// # Errors
    /// When it printed no such thing.
    pub fn printed(&self, label: &str) -> Result<String> {
        let log = fs_err::read_to_string(self.log())?;
        let line = log.lines().find_map(|line| line.strip_prefix(label));
        Ok(line.with_context(|| format!("the server printed no {label}"))?.trim().to_owned())
    }

    /// The clocks of the server and the admins go on by `length`.
    ///
    /// # Errors
    /// When the clock's file can't be written.
    pub fn pass(&self, length: SignedDuration) -> Result<()> {
        move_clocks(&self.clock_file(), length)
    }

    /// The file that moves the clocks of the server and the admins.
    pub fn clock_file(&self) -> PathBuf {
        self.path("clock.json")
    }

    /// The port on which the server listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A path in the scratch folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Time passes: both clocks go on together.
pub(crate) fn move_clocks(file: &Path, length: SignedDuration) -> Result<()> {
    let shift = Clock::new(Some(file)).shift();
    let ms = i64::try_from(length.as_millis())?;
    Ok(Shift { wall_ms: shift.wall_ms + ms, boot_ms: shift.boot_ms + ms, ..shift }.write(file)?)
}
