//! The promises that stand or fall with the engine, each in the situation that would break it.

use std::collections::BTreeSet;

use forewarn_proto::{
    inventory::{Scope, Source},
    report::{Hold, Refusal, Stage},
};
use jiff::{SignedDuration, tz::TimeZone};

use super::world::{ANN, BEN, HOUR, STEPS, What, World, policy, policy_about};
use crate::{Gap, Input, Listing, NoticeKind, Package, ProfileId, Settings, Subject};

/// A device on which nothing is banned yet.
fn started() -> World {
    let mut world = World::new();
    world.start();
    world
}

#[test]
fn promise_1_stored_mail_is_closed_only_after_a_notice_that_said_so() {
    let of = |version, lock| {
        let consequence = format!("mail = [\"corp.example\"]\nlock = {lock}");
        policy_about("ban", version, "TikTok", "grace = \"24h\"", &consequence, "")
    };
    let id = ProfileId { domain: "corp.example".parse().unwrap(), person: ANN };
    let mut world = started();
    world.install(Scope::System, "tiktok");
    world.publish(&of(1, false));
    world.pass(20);
    world.publish(&of(2, true));
    let (at, told) = world.notices().last().map(|(at, notice)| (at, (notice.kind, notice.locks))).unwrap();
    assert_eq!((at, told), (world.truth, (NoticeKind::First, true)), "it takes more, so it starts over");
    world.pass(23);
    assert_eq!(world.revokes(), []);
    world.pass(2);
    assert_eq!(world.revokes().len(), 1);
    assert!(world.engine.locks(&id));
    world.publish(&of(3, false));
    assert!(!world.engine.locks(&id));
}

/// A new account has the name of one that left, or its home: the notices of the other are not theirs.
#[test]
fn promise_1_whoever_is_not_quite_who_they_were_gets_the_full_notice() {
    let mut world = World::banned("grace = \"48h\"");
    world.pass(47);
    world.give(Input::PersonChanged(BEN));
    assert_ne!(world.obligation(ANN).unwrap().shown, Some(world.truth), "that is somebody else");
    world.give(Input::PersonChanged(ANN));
    let told = world.obligation(ANN).unwrap();
    assert_eq!((told.shown, told.deadline), (Some(world.truth), Some(world.truth + HOUR * 48)));
    assert_eq!(world.notices().last().map(|(at, notice)| (at, notice.kind)), Some((world.truth, NoticeKind::First)));
    world.pass(47);
    assert_eq!(world.revokes(), []);
    world.pass(2);
    assert_eq!(world.revokes().len(), 1);
    // What is in the vault comes back first: it was taken by a notice that somebody else has seen.
    world.give(Input::PersonChanged(ANN));
    assert_eq!(world.engine.revoked_of(ANN).len(), 0);
    world.pass(47);
    assert_eq!(world.revokes().len(), 1);
    world.pass(2);
    assert_eq!(world.revokes().len(), 2);
}

#[test]
fn promise_1_mail_that_is_set_up_again_goes_after_a_notice_of_its_own() {
    let mut world = World::banned("grace = \"30h\"");
    world.pass(32);
    let first = world.revokes();
    assert_eq!(first.len(), 1);
    world.set_up_again(ANN);
    world.scan();
    let told = world.notices().last().map(|(at, notice)| (at, notice.kind, notice.deadline, notice.takes.len()));
    let deadline = world.truth + HOUR * 30;
    assert_eq!(told, Some((world.truth, NoticeKind::SetUpAgain, Some(deadline), 1)));
    assert_eq!(world.engine.revoked_of(ANN).len(), 1, "what was taken before stays where it is");
    world.pass(29);
    assert_eq!(world.revokes(), first);
    world.pass(2);
    assert_eq!(world.revokes(), [first[0], deadline]);
    // The next one starts anew, and ends with the mail.
    world.set_up_again(ANN);
    world.scan();
    world.mailless.insert(ANN);
    world.scan();
    world.pass(40);
    assert_eq!(world.revokes().len(), 2);
    world.mailless.clear();
    world.installed.clear();
    world.scan();
    assert_eq!(world.kinds_shown().last(), Some(&NoticeKind::Restored));
}

#[test]
fn promise_1_mail_that_is_set_up_again_stays_while_a_notice_names_a_later_moment() {
    let mut world = World::banned("grace = \"24h\"");
    world.pass(25);
    let first = world.revokes();
    world.set_up_again(ANN);
    world.scan();
    // Its deadline passes while the lid is closed; then another policy comes that takes the same mail.
    world.suspend(HOUR * 36);
    world.publish(&policy("other", 1, "grace = \"24h\""));
    let named = world.notices().last().and_then(|(_, notice)| notice.deadline).unwrap();
    assert_eq!(named, world.truth + HOUR * 24);
    world.pass(23);
    assert_eq!(world.revokes(), first);
    world.pass(2);
    assert_eq!(world.revokes().last(), Some(&named));
}

#[test]
fn promise_1_the_mail_of_2020_gives_a_full_day_all_the_same() {
    let mut world = World::banned("at = \"2026-12-01T10:00Z\"");
    world.pass(23);
    assert_eq!(world.revokes(), []);
    world.pass(2);
    assert_eq!(world.notice_given(), Some(HOUR * 24));
    assert_eq!(world.stage(ANN), Some(Stage::Revoked));
}

#[test]
fn promise_1_grace_starts_when_the_notice_is_shown() {
    let mut world = started();
    world.away.insert(ANN);
    world.install(Scope::Person(ANN), "tiktok");
    world.publish(&policy("ban", 1, "grace = \"48h\""));
    world.pass(24 * 30);
    assert_eq!(world.stage(ANN), Some(Stage::Found), "nobody looked for a month, so nothing runs");
    assert!(world.holds(ANN).contains(&Hold::NotShown));
    world.away.clear();
    world.pass(50);
    assert_eq!(world.notice_given(), Some(HOUR * 48));
}

#[test]
fn promise_1_reminders_come_before_the_deadline_and_a_last_call_always() {
    let mut world = World::banned("grace = \"72h\"");
    world.pass(73);
    let before = |hours| NoticeKind::Reminder { before: HOUR * hours };
    let expected = [NoticeKind::First, before(24), before(4), before(1), NoticeKind::LastCall, NoticeKind::Revoked];
    assert_eq!(world.kinds_shown(), expected);
}

#[test]
fn promise_1_a_device_that_was_off_over_the_deadline_gets_its_last_call_first() {
    let mut world = World::banned("grace = \"48h\"");
    world.pass(1);
    world.off(HOUR * 100);
    world.push();
    assert_eq!(*world.kinds_shown().last().unwrap(), NoticeKind::LastCall);
    assert_eq!(world.revokes(), []);
    world.pass(1);
    let (called, revoked) =
        (world.notices().find(|(_, n)| n.kind == NoticeKind::LastCall).unwrap().0, world.revokes()[0]);
    assert_eq!(revoked.duration_since(called), Settings::LAST_CALL);
}

#[test]
fn promise_1_an_earlier_deadline_starts_over_with_a_notice_of_its_own() {
    let mut world = World::banned("grace = \"200h\"");
    world.pass(100);
    world.publish(&policy("ban", 2, "grace = \"24h\""));
    world.pass(23);
    assert_eq!(world.revokes(), []);
    world.pass(2);
    let second = world.notices().filter(|(_, n)| n.kind == NoticeKind::First).nth(1).unwrap().0;
    assert_eq!(world.revokes()[0].duration_since(second), HOUR * 24);
}

#[test]
fn promise_1_a_later_deadline_is_followed() {
    let mut world = World::banned("grace = \"48h\"");
    world.pass(40);
    world.publish(&policy("ban", 2, "grace = \"96h\""));
    world.pass(50);
    assert_eq!(world.revokes(), []);
    world.pass(7);
    assert_eq!(world.notice_given(), Some(HOUR * 96));
}

#[test]
fn promise_3_retraction_restores_withdraws_and_corrects_those_who_saw() {
    let mut world = World::banned("grace = \"24h\"");
    world.people = vec![ANN, BEN];
    world.scan();
    world.pass(25);
    assert_eq!(world.vault.len(), 1);
    world.retract("ban", 1);
    assert!(world.vault.is_empty());
    let corrections: Vec<_> = world.notices().filter(|(_, n)| n.kind == NoticeKind::Correction).collect();
    assert_eq!(corrections.len(), 1, "Ben saw nothing and hears nothing");
    assert_eq!(corrections[0].1.subject.person(), ANN);
    assert!(world.log.iter().any(|h| matches!(&h.what, What::Withdrawn(Subject::App(_, person)) if *person == ANN)));
    assert!(world.reports.last().unwrap().corrections[0].shown.is_some());
}

#[test]
fn promise_3_a_retraction_that_was_heard_is_never_unheard() {
    let mut world = World::banned("grace = \"24h\"");
    world.retract("ban", 1);
    world.set.undoing.retractions.clear();
    world.push();
    world.pass(48);
    assert_eq!(world.revokes(), []);
    world.publish(&policy("ban", 2, "grace = \"24h\""));
    world.pass(25);
    assert_eq!(world.revokes().len(), 1, "a later version is a new decision");
}

#[test]
fn promise_3_nobody_is_corrected_who_saw_nothing() {
    let mut world = started();
    world.away.insert(ANN);
    world.install(Scope::Person(ANN), "tiktok");
    world.publish(&policy("ban", 1, "grace = \"24h\""));
    world.retract("ban", 1);
    world.away.clear();
    world.pass(5);
    assert_eq!(world.kinds_shown(), []);
}

#[test]
fn promise_4_the_profile_comes_back_when_the_app_goes() {
    let mut world = World::banned("grace = \"24h\"");
    world.pass(25);
    assert_eq!(world.vault.len(), 1);
    world.installed.clear();
    world.scan();
    assert!(world.vault.is_empty());
    assert_eq!(world.stage(ANN), None);
    assert_eq!(*world.kinds_shown().last().unwrap(), NoticeKind::Restored);
}

#[test]
fn promise_4_a_profile_that_two_policies_take_comes_back_with_the_last() {
    let mut world = World::banned("grace = \"24h\"");
    world.publish(&policy("other", 1, "grace = \"24h\""));
    world.pass(25);
    world.retract("ban", 1);
    assert_eq!(world.vault.len(), 1);
    world.retract("other", 1);
    assert!(world.vault.is_empty());
}

#[test]
fn promise_6_the_wall_clock_neither_brings_nor_wins_time() {
    for step in [HOUR * 24 * 365, HOUR * -24 * 365] {
        let mut world = World::banned("grace = \"48h\"");
        world.advance(HOUR);
        world.wall_error += step;
        world.advance(HOUR * 46);
        world.give(Input::PoliciesConfirmed);
        assert_eq!(world.revokes(), [], "clock stepped by {step:#}");
        world.advance(HOUR * 2);
        assert_eq!(world.notice_given(), Some(HOUR * 48), "clock stepped by {step:#}");
    }
}

#[test]
fn promise_6_a_wrong_clock_at_boot_brings_no_deadline_nearer() {
    let mut world = World::banned("grace = \"48h\"");
    world.advance(HOUR);
    world.off(HOUR * 24 * 365);
    world.give(Input::PoliciesConfirmed);
    world.advance(HOUR * 40);
    assert_eq!(world.revokes(), []);
}

#[test]
fn promise_7_the_server_can_not_push_the_clock_on() {
    let mut world = World::banned("grace = \"48h\"");
    for _ in 0..24 {
        world.give(Input::ServerTime(world.truth + HOUR * 24 * 365));
        world.give(Input::PoliciesConfirmed);
        world.advance(HOUR);
    }
    assert_eq!(world.revokes(), []);
    assert!(world.notice_given().is_none());
}

#[test]
fn promise_7_a_stale_policy_warns_and_does_not_revoke() {
    let mut world = World::banned("grace = \"48h\"");
    world.advance(HOUR * 100);
    assert_eq!(world.revokes(), []);
    assert!(world.kinds_shown().contains(&NoticeKind::LastCall));
    assert!(world.holds(ANN).contains(&Hold::PolicyStale));
    world.give(Input::PoliciesConfirmed);
    assert_eq!(world.stage(ANN), Some(Stage::Revoked));
}

#[test]
fn promise_7_an_older_policy_is_not_in_force() {
    let mut world = World::banned("grace = \"96h\"");
    world.publish(&policy("ban", 2, "grace = \"96h\""));
    world.publish(&policy("ban", 1, "grace = \"1h\""));
    world.pass(30);
    assert_eq!(world.stage(ANN), None);
}

#[test]
fn promise_7_what_a_partial_scan_shows_is_warned_of_and_takes_nothing() {
    let mut world = started();
    world.broken_scan = true;
    world.install(Scope::Person(ANN), "tiktok");
    world.publish(&policy("ban", 1, "grace = \"24h\""));
    assert_eq!(world.stage(ANN), Some(Stage::Warned));
    world.pass(30);
    assert_eq!((world.revokes(), world.holds(ANN)), (vec![], vec![Hold::ScanNotFresh]));
    world.broken_scan = false;
    world.scan();
    assert_eq!(world.stage(ANN), Some(Stage::Revoked), "the person was told in time");
}

#[test]
fn promise_7_what_a_partial_scan_shows_makes_nothing_less_certain() {
    let mut world = started();
    let mut some = policy("ban", 1, "grace = \"24h\"");
    some.rules[0].display_names.push("TikTok".to_owned());
    world.install(Scope::Person(ANN), "tiktok");
    world.publish(&some);
    world.pass(30);
    assert_eq!(world.stage(ANN), Some(Stage::Revoked));
    // Another package of the same name.
    world.broken_scan = true;
    world.installed = BTreeSet::from([(Scope::Person(ANN), "TikTok".to_owned())]);
    world.scan();
    assert_eq!((world.stage(ANN), world.vault.len()), (Some(Stage::Revoked), 1));
    world.broken_scan = false;
    world.scan();
    assert_eq!((world.holds(ANN).contains(&Hold::NotCertain), world.vault.len()), (true, 0));
}

/// A listing of Flatpak's with a gap beside this package, if any.
fn partial_flatpak(package: Option<Package>) -> Listing {
    let gap = Gap { path: "/broken".into(), offset: None, reason: "broken".into() };
    let packages = Vec::from_iter(package);
    Listing { source: Source::Flatpak, scope: Scope::System, count: packages.len(), packages, gaps: vec![gap] }
}

fn flatpak(name: &str) -> Package {
    let purl = format!("pkg:flatpak/{name}").parse().unwrap();
    Package { purl, display_name: Some("TikTok".into()), found_in: "/var/lib/flatpak".into(), state: None }
}

#[test]
fn promise_7_what_only_a_partial_scan_shows_keeps_no_mail() {
    let mut world = started();
    let mut both = policy("ban", 1, "grace = \"24h\"");
    let mut game = both.rules[0].clone();
    (game.id, game.app) = ("game".parse().unwrap(), "Game".into());
    game.purls[0].purl = "pkg:flatpak/org.game".parse().unwrap();
    both.rules.push(game);
    world.install(Scope::System, "tiktok");
    world.publish(&both);
    world.give_listing(partial_flatpak(Some(flatpak("org.game"))));
    world.pass(30);
    assert_eq!(world.vault.len(), 1);
    world.installed.clear();
    world.scan();
    let obligations = world.engine.obligations_of(ANN);
    assert_eq!(
        obligations.iter().map(|o| (o.app.as_str(), o.holds.as_slice())).collect::<Vec<_>>(),
        [("Game", &[Hold::ScanNotFresh, Hold::NoCompanyMail][..])]
    );
    assert_eq!(world.vault.len(), 0, "what was taken for TikTok comes back with it gone");
}

/// Each scope is looked at by itself, and the system is done first: a slow home is not one without apps.
#[test]
fn promise_1_what_was_found_in_a_home_is_not_gone_before_the_home_was_looked_at() {
    let mut world = started();
    world.install(Scope::Person(ANN), "tiktok");
    world.publish(&policy("ban", 1, "grace = \"24h\""));
    world.pass(30);
    let known = |world: &World| world.obligation(ANN).map(|obligation| (obligation.found_at, obligation.shown));
    let before = known(&world);
    assert_eq!((before.is_some(), world.vault.len()), (true, 1));
    world.restart();
    assert_eq!((known(&world), world.vault.len()), (before, 1));
    // What is also called by another name is looked for anew.
    let mut more = policy("ban", 2, "grace = \"24h\"");
    more.rules[0].display_names.push("TikTok".into());
    world.publish(&more);
    assert_eq!((known(&world), world.vault.len()), (before, 1));
    assert_eq!(world.revokes().len(), 1);
}

#[test]
fn promise_7_looking_again_is_no_cure_for_a_gap() {
    let mut world = started();
    world.broken_scan = true;
    world.install(Scope::Person(ANN), "tiktok");
    world.publish(&policy("ban", 1, "grace = \"24h\""));
    world.pass(30);
    assert_eq!(world.holds(ANN), [Hold::ScanNotFresh]);
    let steps = STEPS.get();
    world.advance(HOUR * 4);
    assert!(STEPS.get() - steps < 20, "{} wake-ups in four hours", STEPS.get() - steps);
}

#[test]
fn promise_7_what_a_former_rule_was_certain_of_counts_for_no_other() {
    let mut world = started();
    let mut some = policy("ban", 1, "grace = \"24h\"");
    some.rules[0].display_names.push("TikTok".into());
    world.install(Scope::System, "tiktok");
    world.publish(&some);
    // The next version knows the app by another package, which nothing can vouch for.
    world.installed.clear();
    some.version = 2;
    some.rules[0].purls[0].purl = "pkg:flatpak/com.tiktok.App".parse().unwrap();
    world.publish(&some);
    world.give_listing(partial_flatpak(Some(flatpak("org.another"))));
    let obligation = world.obligation(ANN).unwrap();
    assert_eq!(obligation.matched.iter().map(|m| m.purl.name()).collect::<Vec<_>>(), ["org.another"]);
    assert!(obligation.holds.contains(&Hold::NotCertain) && obligation.takes.is_empty(), "{obligation:?}");
}

#[test]
fn promise_3_what_goes_back_goes_soon_after_its_person_comes() {
    let mut world = World::banned("grace = \"24h\"");
    world.pass(30);
    world.vault_broken = true;
    world.retract("ban", 1);
    world.pass(24);
    assert_eq!(world.vault.len(), 1);
    world.vault_broken = false;
    world.give(Input::PersonReachable(ANN));
    world.advance(Settings::FIRST_RETRY);
    assert_eq!(world.vault.len(), 0);
}

#[test]
fn promise_1_whose_mail_was_not_looked_for_is_not_told_that_nothing_is_taken() {
    let mut world = started();
    world.people = vec![ANN, BEN];
    world.install(Scope::System, "tiktok");
    world.scan();
    world.publish(&policy("ban", 1, "grace = \"24h\""));
    world.pass(2);
    let deadline = world.obligation(BEN).unwrap().deadline;
    assert!(deadline.is_some());
    // At the next start only Ann's home is open.
    world.people = vec![ANN];
    world.off(HOUR);
    assert_eq!(world.obligation(BEN).unwrap().deadline, deadline);
}

#[test]
fn promise_7_what_a_partial_scan_lacks_changes_nothing() {
    let mut world = World::banned("grace = \"24h\"");
    world.pass(1);
    world.broken_scan = true;
    world.installed.clear();
    world.scan();
    world.pass(30);
    assert_eq!(world.revokes(), []);
    assert_eq!(world.holds(ANN), [Hold::ScanNotFresh]);
    world.broken_scan = false;
    world.install(Scope::Person(ANN), "tiktok");
    world.scan();
    assert_eq!(world.stage(ANN), Some(Stage::Revoked));
    world.broken_scan = true;
    world.installed.clear();
    world.scan();
    assert_eq!(world.vault.len(), 1, "an unread source is no proof that the app is gone");
}

#[test]
fn a_system_wide_app_obliges_everyone_with_company_mail_and_a_personal_one_its_owner() {
    let mut world = started();
    world.people = vec![ANN, BEN];
    world.install(Scope::System, "tiktok");
    world.scan();
    world.publish(&policy("ban", 1, "grace = \"24h\""));
    assert!(world.stage(ANN).is_some() && world.stage(BEN).is_some());
    world.installed = BTreeSet::from([(Scope::Person(BEN), "tiktok".to_owned())]);
    world.scan();
    assert_eq!((world.stage(ANN), world.stage(BEN)), (None, Some(Stage::Warned)));
}

#[test]
fn promise_1_mail_that_comes_after_the_notice_gets_a_notice_of_its_own() {
    let mut world = started();
    world.mailless.insert(ANN);
    world.install(Scope::Person(ANN), "tiktok");
    world.publish(&policy("ban", 1, "grace = \"24h\""));
    world.pass(24 * 20);
    assert_eq!(world.revokes(), []);
    world.mailless.clear();
    world.scan();
    let told = world.truth;
    world.pass(26);
    assert!(world.revokes()[0].duration_since(told) >= HOUR * 24);
}

#[test]
fn promise_1_a_version_that_takes_more_or_bans_another_app_starts_over() {
    let taking = policy("ban", 2, "grace = \"24h\"");
    let mut only_warns = policy("ban", 1, "grace = \"24h\"");
    only_warns.consequence.mail.clear();
    let mut another_app = policy("ban", 1, "grace = \"24h\"");
    another_app.rules[0].app = "Another".into();
    for (first, stays_silent) in [(only_warns, true), (another_app, false)] {
        let mut world = started();
        world.install(Scope::Person(ANN), "tiktok");
        world.publish(&first);
        world.pass(if stays_silent { 24 * 20 } else { 20 });
        world.publish(&taking);
        let told = world.truth;
        world.pass(26);
        assert!(world.revokes()[0].duration_since(told) >= HOUR * 24, "after {}", first.rules[0].app);
    }
}

#[test]
fn promise_3_who_may_have_seen_a_notice_before_the_power_went_is_corrected() {
    let effects_until_shown = (0..20).find(|effects| {
        let mut world = started();
        world.install(Scope::Person(ANN), "tiktok");
        world.scan();
        world.power = Some(*effects);
        world.publish(&policy("ban", 1, "grace = \"24h\""));
        !world.kinds_shown().is_empty()
    });
    let mut world = started();
    world.install(Scope::Person(ANN), "tiktok");
    world.scan();
    world.power = effects_until_shown;
    world.publish(&policy("ban", 1, "grace = \"24h\""));
    assert!(world.dead, "shown, and then the power went");
    assert_eq!(world.kinds_shown(), [NoticeKind::First]);
    world.restart();
    world.retract("ban", 1);
    assert_eq!(world.kinds_shown().last(), Some(&NoticeKind::Correction));
}

#[test]
fn promise_6_an_idle_wake_up_is_not_put_off_by_looking() {
    let mut world = World::banned("grace = \"48h\"");
    let first = world.engine.next_wake(&world.now()).unwrap();
    world.boot += HOUR / 2;
    world.truth += HOUR / 2;
    assert_eq!(world.engine.next_wake(&world.now()).unwrap(), first - HOUR / 2);
}

#[test]
fn promise_6_travel_does_not_bring_a_floating_deadline_nearer() {
    let mut world = started();
    world.zone = TimeZone::get("America/Los_Angeles").unwrap();
    world.install(Scope::Person(ANN), "tiktok");
    world.publish(&policy("ban", 1, "at = { floating = \"2026-12-05T17:00\" }"));
    let told = world.obligation(ANN).unwrap().deadline;
    world.zone = TimeZone::get("Asia/Tokyo").unwrap();
    world.truth += SignedDuration::from_millis(5);
    world.boot += SignedDuration::from_millis(3);
    world.give(Input::ServerTime(world.truth));
    assert!(world.obligation(ANN).unwrap().deadline >= told);
}

#[test]
fn promise_6_a_frame_that_was_held_back_does_not_turn_time_back() {
    let mut world = World::banned("grace = \"48h\"");
    let early = world.truth;
    world.advance(HOUR * 30);
    world.give(Input::ServerTime(early));
    assert_eq!(world.truth, early + HOUR * 30);
}

#[test]
fn promise_7_a_policy_is_confirmed_in_this_boot_or_not_current() {
    let mut world = World::banned("grace = \"24h\"");
    world.pass(23);
    world.off(HOUR * 24 * 30);
    world.advance(HOUR * 3);
    assert_eq!(world.revokes(), []);
    assert!(world.holds(ANN).contains(&Hold::PolicyStale));
}

#[test]
fn promise_6_where_nobody_can_tell_the_boot_time_stands_still_and_nothing_is_taken() {
    let mut world = World::banned("grace = \"24h\"");
    world.pass(1);
    world.boot_unread = true;
    let before = world.engine.now();
    // As long as it can't be read, and then once it can.
    world.advance(HOUR * 7);
    assert_eq!(world.engine.now(), before);
    world.boot_unread = false;
    world.advance(HOUR / 60);
    assert!(world.engine.now().duration_since(before) <= HOUR / 60, "seven hours are not added at once");
    // A process that never could read it takes nothing before it hears the server.
    world.boot_unread = true;
    world.restart();
    world.advance(HOUR * 30);
    assert_eq!((world.engine.now().duration_since(before) <= HOUR / 60, world.revokes()), (true, Vec::new()));
    assert!(world.holds(ANN).contains(&Hold::PolicyStale));
    world.confirm();
    assert!(world.engine.now().duration_since(before) > HOUR * 30, "the server tells the time");
}

#[test]
fn promise_4_a_state_that_could_not_be_stored_is_stored_later() {
    let mut world = World::banned("grace = \"24h\"");
    world.disk_full = true;
    world.pass(30);
    assert_eq!(world.revokes(), [], "nothing is taken that is not written down");
    world.disk_full = false;
    world.advance(SignedDuration::from_mins(1));
    assert_eq!(
        world.kinds_shown().last(),
        Some(&NoticeKind::LastCall),
        "what must not be forgotten waited for the disk"
    );
    world.pass(1);
    assert_eq!(world.stage(ANN), Some(Stage::Revoked));
}

#[test]
fn promise_3_who_did_what_was_asked_is_corrected_too() {
    let mut world = World::banned("grace = \"24h\"");
    world.pass(2);
    world.installed.clear();
    world.scan();
    assert_eq!(world.stage(ANN), None, "she removed the app");
    world.pass(5);
    world.retract("ban", 1);
    assert_eq!(world.kinds_shown(), [NoticeKind::First, NoticeKind::Correction]);
}

#[test]
fn promise_4_a_new_version_with_the_same_deadline_moves_no_mail() {
    let mut world = World::banned("grace = \"24h\"");
    world.pass(25);
    assert_eq!(world.vault.len(), 1);
    let revokes = world.revokes().len();
    world.publish(&policy("ban", 2, "grace = \"24h\""));
    world.pass(2);
    assert_eq!((world.vault.len(), world.revokes().len()), (1, revokes));
}

#[test]
fn promise_7_a_refusal_is_reported_until_a_bundle_is_confirmed() {
    let mut world = World::banned("grace = \"24h\"");
    world.give(Input::BundleRefused(Refusal::Older("1".into())));
    assert!(world.reports.last().unwrap().refused.is_some());
    world.give(Input::PoliciesConfirmed);
    assert!(world.reports.last().unwrap().refused.is_none() && world.engine.refused().is_none());
}

/// A device that was off for ten hours, does not know it yet, and shows Ann her first notice.
fn shown_ten_hours_behind() -> World {
    let mut world = started();
    world.publish(&policy("ban", 1, "grace = \"24h\""));
    world.off(HOUR * 10);
    world.install(Scope::Person(ANN), "tiktok");
    world.scan();
    world
}

#[test]
fn promise_6_a_notice_that_was_shown_before_time_was_heard_keeps_its_length() {
    let mut world = shown_ten_hours_behind();
    let shown = world.truth;
    assert_eq!(world.obligation(ANN).unwrap().shown, Some(world.engine.now()), "ten hours behind the truth");
    world.confirm();
    assert_eq!(world.obligation(ANN).unwrap().shown, Some(shown), "the stamp moved with the clock");
    world.pass(26);
    assert_eq!(world.notice_given(), Some(HOUR * 24));
}

#[test]
fn promise_6_time_that_two_clocks_had_wrong_goes_back_after_a_reboot() {
    let mut world = started();
    let year = HOUR * 24 * 365;
    world.wall_error = year;
    world.give(Input::ServerTime(world.truth + year));
    assert_eq!(world.engine.now(), world.truth + year, "server and wall agreed");
    world.wall_error = SignedDuration::ZERO;
    world.give(Input::ServerTime(world.truth));
    assert_eq!(world.engine.now(), world.truth + year, "within a boot time does not go back");
    world.off(HOUR);
    world.give(Input::ServerTime(world.truth));
    assert_eq!(world.engine.now(), world.truth);
}

#[test]
fn promise_6_a_server_that_confirms_a_slow_clock_takes_no_time_from_a_notice() {
    let mut world = shown_ten_hours_behind();
    let shown = world.truth;
    world.give(Input::ServerTime(world.engine.now()));
    // Long enough for the time to be stored.
    world.advance(HOUR);
    world.off(HOUR);
    world.confirm();
    assert!(world.obligation(ANN).unwrap().shown >= Some(shown), "one clock that agrees makes nothing certain");
}

#[test]
fn promise_1_an_app_that_comes_back_beside_a_namesake_gets_a_full_notice() {
    let mut world = World::new();
    world.start();
    world.install(Scope::Person(ANN), "tiktok");
    world.install(Scope::Person(ANN), "namesake");
    let text = "id = \"ban\"\nversion = 1\ntitle = \"t\"\nmessage = { en = \"m\" }\n\
                consequence = { mail = [\"corp.example\"] }\n[[rule]]\nid = \"tiktok\"\napp = \"TikTok\"\n\
                purls = [\"pkg:webapp/chromium/tiktok\"]\ndisplay_names = [\"Namesake\"]\n";
    world.publish(&forewarn_proto::policy::Policy::parse(text.as_bytes()).unwrap());
    world.pass(26);
    assert_eq!(world.revokes().len(), 1);
    world.installed.remove(&(Scope::Person(ANN), "tiktok".to_owned()));
    world.scan();
    assert!(world.vault.is_empty(), "what is left only has the app's name");
    world.pass(24 * 10);
    world.install(Scope::Person(ANN), "tiktok");
    world.scan();
    let again = world.truth;
    world.pass(23);
    assert_eq!(world.revokes().len(), 1, "the notice of ten days ago does not count");
    world.pass(3);
    assert_eq!(world.revokes()[1].duration_since(again), HOUR * 24);
}

#[test]
fn promise_1_who_was_told_that_nothing_is_taken_any_more_gets_a_full_notice_when_their_mail_is_back() {
    let mut world = started();
    world.install(Scope::Person(ANN), "tiktok");
    world.publish(&policy("ban", 1, "grace = \"24h\""));
    world.publish(&policy("other", 1, "grace = \"48h\""));
    world.pass(20);
    world.mailless.insert(ANN);
    world.scan();
    world.retract("other", 1);
    let (_, update) = world.notices().filter(|(_, notice)| notice.kind == NoticeKind::Update).last().unwrap();
    assert_eq!((update.deadline, update.takes.len()), (None, 0));
    world.mailless.clear();
    world.scan();
    let again = world.truth;
    world.pass(26);
    assert_eq!(world.revokes().first().map(|revoke| revoke.duration_since(again)), Some(HOUR * 24));
}
