//! Folders and what is in force, as data.

use forewarn_proto::policy::Policy;
use jiff::Timestamp;

use super::*;

/// A policy; `more` is what else stands in its `[deadline]` table.
fn policy(id: &str, version: u64, more: &str) -> String {
    format!(
        "format = 1\nid = \"{id}\"\nversion = {version}\ntitle = \"TikTok must go\"\n[deadline]\n{more}\n[message]\nen = \"Please.\"\n\
         [consequence]\nmail = [\"corp.example\"]\n[[rule]]\nid = \"tiktok\"\napp = \"TikTok\"\npurls = [\"pkg:deb/tiktok\"]\n"
    )
}

fn in_force(texts: &[&str], retracted: &[(&str, u64)]) -> InForce {
    let policies = texts.iter().map(|text| {
        let policy = Policy::parse(text.as_bytes()).unwrap();
        (policy.id.clone(), (policy, text.as_bytes().to_vec()))
    });
    let retracted = retracted.iter().map(|(id, through)| (id.parse().unwrap(), *through));
    InForce { policies: policies.collect(), retracted: retracted.collect() }
}

fn now() -> Timestamp {
    "2026-12-01T09:00Z".parse().unwrap()
}

fn plan(files: &[&str], in_force: &InForce) -> Result<Plan, String> {
    let file = |(index, text): (usize, &&str)| PolicyFile { name: format!("{index}.toml"), text: (*text).to_owned() };
    let files: Vec<PolicyFile> = files.iter().enumerate().map(file).collect();
    Plan::of(&files, in_force, now()).map_err(|problems| problems.join("\n"))
}

/// The plan as it is printed, without colours.
#[track_caller]
fn check(files: &[&str], in_force: &InForce, expected: &str) {
    let lines = plan(files, in_force).unwrap().lines().join("\n");
    assert_eq!(anstream::adapter::strip_str(&lines).to_string(), expected);
}

#[test]
fn what_is_in_force_as_its_file_says_is_nothing_to_do() {
    let text = policy("ban", 1, "at = \"2020-07-10T17:00Z\"");
    check(&[&text], &in_force(&[&text], &[]), "Nothing to do: 1 policies are in force as their files say.");
    assert!(plan(&[&text], &in_force(&[&text], &[])).unwrap().is_empty(), "though its deadline is long over");
}

#[test]
fn additions_changes_and_deletions_are_told_field_by_field() {
    let (old, kept, gone) = (policy("ban", 3, "grace = \"48h\""), policy("kept", 1, ""), policy("gone", 7, ""));
    let new = policy("ban", 4, "grace = \"72h\"\nat = \"2026-12-24T17:00[Europe/Berlin]\"\ndays_off = [\"sunday\"]")
        .replace("pkg:deb/tiktok", "pkg:snap/tiktok")
        .replace("mail = [\"corp.example\"]", "mail = []")
        .replace("en = \"Please.\"", "en = \"Please.\"\nde = \"Bitte.\"");
    let added = policy("added", 1, "");
    check(
        &[&new, &kept, &added],
        &in_force(&[&old, &kept, &gone], &[]),
        "\
+ added version 1, from 2.toml
~ ban version 3 -> 4, from 0.toml
    deadline.at: + 2026-12-24T17:00[Europe/Berlin]
    deadline.grace: 48h -> 72h
    deadline.days_off: + never on a sunday: it moves to the next other day
    message.de: + Bitte.
    consequence.mail: - the mail profile of corp.example moves into the device's vault
    consequence.mail: + nothing: this policy only warns
    rule[tiktok].purls: - pkg:deb/tiktok
    rule[tiktok].purls: + pkg:snap/tiktok
- DELETES gone version 7: \"TikTok must go\" has no file
    nobody is obliged by it any more, and what it took goes back; nobody is told why. If it was sent in error, \
`forewarn-admin retract` corrects those who saw it
Plan: 1 to add, 1 to change, 1 TO DELETE, 1 as they are.",
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_field_that_changes_is_told() {
    const FULL: &str = r#"
id = "no-tiktok"
version = 7
title = "A"
until = "2027-01-31T12:00Z"
message = { en = "B" }
consequence = { mail = ["corp.example"], lock = true, whole_app = true, offline = "revoke" }
rollout = { groups = ["pilot"], percent = 50, start = "2026-11-30T09:00Z", over = "7d" }
[deadline]
at = { floating = "2026-12-24T17:00" }
grace = "49h"
min_notice = "36h"
ramp = "10h"
quiet_hours = "22:00-07:00"
days_off = ["saturday"]
[[rule]]
id = "tiktok"
app = "TikTok"
purls = [{ purl = "pkg:deb/tiktok", vers = "vers:deb/<2", only_warns = true }]
display_names = ["Tick Tock"]
signers = ["abababababababababababababababababababababababababababababababab"]
[contact]
mail = "it@corp.example"
"#;
    let (full, next) = (FULL, FULL.replace("version = 7", "version = 8"));
    for (from, to, fields) in [
        ("\"A\"", "\"a\"", "title"),
        ("2027-01-31T12", "2027-01-31T13", "until"),
        ("\"B\"", "\"b\"", "message.en"),
        ("corp.example", "corp.test", "consequence.mail consequence.mail"),
        ("lock = true", "lock = false", "consequence.lock"),
        ("whole_app = true", "whole_app = false", "consequence.whole_app"),
        ("\"A\"", "{ en = \"A\", de = \"Ä\" }", "title.de"),
        ("it@corp", "help@corp", "contact.mail.en"),
        ("[contact]", "[contact]\nphone = \"+49 30 1\"", "contact.phone.en"),
        ("ababab", "bababa", "rule[tiktok].signers rule[tiktok].signers"),
        ("\"revoke\"", "\"hold\"", "consequence.offline"),
        ("2026-12-24T17", "2026-12-24T18", "deadline.at"),
        ("49h", "50h", "deadline.grace"),
        ("36h", "37h", "deadline.min_notice"),
        ("10h", "11h", "deadline.ramp"),
        ("22:00", "21:00", "deadline.quiet_hours"),
        ("saturday", "sunday", "deadline.days_off deadline.days_off"),
        ("app = \"TikTok\"", "app = \"Tok\"", "rule[tiktok].app"),
        ("only_warns = true", "only_warns = false", "rule[tiktok].purls"),
        ("pilot", "sales", "rollout.groups"),
        ("percent = 50", "percent = 100", "rollout.percent"),
        ("2026-11-30T09", "2026-11-30T10", "rollout.start"),
        ("7d", "8d", "rollout.over"),
        ("deb/<2", "deb/<3", "rule[tiktok].purls rule[tiktok].purls"),
        ("Tick Tock", "Tock", "rule[tiktok].display_names rule[tiktok].display_names"),
        (
            "id = \"tiktok\"",
            "id = \"tok\"",
            "rule[tok].app rule[tok].purls rule[tok].display_names rule[tok].signers rule[tiktok].app rule[tiktok].purls rule[tiktok].display_names rule[tiktok].signers",
        ),
        ("title", "# why\ntitle", ""),
    ] {
        let changed = next.replacen(from, to, 1);
        assert_ne!(changed, next, "{from}");
        let plan = plan(&[&changed], &in_force(&[full], &[])).unwrap();
        let told: Vec<&str> = plan.changes[0].fields.iter().map(|change| change.field.as_str()).collect();
        let (mut told, mut fields): (Vec<&str>, Vec<&str>) = (told, fields.split_whitespace().collect());
        told.sort_unstable();
        fields.sort_unstable();
        assert_eq!(told, fields, "{from} -> {to}");
    }
}

#[test]
fn what_is_wrong_with_a_folder_is_told_all_at_once() {
    let (old, line) = (policy("ban", 3, ""), policy("line", 1, "grace = \"soon\""));
    let changed = policy("ban", 3, "grace = \"72h\"");
    let lower = policy("down", 1, "grace = \"1h\"");
    let (twice, past) = (policy("twice", 1, ""), policy("past", 1, "at = \"2026-11-30T17:00Z\""));
    let (back, strange) =
        (policy("back", 2, ""), policy("strange", 1, "").replace("deb/tiktok\"]", "deb/tiktok\"]\nwipe = true"));
    let unknown =
        policy("unknown", 1, "").replace("purls = [\"pkg:deb/tiktok\"]\n", "").replace("TikTok\"\n", "Tik Tak\"\n");
    let in_force = in_force(&[&old, &policy("down", 2, "")], &[("back", 4)]);
    let error =
        plan(&[&changed, &line, &lower, &twice, &twice, &past, &back, &strange, &unknown], &in_force).unwrap_err();
    for expected in [
        "0.toml: version: ban: version 3 is in force with another text; write version = 4",
        "1.toml: TOML parse error at line 6",
        "`soon` is not a length",
        "2.toml: version: down: version 2 is in force with another text; write version = 3",
        "4.toml: id: `twice` is the id of 3.toml too",
        "5.toml: deadline.at: 2026-11-30T17:00Z is in the past",
        "6.toml: version: back: it was withdrawn through version 4; write version = 5",
        "7.toml: TOML parse error at line 15",
        "unknown field `wipe`",
        "8.toml: rule[0].app: no app of the catalogue is called `Tik Tak`",
    ] {
        assert!(error.contains(expected), "`{expected}` is not in:\n{error}");
    }
}

#[test]
fn a_policy_that_was_withdrawn_is_noted() {
    let text = policy("ban", 1, "");
    let plan = plan(&[&text], &in_force(&[&text], &[("ban", 1)])).unwrap();
    assert!(plan.is_empty() && plan.notes[0].contains("write version = 2"), "{:?}", plan.notes);
}

#[test]
fn a_rule_from_the_catalogue_is_compared_as_it_was_signed() {
    let short = policy("ban", 1, "").replace("purls = [\"pkg:deb/tiktok\"]\n", "");
    let signed = crate::fill::fill(&short).unwrap();
    assert_ne!(signed, short);
    assert!(plan(&[&short], &in_force(&[&signed], &[])).unwrap().is_empty());
    let plan = plan(&[&short], &in_force(&[], &[])).unwrap();
    assert_eq!(plan.texts["policies/ban.toml"], signed);
}

#[test]
fn a_plan_is_data() {
    let (old, new) = (policy("ban", 1, ""), policy("ban", 2, "grace = \"72h\""));
    let plan = plan(&[&new], &in_force(&[&old, &policy("gone", 1, "")], &[])).unwrap();
    assert_eq!(plan.removed(), ["policies/gone.toml"]);
    let expected = r#"{"additions":[],"changes":[{"id":"ban","from_version":1,"to_version":2,"file":"0.toml","fields":[{"field":"deadline.grace","old":"0s","new":"72h"}]}],"deletions":[{"id":"gone","version":1,"title":"TikTok must go"}],"unchanged":[],"notes":[]}"#;
    assert_eq!(serde_json::to_string(&plan).unwrap(), expected);
}
