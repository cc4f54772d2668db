//! Two servers on one PostgreSQL: either may go, and the database itself in between.

use std::time::Instant;

use forewarn_host::Shift;
use forewarn_tests::{Binaries, Company, Device, Postgres, home, wait_until};
use tempfile::TempDir;

/// Two servers with one database, and a device at each.
struct Pair {
    one: Company,
    other: Company,
    devices: [Device; 2],
    database: Postgres,
    _folder: TempDir,
}

impl Pair {
    fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Postgres::start(&folder.path().join("postgres")).unwrap();
        let store = format!("store = {:?}", database.url());
        let mut one = Company::prepare_with(Binaries::beside_test().unwrap(), folder.path(), &store).unwrap();
        one.begin().unwrap();
        let mut other = one.another_server(&store).unwrap();
        other.start_server().unwrap();
        let devices = [("first", &one), ("second", &other)].map(|(name, server)| {
            let place = folder.path().join(name);
            fs_err::create_dir(&place).unwrap();
            let config = "notices = \"terminal\"";
            let mut device = Device::prepare(&server.binaries, &place, &Shift::default(), config).unwrap();
            device.enroll(&server.token().unwrap(), &one.path("bob/root.json")).unwrap();
            device.start().unwrap();
            device.wait_for("the device is connected", |status| status.confirmed_at.is_some()).unwrap();
            device
        });
        Self { one, other, devices, database, _folder: folder }
    }

    /// The admins speak with the other server from now on.
    fn turn_admins_to_the_other(&self) {
        for admin in ["alice", "bob"] {
            let settings = self.one.path(&format!("{admin}/settings.toml"));
            let text = fs_err::read_to_string(&settings).unwrap();
            fs_err::write(settings, text.replace(&self.one.url, &self.other.url)).unwrap();
        }
    }
}

fn policies(device: &Device) -> usize {
    device.status().map_or(0, |status| status.rules.len())
}

#[test]
fn what_is_published_at_one_server_reaches_devices_of_the_other() {
    let mut pair = Pair::set();
    let file = pair.one.policy_file(&home::ban(&home::TIKTOK, "ban", 1, "grace = \"48h\"")).unwrap();
    pair.one.admin("alice", &["propose", &file]).unwrap().ok().unwrap();
    let before = Instant::now();
    pair.one.admin("bob", &["sign", "--yes"]).unwrap().ok().unwrap();
    for device in &pair.devices {
        wait_until("the policy is there", || {
            anyhow::ensure!(policies(device) == 1);
            Ok(())
        })
        .unwrap();
    }
    // Printed, not judged: the command alone opens a key with scrypt.
    println!("both devices had it {:?} after the command began", before.elapsed());

    // The server that published goes. Its device's word, and the admins', go through the other.
    pair.one.kill_server();
    pair.turn_admins_to_the_other();
    let retract = ["retract", "ban", "--reason", "sent in error"];
    pair.other.admin("alice", &retract).unwrap().ok().unwrap();
    wait_until("the retraction is there", || {
        anyhow::ensure!(policies(&pair.devices[1]) == 0);
        Ok(())
    })
    .unwrap();

    // It comes back, and its device hears what it missed.
    pair.one.start_server().unwrap();
    wait_until("the retraction is there too", || {
        anyhow::ensure!(policies(&pair.devices[0]) == 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn the_database_may_be_killed_and_nothing_is_lost() {
    let mut pair = Pair::set();
    pair.one.publish(&home::ban(&home::TIKTOK, "ban", 1, "grace = \"48h\"")).unwrap();
    for device in &pair.devices {
        wait_until("the policy is there", || {
            anyhow::ensure!(policies(device) == 1);
            Ok(())
        })
        .unwrap();
    }
    pair.database.kill();
    let refused = pair.one.admin("alice", &["status"]).unwrap();
    assert!(!refused.success, "{}", refused.text);
    assert!(pair.devices.iter().all(|device| policies(device) == 1), "devices keep what they have");
    pair.database.run().unwrap();

    // Without a restart of either server: what is published at one reaches the other's device.
    wait_until("the server has its database again", || {
        anyhow::ensure!(pair.one.admin("alice", &["status"])?.success);
        Ok(())
    })
    .unwrap();
    let retract = ["retract", "ban", "--reason", "sent in error"];
    wait_until("it is withdrawn", || {
        anyhow::ensure!(pair.one.admin("alice", &retract)?.success);
        Ok(())
    })
    .unwrap();
    for device in &pair.devices {
        wait_until("the retraction is there", || {
            anyhow::ensure!(policies(device) == 0);
            Ok(())
        })
        .unwrap();
    }
    let drafts = pair.one.admin("alice", &["status"]).unwrap().ok().unwrap();
    assert!(drafts.contains("2 devices enrolled"), "{drafts}");
}
