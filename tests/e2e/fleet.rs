//! What an admin sees and does across devices: how many a policy would touch, whom a rollout reaches, who may speak, and
//! the record of all of it.

use std::{io::Read, net::TcpListener, path::Path, process::Command};

use anyhow::ensure;
use forewarn_host::Shift;
use forewarn_proto::ipc::Status;
use forewarn_tests::{Binaries, Company, Device, Postgres, home, wait_until};
use tempfile::TempDir;

use crate::Stage;

/// A company with two devices, the first of which is in the group `pilot`.
struct Fleet {
    company: Company,
    pilot: Device,
    other: Device,
    folder: TempDir,
}

impl Fleet {
    /// `extra` is added to the server's configuration.
    fn set(extra: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut company = Company::prepare_with(Binaries::beside_test().unwrap(), folder.path(), extra).unwrap();
        company.begin().unwrap();
        let [pilot, other] = [("pilot", &["pilot"][..]), ("other", &[])].map(|(name, groups)| {
            let place = folder.path().join(name);
            fs_err::create_dir(&place).unwrap();
            let config = "notices = \"terminal\"";
            let mut device = Device::prepare(&company.binaries, &place, &Shift::default(), config).unwrap();
            let enrolled = device.enroll(&company.token_for(groups).unwrap(), &company.path("bob/root.json")).unwrap();
            assert_eq!(enrolled.contains("pilot"), name == "pilot", "{enrolled}");
            device.start().unwrap();
            device.wait_for("the device is connected", |status| status.confirmed_at.is_some()).unwrap();
            home::TIKTOK.install(&device.home).unwrap();
            device
        });
        Self { company, pilot, other, folder }
    }

    fn alice(&self, arguments: &[&str]) -> String {
        self.company.admin("alice", arguments).unwrap().ok().unwrap()
    }

    /// Somebody who can write the server's database does.
    fn tamper(&self, statement: &str) {
        let database = self.company.path("server/server.db");
        let script = format!("import sqlite3; c = sqlite3.connect({database:?}); c.execute({statement:?}); c.commit()");
        assert!(Command::new("python3").args(["-c", &script]).status().unwrap().success());
    }

    /// Proposed by alice, signed by bob: what bob sees.
    fn propose(&self, policy: &str) -> String {
        let file = self.company.policy_file(policy).unwrap();
        self.alice(&["propose", &file]);
        self.company.admin("bob", &["sign", "--yes"]).unwrap().ok().unwrap()
    }
}

fn ban(more: &str) -> String {
    home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\"").replacen("[[rule]]", &format!("{more}\n[[rule]]"), 1)
}

fn obliged(device: &Device) -> usize {
    device.status().map_or(0, |status| status.obligations.len())
}

#[test]
fn promise_2_what_would_touch_many_devices_needs_one_more_signature() {
    let fleet = Fleet::set("");
    // The limit of a real company, from which the other tests are spared.
    let config = fleet.company.path("server.toml");
    let text = fs_err::read_to_string(&config).unwrap();
    fs_err::write(&config, text.replace("blast_limit = 100", "blast_limit = 10")).unwrap();
    let Fleet { mut company, pilot, other, folder } = fleet;
    company.kill_server();
    company.start_server().unwrap();
    let fleet = Fleet { company, pilot, other, folder };
    wait_until("both devices are back", || {
        let status = fleet.alice(&["status"]);
        ensure!(status.contains("2 connected"), "{status}");
        Ok(())
    })
    .unwrap();

    let signed = fleet.propose(&ban(""));
    assert!(signed.contains("no preview has counted no-tiktok") && !signed.contains("Published"), "{signed}");
    let status = fleet.alice(&["status"]);
    assert!(status.contains("More than 1 need 3 signatures instead of 2"), "{status}");
    assert_eq!((obliged(&fleet.pilot), obliged(&fleet.other)), (0, 0));

    // A preview says how many it would really touch: both.
    let file = fleet.company.policy_file(&ban("")).unwrap();
    let preview = fleet.alice(&["preview", &file, "--wait", "60"]);
    assert!(preview.contains("if published: 2 people told now on 2 devices"), "{preview}");
    assert!(preview.contains("mail of 2 people revoked by the end of"), "{preview}");
    assert!(preview.contains("on linux: 2 devices answered, not met on 2"), "{preview}");
    assert!(preview.contains("in pilot: 1 devices answered, not met on 1"), "{preview}");
    // What was counted is a fleet to simulate with.
    let exported = fleet.alice(&["fleet", "export", "no-tiktok", "--zone", "Europe/Berlin"]);
    assert!(!exported.contains("device-"), "{exported}");
    let place = fleet.company.path("fleet.json");
    fs_err::write(&place, exported).unwrap();
    let (place, from) = (place.to_string_lossy(), "2026-12-01T09:30[Europe/Berlin]");
    let played = fleet.alice(&["simulate", &file, "--fleet", &place, "--from", from]);
    assert!(played.contains("2 people"), "{played}");
    let still = fleet.company.admin("alice", &["publish"]).unwrap();
    assert!(!still.success && still.text.contains("would touch up to 2 of 2 devices"), "{}", still.text);

    // Where the app is gone it touches nobody, and two signatures are enough.
    home::TIKTOK.remove(&fleet.other.home).unwrap();
    wait_until("the preview counts one", || {
        let status = fleet.alice(&["status"]);
        ensure!(status.contains("told now on 1 devices"), "{status}");
        Ok(())
    })
    .unwrap();
    fleet.alice(&["publish"]);
    fleet.pilot.wait_for_first_notice().unwrap();
}

#[test]
fn a_rollout_reaches_its_group_and_no_one_else() {
    let fleet = Fleet::set("");
    let signed = fleet.propose(&ban("[rollout]\ngroups = [\"pilot\"]"));
    assert!(signed.contains("Published"), "{signed}");
    fleet.pilot.wait_for_first_notice().unwrap();
    wait_until("both have reported", || {
        let status = fleet.alice(&["status"]);
        ensure!(status.contains("not met on 2 devices") && status.contains("notice shown to 1 people"), "{status}");
        Ok(())
    })
    .unwrap();
    assert_eq!((obliged(&fleet.pilot), obliged(&fleet.other)), (1, 0));
    let why = fleet.other.run(&["why", "TikTok"]).unwrap().ok().unwrap();
    assert!(why.contains("no-tiktok, but not on this device. Nothing is asked of you."), "{why}");
}

#[test]
fn promise_2_one_admin_pauses_a_rollout() {
    let fleet = Fleet::set("");
    // It starts in an hour, so that neither device is reached before it is paused.
    let start = jiff::Timestamp::from_second(jiff_now() + 3600).unwrap();
    fleet.propose(&ban(&format!("[rollout]\nstart = \"{start}\"\nover = \"1h\"")));
    fleet
        .pilot
        .wait_for("the policy is there", |status| status.report.as_ref().is_some_and(|r| !r.policies.is_empty()))
        .unwrap();
    let paused = fleet.alice(&["pause", "no-tiktok"]);
    assert!(paused.contains("stands still"), "{paused}");
    let later = jiff::SignedDuration::from_hours(5);
    fleet.company.pass(later).unwrap();
    [&fleet.pilot, &fleet.other].iter().for_each(|device| device.pass(later).unwrap());
    wait_until("both say that they were not reached", || {
        let reached = |device: &Device| device.status().ok()?.report?.policies.first().map(|policy| policy.reached);
        ensure!([&fleet.pilot, &fleet.other].map(reached) == [Some(false), Some(false)]);
        let now = fleet.pilot.status()?.now;
        ensure!(now > start, "{now}");
        Ok(())
    })
    .unwrap();
    assert_eq!((obliged(&fleet.pilot), obliged(&fleet.other)), (0, 0));
}

#[expect(clippy::cast_possible_wrap, reason = "seconds since 1970")]
fn jiff_now() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64
}

#[test]
fn a_device_that_was_revoked_or_forgotten_hears_and_says_nothing_more() {
    let fleet = Fleet::set("");
    let listed = fleet.alice(&["devices"]);
    let name_in = |line: &str| line.split([':', ',']).next().unwrap().to_owned();
    let names: Vec<String> = listed.lines().map(name_in).collect();
    assert_eq!(names.len(), 2, "{listed}");
    fleet.alice(&["devices", "revoke", &names[0]]);
    fleet.alice(&["devices", "forget", &names[1]]);
    for device in [&fleet.pilot, &fleet.other] {
        device.wait_for("its stream is closed", |status| !status.connected).unwrap();
    }
    fleet.propose(&ban(""));
    let status = fleet.alice(&["status"]);
    assert!(status.contains("0 devices enrolled, 0 connected"), "{status}");
    let listed = fleet.alice(&["devices"]);
    assert!(listed.contains("REVOKED") && !listed.contains(&names[1]), "{listed}");
    assert_eq!((obliged(&fleet.pilot), obliged(&fleet.other)), (0, 0));
    let record = fleet.alice(&["audit", "show"]);
    assert!(record.contains(&format!("{} revoked by alice", names[0])), "{record}");
    assert!(record.contains("a device forgotten by alice") && !record.contains(&names[1]), "{record}");
    assert!(record.contains("IN FORCE, by bob: policies 2 signed by alice and bob"), "{record}");
}

#[test]
fn promise_2_a_record_that_was_tampered_with_is_noticed() {
    let fleet = Fleet::set("");
    fleet.propose(&ban(""));
    let whole = fleet.alice(&["audit", "verify"]);
    assert!(whole.contains("The record is whole"), "{whole}");
    // One who can write the whole database can also make all hashes anew, but not in what an admin has seen.
    fleet.tamper("DELETE FROM audit WHERE number = (SELECT max(number) FROM audit)");
    let cut = fleet.company.admin("alice", &["audit", "verify"]).unwrap();
    assert!(!cut.success && cut.text.contains("and this machine has seen"), "{}", cut.text);
    fleet.tamper("UPDATE audit SET entry = replace(entry, 'alice', 'mallory') WHERE number = 2");
    let changed = fleet.company.admin("bob", &["audit", "verify"]).unwrap();
    assert!(!changed.success && changed.text.contains("entry 2 was changed"), "{}", changed.text);
}

#[test]
fn a_stored_report_that_can_t_be_read_hides_no_other() {
    let fleet = Fleet::set("");
    fleet.propose(&ban(""));
    wait_until("both have reported", || {
        let status = fleet.alice(&["status"]);
        ensure!(status.contains("not met on 2 devices"), "{status}");
        Ok(())
    })
    .unwrap();
    fleet.tamper("UPDATE report SET report = '{}' WHERE device = (SELECT min(device) FROM report)");
    let status = fleet.alice(&["status"]);
    assert!(status.contains("not met on 1 devices") && status.contains("1 devices have not answered"), "{status}");
}

#[test]
fn admins_are_told_what_waits_and_a_dead_webhook_holds_nothing_up() {
    let hook = TcpListener::bind("127.0.0.1:0").unwrap();
    let tell = format!("[tell]\nwebhook = \"http://{}/hook\"", hook.local_addr().unwrap());
    let heard = std::thread::spawn(move || {
        // The first try gets no answer at all.
        drop(hook.accept().unwrap());
        let mut texts = String::new();
        while !texts.contains("no-tiktok.toml") {
            let (mut stream, _) = hook.accept().unwrap();
            let mut buffer = [0; 4096];
            let length = stream.read(&mut buffer).unwrap();
            texts += &String::from_utf8_lossy(&buffer[..length]);
            let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n");
        }
        texts
    });
    let fleet = Fleet::set(&tell);
    let file = fleet.company.policy_file(&ban("")).unwrap();
    fleet.alice(&["propose", &file]);
    let heard = heard.join().unwrap();
    assert!(heard.contains("waits for a signature") && heard.contains("alice sent draft"), "{heard}");
    assert!(heard.contains("forewarn-admin sign"), "{heard}");
}

#[test]
fn a_restored_backup_goes_on_where_it_was() {
    let fleet = Fleet::set("");
    fleet.propose(&ban(""));
    fleet.pilot.wait_for_first_notice().unwrap();
    let Fleet { mut company, pilot, other, .. } = fleet;
    let backup = company.path("backup.db");
    company.server_command(&["backup", &backup.to_string_lossy()]).unwrap();
    // After the backup another policy comes into force, which the restored server knows nothing of.
    let instagram = home::ban(&home::INSTAGRAM, "no-instagram", 1, "grace = \"48h\"");
    company.publish(&instagram).unwrap();
    pilot
        .wait_for("both policies are there", |status| {
            status.report.as_ref().is_some_and(|report| report.policies.len() == 2)
        })
        .unwrap();
    company.admin("alice", &["inbox"]).unwrap().ok().unwrap();
    restore(&mut company, &backup);
    let behind = company.admin("alice", &["inbox"]).unwrap();
    assert!(!behind.success && behind.text.contains("can't be trusted"), "{}", behind.text);
    let before = pilot.status().unwrap().confirmed_at;
    company.admin("alice", &["bring-back"]).unwrap().ok().unwrap();
    for device in [&pilot, &other] {
        device.wait_for("it is connected", |status| status.connected && status.confirmed_at > before).unwrap();
    }
    assert_eq!(pilot.status().unwrap().refused, None);
    let retracted =
        company.admin("alice", &["retract", "no-tiktok", "--reason", "sent in error", "--watch"]).unwrap().ok();
    let retracted = retracted.unwrap();
    assert!(retracted.contains("reached 2 of 2 devices, 0 not yet heard from"), "{retracted}");
    pilot.wait_for("withdrawn", |status| status.obligations.is_empty()).unwrap();
}

#[test]
fn a_backup_from_before_the_server_got_new_keys_is_brought_back_and_gets_others() {
    let mut stage = Stage::set();
    let company = &stage.company;
    let policy = |id| home::ban(&home::TIKTOK, id, 1, "grace = \"48h\"");
    let admin = |company: &Company, name, arguments: &[&str]| company.admin(name, arguments).unwrap().ok().unwrap();
    company.publish(&policy("before")).unwrap();
    let backup = company.path("backup.db");
    company.server_command(&["backup", &backup.to_string_lossy()]).unwrap();
    let exchange = |company: &Company| {
        company.server_command(&["online-keys", "--new"]).unwrap();
        let proposed = admin(company, "alice", &["admins", "online-keys"]);
        let signed = admin(company, "bob", &["sign", "--yes", draft_of(&proposed)]);
        assert!(signed.contains("Published draft"), "{signed}");
    };
    exchange(company);
    company.publish(&policy("after")).unwrap();
    stage.device.wait_for("both are there", |status| status.rules.len() == 2).unwrap();
    admin(company, "alice", &["inbox"]);
    restore(&mut stage.company, &backup);
    let company = &stage.company;
    let brought = admin(company, "alice", &["bring-back"]);
    assert!(brought.contains("The root names other keys than the server's newest"), "{brought}");
    let file = company.policy_file(&policy("no-key")).unwrap();
    let proposed = admin(company, "alice", &["propose", &file]);
    let waits = admin(company, "bob", &["sign", "--yes"]);
    assert!(waits.contains("names a snapshot key that this server does not have"), "{waits}");
    exchange(company);
    let before = stage.device.status().unwrap().confirmed_at;
    let signed = admin(company, "bob", &["sign", "--yes", draft_of(&proposed)]);
    assert!(signed.contains("Published draft"), "its signatures hold: {signed}");
    let follows = |status: &Status| status.confirmed_at > before && status.rules.len() == 3;
    stage.device.wait_for("the device follows", follows).unwrap();
    assert_eq!(stage.device.status().unwrap().refused, None);
}

/// The draft's number, by what the command said that made it.
fn draft_of(proposed: &str) -> &str {
    proposed.lines().last().unwrap().rsplit(' ').next().unwrap()
}

/// The server as it was when the backup was made.
fn restore(company: &mut Company, backup: &Path) {
    company.kill_server();
    for file in ["server.db", "server.db-wal", "server.db-shm"] {
        let _ = fs_err::remove_file(company.path("server").join(file));
    }
    fs_err::copy(backup, company.path("server/server.db")).unwrap();
    company.start_server().unwrap();
}

/// Everything above on PostgreSQL would say no more; this says that the statements are understood there.
#[test]
fn the_admins_interface_is_the_same_on_postgresql() {
    let folder = tempfile::tempdir().unwrap();
    let database = Postgres::start(&folder.path().join("postgres")).unwrap();
    let fleet = Fleet::set(&format!("store = {:?}", database.url()));
    fleet.propose(&ban(""));
    fleet.pilot.wait_for_first_notice().unwrap();
    let names = fleet.alice(&["devices"]);
    let name = names.lines().next().unwrap().split([':', ',']).next().unwrap().to_owned();
    let token = fleet.alice(&["tokens", "make", "grafana", "--role", "viewer"]);
    assert!(token.starts_with("forewarn-api-"), "{token}");
    assert!(fleet.alice(&["tokens"]).contains("grafana: Viewer"));
    fleet.alice(&["tokens", "end", "grafana"]);
    fleet.alice(&["devices", "revoke", &name]);
    fleet.alice(&["devices", "forget", &name]);
    assert!(fleet.alice(&["audit", "verify"]).contains("The record is whole"));
    fleet.alice(&["appeals"]);
    assert!(fleet.alice(&["status"]).contains("1 devices enrolled"));
}
