//! A connection that is dead and looks alive.

use std::{net::SocketAddr, time::Instant};

use forewarn_proto::push::MAX_INLINE_BYTES;
use forewarn_tests::{Binaries, Company, Hole, home, wait_until};
use jiff::SignedDuration;

use crate::device;

/// A company whose devices listen through something that may fail them.
fn behind(sign_of_life: &str) -> (Company, crate::Device, Hole, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let port = forewarn_tests::free_port();
    let server: SocketAddr = ([127, 0, 0, 1], port).into();
    let hole = Hole::before(server).unwrap();
    let stream = format!(
        "[stream]\nlisten = \"{server}\"\nurl = \"https://{}\"\nsign_of_life = \"{sign_of_life}\"",
        hole.address
    );
    let mut company = Company::prepare_with(Binaries::beside_test().unwrap(), folder.path(), &stream).unwrap();
    company.begin().unwrap();
    let mut device = device(&folder, &company, "notices = \"terminal\"");
    device.enroll(&company.token().unwrap(), &company.path("bob/root.json")).unwrap();
    device.start().unwrap();
    device.wait_for("the device is connected", |status| status.confirmed_at.is_some()).unwrap();
    (company, device, hole, folder)
}

#[test]
fn promise_3_a_retraction_is_heard_though_the_stream_has_died_without_a_word() {
    let (company, device, hole, _folder) = behind("10s");
    home::TIKTOK.install(&device.home).unwrap();
    company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\"")).unwrap();
    device.wait_for_first_notice().unwrap();
    let heard = device.status().unwrap().heard_at;
    hole.open();
    company.admin("alice", &["retract", "no-tiktok", "--reason", "sent in error"]).unwrap().ok().unwrap();
    let begun = Instant::now();
    let mut silent = SignedDuration::ZERO;
    wait_until("the stream is found to be dead", || {
        let status = device.status()?;
        silent = silent.max(status.now.duration_since(status.heard_at.unwrap_or(status.now)));
        anyhow::ensure!(hole.connections() == 2, "still the first");
        Ok(())
    })
    .unwrap();
    let found = begun.elapsed();
    // Two signs that did not come, and a little.
    assert!((10..=26).contains(&found.as_secs()), "{found:?}");
    assert!(silent > SignedDuration::from_secs(10), "and `status` has said meanwhile since when: {silent:?}");
    device.wait_for("the server is heard again", |status| status.heard_at > heard).unwrap();
    device.wait_for("the retraction is heard", |status| status.obligations.is_empty()).unwrap();
    println!("a dead stream was given up after {found:?}, and the retraction heard after {:?}", begun.elapsed());
    assert!(begun.elapsed().as_secs() < 30);
    assert_eq!(hole.connections(), 2);
}

#[test]
fn promise_3_a_stream_on_which_signs_of_life_come_is_kept() {
    let (company, device, hole, _folder) = behind("10s");
    let first = device.status().unwrap().heard_at;
    wait_until("there was a sign of life", || {
        let status = device.status()?;
        anyhow::ensure!(status.connected && status.heard_at > first);
        Ok(())
    })
    .unwrap();
    let shown = device.run(&["status"]).unwrap().ok().unwrap();
    assert!(shown.contains("(connected)") && shown.contains("last heard "), "{shown}");
    let status = company.admin("alice", &["status"]).unwrap().ok().unwrap();
    assert!(status.contains("1 connected"), "{status}");
    assert_eq!(hole.connections(), 1);
}

/// However much is in force, an undo does not wait behind it: the frame has it, and the device fetches the rest in its own time.
#[test]
fn promise_3_a_retraction_in_a_large_bundle_does_not_wait_for_the_bundle() {
    let folder = tempfile::tempdir().unwrap();
    // Devices fetch what is large at some moment of it.
    let spread = "[stream]\nspread = \"10s\"";
    let mut company = Company::prepare_with(Binaries::beside_test().unwrap(), folder.path(), spread).unwrap();
    company.begin().unwrap();
    let mut device = device(&folder, &company, "notices = \"terminal\"");
    device.enroll(&company.token().unwrap(), &company.path("bob/root.json")).unwrap();
    home::TIKTOK.install(&device.home).unwrap();
    let mut policy = home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\"");
    policy.push_str(&"# Why this is so long, nobody knows.\n".repeat(MAX_INLINE_BYTES / 30));
    company.publish(&policy).unwrap();
    device.start().unwrap();
    device.wait_for("it is told", |status| !status.obligations.is_empty()).unwrap();
    let bundles = || device.log().matches("is in force").count();
    let (mut slowest, mut before_its_bundle) = (std::time::Duration::ZERO, 0);
    for round in 0..3 {
        let (begun, version, known) = (Instant::now(), round + 1, bundles());
        company.admin("alice", &["retract", "no-tiktok", "--reason", "sent in error"]).unwrap().ok().unwrap();
        let published = begun.elapsed();
        device.wait_for("it is undone", |status| status.obligations.is_empty()).unwrap();
        before_its_bundle += usize::from(bundles() == known);
        slowest = slowest.max(begun.elapsed().saturating_sub(published));
        if round < 2 {
            let next = policy.replace("version = 1", &format!("version = {}", version + 1));
            company.publish(&next).unwrap();
            device.wait_for("it is told anew", |status| !status.obligations.is_empty()).unwrap();
        }
    }
    println!("undone {slowest:?} after the admin's command at the latest");
    // Once the bundle may have come by chance in the same moment.
    assert!(before_its_bundle >= 2, "{before_its_bundle} of 3 before the bundle, {slowest:?}");
}
