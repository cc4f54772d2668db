//! For each kind of notice, and each moment around its deadline: what it says is to come. That it does is looked at whenever a
//! [`World`] shows a notice.

use forewarn_proto::inventory::Scope;

use super::world::{ANN, HOUR, MINUTE, What, World};
use crate::{Input, Notice, NoticeKind};

/// What becomes of a device while the deadline comes and goes, from an hour before it.
type Happens = (&'static str, fn(&mut World));

const AROUND: [Happens; 8] = [
    ("nothing", |world| world.advance(HOUR * 2)),
    ("the lid is closed", |world| world.suspend(HOUR * 2)),
    ("the lid is closed for weeks", |world| world.suspend(HOUR * 24 * 20)),
    ("the screen is locked", |world| {
        world.away.insert(ANN);
        world.advance(HOUR * 2);
        world.away.clear();
        world.give(Input::PersonReachable(ANN));
    }),
    ("the device is off", |world| world.off(HOUR * 2)),
    ("receipts are late", |world| {
        world.slow_receipts = true;
        world.advance(HOUR * 2);
        world.slow_receipts = false;
        world.settle_receipts();
    }),
    ("the policy is retracted meanwhile", |world| {
        world.suspend(HOUR * 2);
        world.retract("ban", 1);
    }),
    ("the server is not heard", |world| world.suspend(HOUR * 30)),
];

/// A person who was told, an hour before their deadline.
fn told() -> World {
    let mut world = World::banned("grace = \"24h\"");
    world.pass(23);
    world
}

#[test]
fn promise_1_each_notice_names_a_moment_that_is_to_come_whatever_happens_around_its_deadline() {
    for (what, happens) in AROUND {
        for again in [false, true] {
            let mut world = told();
            happens(&mut world);
            world.confirm();
            world.advance(MINUTE * 20);
            if again {
                world.set_up_again(ANN);
                happens(&mut world);
            }
            world.confirm();
            world.pass(30);
            let retracted = what.contains("retracted");
            assert_eq!(world.revokes().is_empty(), retracted, "{what}: {:?}", world.kinds_shown());
        }
    }
}

#[test]
fn promise_1_a_late_last_call_names_the_moment_that_it_brings() {
    let mut world = told();
    world.suspend(HOUR * 2);
    let (_, call) = world.notices().last().unwrap();
    assert_eq!(call.kind, NoticeKind::LastCall);
    let named = call.deadline.unwrap();
    assert_eq!(named.duration_since(world.engine.now()), MINUTE * 15);
    assert_eq!(world.obligation(ANN).unwrap().deadline, Some(named));
    world.confirm();
    world.advance(MINUTE * 14);
    assert_eq!(world.revokes(), []);
    world.advance(MINUTE * 2);
    assert_eq!(world.revokes().len(), 1);
}

fn last_notice(world: &World) -> Notice {
    world.notices().last().unwrap().1.clone()
}

#[test]
fn promise_1_a_notice_that_vanished_before_it_could_be_read_does_not_count() {
    let mut world = World::banned("grace = \"24h\"");
    let first = last_notice(&world);
    let deadline = world.obligation(ANN).unwrap().deadline.unwrap();
    world.advance(HOUR / 2);
    world.give(Input::NoticeUnread(first.id));
    // It is shown again at once, and its time begins with that.
    let again = last_notice(&world);
    assert!(again.kind == NoticeKind::First && again.id != first.id);
    assert_eq!(world.obligation(ANN).unwrap().deadline, Some(deadline + HOUR / 2));
    // One that goes on vanishing comes ever more seldom, and nothing is taken meanwhile.
    for _ in 0..40 {
        world.give(Input::NoticeUnread(last_notice(&world).id));
        world.advance(HOUR);
        world.confirm();
    }
    assert_eq!((world.revokes().len(), world.obligation(ANN).unwrap().last_call), (0, None));
    assert!(world.notices().count() < 100);
    world.pass(26);
    assert_eq!(world.revokes().len(), 1, "once it stays it counts");
}

#[test]
fn promise_1_a_last_call_that_vanished_was_none() {
    let mut world = told();
    world.advance(MINUTE * 46);
    let call = last_notice(&world);
    assert_eq!(call.kind, NoticeKind::LastCall);
    world.advance(MINUTE * 10);
    world.give(Input::NoticeUnread(call.id));
    let next = last_notice(&world);
    assert!(next.kind == NoticeKind::LastCall && next.deadline > call.deadline, "{next:?}");
    world.confirm();
    world.advance(MINUTE * 14);
    assert_eq!(world.revokes(), []);
    world.advance(MINUTE * 2);
    assert_eq!(world.revokes().len(), 1);
}

#[test]
fn promise_1_a_notice_that_is_gone_later_counts_and_is_shown_again() {
    let mut world = World::banned("grace = \"24h\"");
    let before = world.obligation(ANN).unwrap();
    let first = last_notice(&world);
    world.give(Input::NoticeGone(first.id));
    let again = last_notice(&world);
    assert!(again.id != first.id && again.deadline == before.deadline);
    let after = world.obligation(ANN).unwrap();
    assert_eq!((after.shown, after.deadline), (before.shown, before.deadline));
    // What has no reason any more is not shown again.
    world.installed.remove(&(Scope::Person(ANN), "tiktok".to_owned()));
    world.scan();
    let shown = world.notices().count();
    world.give(Input::NoticeGone(again.id));
    world.give(Input::NoticeUnread(again.id));
    assert_eq!(world.notices().count(), shown);
    assert!(world.log.iter().any(|happened| matches!(happened.what, What::Withdrawn(_))));
}

#[test]
fn what_a_person_has_answered_to_is_not_taken_back() {
    let mut world = World::banned("grace = \"24h\"");
    let (first, deadline) = (last_notice(&world), world.obligation(ANN).unwrap().deadline);
    world.give(Input::NoticeAcknowledged(first.subject));
    world.give(Input::NoticeUnread(first.id));
    assert_eq!(world.obligation(ANN).unwrap().deadline, deadline);
}
