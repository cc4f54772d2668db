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
    check_refused("pkg:flatpak/com.tiktok.TikTok", "TikTok", &["line 19", "is not a package URL"]);
    check_refused("corp.example", "@Corp.Example", &["line 14", "after the @"]);
    check_refused("no-tiktok", "../no", &["line 1", "small letters"]);
    check_refused("en = \"Please remove TikTok.\"\n", "", &["message", "no `en`"]);
    check_refused("version = 1", "version = 0", &["version", "start at 1"]);
    check_refused("Please remove", "\\u001b[2J", &["message.en", "control character"]);
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
