use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::*;

const GOOD: &str = r#"id = "no-tiktok"
version = 1
title = "TikTok must go"

[deadline]
at = "2026-12-01T17:00[Europe/Berlin]"
grace = "7d"

[message]
en = "Please remove TikTok."
de = "Bitte TikTok entfernen."

[consequence]
mail = ["corp.example"]

[[rule]]
id = "tiktok"
app = "TikTok"
purls = ["pkg:flatpak/com.tiktok.TikTok"]
"#;

/// Replaces one text in the good policy and checks that it is refused with all of `expected` in the message.
#[track_caller]
fn check_refused(from: &str, to: &str, expected: &[&str]) {
    assert!(GOOD.contains(from), "the good policy has no `{from}`");
    let error = Policy::parse(GOOD.replace(from, to).as_bytes()).unwrap_err().to_string();
    for part in expected {
        assert!(error.contains(part), "`{part}` is not in: {error}");
    }
}

#[test]
fn a_good_policy_reads() {
    let policy = Policy::parse(GOOD.as_bytes()).unwrap();
    assert_eq!(policy.deadline.grace, Length(SignedDuration::from_hours(168)));
    let at = policy.deadline.at.clone().unwrap();
    assert_eq!(at.instant_in(&TimeZone::UTC), "2026-12-01T16:00Z".parse::<Timestamp>().unwrap());
    assert_eq!(policy.message_for(&["de".parse().unwrap()]), "Bitte TikTok entfernen.");
    assert_eq!(policy.message_for(&["fr".parse().unwrap()]), "Please remove TikTok.");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_is_wrong_is_refused_with_line_and_remedy() {
    check_refused("version = 1", "version = 1\nforce = true", &["line 3", "unknown field `force`"]);
    check_refused("2026-12-01T17:00[Europe/Berlin]", "2026-12-01T17:00", &["line 6", "has no time zone", "floating"]);
    check_refused("\"2026-12-01T17:00[Europe/Berlin]\"", "2026-12-01T17:00:00Z", &["line 6", "must be quoted"]);
    check_refused("2026-12-01T17:00[Europe/Berlin]", "1 December", &["line 6", "is not a time"]);
    check_refused("\"7d\"", "\"7 fortnights\"", &["line 7", "is not a length of time"]);
    check_refused("\"7d\"", "\"-7d\"", &["line 7", "out of bounds"]);
    check_refused("\"7d\"", "\"7d\"\nramp = \"5 people\"", &["line 8", "is not a length of time"]);
    check_refused("\"7d\"", "\"7d\"\nquiet_hours = \"22-07\"", &["line 8", "22:00-07:00"]);
    check_refused("\"7d\"", "\"7d\"\ndays_off = [\"holiday\"]", &["line 8", "unknown variant `holiday`"]);
    check_refused(
        "\"7d\"",
        "\"7d\"\ndays_off = [\"monday\", \"tuesday\", \"wednesday\", \"thursday\", \"friday\", \"saturday\", \"sunday\"]",
        &["deadline.days_off", "no deadline could ever come"],
    );
    check_refused("2026-12-01T17:00[", "2026-12-01[", &["line 6", "has no hour", "T17:00"]);
    check_refused("version = 1", "version = 1\nuntil = \"2026-12-30\"", &["line 3", "has no hour"]);
    check_refused("\"2026-12-01T17:00[Europe/Berlin]\"", "{ floating = \"2026-12-01\" }", &["line 6", "has no hour"]);
    check_refused("version = 1", "version = 1\nuntil = \"2026-12-01T16:00Z\"", &["until", "end before its deadline"]);
    check_refused(
        "[\"pkg:flatpak/com.tiktok.TikTok\"]",
        "[{ purl = \"pkg:deb/a\", vers = \"vers:rpm/<2\" }]",
        &["line 19", "another order", "vers:deb/"],
    );
    check_refused(
        "[\"pkg:flatpak/com.tiktok.TikTok\"]",
        "[{ purl = \"pkg:deb/a@1\", vers = \"vers:deb/<2\" }]",
        &["line 19", "leave one of them out"],
    );
    check_refused("[\"corp.example\"]", "[]\noffline = \"delete\"", &["line 15", "unknown variant `delete`"]);
    check_refused("[\"pkg:flatpak/com.tiktok.TikTok\"]", "[]", &["rule[0].purls", "name at least one"]);
    check_refused(
        "[\"corp.example\"]",
        "[]\nseal = true",
        &["line 15", "unknown field `seal`", "`seal` is now `lock`"],
    );
    check_refused("version = 1", "version = 1\nformat = 2", &["has format 2", "formats up to 1", "update"]);
    check_refused("version = 1", "version = 1\nformat = 0", &["has format 0"]);
    check_refused("\"TikTok must go\"", "{ de = \"TikTok muss weg\" }", &["line 3", "no `en`"]);
    check_refused("\"TikTok must go\"", "{ en = \"A\", de = \"\" }", &["title.de", "it is empty"]);
    check_refused("\"TikTok must go\"", "7", &["line 3", "a text in quotes, or a table"]);
    check_refused("[message]", "[contact]\n[message]", &["contact", "names nobody"]);
    check_refused("[message]", "[contact]\nfax = \"1\"\n[message]", &["unknown field `fax`"]);
    for (contact, place) in [
        ("mail = \"it-help\"", "contact.mail.en"),
        ("mail = \"IT <it@corp.example>\"", "contact.mail.en"),
        ("mail = { en = \"it@corp.example\", de = \"it@corp@example.de\" }", "contact.mail.de"),
        ("phone = \"ask at the desk\"", "contact.phone.en"),
        ("url = \"http://corp.example\"", "contact.url.en"),
        ("url = \"https://it@corp.example\"", "contact.url.en"),
        ("url = \"https://corp.example/a b\"", "contact.url.en"),
        ("url = \"https:///help\"", "contact.url.en"),
    ] {
        check_refused("[message]", &format!("[contact]\n{contact}\n[message]"), &[place]);
    }
    let (rule, digits) = ("app = \"TikTok\"", "ab".repeat(32));
    check_refused(rule, &format!("{rule}\nsigners = [\"{}\"]", &digits[1..]), &["line 19", "64 hexadecimal digits"]);
    check_refused(rule, &format!("{rule}\nsigners = [\"a:{}\"]", &digits[1..]), &["line 19", "64 hexadecimal digits"]);
    let many = format!("{rule}\nsigners = [{}]", format!("\"{digits}\",").repeat(17));
    check_refused(rule, &many, &["rule[0].signers", "more than 16"]);
    check_refused("pkg:flatpak/com.tiktok.TikTok", "TikTok", &["line 19", "is not a package URL"]);
    check_refused("corp.example", "@Corp.Example", &["line 14", "after the @"]);
    check_refused("no-tiktok", "../no", &["line 1", "small letters"]);
    check_refused("en = \"Please remove TikTok.\"\n", "", &["message", "no `en`"]);
    check_refused("version = 1", "version = 0", &["version", "start at 1"]);
    check_refused("Please remove", "\\u001b[2J", &["message.en", "control character"]);
}

#[test]
fn every_new_field_reads_and_is_written_as_it_was() {
    let colons = ["AB"; 32].join(":");
    let text = GOOD
        .replace("version = 1", "format = 1\nversion = 1")
        .replace("\"TikTok must go\"", "{ en = \"TikTok must go\", de = \"TikTok muss weg\" }")
        .replace("[consequence]", "[contact]\nmail = \"it@corp.example\"\nphone = { en = \"+49 30 1\", de = \"030 1\" }\nurl = \"https://corp.example/help\"\n\n[consequence]\nlock = true\nwhole_app = true")
        + &format!("signers = [\"{colons}\"]\n");
    let policy = Policy::parse(text.as_bytes()).unwrap();
    let german = ["de".parse().unwrap()];
    assert_eq!((policy.title.best(&german), policy.title.english()), ("TikTok muss weg", "TikTok must go"));
    let ways: Vec<_> =
        policy.contact.iter().flat_map(Contact::ways).map(|(name, way)| (name, way.best(&german))).collect();
    assert_eq!(ways, [("mail", "it@corp.example"), ("phone", "030 1"), ("url", "https://corp.example/help")]);
    assert!(policy.consequence.lock && policy.consequence.whole_app);
    assert_eq!(policy.rules[0].signers[0].as_str(), "ab".repeat(32));
    let json = serde_json::to_string(&policy).unwrap();
    assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
}

/// What a retraction, and exemptions, of the future could look like.
const FUTURE: &str = "format = 7\npolicy = \"no-tiktok\"\nthrough_version = 3\nreason = [\"new\"]\nscope = { region = \"eu\" }\n\
    [message]\nen = \"Never mind.\"\nfr = 7\nzh-Hant = \"x\"\n[[pause]]\nat = \"2026-12-01T09:00:00Z\"\nthrough_version = 2\nwhy = \"x\"\n\
    [[exemption]]\ndevice = \"device-a\"\nrule = \"tiktok\"\nuntil = 2027-01-01T00:00:00Z\nnew = 1\n\
    [[exemption]]\ngroup = \"pilot\"\nuntil = \"2027-01-01T00:00Z\"\n";

#[test]
fn promise_3_what_undoes_is_heard_from_the_future_too() {
    let retraction = Retraction::hear(FUTURE.as_bytes()).unwrap();
    assert_eq!((retraction.policy.as_str(), retraction.through_version), ("no-tiktok", 3));
    assert_eq!(retraction.message_for(&["fr".parse().unwrap()]), "Never mind.");
    let (exemptions, missed) = Exemptions::hear(FUTURE.as_bytes()).unwrap();
    assert_eq!((exemptions.pauses.len(), exemptions.exemptions.len(), missed), (1, 1, 1));
    assert_eq!(exemptions.exemptions[0].device, "device-a");
    assert!(matches!(Retraction::parse(FUTURE.as_bytes()), Err(PolicyError::Format(7))));
    assert!(matches!(Exemptions::parse(FUTURE.as_bytes()), Err(PolicyError::Format(7))));
    for nothing in ["policy = 1\n", "through_version = 1\n", "policy = \"a\"\nthrough_version = -1\n", "\u{0}", "a"] {
        assert!(Retraction::hear(nothing.as_bytes()).is_err(), "{nothing}");
    }
}

#[test]
fn a_deadline_in_the_past_is_refused_when_it_is_written() {
    let policy = Policy::parse(GOOD.as_bytes()).unwrap();
    let at: Timestamp = "2026-12-01T16:00Z".parse().unwrap();
    assert!(policy.check_ahead(at - SignedDuration::from_secs(1)).is_ok());
    assert!(policy.check_ahead(at).unwrap_err().to_string().contains("deadline.at"));
    let ending = GOOD.replace("version = 1", "version = 1\nuntil = \"2026-12-24T12:00Z\"");
    let policy = Policy::parse(ending.as_bytes()).unwrap();
    let error = policy.check_ahead("2026-12-24T12:00Z".parse().unwrap()).unwrap_err().to_string();
    assert!(error.contains("deadline.at"), "{error}");
}

#[test]
fn a_floating_time_is_the_devices_own_and_the_later_one_where_ambiguous() {
    let text = GOOD.replace("\"2026-12-01T17:00[Europe/Berlin]\"", "{ floating = \"2026-10-25T02:30\" }");
    let at = Policy::parse(text.as_bytes()).unwrap().deadline.at.unwrap();
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    assert_eq!(at.instant_in(&berlin).to_string(), "2026-10-25T01:30:00Z", "the second half past two of that night");
    assert_eq!(at.instant_in(&TimeZone::get("Asia/Tokyo").unwrap()).to_string(), "2026-10-24T17:30:00Z");
}

#[test]
fn a_retraction_survives_being_written() {
    let retraction = Retraction {
        format: FORMAT,
        policy: "no-tiktok".parse().unwrap(),
        through_version: 3,
        reason: "sent in error".into(),
        message: BTreeMap::from([(Language::english(), "Nothing to do.".to_owned())]),
    };
    let text = retraction.to_toml().unwrap();
    assert_eq!(Retraction::parse(text.as_bytes()).unwrap(), retraction);
}

#[test]
fn the_checked_in_schema_is_the_generated_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/policy.schema.json");
    #[expect(clippy::disallowed_methods, reason = "a test may read its own data")]
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(checked_in, json_schema(), "run `cargo xtask schema`");
}
