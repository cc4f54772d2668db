//! A desktop session for the tests: a screen without a monitor, a session bus and a system bus of its own, and a real
//! service that shows notifications.
#![expect(clippy::disallowed_methods, reason = "the tests run the real programs")]

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use fs_err::os::unix::fs::OpenOptionsExt as _;

use crate::process::wait_until;

/// A service that shows notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// dunst, whose menu chooses what the test wrote down. Nothing breaks through its pause.
    Dunst,
    /// Xfce's, which shows buttons. What is critical breaks through its silence.
    Xfce,
}

/// The screen's size, in pixels.
const SCREEN: [u32; 2] = [900, 600];
/// A notification that has not moved for so long moves no more.
const STILL: std::time::Duration = std::time::Duration::from_millis(300);
/// Where Xfce's programs lie, whatever the machine's architecture.
const LIBRARIES: &str = "/usr/lib";

/// A desktop session; ends with this value.
#[derive(Debug)]
pub struct Desktop {
    /// The session bus.
    pub session_bus: String,
    /// The system bus, on which a test may stand in for logind.
    pub system_bus: String,
    display: String,
    folder: PathBuf,
    service: Option<(Service, Child)>,
    session: Option<Child>,
    processes: Vec<Child>,
}

impl Desktop {
    /// Starts a session without a service. Its files are kept in `folder`.
    ///
    /// # Errors
    /// When a program is missing.
    pub fn start(folder: &Path) -> Result<Self> {
        let (session, session_bus) = bus()?;
        let (system, system_bus) = bus()?;
        let mut xvfb = Command::new("Xvfb");
        let mut screen = spawn(
            "xvfb",
            xvfb.args([
                "-displayfd",
                "1",
                "-nolisten",
                "tcp",
                "-screen",
                "0",
                &format!("{}x{}x24", SCREEN[0], SCREEN[1]),
            ]),
        )?;
        let display = format!(":{}", first_line(&mut screen)?);
        let folder = folder.to_owned();
        Ok(Self {
            session_bus,
            system_bus,
            display,
            folder,
            service: None,
            session: Some(session),
            processes: vec![screen, system],
        })
    }

    /// The same with a service.
    ///
    /// # Errors
    /// When it does not come.
    pub fn with(folder: &Path, service: Service) -> Result<Self> {
        let mut desktop = Self::start(folder)?;
        desktop.start_service(service)?;
        Ok(desktop)
    }

    /// Starts a service that shows notifications, and waits until it answers.
    ///
    /// # Errors
    /// When it does not.
    pub fn start_service(&mut self, service: Service) -> Result<()> {
        let started = match service {
            Service::Dunst => {
                let rc = self.dunstrc()?;
                self.run("dunst", Command::new("dunst").arg("-config").arg(rc))?
            }
            Service::Xfce => {
                let settings = self.run("xfconf", &mut Command::new(program("xfce4/xfconf/xfconfd")?))?;
                self.processes.push(settings);
                self.run("xfce4-notifyd", &mut Command::new(program("xfce4/notifyd/xfce4-notifyd")?))?
            }
        };
        self.service = Some((service, started));
        wait_until("the service answers", || self.call("org.freedesktop.Notifications.GetCapabilities", &[]).map(drop))
    }

    /// The person logs out: the session bus ends, and all that is on it.
    pub fn log_out(&mut self) {
        self.stop_service();
        self.session.take().iter_mut().for_each(end);
    }

    /// The service ends, and everything that it shows with it.
    pub fn stop_service(&mut self) {
        self.service.take().iter_mut().for_each(|(_, process)| end(process));
    }

    /// How many notifications are on the screen.
    ///
    /// # Errors
    /// When nothing says.
    pub fn displayed(&self) -> Result<u32> {
        if matches!(self.service, Some((Service::Xfce, _))) {
            return Ok(u32::try_from(self.windows()?.len())?);
        }
        self.count("displayedLength")
    }

    /// How many notifications dunst keeps to itself.
    ///
    /// # Errors
    /// When it does not say.
    pub fn kept_back(&self) -> Result<u32> {
        self.count("waitingLength")
    }

    fn count(&self, property: &str) -> Result<u32> {
        let reply = self.get_dunst(property)?;
        reply
            .split_whitespace()
            .last()
            .and_then(|word| word.parse().ok())
            .with_context(|| format!("dunst said {reply}"))
    }

    /// Waits until that many notifications are on the screen.
    ///
    /// # Errors
    /// When that takes more than a minute.
    pub fn wait_for(&self, expected: u32) -> Result<()> {
        wait_until(&format!("{expected} notifications are on the screen"), || {
            let displayed = self.displayed()?;
            ensure!(displayed == expected, "{displayed} are");
            Ok(())
        })
    }

    /// Everything that dunst has shown and taken away again.
    ///
    /// # Errors
    /// When it does not say.
    pub fn history(&self) -> Result<String> {
        self.call("org.dunstproject.cmd0.NotificationListHistory", &[])
    }

    /// The person clicks the newest notification away.
    ///
    /// # Errors
    /// When dunst does not.
    pub fn dismiss(&self) -> Result<()> {
        self.call("org.dunstproject.cmd0.NotificationCloseLast", &[]).map(drop)
    }

    /// The person asks not to be disturbed, or ends that.
    ///
    /// # Errors
    /// When the service does not.
    pub fn set_quiet(&self, quiet: bool) -> Result<()> {
        if matches!(self.service, Some((Service::Xfce, _))) {
            let mut set = Command::new("xfconf-query");
            set.args(["-c", "xfce4-notifyd", "-p", "/do-not-disturb", "-n", "-t", "bool", "-s", &quiet.to_string()]);
            ensure!(self.inside(&mut set).status().context("install xfconf")?.success(), "xfconf-query failed");
            return Ok(());
        }
        let arguments = ["string:org.dunstproject.cmd0", "string:paused", &format!("variant:boolean:{quiet}")];
        self.call("org.freedesktop.DBus.Properties.Set", &arguments).map(drop)
    }

    /// The person opens the menu of what is on the screen, and chooses what is called like this.
    ///
    /// # Errors
    /// When dunst does not.
    pub fn choose(&self, label: &str) -> Result<()> {
        fs_err::write(self.folder.join("choice"), label)?;
        self.call("org.dunstproject.cmd0.ContextMenuCall", &[]).map(drop)
    }

    /// What the menu offered when it was last opened, a line each.
    ///
    /// # Errors
    /// When it never was.
    pub fn offered(&self) -> Result<String> {
        Ok(fs_err::read_to_string(self.folder.join("offered"))?)
    }

    /// The person presses the button at this place of so many, which Xfce shows in a row at the notification's bottom.
    ///
    /// # Errors
    /// When there is no notification.
    pub fn press(&self, button: u32, of: u32) -> Result<()> {
        let [left, top, width, height] = self.still_window()?;
        let (x, y) = (left + width * (2 * button + 1) / (2 * of), top + height - 30);
        let mut xdotool = Command::new("xdotool");
        let (x, y) = (x.to_string(), y.to_string());
        xdotool.args(["mousemove", &x, &y, "sleep", "0.3", "click", "1"]);
        ensure!(self.inside(&mut xdotool).status().context("install xdotool")?.success(), "xdotool failed");
        Ok(())
    }

    /// Where the notification lies, once it has found its size and place.
    fn still_window(&self) -> Result<[u32; 4]> {
        let mut before = None;
        wait_until("the notification stands still", || {
            std::thread::sleep(STILL);
            let now = self.windows()?.first().copied();
            let still = now.filter(|_| now == before);
            before = now;
            still.context("nothing is on the screen, or it moves")
        })
    }

    /// A picture of the screen.
    ///
    /// # Errors
    /// When there is no program that takes one.
    pub fn picture(&self, file: &Path) -> Result<()> {
        let mut import = Command::new("import");
        let status = self.inside(import.args(["-window", "root"]).arg(file)).status().context("install imagemagick")?;
        ensure!(status.success(), "no picture was taken");
        Ok(())
    }

    /// Where each notification lies: left, top, width and height, in pixels.
    ///
    /// # Errors
    /// When there is no program that says.
    pub fn windows(&self) -> Result<Vec<[u32; 4]>> {
        let mut xdotool = Command::new("xdotool");
        xdotool.args(["search", "--onlyvisible", "--name", "", "getwindowgeometry", "--shell", "%@"]);
        let output = self.inside(&mut xdotool).output().context("install xdotool")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let number = |line: &str, key: &str| line.strip_prefix(key).and_then(|rest| rest.parse::<u32>().ok());
        let all = |key: &'static str| text.lines().filter_map(move |line| number(line, key));
        let (places, sizes) = (all("X=").zip(all("Y=")), all("WIDTH=").zip(all("HEIGHT=")));
        let windows = places.zip(sizes).map(|((x, y), (width, height))| [x, y, width, height]);
        // The screen itself is one, and Xfce has one of a single pixel.
        Ok(windows.filter(|[_, _, width, height]| *width < SCREEN[0] && *height > 1).collect())
    }

    /// A command within this session.
    pub fn inside<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("DISPLAY", &self.display).env("DBUS_SESSION_BUS_ADDRESS", &self.session_bus)
    }

    /// A program that goes on within this session, with settings of its own.
    fn run(&self, package: &str, command: &mut Command) -> Result<Child> {
        command.env("XDG_CONFIG_HOME", self.folder.join("config")).env("XDG_CACHE_HOME", self.folder.join("cache"));
        spawn(package, self.inside(command))
    }

    fn get_dunst(&self, name: &str) -> Result<String> {
        let arguments = ["string:org.dunstproject.cmd0", &format!("string:{name}")];
        self.call("org.freedesktop.DBus.Properties.Get", &arguments)
    }

    fn call(&self, method: &str, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new("dbus-send");
        command.args(["--session", "--print-reply", "--dest=org.freedesktop.Notifications"]);
        command.args(["/org/freedesktop/Notifications", method]).args(arguments);
        let output = self.inside(&mut command).output()?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// dunst(5). The menu is a script that notes what it is offered, and chooses what `choice` says.
    fn dunstrc(&self) -> Result<PathBuf> {
        let (menu, file, folder) = (self.folder.join("menu"), self.folder.join("dunstrc"), self.folder.display());
        let script = format!("#!/bin/sh\ntee '{folder}/offered' | grep -m1 -F -- \"$(cat '{folder}/choice')\"\n");
        let mut options = fs_err::OpenOptions::new();
        let mut target = options.write(true).create(true).truncate(true).mode(0o755).open(&menu)?;
        std::io::Write::write_all(&mut target, script.as_bytes())?;
        let config = format!(
            "[global]\n width = (300, 560)\n height = 400\n origin = top-right\n offset = 20x20\n font = Sans 11\n \
             frame_width = 1\n corner_radius = 6\n padding = 12\n horizontal_padding = 14\n show_indicators = no\n \
             markup = full\n format = \"<b>%s</b>\\n%b\"\n dmenu = {}\n\
             [urgency_low]\n background = \"#f6f8fa\"\n foreground = \"#1b1f24\"\n frame_color = \"#d0d7de\"\n\
             [urgency_normal]\n background = \"#f6f8fa\"\n foreground = \"#1b1f24\"\n frame_color = \"#0550ae\"\n\
             [urgency_critical]\n background = \"#fff8f0\"\n foreground = \"#1b1f24\"\n frame_color = \"#9a3412\"\n",
            menu.display()
        );
        fs_err::write(&file, config)?;
        Ok(file)
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        self.log_out();
        self.processes.iter_mut().for_each(end);
    }
}

/// A program that Debian keeps beside the libraries: `/usr/lib/x86_64-linux-gnu/xfce4/xfconf/xfconfd`.
fn program(name: &str) -> Result<PathBuf> {
    let folders = fs_err::read_dir(LIBRARIES)?.flatten().map(|entry| entry.path().join(name));
    folders.into_iter().find(|path| path.exists()).with_context(|| format!("{name} is missing; run `cargo xtask test`"))
}

fn bus() -> Result<(Child, String)> {
    let mut bus = Command::new("dbus-daemon");
    // Nothing of the machine's is started on it.
    bus.args(["--session", "--nofork", "--print-address"])
        .env("XDG_DATA_DIRS", "/nowhere")
        .env("XDG_DATA_HOME", "/nowhere");
    let mut bus = spawn("dbus", &mut bus)?;
    let address = first_line(&mut bus)?;
    Ok((bus, address))
}

fn end(process: &mut Child) {
    let _ = process.kill();
    let _ = process.wait();
}

fn spawn(package: &str, command: &mut Command) -> Result<Child> {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    child.with_context(|| format!("install the package {package}, or run `cargo xtask test`"))
}

fn first_line(child: &mut Child) -> Result<String> {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().context("it says nothing")?).read_line(&mut line)?;
    Ok(line.trim().to_owned())
}
