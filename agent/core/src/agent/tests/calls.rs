//! What the loop asks of its system, and when.

use forewarn_engine::{App, Subject};
use forewarn_proto::inventory::Scope;
use jiff::SignedDuration;

use super::world::{ANN, BEN, Input, NoticeKind, Settings, What, World, policy_about};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Ann has TikTok at home, which is banned.
fn banned() -> World {
    let mut world = World::at("2026-12-01T09:00Z", Settings::default());
    world.start();
    world.install(Scope::Person(ANN), "tiktok");
    world.publish(&policy_about("ban", 1, "TikTok", "grace = \"24h\"", "mail = [\"corp.example\"]", ""));
    world
}

#[test]
fn a_home_is_looked_at_again_after_each_errand_in_it_and_no_other_is() {
    let mut world = banned();
    world.people.push(BEN);
    world.scan();
    world.confirm();
    let looks = |world: &World| world.facts().looks.clone();
    world.advance(HOUR * 23);
    world.confirm();
    let before = looks(&world);
    world.advance(HOUR);
    assert_eq!(world.log.last().map(|last| matches!(last.what, What::Shown(_))), Some(true));
    assert_eq!(world.facts().vault.len(), 1);
    let after = looks(&world);
    let more = |scope| after[&scope] - before[&scope];
    assert_eq!(more(Scope::Person(ANN)), more(Scope::Person(BEN)) + 1, "{before:?} {after:?}");
}

#[test]
fn the_end_of_a_program_is_waited_for_by_its_name() {
    let mut world = banned();
    world.client_runs = true;
    world.advance(HOUR * 12);
    world.confirm();
    world.advance(HOUR * 12);
    let awaited = world.facts().awaited.clone();
    assert_eq!(awaited.first(), Some(&(ANN, ["Thunderbird".to_owned()].into())));
    assert!(world.facts().vault.is_empty());
    assert!(world.kinds_shown().contains(&NoticeKind::Waiting));
}

#[test]
fn promise_1_whoever_is_not_quite_who_they_were_is_told_anew_before_that_is_forgotten() {
    let mut world = banned();
    world.facts().to_be_told.insert(ANN);
    world.advance(HOUR * 23);
    world.change(ANN);
    assert!(world.facts().to_be_told.is_empty());
    world.confirm();
    world.advance(HOUR * 23);
    assert!(world.facts().vault.is_empty(), "they have the full notice");
    // It stands over a power cut: what is forgotten is stored before.
    world.restart();
    world.confirm();
    world.advance(HOUR / 2);
    assert!(world.facts().vault.is_empty());
    assert_eq!(world.kinds_shown().iter().filter(|kind| **kind == NoticeKind::First).count(), 2);
}

#[test]
fn promise_1_where_nobody_has_a_companion_terminals_count_and_nothing_else_does() {
    let mut world = World::at("2026-12-01T09:00Z", Settings::default());
    world.alone = true;
    world.start();
    world.install(Scope::Person(ANN), "tiktok");
    world.publish(&policy_about("ban", 1, "TikTok", "grace = \"24h\"", "mail = [\"corp.example\"]", ""));
    let shown = |world: &World| world.engine().obligations_of(ANN)[0].shown;
    assert_eq!((shown(&world), world.facts().written.len()), (None, 0));
    assert_eq!(world.facts().started, [ANN]);
    world.facts().terminals = true;
    world.advance(HOUR);
    assert!(shown(&world).is_some() && world.facts().written == [ANN]);
}

#[test]
fn a_look_that_breaks_off_keeps_no_device_from_reporting() {
    let mut world = World::at("2026-12-01T09:00Z", Settings::default());
    world.facts().breaks_off.insert(Scope::Person(ANN));
    world.start();
    assert_eq!(world.reports.len(), 1, "nobody knows what is in the home, and the rest is known");
    world.give(Input::NoticeAcknowledged(Subject::App(App::named("TikTok"), ANN)));
    assert_eq!(world.facts().looks[&Scope::Person(ANN)], 1, "it is looked at again after a pause");
}
