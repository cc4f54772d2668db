//! What can only undo and was heard is never unheard: not by what a later bundle leaves out or says less of, nor by a
//! restart.

use forewarn_proto::{
    inventory::Scope,
    policy::{Pause, Retraction},
    report::Stage,
};
use jiff::{SignedDuration, Timestamp};

use super::world::{ANN, World, policy, policy_about};
use crate::{Input, NoticeKind, Spared, Undoing};

fn spared(until: Timestamp) -> Undoing {
    let mut undoing = Undoing::default();
    let spared = Spared { until, signed_by: vec!["bob".into()] };
    undoing.spare(&"ban".parse().unwrap(), &"tiktok".parse().unwrap(), &spared);
    undoing
}

fn paused(at: Timestamp, through_version: u64) -> Undoing {
    let mut undoing = Undoing::default();
    undoing.pause(&"ban".parse().unwrap(), &Pause { at, through_version });
    undoing
}

fn retracted(through_version: u64) -> Undoing {
    let message = [("en".parse().unwrap(), "Sent in error.".to_owned())].into();
    let mut undoing = Undoing::default();
    undoing.retract(&Retraction {
        format: 1,
        policy: "ban".parse().unwrap(),
        through_version,
        reason: "error".into(),
        message,
    });
    undoing
}

/// A policy whose rollout has not come here yet.
fn rolled_out(version: u64) -> forewarn_proto::policy::Policy {
    let top = "rollout = { start = \"2026-12-02T09:00Z\", over = \"10h\" }\n";
    policy_about("ban", version, "tiktok", "grace = \"24h\"", "mail = [\"corp.example\"]", top)
}

/// What a server does to take something back.
type Withholding = Box<dyn Fn(&mut World)>;

/// Every way in which a server could take something back that was heard.
fn withholdings(less: Undoing) -> Vec<(&'static str, Withholding)> {
    let bundle = move |undoing: Undoing| {
        move |world: &mut World| {
            world.set.undoing = undoing.clone();
            world.push();
        }
    };
    vec![
        ("a bundle leaves it out", Box::new(bundle(Undoing::default()))),
        ("a bundle says less", Box::new(bundle(less))),
        ("a restart, with a bundle of before", Box::new(World::restart)),
        (
            "both",
            Box::new(move |world: &mut World| {
                bundle(Undoing::default())(world);
                world.restart();
            }),
        ),
    ]
}

/// A device with the app and the policy in force, that hears this in a bundle that is refused otherwise.
fn heard(policy: &forewarn_proto::policy::Policy, undoing: &dyn Fn(Timestamp) -> Undoing) -> World {
    let mut world = World::new();
    world.start();
    world.install(Scope::Person(ANN), "tiktok");
    world.publish(policy);
    let heard = undoing(world.truth);
    world.give(Input::UndoingHeard(heard));
    world
}

#[test]
fn promise_7_an_exemption_that_was_heard_is_never_shorter() {
    let until: Timestamp = "2027-01-01T00:00Z".parse().unwrap();
    let shorter = spared("2026-12-01T10:00Z".parse().unwrap());
    for (what, withhold) in withholdings(shorter) {
        let mut world = heard(&policy("ban", 1, "grace = \"24h\""), &|_| spared(until));
        assert!(world.obligation(ANN).is_none(), "{what}");
        withhold(&mut world);
        world.pass(100);
        assert!(world.obligation(ANN).is_none() && world.vault.is_empty(), "{what}");
        assert_eq!(world.engine.rules_for(ANN)[0].spared.as_ref().unwrap().until, until, "{what}");
    }
}

#[test]
fn promise_7_a_pause_that_was_heard_is_lifted_by_a_new_version_alone() {
    for (what, withhold) in withholdings(paused("2026-12-09T09:00Z".parse().unwrap(), 1)) {
        let mut world = heard(&rolled_out(1), &|now| paused(now, 1));
        withhold(&mut world);
        world.pass(100);
        assert!(world.obligation(ANN).is_none(), "{what}");
        world.publish(&rolled_out(2));
        world.pass(1);
        assert_eq!(world.stage(ANN), Some(Stage::Warned), "{what}");
    }
}

#[test]
fn promise_3_a_retraction_that_was_heard_in_a_refused_bundle_stays_and_corrects() {
    for (what, withhold) in withholdings(retracted(1)) {
        let mut world = heard(&policy("ban", 2, "grace = \"24h\""), &|_| Undoing::default());
        world.pass(1);
        assert_eq!(world.stage(ANN), Some(Stage::Warned), "{what}");
        world.give(Input::UndoingHeard(retracted(2)));
        withhold(&mut world);
        world.pass(100);
        assert!(world.obligation(ANN).is_none() && world.vault.is_empty(), "{what}");
        let corrections = world.kinds_shown().into_iter().filter(|kind| *kind == NoticeKind::Correction).count();
        assert_eq!(corrections, 1, "{what}");
    }
}

#[test]
fn promise_3_what_a_device_heard_before_its_first_bundle_counts() {
    let mut world = World::new();
    world.start();
    world.install(Scope::Person(ANN), "tiktok");
    world.give(Input::UndoingHeard(retracted(1)));
    world.publish(&policy("ban", 1, "grace = \"24h\""));
    world.pass(48);
    assert!(world.notices().next().is_none() && world.vault.is_empty());
}

#[test]
fn what_is_heard_adds_up_to_the_same_in_any_order() {
    let hours = |hours: i64| "2026-12-01T09:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours);
    let parts = [
        spared(hours(5)),
        spared(hours(9)),
        paused(hours(1), 1),
        paused(hours(3), 2),
        paused(hours(2), 2),
        retracted(3),
        retracted(1),
    ];
    let sum = |order: &[usize]| {
        let mut all = Undoing::default();
        order.iter().for_each(|part| all.hear(&parts[*part]));
        all.pauses.values_mut().for_each(|pauses| pauses.sort_by_key(|pause| pause.at));
        all
    };
    let forward = sum(&[0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(forward, sum(&[6, 5, 4, 3, 2, 1, 0]));
    assert_eq!(forward, sum(&[3, 0, 6, 2, 5, 1, 4, 0, 3]));
    let pauses: Vec<u64> = forward.pauses.values().flatten().map(|pause| pause.through_version).collect();
    assert_eq!(pauses, [1, 2], "of those of one version the earliest, and none is lifted by a later one's");
}
