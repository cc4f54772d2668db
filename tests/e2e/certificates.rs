//! A device's certificate is good for a while, is renewed in time, and is refused after it.

use anyhow::{Result, ensure};
use forewarn_tests::{Device, home, wait_until};

use crate::{HOUR, Stage};

/// A day more than two thirds of a certificate's time.
const MOST: i32 = 61 * 24;

#[test]
fn a_certificate_is_renewed_with_a_new_key_and_the_device_goes_on() {
    let mut stage = Stage::set();
    let before = identity(&stage.device).unwrap();
    stage.pass(HOUR * MOST);
    wait_until("the certificate is another", || {
        let after = identity(&stage.device)?;
        ensure!(after["certificate"] != before["certificate"] && after["key"] != before["key"], "it is the same");
        ensure!(after.get("former").is_none(), "the former one is kept until the new one was taken");
        Ok(())
    })
    .unwrap();
    // The first certificate's time is over by now.
    stage.pass(HOUR * 30 * 24);
    stage.device.kill();
    stage.device.start().unwrap();
    stage.device.wait_for("it is connected with the new one", |status| status.connected).unwrap();
    assert!(!stage.device.log().contains("enroll --again"), "{}", stage.device.log());
}

#[test]
fn a_device_that_can_t_store_its_new_certificate_goes_on_hearing() {
    let stage = Stage::set();
    let before = identity(&stage.device).unwrap();
    // In the way of the file that is written first.
    let in_the_way = stage.device.folder.join("agent/.identity.json.new");
    fs_err::create_dir(&in_the_way).unwrap();
    stage.pass(HOUR * MOST);
    wait_until("it could not be stored", || {
        ensure!(stage.device.log().contains(".identity.json.new"), "{}", stage.device.log());
        Ok(())
    })
    .unwrap();
    stage.company.publish(&home::ban(&home::TIKTOK, "ban", 1, "grace = \"48h\"")).unwrap();
    stage.device.wait_for("it has heard the policy", |status| !status.rules.is_empty()).unwrap();
    assert_eq!(identity(&stage.device).unwrap(), before);
    fs_err::remove_dir(&in_the_way).unwrap();
    stage.pass(HOUR * 24);
    wait_until("the certificate is another", || {
        ensure!(identity(&stage.device)?["certificate"] != before["certificate"], "it is the same");
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_device_that_was_away_for_too_long_is_refused_and_says_what_to_do() {
    let mut stage = Stage::set();
    stage.device.kill();
    stage.pass(HOUR * 91 * 24);
    stage.device.start().unwrap();
    let says = || {
        ensure!(stage.device.log().contains("run `forewarn enroll --again`"), "{}", stage.device.log());
        Ok(())
    };
    wait_until("the remedy is in the log", says).unwrap();
    assert!(!stage.device.status().unwrap().connected);
}

fn identity(device: &Device) -> Result<serde_json::Value> {
    Ok(serde_json::from_str(&fs_err::read_to_string(device.folder.join("agent/identity.json"))?)?)
}
