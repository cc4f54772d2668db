//! What a person and the shell can ask of the engine, and what its state is when it is stored and read.

use std::collections::BTreeSet;

use forewarn_proto::{
    inventory::{Scope, Source},
    policy::How,
    report::{Finding, Medium, Obstacle, Receipt, Refusal, Report},
};

use super::world::{ANN, BEN, HOUR, MINUTE, What, World, policy, policy_about};
use crate::{App, Effect, Engine, Input, Look, NoticeKind, ObligationId, ProfileId, Settings, State, Subject};

fn about(app: &str, person: forewarn_proto::inventory::Person) -> Subject {
    Subject::App(App::named(app), person)
}

/// Ann and Ben have TikTok, and Ann has Temu too; both are banned.
fn two_people() -> World {
    let mut world = World::new();
    world.people = vec![ANN, BEN];
    world.start();
    world.install(Scope::System, "tiktok");
    world.install(Scope::Person(ANN), "temu");
    world.publish(&policy("ban", 1, "grace = \"48h\""));
    world.publish(&policy_about("more", 1, "Temu", "grace = \"48h\"", "mail = [\"corp.test\"]", ""));
    world
}

#[test]
fn a_person_may_answer_for_one_app_or_for_all_and_for_nobody_else() {
    let world = two_people();
    let subjects = |person, app| world.engine.subjects_about(person, app);
    assert_eq!(subjects(ANN, None), BTreeSet::from([about("TikTok", ANN), about("Temu", ANN)]));
    assert_eq!(subjects(ANN, Some("tik-TOK")), BTreeSet::from([about("TikTok", ANN)]));
    assert_eq!(subjects(BEN, None), BTreeSet::from([about("TikTok", BEN)]));
    assert_eq!(subjects(BEN, Some("temu")), BTreeSet::new());
}

#[test]
fn a_match_explains_itself() {
    let world = two_people();
    let [matched] = world.obligation(BEN).unwrap().matched.try_into().unwrap();
    assert_eq!(matched.purl.as_str(), "pkg:webapp/chromium/tiktok");
    assert_eq!(matched.how, How::Purl { pattern: "pkg:webapp/chromium/tiktok".into() });
    assert_eq!((matched.source, matched.found_in.as_str()), (Source::Desktop, "tiktok.desktop"));
}

#[test]
fn promise_5_a_person_hears_nothing_of_another_on_the_device() {
    let world = two_people();
    let report = world.engine.report_about(BEN).unwrap();
    let people = report.policies.iter().flat_map(|policy| &policy.rules).flat_map(|rule| &rule.people);
    assert_eq!(people.map(|entry| entry.person).collect::<Vec<_>>(), [BEN]);
    let finding_of_temu = |report: &Report| {
        let rules = report.policies.iter().filter(|policy| policy.policy.to_string() == "more");
        rules.flat_map(|policy| &policy.rules).map(|rule| rule.finding).collect::<Vec<_>>()
    };
    assert_eq!(finding_of_temu(&report), [Finding::Met], "that ANN has it is not BEN's to know");
    assert_eq!(finding_of_temu(world.engine.state().report().unwrap()), [Finding::NotMet]);
    let rules = world.engine.rules_for(BEN);
    assert!(rules.iter().all(|rule| rule.app != "Temu" || rule.finding == Finding::Met), "{rules:?}");
}

#[test]
fn promise_1_a_notice_that_was_kept_from_somebody_comes_when_they_can_be_reached() {
    let mut world = World::new();
    world.start();
    world.away.insert(ANN);
    world.install(Scope::Person(ANN), "tiktok");
    world.publish(&policy("ban", 1, "grace = \"48h\""));
    world.advance(HOUR);
    let waiting = world.obligation(ANN).unwrap();
    assert_eq!((waiting.shown, waiting.deadline, waiting.obstacle), (None, None, Some(Obstacle::Locked)));
    let entry = |world: &World| {
        let report = world.engine.state().report().unwrap();
        report.policies[0].rules[0].people[0].clone()
    };
    assert_eq!((entry(&world).receipt, entry(&world).obstacle), (Receipt::NotShown, Some(Obstacle::Locked)));
    world.away.clear();
    world.give(Input::PersonReachable(BEN));
    assert_eq!(world.obligation(ANN).unwrap().shown, None, "that was somebody else");
    world.give(Input::PersonReachable(ANN));
    let told = world.obligation(ANN).unwrap();
    assert_eq!((told.shown, told.shown_on, told.obstacle), (Some(world.truth), Some(Medium::Desktop), None));
    assert_eq!(told.deadline, Some(world.truth + HOUR * 48), "grace starts when it is shown");
    assert_eq!((entry(&world).receipt, entry(&world).shown_on), (Receipt::Shown, Some(Medium::Desktop)));
}

/// Whatever shows notices can be killed between showing one and saying so.
#[test]
fn promise_1_and_3_a_notice_that_may_have_been_seen_counts_for_nothing_but_a_correction() {
    let check = |lost: bool, owed: usize| {
        let mut world = World::new();
        world.start();
        world.slow_receipts = true;
        world.install(Scope::Person(ANN), "tiktok");
        world.publish(&policy("ban", 1, "grace = \"48h\""));
        let [id] = world.notices().map(|notice| notice.1.id).collect::<Vec<_>>().try_into().unwrap();
        let input = if lost { Input::NoticeLost(id) } else { Input::NoticeFailed(id, Obstacle::Locked) };
        let effects = world.engine.handle(input, &world.now());
        assert!(!effects.is_empty(), "the report changes");
        let told = world.engine.obligations_of(ANN);
        assert_eq!((told[0].shown, told[0].deadline), (None, None));
        let retraction = forewarn_proto::policy::Retraction {
            format: 1,
            policy: "ban".parse().unwrap(),
            through_version: 1,
            reason: "error".into(),
            message: [(forewarn_proto::policy::Language::english(), "m".to_owned())].into(),
        };
        world.set.undoing.retractions.insert(retraction.policy.clone(), retraction);
        world.engine.handle(Input::PoliciesVerified(world.set.clone()), &world.now());
        assert_eq!(world.engine.state().report().unwrap().corrections.len(), owed);
    };
    check(true, 1);
    check(false, 0);
}

#[test]
fn promise_3_a_device_that_is_spared_gets_its_mail_back_and_is_told_anew_when_that_ends() {
    let mut world = World::new();
    world.start();
    world.install(Scope::Person(ANN), "tiktok");
    world.publish(&policy("ban", 1, "grace = \"24h\""));
    world.advance(HOUR * 24);
    world.confirm();
    world.advance(HOUR);
    assert!(!world.vault.is_empty(), "{:?}", world.obligation(ANN));
    let until = world.truth + HOUR * 100;
    world.spare("ban", "tiktok", until);
    assert!(world.obligation(ANN).is_none() && world.vault.is_empty());
    let rules = world.engine.rules_for(ANN);
    let spared = rules[0].spared.as_ref().unwrap();
    assert_eq!((spared.until, spared.signed_by.as_slice()), (until, ["bob".to_owned()].as_slice()));
    let report = world.engine.state().report().unwrap();
    assert_eq!(report.policies[0].rules[0].spared_until, Some(until));
    world.advance(HOUR * 99);
    assert!(world.obligation(ANN).is_none());
    world.confirm();
    world.advance(HOUR * 2);
    let anew = world.obligation(ANN).unwrap();
    assert_eq!(anew.shown, Some(until), "it is told at the moment at which that ends");
    assert_eq!(anew.deadline, Some(until + HOUR * 24), "with the full notice");
    assert!(world.vault.is_empty());
    assert_eq!(world.engine.rules_for(ANN)[0].spared, None);
}

#[test]
fn what_was_not_shown_can_not_be_acknowledged() {
    let mut world = World::new();
    world.start();
    world.away.insert(ANN);
    world.install(Scope::Person(ANN), "tiktok");
    world.publish(&policy("ban", 1, "grace = \"48h\""));
    world.give(Input::NoticeAcknowledged(about("TikTok", ANN)));
    assert_eq!(world.obligation(ANN).unwrap().acknowledged, None);
    world.away.clear();
    world.advance(HOUR);
    world.give(Input::NoticeAcknowledged(about("Temu", ANN)));
    assert_eq!(world.obligation(ANN).unwrap().acknowledged, None, "that was about another app");
    world.give(Input::NoticeAcknowledged(about("TikTok", ANN)));
    assert_eq!(world.obligation(ANN).unwrap().acknowledged, Some(world.truth));
}

#[test]
fn a_snooze_is_shown_until_it_is_over() {
    let mut world = World::banned("grace = \"72h\"");
    let end = world.truth + HOUR;
    world.give(Input::NoticeSnoozed(about("TikTok", ANN), HOUR));
    assert_eq!(world.obligation(ANN).unwrap().snoozed_until, Some(end));
    world.advance(HOUR);
    assert_eq!(world.obligation(ANN).unwrap().snoozed_until, None);
}

#[test]
fn the_mail_in_the_vault_is_that_of_the_person_who_asks() {
    let mut world = two_people();
    world.pass(50);
    let texts = |person| world.engine.revoked_of(person).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        (texts(ANN), texts(BEN)),
        (vec!["corp.example".into(), "corp.test".into()], vec!["corp.example".into()])
    );
    world.vault_broken = true;
    world.retract("ban", 1);
    let on_its_way_back: Vec<_> = world.engine.revoked_of(BEN);
    assert_eq!(on_its_way_back.len(), 1, "it is still in the vault while it can't be given back");
}

#[test]
fn mail_that_is_about_to_leave_is_not_in_the_vault() {
    let mut world = World::banned("grace = \"24h\"");
    world.client_runs = true;
    world.pass(26);
    assert!(world.log.iter().any(|happened| matches!(happened.what, What::Waits(_))));
    assert_eq!(world.engine.revoked_of(ANN), []);
}

#[test]
fn what_waits_for_a_mail_client_goes_as_soon_as_that_has_closed() {
    let mut world = World::banned("grace = \"24h\"");
    world.client_runs = true;
    world.pass(26);
    let waited = world.log.iter().filter(|happened| matches!(happened.what, What::Waits(_))).count();
    assert!(waited > 100, "it is tried every half minute too, for programs whose end nobody notices");
    world.close_client();
    assert_eq!(world.revokes(), [world.truth]);
}

#[test]
fn the_newest_word_of_the_server_is_known() {
    let mut world = World::banned("grace = \"24h\"");
    assert_eq!((world.engine.confirmed_at(), world.engine.refused()), (Some(world.truth), None));
    let told = world.truth;
    world.advance(HOUR);
    let refusal = Refusal::TooLarge("9 MB".into());
    world.give(Input::BundleRefused(refusal.clone()));
    assert_eq!((world.engine.confirmed_at(), world.engine.refused()), (Some(told), Some(&refusal)));
    world.confirm();
    assert_eq!((world.engine.confirmed_at(), world.engine.refused()), (Some(world.truth), None));
}

#[test]
fn a_notice_whose_reason_is_gone_before_it_was_stored_is_not_shown() {
    let mut world = World::new();
    world.start();
    world.disk_full = true;
    world.install(Scope::Person(ANN), "tiktok");
    world.publish(&policy("ban", 1, "grace = \"24h\""));
    assert_eq!(world.kinds_shown(), [], "it waits until the disk has it");
    world.installed.clear();
    world.scan();
    world.disk_full = false;
    world.advance(HOUR);
    assert_eq!(world.kinds_shown(), []);
}

#[test]
fn one_person_s_receipt_is_not_another_s() {
    let mut world = World::new();
    world.people = vec![ANN, BEN];
    world.start();
    world.away.insert(BEN);
    world.install(Scope::System, "tiktok");
    world.publish(&policy("ban", 1, "grace = \"24h\""));
    world.retract("ban", 1);
    world.away.clear();
    world.advance(HOUR);
    let corrected: Vec<_> = world
        .notices()
        .filter(|(_, notice)| notice.kind == NoticeKind::Correction)
        .map(|(_, notice)| notice.subject.person())
        .collect();
    assert_eq!(corrected, [ANN], "Ben saw nothing that could be corrected");
}

#[test]
fn last_calls_that_come_together_are_one() {
    let mut world = World::banned("grace = \"24h\"");
    world.advance(MINUTE * 5);
    world.publish(&policy("later", 1, "grace = \"24h\""));
    world.pass(23);
    world.away.insert(ANN);
    world.advance(HOUR + MINUTE * 10);
    world.away.clear();
    world.advance(HOUR);
    let calls = world.kinds_shown().into_iter().filter(|kind| *kind == NoticeKind::LastCall).count();
    assert_eq!(calls, 1, "{:?}", world.kinds_shown());
}

/// The effects of one input, as the shell gets them.
/// What is heard of a look at a scope in which there is nothing.
fn looked(world: &mut World, scope: Scope) -> Input {
    let mail = if scope == Scope::System { None } else { Some(crate::MailOf::default()) };
    Input::Looked(Look { token: world.search(), scope, listings: [].into(), mail })
}

fn effects(world: &mut World, input: Input) -> Vec<Effect> {
    let now = world.now();
    world.engine.handle(input, &now)
}

#[test]
fn the_shell_may_sleep_until_there_is_something_to_do() {
    let mut world = World::new();
    world.start();
    assert_eq!(world.engine.next_wake(&world.now()), None, "nobody is obliged, so nothing comes due");
    let mut world = World::banned("grace = \"24h\"");
    assert_eq!(world.engine.next_wake(&world.now()), Some(HOUR), "the time that has passed is kept");
    world.pass(23);
    let to_the_last_call = world.engine.next_wake(&world.now()).unwrap();
    world.advance(to_the_last_call);
    let next = world.engine.next_wake(&world.now()).unwrap();
    assert!(next > MINUTE, "what came due at this input is done: {next}");
    let mut world = World::new();
    world.start();
    world.install(Scope::Person(ANN), "tiktok");
    world.publish(&policy_about("ban", 1, "TikTok", "grace = \"24h\"", "mail = []", ""));
    world.advance(HOUR * 24);
    assert_eq!(world.obligation(ANN).unwrap().deadline, Some(world.truth));
    assert_eq!(world.engine.next_wake(&world.now()), Some(HOUR), "a deadline that is here is not waited for");
}

#[test]
fn what_could_not_be_stored_is_tried_again_soon() {
    let mut world = World::new();
    world.start();
    world.disk_full = true;
    world.publish(&policy("ban", 1, "grace = \"24h\""));
    assert_eq!(world.engine.next_wake(&world.now()), Some(Settings::FIRST_RETRY));
}

#[test]
fn time_alone_is_stored_every_ten_minutes_and_not_at_each_wake_up() {
    let mut world = World::banned("grace = \"24h\"");
    let persists = |effects: Vec<Effect>| effects.iter().any(|effect| matches!(effect, Effect::Persist(_)));
    let begun = world.truth;
    for (minutes, expected) in [(1, false), (9, false), (10, true)] {
        let passed = begun + MINUTE * minutes - world.truth;
        world.truth += passed;
        world.boot += passed;
        assert_eq!(persists(effects(&mut world, Input::Tick)), expected, "after {minutes} minutes");
    }
}

#[test]
fn a_state_is_the_same_after_it_was_stored() {
    let mut world = two_people();
    world.away.insert(BEN);
    world.publish(&policy("ban", 2, "grace = \"30h\""));
    world.pass(31);
    world.client_runs = true;
    world.pass(20);
    world.retract("ban", 2);
    let state = world.engine.state();
    let text = serde_json::to_string(state).unwrap();
    assert_eq!(serde_json::from_str::<State>(&text).unwrap(), *state);
    for part in ["more/temu/00000000000003e8", "corp.test/00000000000003e8", "correction/ban/00000000000003e8"] {
        assert!(text.contains(&format!("\"{part}\"")), "`{part}` is not in {text}");
    }
    let begun = Engine::new(Settings::default(), state.clone());
    assert_eq!(begun.obligations_of(ANN).len(), 0, "nothing is asked before policies were verified again");
}

#[test]
fn names_that_are_not_whole_are_refused() {
    for name in ["", "ban", "ban/tiktok", "ban/tiktok/ann", "ban/tiktok/1000"] {
        assert!(name.parse::<ObligationId>().is_err(), "{name}");
    }
    assert!(
        "corp.example".parse::<ProfileId>().is_err() && "corp.example/00000000000003e8".parse::<ProfileId>().is_ok()
    );
    assert!("app/tiktok".parse::<Subject>().is_err() && "nothing/tiktok/00000000000003e8".parse::<Subject>().is_err());
}

#[test]
fn a_report_waits_until_the_whole_device_is_known_and_each_has_its_number() {
    let mut world = World::at("2026-12-01T09:00:00Z", Settings::default().looking_after([ANN, BEN]));
    let silent = |effects: Vec<Effect>| !effects.iter().any(|effect| matches!(effect, Effect::Report(_)));
    let looked = looked(&mut world, Scope::System);
    assert!(silent(effects(&mut world, looked.clone())) && silent(effects(&mut world, looked)));
    assert!(silent(effects(&mut world, Input::LookFailed(Scope::Person(BEN)))), "one home was not looked at yet");
    let last = self::looked(&mut world, Scope::Person(ANN));
    assert!(!silent(effects(&mut world, last)), "though nobody knows what is in the other");
    let mut world = two_people();
    world.pass(1);
    world.retract("ban", 1);
    let numbers: Vec<u64> = world.reports.iter().map(|report| report.sequence).collect();
    assert!(numbers.len() > 3 && numbers.is_sorted_by(|one, next| *next == one + 1), "{numbers:?}");
}

#[test]
fn a_report_that_was_not_delivered_is_kept() {
    let mut world = World::new();
    assert_eq!(world.engine.state().undelivered_report(), None);
    let looked = looked(&mut world, Scope::System);
    effects(&mut world, looked);
    let report = world.engine.state().undelivered_report().cloned().unwrap();
    effects(&mut world, Input::ReportDelivered(report.sequence));
    assert_eq!(world.engine.state().undelivered_report(), None);
    assert_eq!(world.engine.state().report(), Some(&report), "people may still read it");
}

#[test]
fn the_device_s_own_least_notice_is_raised_to_an_hour_and_no_lower() {
    let settings = |length| Settings::default().with_min_notice(length).min_notice();
    assert_eq!((settings(HOUR * 48), settings(MINUTE * 10)), (HOUR * 48, HOUR));
}

#[test]
fn a_retraction_of_an_older_version_corrects_nobody() {
    let mut world = World::banned("grace = \"48h\"");
    world.installed.clear();
    world.scan();
    world.publish(&policy("ban", 2, "grace = \"48h\""));
    world.retract("ban", 1);
    assert!(!world.kinds_shown().contains(&NoticeKind::Correction), "version 2 is in force, and no error");
    world.retract("ban", 2);
    assert!(world.kinds_shown().contains(&NoticeKind::Correction), "now Ann did it for nothing");
}

#[test]
fn the_shell_is_told_to_look_when_a_policy_ends() {
    let mut world = World::new();
    world.start();
    let until = "until = \"2026-12-01T09:30Z\"";
    world.publish(&policy_about("ban", 1, "TikTok", "grace = \"1h\"", "mail = []", until));
    assert_eq!(world.engine.next_wake(&world.now()), Some(MINUTE * 30));
}

#[test]
fn nobody_is_told_before_their_mail_was_looked_for() {
    let mut world = World::new();
    world.install(Scope::Person(ANN), "tiktok");
    let ban = policy("ban", 1, "grace = \"24h\"");
    let signed = crate::SignedPolicy {
        policy: ban.clone().into(),
        signed_by: Vec::new(),
        expires: "2027-12-01T09:00Z".parse().unwrap(),
    };
    let set = crate::PolicySet { bundle: 1, policies: [(ban.id, signed)].into(), ..Default::default() };
    let nobody_s = looked(&mut world, Scope::Person(ANN));
    effects(&mut world, nobody_s);
    let mut told = effects(&mut world, Input::PoliciesVerified(set));
    for listing in world.listings() {
        let token = world.search();
        let look = Look { mail: None, ..world.found(token, listing) };
        told.extend(effects(&mut world, Input::Looked(look)));
    }
    let generations: Vec<u64> =
        told.iter().filter_map(|e| if let Effect::Persist(g) = e { Some(*g) } else { None }).collect();
    for generation in generations {
        told.extend(effects(&mut world, Input::Persisted(generation)));
    }
    assert!(!told.iter().any(|effect| matches!(effect, Effect::ShowNotice(_))), "it would not say what is taken");
}

#[test]
fn what_the_vault_holds_and_no_state_speaks_of_is_given_back_first() {
    let mut state = State::default();
    state.adopt([(ANN, "corp.example".parse().unwrap())]);
    let mut world = World::new();
    world.engine = Engine::new(Settings::default(), state);
    let mut asked = effects(&mut world, Input::Tick);
    asked.extend(effects(&mut world, Input::Persisted(1)));
    let wanted = ProfileId { domain: "corp.example".parse().unwrap(), person: ANN };
    assert!(asked.contains(&Effect::Restore(wanted)), "{asked:?}");
}

#[test]
fn promise_7_a_look_that_was_begun_for_other_rules_says_nothing_and_is_made_again() {
    let mut world = World::banned("grace = \"24h\"");
    let scope = Scope::Person(ANN);
    let before = world.search();
    world.publish(&policy("game", 1, "grace = \"24h\""));
    assert_eq!(world.search(), before, "it names no other package");
    let mut other = policy("game", 2, "grace = \"24h\"");
    other.rules[0].purls[0].purl = "pkg:webapp/chromium/other".parse().unwrap();
    world.publish(&other);
    assert_ne!(world.search(), before);
    let empty = Look { token: before, scope, listings: [].into(), mail: Some(crate::MailOf::default()) };
    let rules = |world: &World| world.engine.rules_for(ANN);
    let known = rules(&world);
    assert_eq!(effects(&mut world, Input::Looked(empty)), [Effect::Rescan(Some(scope))]);
    assert_eq!(rules(&world), known);
}
