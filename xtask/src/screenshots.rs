//! `cargo xtask screenshots`: what people see, on a screen without a monitor. Everything on the pictures is real.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use forewarn_host::Shift;
use forewarn_tests::{Binaries, Company, Desktop, Device, Logind, Service, home, wait_until};
use jiff::SignedDuration;

use crate::{cargo, packages, workspace};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A person with a desktop, in whose language everything is.
struct Person {
    company: Company,
    desktop: Desktop,
    device: Device,
    _logind: Logind,
    _folder: tempfile::TempDir,
}

/// Takes every picture anew.
pub(crate) fn run() -> Result<()> {
    packages::install(&packages::FOR_SCREENSHOTS)?;
    cargo(&["build"])?;
    let docs = workspace()?.join("docs/pictures");
    fs_err::create_dir_all(&docs)?;
    notices(&docs, "en", "en_GB.UTF-8")?;
    notices(&docs, "de", "de_DE.UTF-8")?;
    notices(&docs, "ja", "ja_JP.UTF-8")?;
    notices(&docs, "ar", "ar_EG.UTF-8")
}

fn notices(docs: &Path, language: &str, locale: &str) -> Result<()> {
    let person = Person::sit_down(locale)?;
    home::TIKTOK.install(&person.device.home)?;
    person.company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"72h\""))?;
    person.device.wait_for("the notice", |status| status.obligations.iter().any(|o| o.shown.is_some()))?;
    person.picture(&docs.join(format!("notice-{language}.png")))?;
    person.pass(HOUR * 49)?;
    let page = person.device.folder.join("status.html");
    person.device.run(&["status", "--page", &page.to_string_lossy()])?.ok()?;
    for scheme in ["light", "dark"] {
        photograph(&page, scheme, &docs.join(format!("status-{language}-{scheme}.png")))?;
    }
    if language == "en" {
        person.pass(HOUR * 22 + SignedDuration::from_mins(50))?;
        person.device.wait_for_last_call()?;
        person.picture(&docs.join("last-call-en.png"))?;
        person.company.admin("alice", &["retract", "no-tiktok", "--reason", "sent in error"])?.ok()?;
        person.device.wait_for("the correction", |status| status.obligations.is_empty())?;
        wait_until("it is shown", || {
            let log = person.device.log();
            ensure!(log.contains("notice Correction"), "not yet");
            Ok(())
        })?;
        person.picture(&docs.join("correction-en.png"))?;
    }
    Ok(())
}

impl Person {
    fn sit_down(locale: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let desktop = Desktop::with(folder.path(), Service::Xfce)?;
        let logind = Logind::start(&desktop.system_bus)?;
        let company = Company::found(Binaries::in_folder(&workspace()?.join("target/debug"))?, folder.path())?;
        let place = folder.path().join("device");
        fs_err::create_dir(&place)?;
        let device = Device::prepare(&company.binaries, &place, &Shift::default(), "notices = \"desktop\"")?;
        let mut device = device.on(&desktop).with("LANG", locale).with("TZ", "Europe/Berlin");
        device.enroll(&company.token()?, &company.path("bob/root.json"))?;
        device.start()?;
        wait_until("somebody attends", || {
            ensure!(device.log().contains("is attended to"));
            Ok(())
        })?;
        Ok(Self { company, desktop, device, _logind: logind, _folder: folder })
    }

    fn pass(&self, length: SignedDuration) -> Result<()> {
        self.company.pass(length)?;
        self.device.pass(length)?;
        self.device.wait_for("time has passed", |status| status.connected).map(drop)
    }

    /// A picture of the notification alone, once it stands still.
    #[expect(clippy::disallowed_methods, reason = "a picture is taken by a program, after it has faded in")]
    fn picture(&self, file: &Path) -> Result<()> {
        self.desktop.wait_for(1)?;
        std::thread::sleep(std::time::Duration::from_secs(2));
        let [left, top, width, height] = *self.desktop.windows()?.first().context("nothing is shown")?;
        self.desktop.picture(file)?;
        let area = format!("{width}x{height}+{left}+{top}");
        let status = std::process::Command::new("mogrify").args(["-crop", &area, "+repage"]).arg(file).status()?;
        ensure!(status.success(), "the picture can't be cut out");
        anstream::println!("{}", file.display());
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "the browser is a program")]
fn photograph(page: &Path, scheme: &str, picture: &Path) -> Result<()> {
    let profile = tempfile::tempdir()?;
    let dark = if scheme == "dark" {
        "--blink-settings=preferredColorScheme=0"
    } else {
        "--blink-settings=preferredColorScheme=1"
    };
    let mut target = PathBuf::from(picture).into_os_string();
    let mut screenshot = std::ffi::OsString::from("--screenshot=");
    screenshot.push(std::mem::take(&mut target));
    let mut chromium = std::process::Command::new("chromium");
    chromium.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
    chromium.args(["--disable-background-networking", "--disable-component-update", "--disable-sync", dark]);
    chromium.arg("--hide-scrollbars").arg("--window-size=800,1250").arg(screenshot);
    chromium.arg(format!("--user-data-dir={}", profile.path().display())).arg(format!("file://{}", page.display()));
    ensure!(chromium.output().context("install chromium")?.status.success(), "chromium took no picture");
    anstream::println!("{}", picture.display());
    Ok(())
}
