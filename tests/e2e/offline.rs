//! The server is gone.

use forewarn_proto::report::{Hold, Stage as ObligationStage};
use forewarn_tests::home;
use jiff::SignedDuration;

use crate::{HOUR, Stage};

#[test]
fn promise_7_without_a_server_the_agent_warns_and_holds() {
    let mut stage = Stage::set();
    let before = home::mail_files(&stage.device.home).unwrap();
    home::TIKTOK.install(&stage.device.home).unwrap();
    stage.company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\"")).unwrap();
    stage.device.wait_for_first_notice().unwrap();
    stage.company.kill_server();
    stage.device.kill();
    stage.device.start().unwrap();
    for hours in [24, 20, 3] {
        let length = HOUR * hours + SignedDuration::from_secs(10);
        stage.device.wait_for_reminder(|| stage.try_pass(length)).unwrap();
    }
    stage.pass(SignedDuration::from_mins(50));
    stage.device.wait_for_last_call().unwrap();
    stage.pass(HOUR * 30);
    let held = |status: &forewarn_proto::ipc::Status| {
        let obligation = &status.obligations[0];
        obligation.stage == ObligationStage::Held && obligation.holds.contains(&Hold::PolicyStale)
    };
    let status = stage.device.wait_for("the revoke is held", held).unwrap();
    assert!(!status.connected);
    assert_eq!(home::mail_files(&stage.device.home).unwrap(), before);
    stage.company.start_server().unwrap();
    stage.device.wait_for("revoked once it is confirmed", |status| !status.revoked.is_empty()).unwrap();
}

#[test]
fn promise_4_a_profile_comes_back_without_a_server() {
    let mut stage = Stage::set();
    let before = home::mail_files(&stage.device.home).unwrap();
    home::TIKTOK.install(&stage.device.home).unwrap();
    stage.company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"24h\"")).unwrap();
    stage.device.wait_for_first_notice().unwrap();
    stage.pass(HOUR * 24);
    stage.device.wait_for_last_call().unwrap();
    stage.pass(HOUR);
    stage.device.wait_for("revoked", |status| !status.revoked.is_empty()).unwrap();
    stage.company.kill_server();
    home::TIKTOK.remove(&stage.device.home).unwrap();
    stage.device.wait_for_notice("(corp.example) is back").unwrap();
    assert_eq!(home::mail_files(&stage.device.home).unwrap(), before);
}
