//! A policy that this version of the agent can't read takes nothing, whatever was told of it before.

use forewarn_proto::{
    inventory::Scope,
    policy::PolicyId,
    report::{Misread, Stage, Unread},
};

use super::world::{ANN, HOUR, What, World, policy};
use crate::NoticeKind;

/// The next version of `ban`, or what undoes it, is of a newer format.
fn unread(world: &mut World, document: &str) {
    let ban: PolicyId = "ban".parse().unwrap();
    world.set.policies.remove(&ban);
    world.set.unread = vec![Unread { document: document.to_owned(), why: Misread::Format(2) }];
    world.push();
}

/// It can be read again, in this version.
fn read(world: &mut World, version: u64) {
    world.set.unread.clear();
    world.publish(&policy("ban", version, "grace = \"24h\""));
}

fn warned() -> World {
    let mut world = World::new();
    world.start();
    world.install(Scope::Person(ANN), "tiktok");
    world.publish(&policy("ban", 1, "grace = \"24h\""));
    world
}

#[test]
fn promise_7_what_can_not_be_read_takes_nothing_and_begins_anew_once_it_can() {
    for document in ["policies/ban.toml", "retractions/ban.toml", "exemptions/ban.toml"] {
        for restarts in [false, true] {
            let mut world = warned();
            world.pass(20);
            unread(&mut world, document);
            if restarts {
                world.restart();
            }
            world.pass(100);
            assert_eq!(world.revokes(), [], "{document}");
            let withdrawn = |had: &super::world::Happened| matches!(had.what, What::Withdrawn(_));
            assert!(!world.log.iter().any(withdrawn), "what was told stays told");
            assert_eq!(world.engine.unread().len(), 1);
            let report = world.engine.state().report().unwrap();
            assert_eq!((report.unread[0].document.as_str(), report.format), (document, 1));
            read(&mut world, 2);
            assert_eq!(world.stage(ANN), Some(Stage::Warned), "{document}");
            assert_eq!(world.obligation(ANN).unwrap().deadline, Some(world.truth + HOUR * 24), "the full notice");
            world.pass(23);
            assert_eq!(world.revokes(), []);
            world.pass(2);
            assert_eq!(world.revokes().len(), 1, "{document}");
        }
    }
}

#[test]
fn promise_4_what_was_taken_goes_back_when_the_next_version_can_not_be_read() {
    let mut world = warned();
    world.pass(25);
    assert_eq!(world.vault.len(), 1);
    unread(&mut world, "policies/ban.toml");
    world.pass(1);
    assert!(world.vault.is_empty());
    read(&mut world, 2);
    world.pass(20);
    assert!(world.vault.is_empty(), "the person was told that it is back, and gets the full notice again");
}

#[test]
fn promise_3_a_policy_that_can_not_be_read_is_withdrawn_and_corrected_all_the_same() {
    let mut world = warned();
    world.pass(1);
    unread(&mut world, "policies/ban.toml");
    world.pass(1);
    let withdrawn = |world: &World| world.kinds_shown().contains(&NoticeKind::Correction);
    assert!(!withdrawn(&world));
    world.retract("ban", 2);
    assert!(withdrawn(&world));
    read(&mut world, 2);
    assert!(world.obligation(ANN).is_none());
}

#[test]
fn another_policy_s_document_and_one_of_an_unknown_kind_hold_nothing() {
    for document in ["policies/other.toml", "previews/ban.toml", "surveys/ban.toml"] {
        let mut world = warned();
        world.set.unread = vec![Unread { document: document.to_owned(), why: Misread::Folder }];
        world.push();
        world.pass(25);
        assert_eq!(world.revokes().len(), 1, "{document}");
    }
}
