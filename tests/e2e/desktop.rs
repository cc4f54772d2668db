//! Notices on a real desktop: a session bus of our own, a screen without a monitor, and dunst.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use forewarn_tests::{Binaries, Company, home, wait_until};

use crate::device;

/// A desktop session; ends with the test.
struct Desktop {
    address: String,
    processes: Vec<Child>,
}

impl Desktop {
    fn start() -> Self {
        let mut bus = spawn("dbus", Command::new("dbus-daemon").args(["--session", "--nofork", "--print-address"]));
        let address = first_line(&mut bus);
        let mut screen = spawn("xvfb", Command::new("Xvfb").args(["-displayfd", "1", "-screen", "0", "800x600x24"]));
        let display = format!(":{}", first_line(&mut screen));
        let mut dunst = Command::new("dunst");
        dunst.env("DBUS_SESSION_BUS_ADDRESS", &address).env("DISPLAY", display);
        let dunst = spawn("dunst", &mut dunst);
        let desktop = Self { address, processes: vec![dunst, screen, bus] };
        wait_until("dunst answers", || desktop.displayed().map(drop)).unwrap();
        desktop
    }

    /// How many notifications are on the screen.
    fn displayed(&self) -> anyhow::Result<u32> {
        let reply = self.ask(&[
            "org.freedesktop.DBus.Properties.Get",
            "string:org.dunstproject.cmd0",
            "string:displayedLength",
        ])?;
        let number = reply.split_whitespace().last().and_then(|word| word.parse().ok());
        number.ok_or_else(|| anyhow::anyhow!("dunst said {reply}"))
    }

    /// Everything that was shown and taken away again.
    fn history(&self) -> String {
        self.ask(&["org.dunstproject.cmd0.NotificationListHistory"]).unwrap()
    }

    /// The person clicks the newest notification away.
    fn dismiss(&self) {
        self.ask(&["org.dunstproject.cmd0.NotificationCloseLast"]).unwrap();
    }

    fn ask(&self, call: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new("dbus-send");
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command.args(["--session", "--print-reply", "--dest=org.freedesktop.Notifications"]);
        let output = command.arg("/org/freedesktop/Notifications").args(call).output()?;
        anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn spawn(package: &str, command: &mut Command) -> Child {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    child.unwrap_or_else(|error| panic!("{error}: install the package {package}, or run `cargo xtask test`"))
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

#[test]
fn promise_1_and_3_a_notice_is_shown_read_and_taken_down_on_a_real_desktop() {
    let desktop = Desktop::start();
    let folder = tempfile::tempdir().unwrap();
    let company = Company::found(Binaries::beside_test().unwrap(), folder.path()).unwrap();
    let mut device = device(&folder, &company, "notices = \"desktop\"").on_bus(&desktop.address);
    device.enroll(&company.token().unwrap(), &company.path("bob/root.json")).unwrap();
    device.start().unwrap();
    home::TIKTOK.install(&device.home).unwrap();
    company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\"")).unwrap();
    device.wait_for("the notice is shown", |s| s.obligations.first().is_some_and(|o| o.shown.is_some())).unwrap();
    let displays = |expected: u32| {
        wait_until(&format!("{expected} notices are on the screen"), || {
            let displayed = desktop.displayed()?;
            anyhow::ensure!(displayed == expected, "{displayed} are");
            Ok(())
        })
        .unwrap();
    };
    displays(1);
    desktop.dismiss();
    device.wait_for("it is acknowledged", |s| s.obligations[0].acknowledged.is_some()).unwrap();
    displays(0);
    assert!(desktop.history().contains("TikTok is not permitted on devices with company mail"));
    company.pass(crate::HOUR * 25).unwrap();
    device.pass(crate::HOUR * 25).unwrap();
    displays(1);
    company.admin("alice", &["retract", "no-tiktok", "--reason", "sent in error"]).unwrap().ok().unwrap();
    device.wait_for("nothing is asked", |status| status.obligations.is_empty()).unwrap();
    wait_until("the correction stands in the notice's place", || {
        desktop.dismiss();
        let history = desktop.history();
        anyhow::ensure!(history.contains("was sent in error"), "{history}");
        Ok(())
    })
    .unwrap();
    assert_eq!(device.terminal(), "", "who has a desktop is told there");
}

#[test]
fn promise_1_a_notice_that_no_desktop_shows_was_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let company = Company::found(Binaries::beside_test().unwrap(), folder.path()).unwrap();
    let nowhere = format!("unix:path={}", folder.path().join("no-bus").display());
    let mut device = device(&folder, &company, "notices = \"desktop\"").on_bus(&nowhere);
    device.enroll(&company.token().unwrap(), &company.path("bob/root.json")).unwrap();
    device.start().unwrap();
    home::TIKTOK.install(&device.home).unwrap();
    company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"24h\"")).unwrap();
    device.wait_for("the app is found", |status| !status.obligations.is_empty()).unwrap();
    for _ in 0..3 {
        company.pass(crate::HOUR * 48).unwrap();
        device.pass(crate::HOUR * 48).unwrap();
        let status = device.wait_for("time has passed", |status| status.connected).unwrap();
        let obligation = &status.obligations[0];
        assert_eq!((obligation.shown, obligation.deadline), (None, None), "no notice, no deadline");
    }
    assert!(device.log().contains("a notice could not be shown"));
}
