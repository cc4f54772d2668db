//! A device: a person's home with mail in it, and the daemon that looks after it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use forewarn_host::{Clock, Shift};
use forewarn_proto::ipc::Status;
use jiff::SignedDuration;

use crate::{
    company::{Outcome, move_clocks},
    desktop::Desktop,
    home,
    process::{Binaries, Running, wait_until},
    terminal::Terminal,
};

/// A person's device.
#[derive(Debug)]
pub struct Device {
    /// The folder of everything that belongs to the device.
    pub folder: PathBuf,
    /// The person's home.
    pub home: PathBuf,
    binaries: Binaries,
    daemon: Option<Running>,
    environment: Vec<(&'static str, String)>,
    /// The one at which the person sits.
    terminal: Option<Terminal>,
}

impl Device {
    /// Sets up a home with mail of the company and private mail, and the daemon's configuration; `extra` is added to
    /// it. The device's clocks start with `shift`. Nothing is started.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn prepare(binaries: &Binaries, folder: &Path, shift: &Shift, extra: &str) -> Result<Self> {
        let home = folder.join("home");
        home::furnish(&home)?;
        let terminal = Terminal::new(owner(&home)?, &folder.join("terminal"))?;
        let clock = folder.join("clock.json");
        shift.write(&clock)?;
        let config = format!(
            "state = {:?}\nsocket = {:?}\nhomes = [{home:?}]\nsimulated_clock = {clock:?}\nterminals = [{:?}]\n{extra}\n",
            folder.join("agent"),
            folder.join("forewarn.sock"),
            terminal.path,
        );
        fs_err::write(folder.join("agent.toml"), config)?;
        let (folder, binaries) = (folder.to_owned(), binaries.clone());
        Ok(Self { folder, home, binaries, daemon: None, environment: Vec::new(), terminal: Some(terminal) })
    }

    /// The same device for another thread, without its daemon process.
    #[must_use]
    pub fn view(&self) -> Self {
        Self {
            folder: self.folder.clone(),
            home: self.home.clone(),
            binaries: self.binaries.clone(),
            daemon: None,
            environment: self.environment.clone(),
            terminal: None,
        }
    }

    /// The same with notices on this session bus.
    #[must_use]
    pub fn on_bus(self, address: &str) -> Self {
        self.with("DBUS_SESSION_BUS_ADDRESS", address)
    }

    /// The same in this desktop session.
    #[must_use]
    pub fn on(self, desktop: &Desktop) -> Self {
        self.on_bus(&desktop.session_bus).with("DBUS_SYSTEM_BUS_ADDRESS", &desktop.system_bus)
    }

    /// The same with this in the environment of the daemon and of commands.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// The device's clocks go on by `length`.
    ///
    /// # Errors
    /// When the clock's file can't be written.
    pub fn pass(&self, length: SignedDuration) -> Result<()> {
        move_clocks(&self.clock_file(), length)
    }

    /// Somebody sets the device's wall clock; no time passes.
    ///
    /// # Errors
    /// When the clock's file can't be written.
    pub fn set_wall_clock(&self, by: SignedDuration) -> Result<()> {
        let shift = Clock::new(Some(&self.clock_file())).shift();
        let wall_ms = shift.wall_ms + i64::try_from(by.as_millis())?;
        Ok(Shift { wall_ms, ..shift }.write(&self.clock_file())?)
    }

    /// The file that moves the device's clocks.
    pub fn clock_file(&self) -> PathBuf {
        self.folder.join("clock.json")
    }

    /// Enrolls with a token, and the root that an admin gave.
    ///
    /// # Errors
    /// What the command says.
    pub fn enroll(&self, token: &str, root: &Path) -> Result<String> {
        self.run(&["enroll", "--token", token, "--root", &root.to_string_lossy()])?.ok()
    }

    /// Starts the daemon and waits until it answers.
    ///
    /// # Errors
    /// When it ends instead.
    pub fn start(&mut self) -> Result<()> {
        // Whoever has the home now sits at the terminal.
        if let Some(terminal) = &self.terminal {
            terminal.give_to(owner(&self.home)?)?;
        }
        let mut command = self.command()?;
        command.arg("daemon");
        let mut running = Running::start(command, &self.log_file())?;
        wait_until("the daemon answers", || {
            if running.has_ended() {
                bail!("the daemon ended: {}", self.log());
            }
            self.status()
        })?;
        self.daemon = Some(running);
        Ok(())
    }

    /// The daemon's process id, while it runs.
    pub fn daemon_id(&self) -> Option<u32> {
        self.daemon.as_ref().map(Running::id)
    }

    /// SIGKILL for the daemon.
    pub fn kill(&mut self) {
        self.daemon = None;
    }

    /// Runs a command of the person.
    ///
    /// # Errors
    /// When it can't be started; what it says is in the outcome.
    pub fn run(&self, arguments: &[&str]) -> Result<Outcome> {
        let output = self.command()?.args(arguments).output()?;
        let said = if output.status.success() { output.stdout } else { output.stderr };
        Ok(Outcome { success: output.status.success(), text: String::from_utf8_lossy(&said).into_owned() })
    }

    /// What the daemon says of itself.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn status(&self) -> Result<Status> {
        let text = self.run(&["status", "--json"])?.ok()?;
        serde_json::from_str(&text).context("the status can't be read")
    }

    /// Waits until the daemon's status is as it should be.
    ///
    /// # Errors
    /// The last status, if that takes more than a minute.
    pub fn wait_for(&self, what: &str, is_so: impl Fn(&Status) -> bool) -> Result<Status> {
        wait_until(what, || {
            let status = self.status()?;
            if is_so(&status) { Ok(status) } else { bail!("the status is {status:#?}") }
        })
    }

    /// Waits until a notice with this text was written on the terminal, and gives all that was.
    ///
    /// # Errors
    /// What was written, if the text does not come within a minute.
    pub fn wait_for_notice(&self, text: &str) -> Result<String> {
        wait_until(&format!("a notice with `{text}`"), || {
            let terminal = self.terminal();
            if terminal.contains(text) { Ok(terminal) } else { bail!("the terminal has: {terminal}") }
        })
    }

    /// Waits until the daemon has the receipt of a first notice, and gives what the terminal shows. The text is on the
    /// screen a moment before the receipt, and only the receipt counts.
    ///
    /// # Errors
    /// When that takes more than a minute.
    pub fn wait_for_first_notice(&self) -> Result<String> {
        let is_shown = |status: &Status| status.obligations.iter().any(|obligation| obligation.shown.is_some());
        self.wait_for("the first notice is shown", is_shown)?;
        Ok(self.terminal())
    }

    /// Lets time pass with `pass`, and waits until the daemon has the receipt of a notice that came of it.
    ///
    /// # Errors
    /// When none comes within a minute.
    pub fn wait_for_reminder(&self, pass: impl FnOnce() -> Result<()>) -> Result<Status> {
        let last = |status: &Status| status.obligations.iter().filter_map(|obligation| obligation.last_shown).max();
        let before = last(&self.status()?);
        pass()?;
        self.wait_for("a reminder", |status| last(status) > before)
    }

    /// Waits until the daemon has the receipt of a last call.
    ///
    /// # Errors
    /// When that takes more than a minute.
    pub fn wait_for_last_call(&self) -> Result<Status> {
        self.wait_for("the last call is shown", |status| {
            status.obligations.iter().any(|obligation| obligation.last_call.is_some())
        })
    }

    /// Everything that was written on the person's terminal.
    pub fn terminal(&self) -> String {
        fs_err::read_to_string(self.folder.join("terminal")).unwrap_or_default()
    }

    /// Everything that the daemon logged.
    pub fn log(&self) -> String {
        fs_err::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("agent.log")
    }

    fn command(&self) -> Result<std::process::Command> {
        let mut command = self.binaries.command("forewarn");
        command.arg("--config").arg(self.folder.join("agent.toml"));
        // Root asks about the person whose home it is.
        command.arg("--person").arg(owner(&self.home)?.to_string());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }
}

fn owner(home: &Path) -> Result<u32> {
    Ok(std::os::unix::fs::MetadataExt::uid(&fs_err::metadata(home)?))
}
