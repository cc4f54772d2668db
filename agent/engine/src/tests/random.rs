//! Random histories: two persons, three policies, whatever happens in whatever order, with the power cut between any two
//! effects. The engine is held against the [`Model`](super::model::Model) after each event, and watched by the
//! [`Referee`](super::referee::Referee) all the time.

use forewarn_proto::{
    inventory::{Person, Scope},
    policy::PolicyId,
};
use jiff::{SignedDuration, Timestamp};
use proptest::{
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};

use super::world::{ANN, BEN, HOUR, MINUTE, STEPS, World, policy_about};
use crate::{App, Input, Settings, Subject};

const NAMES: [&str; 3] = ["ban", "other", "third"];
const EXTRAS: [&str; 6] = [
    "",
    "ramp = \"3d\"",
    "quiet_hours = \"20:00-08:00\"",
    "days_off = [\"saturday\", \"sunday\"]",
    "at = \"2026-12-08T12:00Z\"",
    "at = { floating = \"2026-12-05T02:30\" }\nquiet_hours = \"22:00-07:00\"\ndays_off = [\"sunday\"]",
];
/// From here on, they name times of the calendar.
const CALENDAR: usize = 2;
const CONSEQUENCES: [&str; 4] = [
    "mail = [\"corp.example\"]",
    "mail = [\"corp.example\"]\noffline = \"revoke\"",
    "mail = []",
    "mail = [\"corp.example\", \"corp.test\"]",
];

#[derive(Debug, Clone)]
enum Event {
    Advance(i64),
    Suspend(i64),
    Confirm,
    Install { scope: usize, present: bool },
    BreakScan(bool),
    Scan,
    LookBegins,
    LookEnds,
    Look { person: usize, looking: bool },
    Reachable(usize),
    Mail { person: usize, has: bool },
    Publish { policy: usize, version: u64, grace: i64, extra: usize, consequence: usize },
    Retract(usize),
    Drop(usize),
    Snooze(i64),
    Acknowledge,
    ClientRuns(bool),
    Vault { broken: bool },
    Storm(Storm),
}

/// What only happens in bad weather.
#[derive(Debug, Clone)]
enum Storm {
    Off(i64),
    SetWall(i64),
    /// The server lies about the time.
    ServerTime(i64),
    PowerCut(usize),
    Restart,
    FullDisk(bool),
    SlowReceipts(bool),
    SetUpAgain(usize),
}

fn extra() -> impl Strategy<Value = usize> {
    prop_oneof![2 => 0..CALENDAR, 1 => 0..EXTRAS.len()]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (1..900i64).prop_map(Event::Advance),
        1 => (1..6000i64).prop_map(Event::Suspend),
        4 => Just(Event::Confirm),
        3 => (0..3usize, any::<bool>()).prop_map(|(scope, present)| Event::Install { scope, present }),
        1 => any::<bool>().prop_map(Event::BreakScan),
        2 => Just(Event::Scan),
        2 => Just(Event::LookBegins),
        2 => Just(Event::LookEnds),
        1 => (0..2usize, any::<bool>()).prop_map(|(person, looking)| Event::Look { person, looking }),
        1 => (0..2usize).prop_map(Event::Reachable),
        1 => (0..2usize, any::<bool>()).prop_map(|(person, has)| Event::Mail { person, has }),
        3 => (0..3usize, 1..4u64, 0..60i64, extra(), 0..CONSEQUENCES.len()).prop_map(
            |(policy, version, grace, extra, consequence)| Event::Publish { policy, version, grace, extra, consequence }
        ),
        1 => (0..3usize).prop_map(Event::Retract),
        1 => (0..3usize).prop_map(Event::Drop),
        1 => (1..3000i64).prop_map(Event::Snooze),
        1 => Just(Event::Acknowledge),
        1 => any::<bool>().prop_map(Event::ClientRuns),
        1 => any::<bool>().prop_map(|broken| Event::Vault { broken }),
    ]
}

fn storm() -> impl Strategy<Value = Event> {
    let storm = prop_oneof![
        2 => (1..6000i64).prop_map(Storm::Off),
        1 => (-600_000..600_000i64).prop_map(Storm::SetWall),
        1 => (-600_000..600_000i64).prop_map(Storm::ServerTime),
        3 => (0..8usize).prop_map(Storm::PowerCut),
        1 => Just(Storm::Restart),
        1 => any::<bool>().prop_map(Storm::FullDisk),
        1 => any::<bool>().prop_map(Storm::SlowReceipts),
        2 => (0..2usize).prop_map(Storm::SetUpAgain),
    ];
    prop_oneof![3 => event(), 1 => storm.prop_map(Event::Storm)]
}

fn play(world: &mut World, event: &Event) {
    match event {
        Event::Advance(minutes) => world.advance(MINUTE * i32::try_from(*minutes).unwrap()),
        Event::Suspend(minutes) => world.suspend(SignedDuration::from_mins(*minutes)),
        Event::Confirm => world.confirm(),
        Event::Install { scope, present } => {
            let scope = [Scope::System, Scope::Person(ANN), Scope::Person(BEN)][*scope];
            world.installed.remove(&(scope, "tiktok".to_owned()));
            if *present {
                world.install(scope, "tiktok");
            }
        }
        Event::BreakScan(broken) => world.broken_scan = *broken,
        Event::Scan => world.scan(),
        Event::LookBegins => world.begin_look(),
        Event::LookEnds => world.end_look(),
        Event::Look { person, looking: true } => drop(world.away.remove(&[ANN, BEN][*person])),
        Event::Look { person, looking: false } => drop(world.away.insert([ANN, BEN][*person])),
        Event::Reachable(person) => world.give(Input::PersonReachable([ANN, BEN][*person])),
        Event::Mail { person, has } => set_mail(world, [ANN, BEN][*person], *has),
        Event::Publish { policy, version, grace, extra, consequence } => {
            let deadline = format!("grace = \"{grace}h\"\n{}", EXTRAS[*extra]);
            world.publish(&policy_about(NAMES[*policy], *version, "TikTok", &deadline, CONSEQUENCES[*consequence], ""));
        }
        Event::Retract(policy) => {
            let id: PolicyId = NAMES[*policy].parse().unwrap();
            let through = world.referee.newest.get(&id).copied().unwrap_or(1);
            world.retract(NAMES[*policy], through);
        }
        Event::Drop(policy) => {
            world.set.policies.remove(&NAMES[*policy].parse::<PolicyId>().unwrap());
            world.push();
        }
        Event::Snooze(minutes) => {
            let length = SignedDuration::from_mins(*minutes);
            world.give(Input::NoticeSnoozed(Subject::App(App::named("TikTok"), ANN), length));
        }
        Event::Acknowledge => world.give(Input::NoticeAcknowledged(Subject::App(App::named("tik tok"), ANN))),
        Event::ClientRuns(true) => world.client_runs = true,
        Event::ClientRuns(false) => world.close_client(),
        Event::Vault { broken } => world.vault_broken = *broken,
        Event::Storm(storm) => play_storm(world, storm),
    }
    world.settle_receipts();
    if world.dead {
        world.restart();
    }
}

/// A person sets mail up or removes it. What is in the vault, or on its way, is not theirs to move.
fn set_mail(world: &mut World, person: Person, has: bool) {
    let moved = world.engine.state().profiles.keys().any(|id| id.person == person);
    if has {
        world.mailless.remove(&person);
    } else if !moved {
        world.mailless.insert(person);
    }
    world.scan();
}

fn play_storm(world: &mut World, storm: &Storm) {
    match storm {
        Storm::Off(minutes) => world.off(SignedDuration::from_mins(*minutes)),
        Storm::SetWall(minutes) => world.wall_error = SignedDuration::from_mins(*minutes),
        Storm::ServerTime(minutes) => {
            // Either the server or the wall clock lies in this world, not both at once.
            let lie = if world.wall_error.is_zero() { *minutes } else { 0 };
            world.give(Input::ServerTime(world.truth + SignedDuration::from_mins(lie)));
        }
        Storm::PowerCut(effects) => world.power = Some(*effects),
        Storm::Restart => world.restart(),
        Storm::FullDisk(full) => world.disk_full = *full,
        Storm::SlowReceipts(slow) => world.slow_receipts = *slow,
        Storm::SetUpAgain(person) => world.set_up_again([ANN, BEN][*person]),
    }
}

fn begin() -> World {
    let mut world = World::at("2026-12-01T09:00Z", Settings::default().for_device("device-1"));
    world.people = vec![ANN, BEN];
    world.start();
    world
}

/// How long each person still has, by the engine and by what the model says.
fn remaining(
    world: &World,
    of_model: impl Fn(&PolicyId, Person) -> Option<Timestamp>,
) -> Vec<(String, Option<SignedDuration>, Option<SignedDuration>)> {
    let mut lines = Vec::new();
    for person in [ANN, BEN] {
        for obligation in world.engine.obligations_of(person) {
            let left = obligation.deadline.map(|deadline| deadline.duration_since(world.engine.now()));
            let expected = of_model(&obligation.policy, person);
            let expected = expected.map(|deadline| deadline.duration_since(world.truth));
            lines.push((format!("{}/{}", obligation.policy, person), left, expected));
        }
    }
    lines
}

fn check_same_obligations(world: &World) {
    let standing = [ANN, BEN].into_iter().flat_map(|person| world.engine.obligations_of(person));
    let standing: Vec<_> = standing.map(|o| (o.policy, o.person)).collect();
    let mut expected: Vec<_> = world.model.entries.keys().cloned().collect();
    expected.sort_by_key(|(policy, person)| (*person, policy.clone()));
    assert_eq!(standing, expected, "the engine and the model oblige others");
}

fn check_referee(world: &World) {
    if let Some(verdict) = &world.referee.verdict {
        panic!("{verdict}");
    }
    for report in world.reports.iter().rev().take(1) {
        let text = serde_json::to_string(report).unwrap();
        assert!(!text.contains("webapp"), "promise 5: a package is named in {text}");
    }
}

/// In bad weather nobody has less time than the model says, and the same people are obliged. Where times of the calendar
/// play a part, a device whose clock is behind is at another one, so that lengths can't be compared.
fn check_in_storm(world: &World, by_calendar: bool) {
    check_referee(world);
    check_same_obligations(world);
    let least = remaining(world, |policy, person| world.model.least_deadline(policy, person, &world.zone));
    for (name, left, expected) in least.into_iter().filter(|_| !by_calendar) {
        if let (Some(left), Some(expected)) = (left, expected) {
            assert!(left >= expected, "promise 6: {name} has {left:#}, by the model {expected:#}");
        }
        assert!(expected.is_some() || left.is_none(), "promise 1: {name} has a deadline though nothing was shown");
    }
}

/// In calm weather the engine and the model agree to the nanosecond.
fn check_in_calm(world: &World) {
    check_referee(world);
    check_same_obligations(world);
    for (name, left, expected) in remaining(world, |policy, person| world.model.deadline(policy, person, &world.zone)) {
        assert_eq!(left, expected, "{name}: by the engine and by the model");
    }
    let taken = world.model.taken(world.truth, &world.zone);
    let beyond = world.vault.iter().find(|id| !taken.contains(&(id.domain.clone(), id.person)));
    let returning = beyond.is_some_and(|_| world.vault_broken || failing(world));
    assert!(beyond.is_none() || returning, "promise 3: {beyond:?} stays in the vault without a reason");
}

fn failing(world: &World) -> bool {
    world.engine.state().report().is_some_and(|report| report.profiles.iter().any(|profile| profile.failing))
}

/// Once all is well again and the server is there, what the model says is taken is taken, and nothing else.
fn check_taken_in_the_end(world: &mut World) {
    mend(world);
    world.scan();
    world.confirm();
    world.advance(HOUR);
    world.confirm();
    let taken = world.model.taken(world.truth, &world.zone);
    let vault: std::collections::BTreeSet<_> = world.vault.iter().map(|id| (id.domain.clone(), id.person)).collect();
    assert_eq!(vault, taken, "by the engine and by the model");
}

/// However it went: once the app is gone and the power stays on, everything is back and everybody is corrected.
fn check_settled(world: &mut World) {
    mend(world);
    world.restart();
    world.installed.clear();
    world.push();
    world.scan();
    world.advance(HOUR * 2);
    assert!(world.vault.is_empty(), "promise 4: a profile was left in the vault");
    check_same_obligations(world);
    assert_eq!(world.engine.obligations_of(ANN).len(), 0);
    world.referee.check_all_corrected();
    check_referee(world);
}

fn mend(world: &mut World) {
    world.power = None;
    world.disk_full = false;
    world.broken_scan = false;
    world.vault_broken = false;
    world.client_runs = false;
    world.slow_receipts = false;
    world.away.clear();
}

/// Who is obliged by what, how far that has come, and what is in the vault.
fn outcome(world: &World) -> (Vec<String>, Vec<String>) {
    let obligations = [ANN, BEN].into_iter().flat_map(|person| world.engine.obligations_of(person));
    let stages = obligations.map(|o| format!("{}/{} {:?}", o.policy, o.person, o.stage)).collect();
    (stages, world.vault.iter().map(ToString::to_string).collect())
}

#[expect(clippy::disallowed_methods, reason = "which histories are played")]
fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|number| number.parse().unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// Plays `cases` random histories, the same ones on each machine unless `FOREWARN_SEED` or `FOREWARN_HISTORIES` is set, and says how many steps of the engine that were: at least `least`.
fn histories<S: Strategy>(cases: u32, least: u64, strategy: S, check: impl Fn(S::Value)) {
    // Mutants are many, and each is usually found at once.
    let quick = std::env::var_os("FOREWARN_QUICK").is_some();
    let cases = if quick { cases / 100 } else { cases };
    let cases = from_environment("FOREWARN_HISTORIES").map_or(cases, |n| u32::try_from(n).unwrap());
    let rng_seed = RngSeed::Fixed(from_environment("FOREWARN_SEED").unwrap_or(1));
    let max_shrink_iters = if quick { 0 } else { 4000 };
    let config = ProptestConfig { cases, max_shrink_iters, rng_seed, source_file: Some(file!()), ..Default::default() };
    let played = TestRunner::new(config).run(&strategy, |events| {
        check(events);
        Ok(())
    });
    played.unwrap_or_else(|error| panic!("{error}"));
    println!("{cases} histories, {} steps of the engine", STEPS.get());
    assert!(quick || STEPS.get() >= least, "these histories are too short to prove much");
}

#[test]
fn promise_1_6_in_calm_weather_the_engine_does_what_the_model_says() {
    histories(4000, 900_000, prop::collection::vec(event(), 1..60), |events| {
        let mut world = begin();
        for event in &events {
            play(&mut world, event);
            check_in_calm(&world);
        }
        check_taken_in_the_end(&mut world);
        check_settled(&mut world);
    });
}

#[test]
fn promise_1_3_4_6_7_hold_under_every_order_of_events() {
    histories(2500, 1_200_000, prop::collection::vec(storm(), 1..60), |events| {
        let by_calendar = |event: &Event| matches!(event, Event::Publish { extra, .. } if *extra >= CALENDAR);
        let by_calendar = events.iter().any(by_calendar);
        let mut world = begin();
        for event in &events {
            play(&mut world, event);
            check_in_storm(&world, by_calendar);
        }
        check_settled(&mut world);
    });
}

#[test]
fn promise_4_a_crash_between_any_two_effects_ends_as_no_crash() {
    let strategy = (prop::collection::vec(event(), 1..30), 0..30usize, 0..8usize);
    histories(500, 200_000, strategy, |(events, number, effects)| {
        let ends = [None, Some(effects)].map(|power| end_of(&events, number % events.len(), power));
        assert_eq!(ends[0], ends[1], "without a power cut, and with one");
    });
}

/// The end of a history in which the power goes at one of its events.
fn end_of(events: &[Event], cut: usize, power: Option<usize>) -> (Vec<String>, Vec<String>) {
    let mut world = begin();
    for (number, event) in events.iter().enumerate() {
        if number == cut {
            world.power = power;
        }
        play(&mut world, event);
    }
    mend(&mut world);
    // What a lost receipt costs is a notice more, and the time from then on.
    world.push();
    world.scan();
    for _ in 0..40 {
        world.advance(HOUR * 12);
        world.confirm();
    }
    outcome(&world)
}
