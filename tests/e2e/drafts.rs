//! Propose, sign, published: several drafts at a time, and what an admin reads before signing.

use forewarn_tests::{Company, home};

use crate::Stage;

fn policy(id: &str, version: u64, grace: &str) -> String {
    home::ban(&home::TIKTOK, id, version, &format!("grace = \"{grace}\""))
}

#[track_caller]
fn ok(company: &Company, name: &str, arguments: &[&str]) -> String {
    company.admin(name, arguments).unwrap().ok().unwrap()
}

/// Proposes and gives the draft's number.
#[track_caller]
fn propose(company: &Company, name: &str, policy: &str) -> String {
    let file = company.policy_file(policy).unwrap();
    let said = ok(company, name, &["propose", &file]);
    said.lines().last().unwrap().rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn drafts_about_different_policies_are_signed_in_either_order() {
    let stage = Stage::set();
    let company = &stage.company;
    for (id, order) in [("one", [0, 1]), ("two", [1, 0])] {
        let numbers = ["a", "b"].map(|letter| propose(company, "alice", &policy(&format!("{id}-{letter}"), 1, "48h")));
        let [first, second] = order.map(|index| numbers[index].as_str());
        assert!(ok(company, "bob", &["sign", "--yes", first]).contains(&format!("Published draft {first}.")));
        let inbox = ok(company, "bob", &["inbox"]);
        assert!(inbox.contains(&format!("Draft {second}, stale")), "{inbox}");
        let anew = ok(company, "bob", &["sign", "--yes", second]);
        assert!(anew.contains("The signatures of alice are lost with the old one and needed again."), "{anew}");
        assert!(anew.contains("policies: 1 of 2 signatures"), "{anew}");
        assert!(ok(company, "bob", &["inbox"]).contains("Nothing waits for your signature."));
        assert!(ok(company, "alice", &["inbox"]).contains("signed by bob"), "alice has to sign again");
        let last = ok(company, "alice", &["sign", "--yes", second]);
        assert!(last.contains(&format!("Published draft {second}.")), "its number stays: {last}");
    }
    let four = |status: &forewarn_proto::ipc::Status| status.rules.len() == 4;
    stage.device.wait_for("all four are in force", four).unwrap();
}

#[test]
fn the_author_can_make_a_stale_draft_anew() {
    let stage = Stage::set();
    let company = &stage.company;
    let numbers = ["a", "b"].map(|id| propose(company, "alice", &policy(id, 1, "48h")));
    ok(company, "bob", &["sign", "--yes", &numbers[1]]);
    assert!(ok(company, "alice", &["sign", "--yes", &numbers[0]]).contains("waits for another admin"));
    assert!(ok(company, "bob", &["sign", "--yes"]).contains(&format!("Published draft {}.", numbers[0])));
}

/// What two admins' commands say that run at the same moment.
fn at_once(company: &Company, commands: [(&str, &[&str]); 2]) -> [String; 2] {
    std::thread::scope(|scope| {
        let run = |(name, arguments)| company.view().admin(name, arguments).unwrap().text;
        let both = commands.map(|command| scope.spawn(move || run(command)));
        both.map(|one| one.join().unwrap())
    })
}

fn is_published(text: &str) -> bool {
    text.contains("Published draft")
}

#[test]
fn of_drafts_that_get_their_last_signature_at_the_same_moment_none_is_lost() {
    let stage = Stage::set();
    let company = &stage.company;
    for round in 0..3 {
        let draft = |by, id| propose(company, by, &policy(&format!("{id}-{round}"), 1, "48h"));
        let (first, second) = (draft("alice", "a"), draft("bob", "b"));
        let signed = at_once(company, [("bob", &["sign", "--yes", &first]), ("alice", &["sign", "--yes", &second])]);
        assert_eq!(signed.iter().filter(|text| is_published(text)).count(), 1, "{signed:?}");
        // The other was overtaken; it is signed anew, in its place, by whoever has not signed it anew already.
        let other = if is_published(&signed[0]) { second } else { first };
        let again = ["alice", "bob"].map(|name| company.admin(name, &["sign", "--yes", &other]).unwrap().text);
        assert_eq!(again.iter().filter(|text| is_published(text)).count(), 1, "{again:?}, before: {signed:?}");
    }
    let all = |status: &forewarn_proto::ipc::Status| status.rules.len() == 6;
    stage.device.wait_for("all six are in force", all).unwrap();
    assert!(ok(company, "alice", &["audit", "verify"]).contains("The record is whole"));
}

#[test]
fn promise_3_a_retraction_and_a_last_signature_at_the_same_moment_both_count() {
    let stage = Stage::set();
    let company = &stage.company;
    for round in 0..3 {
        let [old, new] = ["old", "new"].map(|word| format!("{word}-{round}"));
        company.publish(&policy(&old, 1, "48h")).unwrap();
        let number = propose(company, "alice", &policy(&new, 1, "48h"));
        let retract = ["retract", &old, "--reason", "sent in error"];
        let [signed, retracted] = at_once(company, [("bob", &["sign", "--yes", &number]), ("alice", &retract)]);
        assert!(is_published(&signed) && retracted.contains("Withdrawn"), "{signed}\n{retracted}");
    }
    let new = |status: &forewarn_proto::ipc::Status| status.rules.len() == 3;
    stage.device.wait_for("the new ones are in force, and the old ones are not", new).unwrap();
}

#[test]
fn drafts_about_the_same_policy_conflict_by_name() {
    let stage = Stage::set();
    let company = &stage.company;
    let first = propose(company, "alice", &policy("no-tiktok", 1, "48h"));
    let second = propose(company, "bob", &policy("no-tiktok", 2, "72h"));
    ok(company, "bob", &["sign", "--yes", &first]);
    let conflict = company.admin("alice", &["sign", "--yes", &second]).unwrap();
    assert!(!conflict.success, "{}", conflict.text);
    assert!(conflict.text.contains("policies/no-tiktok.toml changed since this was proposed"), "{}", conflict.text);
    let again = propose(company, "bob", &policy("no-tiktok", 2, "72h"));
    assert_eq!(again, second, "proposed again it comes in the place of the one that was overtaken");
    let signed = ok(company, "alice", &["sign", "--yes"]);
    assert!(signed.contains("deadline.grace: 48h -> 72h"), "{signed}");
    assert!(signed.contains("Published draft"), "{signed}");
}

#[test]
fn promise_2_before_signing_an_admin_reads_what_changes_and_whom_it_hits() {
    let stage = Stage::set();
    let company = &stage.company;
    home::TIKTOK.install(&stage.device.home).unwrap();
    company.publish(&policy("no-tiktok", 1, "48h")).unwrap();
    stage.device.wait_for_first_notice().unwrap();
    let stricter = policy("no-tiktok", 2, "24h");
    propose(company, "alice", &stricter);
    let unsure = company.admin("bob", &["sign"]).unwrap();
    assert!(!unsure.success && unsure.text.contains("nothing was signed"), "without a yes: {}", unsure.text);
    let file = company.policy_file(&stricter).unwrap();
    ok(company, "alice", &["preview", &file, "--wait", "60"]);
    let signed = ok(company, "bob", &["sign", "--yes"]);
    let (shown, result) = signed.split_once("policies: 2 of 2").unwrap();
    for line in ["Against version 1", "deadline.grace: 48h -> 24h", "preview/no-tiktok version 2: not met on 1 devices"]
    {
        assert!(shown.contains(line), "`{line}` is not in: {shown}");
    }
    assert!(result.contains("Published draft"), "{result}");
    propose(company, "alice", &policy("no-tiktok", 3, "24h"));
    let blind = ok(company, "bob", &["sign", "--yes"]);
    assert!(blind.contains("no preview was made: nobody knows how many this hits"), "{blind}");
}
