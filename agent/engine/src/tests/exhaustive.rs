//! Every short history of one person and one rule: breadth first, each state once, as deep as the time allows.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use forewarn_proto::inventory::Scope;

use super::world::{ANN, HOUR, MINUTE, World, policy};

/// What may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Found,
    Removed,
    LooksAway,
    Looks,
    HalfADay,
    LastMinutes,
    Confirmed,
    Retracted,
    Replaced,
    Crash,
    PowerCutAtNextEffect,
    ClockForward,
    ClockBack,
    Off,
    ScanFails,
    ScanWorks,
}

const EVENTS: [Event; 16] = [
    Event::Found,
    Event::Removed,
    Event::LooksAway,
    Event::Looks,
    Event::HalfADay,
    Event::LastMinutes,
    Event::Confirmed,
    Event::Retracted,
    Event::Replaced,
    Event::Crash,
    Event::PowerCutAtNextEffect,
    Event::ClockForward,
    Event::ClockBack,
    Event::Off,
    Event::ScanFails,
    Event::ScanWorks,
];

fn play(world: &mut World, event: Event) {
    match event {
        Event::Found => {
            world.install(Scope::Person(ANN), "tiktok");
            world.scan();
        }
        Event::Removed => {
            world.installed.clear();
            world.scan();
        }
        Event::LooksAway => drop(world.away.insert(ANN)),
        Event::Looks => drop(world.away.remove(&ANN)),
        Event::HalfADay => world.advance(HOUR * 12),
        Event::LastMinutes => world.advance(MINUTE * 15),
        Event::Confirmed => world.confirm(),
        Event::Retracted => world.retract("ban", 1),
        Event::Replaced => world.publish(&policy("ban", 2, "grace = \"30h\"")),
        Event::Crash => world.restart(),
        Event::PowerCutAtNextEffect => world.power = Some(0),
        Event::ClockForward => world.wall_error += HOUR * 24 * 365,
        Event::ClockBack => world.wall_error -= HOUR * 24 * 365,
        Event::Off => world.off(HOUR * 12),
        Event::ScanFails => {
            world.broken_scan = true;
            world.scan();
        }
        Event::ScanWorks => {
            world.broken_scan = false;
            world.scan();
        }
    }
    if world.dead {
        world.restart();
    }
}

fn replay(history: &[Event]) -> World {
    let mut world = World::new();
    world.start();
    world.publish(&policy("ban", 1, "grace = \"24h\""));
    history.iter().for_each(|event| play(&mut world, *event));
    world
}

/// Everything on which the future depends: the engine's state, the device, and what was really shown. Two histories
/// that lead to the same are continued once.
fn state_of(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(world.engine.state()).unwrap().hash(&mut hasher);
    let obligations = world.engine.obligations_of(ANN);
    format!("{obligations:?}{:?}{:?}", world.engine.confirmed_at(), world.engine.rules_for(ANN)).hash(&mut hasher);
    format!("{:?}{:?}{:?}", world.truth, world.wall_error, world.set).hash(&mut hasher);
    format!("{:?}{:?}{:?}", world.installed, world.away, world.vault).hash(&mut hasher);
    (world.broken_scan, world.power, world.boots).hash(&mut hasher);
    format!("{:?}", world.notices().collect::<Vec<_>>()).hash(&mut hasher);
    hasher.finish()
}

/// What must be true in every state.
fn violation(world: &World) -> Option<String> {
    let withdrawn = world.referee.verdict.clone();
    let taken = world.model.taken(world.truth, &world.zone);
    let unjust = world.vault.iter().find(|id| !taken.contains(&(id.domain.clone(), id.person)));
    // Whoever's clock is behind keeps what was taken no longer than the model's person, who lives in true time.
    let unjust = unjust.filter(|_| world.power.is_none()).map(|id| format!("{id} is in the vault without a reason"));
    withdrawn.or(unjust)
}

#[test]
fn no_short_history_breaks_a_promise() {
    let less = if std::env::var_os("FOREWARN_QUICK").is_some() { 2 } else { 0 };
    let told = [Event::Found, Event::HalfADay, Event::HalfADay];
    let revoked = [&told[..], &[Event::LastMinutes, Event::Confirmed]].concat();
    assert_eq!(replay(&revoked).vault.len(), 1);
    explore("from nothing", &[], 5 - less);
    explore("from a deadline that is near", &told, 4 - less);
    explore("from a revoked profile", &revoked, 4 - less);
}

/// Looks at every history of up to `depth` events after `beginning`.
fn explore(name: &str, beginning: &[Event], depth: usize) {
    let mut seen = BTreeSet::from([state_of(&replay(beginning))]);
    let mut frontier: Vec<Vec<Event>> = vec![beginning.to_vec()];
    let mut histories = 0;
    for _ in 0..depth {
        let mut next = Vec::new();
        for history in &frontier {
            for event in EVENTS {
                let longer = [history.as_slice(), &[event]].concat();
                let world = replay(&longer);
                histories += 1;
                if let Some(violation) = violation(&world) {
                    panic!("{violation}, after {longer:?}");
                }
                if seen.insert(state_of(&world)) {
                    next.push(longer);
                }
            }
        }
        frontier = next;
    }
    println!("{name}: {histories} histories of up to {depth} events, {} states, no promise broken", seen.len());
    assert!(seen.len() > 50, "{name}: too few states to prove much");
}
