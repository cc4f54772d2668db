//! Whom a rollout reaches and when, and what a preview foretells.

use forewarn_proto::{
    inventory::Scope,
    ipc::Reach,
    policy::{Pause, Policy},
    report::{Finding, Stage},
};

use super::world::{ANN, HOUR, World, policy_about};
use crate::Settings;

/// The ban with this rollout, as an inline table.
fn rolled_out(version: u64, rollout: &str) -> Policy {
    let top = format!("rollout = {{ {rollout} }}");
    policy_about("ban", version, "TikTok", "grace = \"24h\"", "mail = [\"corp.example\"]", &top)
}

fn world_in(groups: &[&str]) -> World {
    let groups = groups.iter().map(|group| group.parse().unwrap()).collect();
    let mut world = World::at("2026-12-01T09:00Z", Settings::default().for_device("laptop").in_groups(groups));
    world.start();
    world.install(Scope::Person(ANN), "tiktok");
    world
}

#[test]
fn a_device_outside_the_groups_is_asked_for_nothing_and_says_so() {
    for (groups, asked) in [(&["pilot"][..], true), (&["sales"], false), (&[], false)] {
        let mut world = world_in(groups);
        world.publish(&rolled_out(1, "groups = [\"pilot\"]"));
        assert_eq!(world.obligation(ANN).is_some(), asked, "{groups:?}");
        let report = world.engine.state().report().unwrap();
        assert_eq!(report.policies[0].reached, asked);
        assert_eq!(report.policies[0].rules[0].finding, Finding::NotMet, "what is there is counted all the same");
        world.advance(HOUR * 48);
        world.confirm();
        world.advance(HOUR);
        assert_eq!(!world.vault.is_empty(), asked, "{groups:?}");
    }
}

#[test]
fn a_person_is_told_whether_and_when_the_rollout_comes() {
    let reach = |rollout: &str| {
        let mut world = world_in(&["pilot"]);
        world.publish(&rolled_out(1, rollout));
        world.engine.rules_for(ANN)[0].rollout
    };
    assert_eq!(reach("groups = [\"pilot\"]"), Reach::Here);
    assert_eq!(reach("groups = [\"sales\"]"), Reach::Never);
    assert_eq!(reach("start = \"2026-12-02T09:00Z\""), Reach::Then("2026-12-02T09:00Z".parse().unwrap()));
    assert_eq!(reach("start = \"2026-11-30T09:00Z\""), Reach::Here);
}

#[test]
fn promise_1_whom_a_growing_rollout_reaches_later_has_the_full_notice_from_then() {
    let mut world = world_in(&[]);
    world.publish(&rolled_out(1, "start = \"2026-12-02T09:00Z\", over = \"10h\""));
    assert!(world.obligation(ANN).is_none());
    let mut waited = HOUR - HOUR;
    while world.obligation(ANN).is_none() {
        world.advance(HOUR);
        world.confirm();
        waited += HOUR;
        assert!(waited <= HOUR * 35, "everyone is reached in the end");
    }
    assert!(waited > HOUR * 24, "nobody before the start");
    let told = world.obligation(ANN).unwrap();
    let reached = told.shown.unwrap();
    assert_eq!(told.deadline, Some(reached + HOUR * 24));
}

#[test]
fn promise_2_a_paused_rollout_reaches_nobody_more_until_a_new_version() {
    let mut world = world_in(&[]);
    let growing = "start = \"2026-12-02T09:00Z\", over = \"10h\"";
    world.publish(&rolled_out(1, growing));
    let pause = Pause { at: world.truth, through_version: 1 };
    world.set.undoing.pauses.insert("ban".parse().unwrap(), vec![pause]);
    world.push();
    for _ in 0..10 {
        world.advance(HOUR * 10);
        world.confirm();
    }
    assert!(world.obligation(ANN).is_none());
    world.publish(&rolled_out(2, growing));
    assert_eq!(world.stage(ANN), Some(Stage::Warned));
}

#[test]
fn promise_2_a_pause_gives_back_what_was_taken_from_whom_it_leaves_out() {
    let mut world = world_in(&[]);
    world.publish(&rolled_out(1, "start = \"2026-12-01T09:00Z\", over = \"1h\""));
    world.advance(HOUR * 2);
    world.confirm();
    world.advance(HOUR * 30);
    world.confirm();
    world.advance(HOUR);
    assert!(!world.vault.is_empty(), "{:?}", world.obligation(ANN));
    // It was paused before this device was reached, and the device has heard of that late.
    let pause = Pause { at: "2026-12-01T09:00Z".parse().unwrap(), through_version: 1 };
    world.set.undoing.pauses.insert("ban".parse().unwrap(), vec![pause]);
    world.push();
    assert!(world.vault.is_empty() && world.obligation(ANN).is_none());
}

#[test]
fn a_preview_foretells_and_asks_nothing() {
    let mut world = world_in(&[]);
    let ban = rolled_out(1, "");
    world.set.previews.insert(ban.id.clone(), ban.clone());
    world.push();
    assert!(world.obligation(ANN).is_none());
    let came = world.truth;
    let foretold = |world: &World| world.engine.state().report().unwrap().policies[0].rules[0].foretold.clone();
    let told = foretold(&world).unwrap();
    assert_eq!((told.people, told.with_mail, told.reached), (1, 1, None));
    assert_eq!(told.deadline, Some(came + HOUR * 24));
    let reports = world.reports.len();
    world.advance(HOUR * 5);
    world.confirm();
    assert_eq!(world.reports.len(), reports, "as time passes it does not say something else");
    // With a rollout that reaches this device never, or later.
    world.set.previews.insert(ban.id.clone(), rolled_out(2, "groups = [\"pilot\"]"));
    world.push();
    assert_eq!(foretold(&world), None);
    world.set.previews.insert(ban.id.clone(), rolled_out(3, "start = \"2026-12-31T09:00Z\""));
    world.push();
    let later = foretold(&world).unwrap();
    assert_eq!(later.reached, Some("2026-12-31T09:00Z".parse().unwrap()));
    assert_eq!(later.deadline, Some("2027-01-01T09:00Z".parse().unwrap()));
}
