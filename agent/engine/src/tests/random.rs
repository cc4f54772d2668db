//! Random histories: whatever happens in whatever order, with the power cut anywhere, these hold.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Event {
    Advance(i64),
    Off(i64),
    SetWall(i64),
    ServerTime(i64),
    Confirm,
    Install(bool),
    BreakScan(bool),
    Scan,
    Look(bool),
    Publish(usize, u64, i64),
    Retract(usize),
    PowerCut(usize),
    Restart,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1..400i64).prop_map(Event::Advance),
        1 => (1..6000i64).prop_map(Event::Off),
        1 => (-600_000..600_000i64).prop_map(Event::SetWall),
        1 => (-600_000..600_000i64).prop_map(Event::ServerTime),
        3 => Just(Event::Confirm),
        2 => any::<bool>().prop_map(Event::Install),
        1 => any::<bool>().prop_map(Event::BreakScan),
        2 => Just(Event::Scan),
        1 => any::<bool>().prop_map(Event::Look),
        2 => (0..2usize, 1..4u64, 0..60i64).prop_map(|(p, v, g)| Event::Publish(p, v, g)),
        1 => (0..2usize).prop_map(Event::Retract),
        1 => (0..6usize).prop_map(Event::PowerCut),
        1 => Just(Event::Restart),
    ]
}

const NAMES: [&str; 2] = ["ban", "other"];

/// A clock that no one in the world can touch: how long people have really had since a notice was really shown.
struct Truth {
    elapsed: SignedDuration,
    first_shown: Option<SignedDuration>,
    seen: usize,
}

fn play(world: &mut World, truth: &mut Truth, event: &Event) {
    match event {
        Event::Advance(minutes) => {
            world.advance(SignedDuration::from_mins(*minutes));
            truth.elapsed += SignedDuration::from_mins(*minutes);
        }
        Event::Off(minutes) => {
            world.off(SignedDuration::from_mins(*minutes));
            truth.elapsed += SignedDuration::from_mins(*minutes);
        }
        Event::SetWall(minutes) => world.wall += SignedDuration::from_mins(*minutes),
        Event::ServerTime(minutes) => {
            // Either the server or the wall clock lies in this world, not both at once.
            let true_time = true_time(truth);
            let lie = if world.wall == true_time { *minutes } else { 0 };
            world.give(Input::ServerTime(true_time + SignedDuration::from_mins(lie)));
        }
        Event::Confirm => world.give(Input::PoliciesConfirmed),
        Event::Install(true) => drop(world.installed.insert(Scope::Person(ANN))),
        Event::Install(false) => world.installed.clear(),
        Event::BreakScan(broken) => world.broken_scan = *broken,
        Event::Scan => world.scan(),
        Event::Look(looking) => world.looking = *looking,
        Event::Publish(p, v, grace) => world.publish(&policy(NAMES[*p], *v, &format!("grace = \"{grace}h\""))),
        Event::Retract(p) => {
            let id: PolicyId = NAMES[*p].parse().unwrap();
            let through = world.set.policies.get(&id).map_or(1, |signed| signed.policy.version);
            world.retract(NAMES[*p], through);
        }
        Event::PowerCut(effects) => world.power = Some(*effects),
        Event::Restart => {
            world.restart();
            world.start();
        }
    }
    if world.power == Some(0) {
        world.restart();
        world.start();
    }
}

fn true_time(truth: &Truth) -> Timestamp {
    let start: Timestamp = "2026-12-01T09:00Z".parse().unwrap();
    start + truth.elapsed
}

fn check_promises(world: &World, truth: &mut Truth, event: &Event, revokes_before: usize) {
    let warned = |s: &&(Timestamp, Subject, NoticeKind)| matches!(s.1, Subject::Obligation(_));
    if truth.first_shown.is_none() && world.shown.iter().any(|s| warned(&s)) {
        truth.first_shown = Some(truth.elapsed);
    }
    if world.revokes.len() > revokes_before {
        let shown = truth.first_shown.expect("promise 1: revoked without a notice shown");
        // Events move time in steps, so the true moments are known to within one step.
        let step = SignedDuration::from_mins(400);
        assert!(
            truth.elapsed - shown + step >= SignedDuration::from_hours(24),
            "promise 1: too early, after {event:?}"
        );
        assert!(!world.broken_scan, "promise 7: revoked on a partial scan");
        assert!(!world.installed.is_empty() || truth.seen > 0, "revoked though never installed");
    }
    truth.seen += usize::from(!world.installed.is_empty());
    for (policy, through) in world.set.retractions.iter().map(|(id, r)| (id, r.through_version)) {
        let standing = world.engine.obligations_of(ANN, &world.now());
        let live = standing.iter().any(|o| o.policy == *policy && o.version <= through);
        assert!(!live || world.power.is_some(), "promise 3: an obligation outlived its retraction");
    }
}

fn check_settled(world: &mut World) {
    // However it went, once the app is gone and the power stays on, everything is back.
    world.power = None;
    world.restart();
    world.start();
    world.broken_scan = false;
    world.looking = true;
    world.installed.clear();
    world.push();
    world.scan();
    world.advance(SignedDuration::from_hours(2));
    assert!(world.vault.is_empty(), "promise 4: a profile was left in the vault");
    assert_eq!(world.stage(ANN), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn promises_hold_under_every_order_of_events(events in prop::collection::vec(event(), 1..60)) {
        let mut world = World::new();
        let mut truth = Truth { elapsed: SignedDuration::ZERO, first_shown: None, seen: 0 };
        for event in &events {
            let revokes = world.revokes.len();
            play(&mut world, &mut truth, event);
            check_promises(&world, &mut truth, event, revokes);
        }
        check_settled(&mut world);
    }
}
