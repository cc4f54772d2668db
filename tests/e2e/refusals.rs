//! What must change nothing on the device, be logged with its reason, and be shown by `forewarn status`.

use forewarn_proto::{
    bundle::MAX_BUNDLE_BYTES,
    ipc::Status,
    report::{Misread, Refusal, Unread},
};
use forewarn_tests::home;
use forewarn_trust::{Repository, SigningKey};
use jiff::Timestamp;

use crate::{HOUR, hostile::Hostile};

/// Pushes `bytes` to a device whose person has the banned app, and checks that nothing comes of it but `reason`.
#[track_caller]
fn check(hostile: &Hostile, bytes: &str, reason: &str, is_right: impl Fn(&Refusal) -> bool) {
    let before = home::mail_files(&hostile.device.home).unwrap();
    let looked = |status: &Status| status.rules.iter().all(|rule| rule.doubts.is_empty());
    let in_force = hostile.device.wait_for("the device is looked at", looked).unwrap();
    hostile.server.feed.push_bytes(bytes);
    let status = hostile
        .device
        .wait_for("the bundle is refused", |status| status.refused.as_ref().is_some_and(&is_right))
        .unwrap();
    assert_eq!(status.rules, in_force.rules, "the policies in force are as before");
    assert_eq!(status.obligations, [], "nobody is asked anything");
    assert_eq!(hostile.device.terminal(), "", "nobody is told anything");
    assert_eq!(home::mail_files(&hostile.device.home).unwrap(), before);
    let shown = hostile.device.run(&["status"]).unwrap().ok().unwrap();
    assert!(shown.contains("refused") && shown.contains(reason), "`{reason}` is not in: {shown}");
    assert!(hostile.device.log().contains(reason), "`{reason}` is not in the log: {}", hostile.device.log());
}

fn policy() -> String {
    home::filled_in(&home::TIKTOK, "no-tiktok", 1, "grace = \"24h\"")
}

fn set() -> Hostile {
    let hostile = Hostile::set();
    home::TIKTOK.install(&hostile.device.home).unwrap();
    hostile
}

const NAME: &str = "policies/no-tiktok.toml";
const EXEMPTIONS: &str = "exemptions/no-tiktok.toml";

#[test]
fn promise_2_one_signature_of_two() {
    let h = set();
    let forced = h.keys.force(&h.repository, NAME, &policy(), &[&h.keys.alice], h.tomorrow());
    let bytes = String::from_utf8(forced.bundle().to_bytes()).unwrap();
    check(&h, &bytes, "signatures do not hold", |r| matches!(r, Refusal::NotSigned(_)));
}

#[test]
fn promise_7_a_signature_by_an_unknown_key() {
    let h = set();
    let mallory = SigningKey::generate("bob").unwrap();
    let forced = h.keys.force(&h.repository, NAME, &policy(), &[&h.keys.alice, &mallory], h.tomorrow());
    let bytes = String::from_utf8(forced.bundle().to_bytes()).unwrap();
    check(&h, &bytes, "signatures do not hold", |r| matches!(r, Refusal::NotSigned(_)));
}

#[test]
fn promise_7_one_flipped_byte() {
    let h = set();
    let forced = h.keys.force(&h.repository, NAME, &policy(), &[&h.keys.alice, &h.keys.bob], h.tomorrow());
    let good = String::from_utf8(forced.bundle().to_bytes()).unwrap();
    let flipped = good.replacen("grace = \\\"24h\\\"", "grace = \\\"23h\\\"", 1);
    assert_ne!(good, flipped);
    check(&h, &flipped, "signatures do not hold", |r| matches!(r, Refusal::NotSigned(_)));
}

#[test]
fn promise_7_an_older_bundle() {
    let h = set();
    let retraction = "policy = \"no-tiktok\"\nthrough_version = 1\nreason = \"error\"\n[message]\nen = \"m\"\n";
    let both = [&h.keys.alice, &h.keys.bob];
    let older = h.keys.force(&h.repository, NAME, &policy(), &both, h.tomorrow());
    let newer = h.keys.force(&older, "retractions/no-tiktok.toml", retraction, &[&h.keys.bob], h.tomorrow());
    let before = h.device.status().unwrap().confirmed_at;
    h.server.feed.push(newer.bundle());
    h.device.wait_for("the retraction is in force", |status| status.confirmed_at > before).unwrap();
    let bytes = String::from_utf8(older.bundle().to_bytes()).unwrap();
    check(&h, &bytes, "older than the one in force", |r| matches!(r, Refusal::Older(_)));
}

#[test]
fn promise_7_an_expired_timestamp() {
    let h = set();
    let both = [&h.keys.alice, &h.keys.bob];
    let expired = h.keys.force(&h.repository, NAME, &policy(), &both, h.clock.wall() - HOUR);
    let bytes = String::from_utf8(expired.bundle().to_bytes()).unwrap();
    check(&h, &bytes, "has expired", |r| matches!(r, Refusal::Expired(_)));
}

/// What spares the device its policy's rule.
fn exemptions(h: &Hostile, until: Timestamp) -> String {
    let identity = fs_err::read_to_string(h.device.folder.join("agent/identity.json")).unwrap();
    let identity: serde_json::Value = serde_json::from_str(&identity).unwrap();
    let device = &identity["device"];
    format!("policy = \"no-tiktok\"\n[[exemption]]\ndevice = {device}\nrule = \"tiktok\"\nuntil = \"{until}\"\n")
}

/// The policy is in force, and the device is spared its rule.
fn spared(h: &Hostile, until: Timestamp) -> Repository {
    let both = [&h.keys.alice, &h.keys.bob];
    let spared = h.keys.force(&h.repository, EXEMPTIONS, &exemptions(h, until), &[&h.keys.bob], h.tomorrow());
    let banned = h.keys.force(&spared, NAME, &policy(), &both, h.tomorrow());
    h.server.feed.push(banned.bundle());
    h.device.wait_for("it is spared", |status| status.rules.iter().any(|rule| rule.spared.is_some())).unwrap();
    banned
}

#[test]
fn promise_7_what_was_signed_for_something_else() {
    let h = set();
    let banned = spared(&h, h.clock.wall() + HOUR * 1000);
    let swapped = h.keys.swap(&banned, "policies", "exemptions", h.tomorrow());
    let bytes = String::from_utf8(swapped.bundle().to_bytes()).unwrap();
    check(&h, &bytes, "served as exemptions was signed as policies", |r| matches!(r, Refusal::NotSigned(_)));
}

#[test]
fn promise_7_an_exemption_that_was_heard_is_not_made_shorter() {
    let h = set();
    let until = h.clock.wall() + HOUR * 1000;
    let banned = spared(&h, until);
    let before = h.device.status().unwrap().confirmed_at;
    let less = exemptions(&h, h.clock.wall() - HOUR);
    let shorter = h.keys.force(&banned, EXEMPTIONS, &less, &[&h.keys.bob], h.tomorrow());
    h.server.feed.push(shorter.bundle());
    let status = h.device.wait_for("that is in force", |status| status.confirmed_at > before).unwrap();
    assert_eq!(status.rules[0].spared.as_ref().map(|spared| spared.until), Some(until));
    assert_eq!(status.obligations, []);
}

#[test]
fn promise_7_a_bundle_over_its_size_limit() {
    let h = set();
    let bytes = format!("{{\"x\":\"{}\"}}", "x".repeat(MAX_BUNDLE_BYTES));
    check(&h, &bytes, "over the size limit", |r| matches!(r, Refusal::TooLarge(_)));
}

#[test]
fn promise_7_a_policy_of_the_future_takes_nothing_and_keeps_nothing_from_being_heard() {
    let h = set();
    let both = [&h.keys.alice, &h.keys.bob];
    for (version, future, reason) in
        [(1, "version = 1\nwipe = true", "can't be read"), (2, "version = 2\nformat = 9", "is written in format 9")]
    {
        let strange = policy().replace("version = 1", future);
        let forced = h.keys.force(&h.repository, NAME, &strange, &both, h.tomorrow());
        let other = home::filled_in(&home::TIKTOK, "other", version, "grace = \"24h\"");
        let forced = h.keys.force(&forced, "policies/other.toml", &other, &both, h.tomorrow());
        h.server.feed.push(forced.bundle());
        let is_meant = |unread: &Unread| matches!(unread.why, Misread::Format(_)) == (version == 2);
        let is_read = |status: &Status| status.unread.iter().any(is_meant);
        let status = h.device.wait_for("it is in force", is_read).unwrap();
        assert_eq!(status.unread.iter().map(|unread| unread.document.as_str()).collect::<Vec<_>>(), [NAME]);
        assert!(status.rules.iter().all(|rule| rule.policy.as_str() == "other"), "{:?}", status.rules);
        let shown = h.device.run(&["status"]).unwrap().ok().unwrap();
        assert!(shown.contains(reason) && shown.contains("Nothing is taken by it"), "`{reason}` is not in: {shown}");
        let report = h.device.wait_for("it is reported", |status| {
            let told: Vec<_> = status.unread.iter().cloned().map(Unread::told).collect();
            status.report.as_ref().is_some_and(|report| report.unread == told && report.format == 1)
        });
        assert!(report.is_ok());
    }
}

#[test]
fn promise_3_a_retraction_counts_even_in_a_bundle_that_is_refused() {
    let h = set();
    let both = [&h.keys.alice, &h.keys.bob];
    let good = h.keys.force(&h.repository, NAME, &policy(), &both, h.tomorrow());
    h.server.feed.push(good.bundle());
    h.device.wait_for_first_notice().unwrap();
    let retraction =
        "policy = \"no-tiktok\"\nthrough_version = 1\nreason = \"error\"\n[message]\nen = \"Never mind.\"\n";
    let name = "retractions/no-tiktok.toml";
    let expired = h.keys.force(&good, name, retraction, &[&h.keys.alice], h.clock.wall() - HOUR);
    h.server.feed.push(expired.bundle());
    h.device.wait_for_notice("Never mind.").unwrap();
    let status = h.device.wait_for("nothing is asked", |status| status.obligations.is_empty()).unwrap();
    assert!(matches!(status.refused, Some(Refusal::Expired(_))));
}
