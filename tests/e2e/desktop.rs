//! Notices on a real desktop: a session bus of our own, a screen without a monitor, and a real service that shows them.

use std::{path::Path, time::Duration};

use anyhow::{Result, ensure};
use forewarn_proto::{
    ipc::{ObligationStatus, Status},
    report::{Hold, Medium, Obstacle},
};
use forewarn_tests::{Binaries, Company, Desktop, Device, Logind, PlainService, Service, Shown, home, wait_until};
use tempfile::TempDir;

use crate::{HOUR, MINUTE, apps, device};

/// A company, a desktop, and a device on it on which TikTok is installed; the daemon runs and nothing is banned yet.
struct Office {
    company: Company,
    desktop: Desktop,
    logind: Logind,
    device: Device,
    folder: TempDir,
}

impl Office {
    fn open(service: Option<Service>, environment: &[(&'static str, &str)]) -> Self {
        Self::open_with(service, |device, _| {
            environment.iter().fold(device, |device, (name, value)| device.with(name, value))
        })
    }

    /// `prepare` sets up the device before its daemon starts, with a scratch folder for what it needs.
    fn open_with(service: Option<Service>, prepare: impl FnOnce(Device, &Path) -> Device) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut desktop = Desktop::start(folder.path()).unwrap();
        if let Some(service) = service {
            desktop.start_service(service).unwrap();
        }
        let logind = Logind::start(&desktop.system_bus).unwrap();
        let company = Company::found(Binaries::beside_test().unwrap(), folder.path()).unwrap();
        let device = device(&folder, &company, "notices = \"desktop\"").on(&desktop);
        let mut device = prepare(device, folder.path());
        device.enroll(&company.token().unwrap(), &company.path("bob/root.json")).unwrap();
        device.start().unwrap();
        home::TIKTOK.install(&device.home).unwrap();
        let office = Self { company, desktop, logind, device, folder };
        office.wait_for_companion(1);
        office
    }

    fn wait_for_companion(&self, count: usize) {
        wait_until("a companion attends", || {
            ensure!(self.device.log().matches("is attended to").count() >= count);
            Ok(())
        })
        .unwrap();
    }

    fn ban(&self) {
        self.company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\"")).unwrap();
    }

    fn retract(&self, id: &str) {
        self.company.admin("alice", &["retract", id, "--reason", "sent in error"]).unwrap().ok().unwrap();
    }

    fn pass(&self, length: jiff::SignedDuration) {
        self.company.pass(length).unwrap();
        self.device.pass(length).unwrap();
    }

    /// The one obligation, once it is so.
    fn wait_for(&self, what: &str, is_so: impl Fn(&ObligationStatus) -> bool) -> ObligationStatus {
        let status = self.device.wait_for(what, |status| status.obligations.first().is_some_and(&is_so)).unwrap();
        status.obligations.into_iter().next().unwrap()
    }

    fn wait_until_shown(&self) -> ObligationStatus {
        self.wait_for("the notice is shown", |obligation| obligation.shown.is_some())
    }

    fn wait_for_obstacle(&self, obstacle: Obstacle) -> ObligationStatus {
        self.wait_for("the notice is held back", |obligation| obligation.obstacle == Some(obstacle))
    }

    /// What was on the screen last, once the person has clicked it away.
    fn read(&self) -> String {
        self.desktop.dismiss().unwrap();
        self.desktop.wait_for(0).unwrap();
        self.desktop.history().unwrap()
    }

    fn companion(&self) -> Option<u32> {
        companions(self.folder.path()).first().copied()
    }
}

/// The processes that attend to whoever sits at a device in this folder.
fn companions(folder: &Path) -> Vec<u32> {
    let processes = fs_err::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    let is_companion = |process: &u32| {
        let line = fs_err::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        line.contains(&*folder.to_string_lossy()) && line.ends_with("session\0")
    };
    numbers.filter(is_companion).collect()
}

#[test]
fn promise_1_and_3_a_notice_is_shown_read_and_taken_down_on_a_real_desktop() {
    let office = Office::open(Some(Service::Dunst), &[]);
    office.ban();
    let told = office.wait_until_shown();
    assert_eq!(told.shown_on, Some(Medium::Desktop));
    office.desktop.wait_for(1).unwrap();
    office.desktop.dismiss().unwrap();
    office.wait_for("it is acknowledged", |obligation| obligation.acknowledged.is_some());
    office.desktop.wait_for(0).unwrap();
    let history = office.desktop.history().unwrap();
    for part in [
        "TikTok is not permitted on devices with company mail",
        "Please remove TikTok from this device. Questions? Ask the help desk.",
        "If TikTok is still installed on ",
        "the mail account of corp.example is moved into a vault on this device. Private accounts are not touched.",
        "Why, and whom to ask? Run: forewarn why TikTok",
    ] {
        assert!(history.contains(part), "`{part}` is missing in {history}");
    }
    office.pass(HOUR * 25);
    office.desktop.wait_for(1).unwrap();
    office.retract("no-tiktok");
    office.device.wait_for("nothing is asked", |status| status.obligations.is_empty()).unwrap();
    wait_until("the correction stands in the notice's place", || {
        office.desktop.dismiss()?;
        let history = office.desktop.history()?;
        ensure!(history.contains("was sent in error"), "{history}");
        ensure!(history.contains("This was a mistake. You need to do nothing."), "{history}");
        Ok(())
    })
    .unwrap();
    assert_eq!(office.device.terminal(), "", "who has a desktop is told there");
}

/// What shows notices goes by the wall clock of this machine nowhere: it may be days ahead of the time that the daemon trusts.
#[test]
fn promise_1_a_wall_clock_that_is_fast_hides_no_notice() {
    let office = Office::open_with(Some(Service::Dunst), |device, _| {
        device.set_wall_clock(HOUR * -72).unwrap();
        device
    });
    office.ban();
    office.wait_until_shown();
    let read = office.read();
    assert!(read.contains("If TikTok is still installed on "), "{read}");
}

#[test]
fn promise_1_and_3_a_person_is_told_and_corrected_in_their_language() {
    let office = Office::open(Some(Service::Dunst), &[("LANG", "de_DE.UTF-8")]);
    office.ban();
    office.wait_until_shown();
    let history = office.read();
    for part in
        ["Bitte entfernen Sie TikTok", "Wenn TikTok am ", "kommt das Mailkonto von corp.example in einen Tresor"]
    {
        assert!(history.contains(part), "`{part}` is missing in {history}");
    }
    let why = office.device.run(&["why", "tiktok"]).unwrap().ok().unwrap();
    assert!(why.contains("unterschrieben von") && why.contains("auf Ihrem Bildschirm"), "{why}");
    office.retract("no-tiktok");
    wait_until("it is corrected", || {
        office.desktop.dismiss()?;
        let history = office.desktop.history()?;
        ensure!(history.contains("wurde irrtümlich verschickt"), "{history}");
        ensure!(history.contains("Das war ein Fehler. Sie müssen nichts tun."), "{history}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn promise_1_behind_a_locked_screen_nothing_is_shown_and_no_deadline_runs() {
    let office = Office::open(Some(Service::Dunst), &[]);
    office.logind.lock(true).unwrap();
    office.ban();
    office.wait_for_obstacle(Obstacle::Locked);
    office.pass(HOUR * 72);
    let waiting = office.wait_for_obstacle(Obstacle::Locked);
    assert_eq!((waiting.shown, waiting.deadline), (None, None));
    assert_eq!(office.desktop.displayed().unwrap(), 0);
    wait_until("the admins see why", || {
        let status = office.company.admin("alice", &["status"])?.ok()?;
        ensure!(status.contains("1 person not yet told:\n    1 person: the screen is locked"), "{status}");
        Ok(())
    })
    .unwrap();
    office.logind.lock(false).unwrap();
    let told = office.wait_until_shown();
    let left = told.deadline.unwrap().duration_since(told.shown.unwrap());
    assert_eq!(left, HOUR * 48, "grace starts when it is shown");
    office.desktop.wait_for(1).unwrap();
}

#[test]
fn promise_1_who_is_away_or_in_a_meeting_is_told_afterwards() {
    let office = Office::open(Some(Service::Dunst), &[]);
    office.logind.leave(true).unwrap();
    office.logind.meet(true).unwrap();
    office.ban();
    office.wait_for_obstacle(Obstacle::Away);
    office.logind.leave(false).unwrap();
    // Still in a meeting: the daemon tries again by itself, and hears why not.
    office.pass(HOUR);
    office.wait_for_obstacle(Obstacle::Busy);
    office.logind.meet(false).unwrap();
    office.wait_until_shown();
}

#[test]
fn promise_1_who_is_not_to_be_disturbed_hears_the_last_call_alone() {
    let office = Office::open(Some(Service::Xfce), &[]);
    office.desktop.set_quiet(true).unwrap();
    office.ban();
    let waiting = office.wait_for_obstacle(Obstacle::DoNotDisturb);
    assert_eq!(waiting.shown, None);
    office.desktop.set_quiet(false).unwrap();
    // Xfce gives no sign, and is asked now and then.
    office.wait_until_shown();
    office.desktop.wait_for(1).unwrap();
    office.desktop.press(0, 5).unwrap();
    office.wait_for("it is read", |obligation| obligation.acknowledged.is_some());
    office.desktop.wait_for(0).unwrap();
    office.desktop.set_quiet(true).unwrap();
    office.pass(HOUR * 25);
    office.wait_for_obstacle(Obstacle::DoNotDisturb);
    assert_eq!(office.desktop.displayed().unwrap(), 0, "a reminder waits");
    office.pass(HOUR * 22 + MINUTE * 50);
    office.wait_for("the last call", |obligation| obligation.last_call.is_some());
    office.desktop.wait_for(1).unwrap();
}

#[test]
fn promise_1_a_last_call_that_the_desktop_keeps_to_itself_was_not_shown() {
    let office = Office::open(Some(Service::Dunst), &[]);
    office.ban();
    office.wait_until_shown();
    office.read();
    office.desktop.set_quiet(true).unwrap();
    office.pass(HOUR * 47 + MINUTE * 50);
    office.wait_for_obstacle(Obstacle::DoNotDisturb);
    office.pass(HOUR * 2);
    let held = office.wait_for_obstacle(Obstacle::DoNotDisturb);
    assert_eq!(held.last_call, None);
    wait_until("it is taken back: it must not come up later, withdrawn or not", || {
        ensure!(office.desktop.kept_back()? == 0);
        Ok(())
    })
    .unwrap();
    assert!(held.holds.contains(&Hold::LastCall), "{held:?}");
    office.desktop.set_quiet(false).unwrap();
    office.wait_for("the last call", |obligation| obligation.last_call.is_some());
}

#[test]
fn a_notice_is_put_off_by_its_button_and_comes_again() {
    let office = Office::open(Some(Service::Dunst), &[]);
    office.ban();
    office.wait_until_shown();
    office.desktop.wait_for(1).unwrap();
    office.desktop.choose("Remind me in 4 hours").unwrap();
    let put_off = office.wait_for("it is put off", |obligation| obligation.snoozed_until.is_some());
    office.desktop.wait_for(0).unwrap();
    let offered = office.desktop.offered().unwrap();
    for label in ["I have read this", "Remove it for me", "Remind me in 4 hours", "Remind me in 1 hour", "Why?"] {
        assert!(offered.contains(label), "{label} is missing in {offered}");
    }
    let before = put_off.last_shown;
    office.pass(HOUR * 5);
    office.wait_for("it comes again", |obligation| obligation.last_shown > before);
    office.desktop.wait_for(1).unwrap();
}

#[test]
fn two_apps_are_told_of_in_one_notification() {
    let office = Office::open(Some(Service::Dunst), &[]);
    home::INSTAGRAM.install(&office.device.home).unwrap();
    office.ban();
    office.wait_until_shown();
    office.company.publish(&home::ban(&home::INSTAGRAM, "no-instagram", 1, "grace = \"72h\"")).unwrap();
    let all_shown =
        |status: &Status| status.obligations.len() == 2 && status.obligations.iter().all(|o| o.shown.is_some());
    office.device.wait_for("both are shown", all_shown).unwrap();
    assert_eq!(office.desktop.displayed().unwrap(), 1, "never more than one at a time");
    let history = office.read();
    assert!(history.contains("2 messages about this device"), "{history}");
    assert!(
        history.contains("If TikTok is still installed on ") && history.contains("If Instagram is still installed on ")
    );
    let all_read = |status: &Status| status.obligations.iter().all(|o| o.acknowledged.is_some());
    office.device.wait_for("both are read", all_read).unwrap();
}

#[test]
fn promise_1_a_companion_that_is_killed_is_started_again() {
    let office = Office::open(Some(Service::Dunst), &[]);
    let first = office.companion().unwrap();
    kill(first);
    office.wait_for_companion(2);
    assert_ne!(office.companion(), Some(first));
    office.ban();
    office.wait_until_shown();
    office.desktop.wait_for(1).unwrap();
}

#[test]
fn admins_see_that_somebody_can_not_be_shown_notices_any_more() {
    let mut office = Office::open(Some(Service::Dunst), &[]);
    office.ban();
    office.wait_until_shown();
    office.desktop.log_out();
    wait_until("the admins see it", || {
        let status = office.company.admin("alice", &["status"])?.ok()?;
        ensure!(
            status.contains("1 people of whom something is asked have nothing that shows them notices"),
            "{status}"
        );
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_companion_outlives_its_daemon_and_finds_the_next_one() {
    let mut office = Office::open(Some(Service::Dunst), &[]);
    office.ban();
    office.wait_until_shown();
    let companion = office.companion();
    office.device.kill();
    office.device.start().unwrap();
    office.wait_for_companion(2);
    assert_eq!(office.companion(), companion);
    office.desktop.dismiss().unwrap();
    office.wait_for("it is acknowledged", |obligation| obligation.acknowledged.is_some());
}

#[test]
fn what_was_on_the_screen_comes_back_with_the_service_that_showed_it() {
    let mut office = Office::open(Some(Service::Dunst), &[]);
    office.ban();
    office.wait_until_shown();
    office.desktop.wait_for(1).unwrap();
    office.desktop.stop_service();
    office.desktop.start_service(Service::Dunst).unwrap();
    office.desktop.wait_for(1).unwrap();
}

#[test]
fn promise_1_a_desktop_without_a_service_shows_nothing_until_one_comes() {
    let mut office = Office::open(None, &[]);
    office.ban();
    office.wait_for_obstacle(Obstacle::NoService);
    office.pass(HOUR * 48);
    assert_eq!(office.wait_for_obstacle(Obstacle::NoService).deadline, None);
    office.desktop.start_service(Service::Dunst).unwrap();
    office.wait_until_shown();
    office.desktop.wait_for(1).unwrap();
}

#[test]
fn a_service_without_buttons_and_markup_is_given_a_text_that_says_everything() {
    let office = Office::open(None, &[]);
    let service = PlainService::start(&office.desktop.session_bus).unwrap();
    let policy = home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\"");
    office.company.publish(&policy.replace("Questions?", "Questions & <b>worries</b>?")).unwrap();
    office.wait_until_shown();
    let [Shown { summary, body, actions }] = service.shown().try_into().unwrap();
    assert_eq!(actions, [""; 0]);
    assert_eq!(summary, "TikTok is not permitted on devices with company mail");
    assert!(body.contains("Questions & <b>worries</b>? Ask the help desk."), "it is plain text: {body}");
    for part in ["If TikTok is still installed on ", "Remove TikTok, and nothing is taken", "Run: forewarn why TikTok"]
    {
        assert!(body.contains(part), "`{part}` is missing in {body}");
    }
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
        company.pass(HOUR * 48).unwrap();
        device.pass(HOUR * 48).unwrap();
        let status = device.wait_for("time has passed", |status| status.connected).unwrap();
        let obligation = &status.obligations[0];
        assert_eq!((obligation.shown, obligation.deadline), (None, None), "no notice, no deadline");
    }
    wait_until("the admins see that, and why", || {
        let status = company.admin("alice", &["status"])?.ok()?;
        ensure!(
            status.contains("1 person not yet told:\n    1 person: not logged in where a notice can be shown"),
            "{status}"
        );
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_flatpak_is_removed_by_the_button_of_a_real_notification() {
    let office = Office::open_with(Some(Service::Xfce), |device, folder| {
        let folder = folder.join("flatpak");
        fs_err::create_dir(&folder).unwrap();
        apps::install_flatpak(&device.home, &folder);
        let environment = apps::flatpak_environment(&device.home, &folder);
        environment.iter().fold(device, |device, (name, value)| device.with(name, value))
    });
    office.company.publish(&apps::ban("pkg:flatpak/org.example.Clock")).unwrap();
    office.wait_until_shown();
    office.desktop.wait_for(1).unwrap();
    let pressed = std::time::Instant::now();
    // Read, remove, two lengths of time, why.
    office.desktop.press(1, 5).unwrap();
    office.device.wait_for("nothing is asked", |status| status.obligations.is_empty()).unwrap();
    println!("from the button to the end of the obligation: {} ms", pressed.elapsed().as_millis());
    assert!(!office.device.home.join(".local/share/flatpak/app/org.example.Clock").exists());
}

/// SIGKILL.
fn kill(process: u32) {
    let status = std::process::Command::new("kill").args(["-9", &process.to_string()]).status().unwrap();
    assert!(status.success());
    // Its line in /proc goes with it, as soon as its parent looks.
    std::thread::sleep(Duration::from_millis(100));
}

/// How long it takes from the start of the last `sign` to the notice, printed for who reads the test's output: measured, not asserted.
#[test]
fn a_first_notice_is_on_the_screen_at_once() -> Result<()> {
    let office = Office::open(Some(Service::Dunst), &[]);
    let policy = office.company.policy_file(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\""))?;
    office.company.admin("alice", &["propose", &policy])?.ok()?;
    let start = std::time::Instant::now();
    office.company.admin("bob", &["sign", "--yes"])?.ok()?;
    office.desktop.wait_for(1)?;
    println!("from the last `sign` to the notice: {} ms", start.elapsed().as_millis());
    Ok(())
}
