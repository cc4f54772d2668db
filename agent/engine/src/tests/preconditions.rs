//! What stands before a revoke: each precondition holds by itself, and taking one away is noticed.

use forewarn_proto::{
    inventory::Scope,
    report::{Hold, Stage},
};

use super::world::{ANN, HOUR, MINUTE, World, policy};
use crate::deadline::Readiness;

/// Everything is in place for the revoke.
fn ready() -> Readiness {
    let now = "2026-12-03T09:00Z".parse().unwrap();
    Readiness {
        now,
        shown: true,
        deadline: Some(now),
        last_call: Some(now - MINUTE * 15),
        takes_something: true,
        certain: true,
        has_mail: true,
        policy_current: true,
        scan_fresh: true,
    }
}

#[test]
fn every_precondition_of_a_revoke_holds_by_itself() {
    assert_eq!(ready().holds(), []);
    let now = ready().now;
    let second = jiff::SignedDuration::from_secs(1);
    let check = |readiness: Readiness, hold: Hold| assert_eq!(readiness.holds(), [hold]);
    check(Readiness { shown: false, ..ready() }, Hold::NotShown);
    check(Readiness { deadline: Some(now + second), ..ready() }, Hold::DeadlineAhead);
    check(Readiness { last_call: None, ..ready() }, Hold::LastCall);
    check(Readiness { last_call: Some(now - MINUTE * 15 + second), ..ready() }, Hold::LastCall);
    check(Readiness { policy_current: false, ..ready() }, Hold::PolicyStale);
    check(Readiness { scan_fresh: false, ..ready() }, Hold::ScanNotFresh);
    check(Readiness { has_mail: false, ..ready() }, Hold::NoCompanyMail);
    check(Readiness { certain: false, ..ready() }, Hold::NotCertain);
    check(Readiness { takes_something: false, has_mail: false, ..ready() }, Hold::OnlyWarns);
}

/// A device two days after a 30 h notice, with one thing that holds the revoke.
fn held(hold: Hold) -> World {
    let mut world = World::banned("grace = \"30h\"");
    match hold {
        Hold::LastCall => {
            world.pass(29);
            world.away.insert(ANN);
            world.pass(25);
        }
        Hold::PolicyStale => world.advance(HOUR * 48),
        Hold::ScanNotFresh => {
            world.broken_scan = true;
            world.scan();
            world.pass(48);
        }
        Hold::NotShown | Hold::DeadlineAhead => {
            world = World::new();
            world.start();
            world.away.insert(ANN);
            world.install(Scope::Person(ANN), "tiktok");
            world.publish(&policy("ban", 1, "grace = \"24h\""));
            world.pass(48);
        }
        Hold::OnlyWarns | Hold::NotCertain | Hold::NoCompanyMail => {
            unreachable!("there is nothing to take, so nothing to hold")
        }
    }
    world
}

#[test]
fn taking_a_precondition_away_is_noticed_by_the_referee() {
    for hold in [Hold::LastCall, Hold::PolicyStale, Hold::ScanNotFresh, Hold::NotShown] {
        let mut world = held(hold);
        assert_ne!(world.stage(ANN), Some(Stage::Revoked), "{hold:?} holds");
        assert_eq!(world.referee.verdict, None, "{hold:?}");
        // Nothing shown means no deadline and no last call either: three locks on one door.
        let locks = if hold == Hold::NotShown { vec![hold, Hold::LastCall] } else { vec![hold] };
        world.engine.ignores.extend(locks);
        world.advance(MINUTE * 10);
        assert!(world.referee.verdict.is_some(), "the referee did not notice that {hold:?} no longer holds");
    }
}
