//! What differs between two policies, field by field, in words. Pure: no file, no terminal.

use std::{collections::BTreeMap, fmt};

use forewarn_proto::policy::{At, Consequence, Deadline, Language, Length, Offline, Policy, Rollout, Rule};

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// Which field: `deadline, grace`.
    pub(crate) place: String,
    /// What it said; none if it said nothing.
    pub(crate) old: Option<String>,
    /// What it says; none if it says nothing any more.
    pub(crate) new: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = &self.place;
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, "{place}: {old} -> {new}"),
            (Some(old), None) => write!(f, "{place}: no longer {old}"),
            (None, Some(new)) => write!(f, "{place}: new: {new}"),
            (None, None) => write!(f, "{place}: the same"),
        }
    }
}

/// All that differs. A policy that is new differs from nothing in every field, and so does one that is taken out.
pub(crate) fn changes(old: Option<&Policy>, new: Option<&Policy>) -> Vec<Change> {
    let [old, new] = [old, new].map(|policy| policy.map(fields).unwrap_or_default());
    let mut places: Vec<&str> = Vec::new();
    for (place, _) in old.iter().chain(&new) {
        if !places.contains(&place.as_str()) {
            places.push(place);
        }
    }
    places.into_iter().flat_map(|place| changes_at(place, &old, &new)).collect()
}

/// A place with one value on both sides changed from one to the other; of a place with several, some came and some went.
fn changes_at(place: &str, old: &[Field], new: &[Field]) -> Vec<Change> {
    let only_in = |these: &[Field], others: &[Field]| -> Vec<String> {
        let here = these.iter().filter(|field| field.0 == place && !others.contains(field));
        here.map(|(_, value)| value.clone()).collect()
    };
    let (gone, came) = (only_in(old, new), only_in(new, old));
    let change = |old, new| Change { place: place.to_owned(), old, new };
    if let ([old], [new]) = (gone.as_slice(), came.as_slice()) {
        return vec![change(Some(old.clone()), Some(new.clone()))];
    }
    let gone = gone.into_iter().map(|value| change(Some(value), None));
    gone.chain(came.into_iter().map(|value| change(None, Some(value)))).collect()
}

/// A place and a value: (`rule tiktok, app`, `TikTok`). A place may have several values.
type Field = (String, String);

/// Every field in words. Each struct is taken apart whole, so that a field that it gets later can't be forgotten here.
fn fields(policy: &Policy) -> Vec<Field> {
    let Policy { id, version, title, deadline, rollout, until, message, consequence, rules } = policy;
    let mut fields = vec![field("id", id), field("version", version), field("title", title)];
    fields.extend(rules.iter().flat_map(of_rule));
    fields.extend(of_deadline(deadline));
    fields.extend(of_rollout(rollout));
    fields.extend(until.iter().map(|until: &At| field("ends", until)));
    fields.extend(of_consequence(consequence));
    fields.extend(of_message(message));
    fields
}

fn field(place: &str, value: impl fmt::Display) -> Field {
    (place.to_owned(), value.to_string())
}

fn of_rule(Rule { id, app, purls, display_names }: &Rule) -> Vec<Field> {
    let mut fields = vec![field(&format!("bans, rule {id}"), app)];
    let place = format!("bans, rule {id}, package");
    let warns = |only: bool| if only { ", which only warns" } else { "" };
    fields.extend(purls.iter().map(|pattern| field(&place, format!("{pattern}{}", warns(pattern.only_warns)))));
    let called = |name: &String| field(&place, format!("what is called `{name}`, which only warns"));
    fields.extend(display_names.iter().map(called));
    fields
}

fn of_deadline(deadline: &Deadline) -> Vec<Field> {
    let Deadline { at, grace, min_notice, ramp, quiet_hours, days_off } = deadline;
    let mut fields: Vec<Field> = at.iter().map(|at| field("deadline, not before", at)).collect();
    let lengths = [("grace", grace), ("least notice", min_notice), ("spread over", ramp)];
    let given = lengths.into_iter().filter(|(_, length)| **length > Length::default());
    fields.extend(given.map(|(name, length)| field(&format!("deadline, {name}"), length)));
    fields.extend(quiet_hours.iter().map(|hours| field("deadline, never in the hours", hours)));
    fields.extend(days_off.iter().map(|day| field("deadline, never on a", day.name())));
    fields
}

fn of_rollout(Rollout { groups, percent, start, over }: &Rollout) -> Vec<Field> {
    let mut fields = vec![field("reaches", format!("{percent} devices of a hundred"))];
    fields.extend(groups.iter().map(|group| field("reaches only the group", group)));
    fields.extend(start.iter().map(|start| field("reaches nobody before", start)));
    if *over > Length::default() {
        fields.push(field("reaches more evenly over", over));
    }
    fields
}

fn of_consequence(Consequence { mail, seal, offline }: &Consequence) -> Vec<Field> {
    let taken = |domain| format!("the mail profile of {domain} moves into the device's vault");
    let mut fields: Vec<Field> = mail.iter().map(|domain| field("then", taken(domain))).collect();
    if mail.is_empty() {
        fields.push(field("then", "nothing: this policy only warns"));
    }
    let seal = if *seal { "closed until the account comes back" } else { "left open" };
    fields.push(field("then, stored mail", seal));
    let offline = match offline {
        Offline::Hold => "holds until the server confirms the policy",
        Offline::Revoke => "acts all the same; a retraction can't stop it there",
    };
    fields.push(field("offline for long", offline));
    fields
}

fn of_message(message: &BTreeMap<Language, String>) -> impl Iterator<Item = Field> {
    message.iter().map(|(language, text)| field(&format!("says ({language})"), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every field of a policy with a value of its own.
    const FULL: &str = r#"
id = "no-tiktok"
version = 7
title = "TikTok must go"
until = "2027-01-31T12:00Z"
message = { en = "Please remove it." }
rollout = { groups = ["pilot"], percent = 50, start = "2026-11-30T09:00Z", over = "7d" }
consequence = { mail = ["corp.example"], seal = true, offline = "revoke" }

[deadline]
at = { floating = "2026-12-01T17:00" }
grace = "49h"
min_notice = "36h"
ramp = "10h"
quiet_hours = "22:00-07:00"
days_off = ["saturday", "sunday"]

[[rule]]
id = "tiktok"
app = "TikTok"
purls = ["pkg:flatpak/com.tiktok.TikTok", { purl = "pkg:deb/tiktok", vers = "vers:deb/<2", only_warns = true }]
display_names = ["Tick Tock"]
"#;

    fn parse(text: &str) -> Policy {
        Policy::parse(text.as_bytes()).unwrap()
    }

    /// What the change of `from` to `to` in the full policy's text reads like.
    #[track_caller]
    fn check(from: &str, to: &str, expected: &[&str]) {
        let after = FULL.replacen(from, to, 1);
        assert_ne!(after, FULL, "`{from}` is in the policy");
        let lines: Vec<String> =
            changes(Some(&parse(FULL)), Some(&parse(&after))).iter().map(ToString::to_string).collect();
        assert_eq!(lines, expected, "{from} to {to}");
    }

    #[test]
    fn each_field_that_changes_is_told_with_what_it_was() {
        check("no-tiktok", "no-video", &["id: no-tiktok -> no-video"]);
        check("version = 7", "version = 8", &["version: 7 -> 8"]);
        check("TikTok must go", "Go", &["title: TikTok must go -> Go"]);
        check("2027-01-31T12:00Z", "2027-02-01T12:00Z", &["ends: 2027-01-31T12:00Z -> 2027-02-01T12:00Z"]);
        check("until = \"2027-01-31T12:00Z\"", "", &["ends: no longer 2027-01-31T12:00Z"]);
        check("Please remove it.", "Remove it.", &["says (en): Please remove it. -> Remove it."]);
        check("en = \"Please", "de = \"Bitte.\", en = \"Please", &["says (de): new: Bitte."]);
        check("seal = true, ", "", &["then, stored mail: closed until the account comes back -> left open"]);
        let offline = "offline for long: acts all the same; a retraction can't stop it there -> holds until the server \
                       confirms the policy";
        check(", offline = \"revoke\"", "", &[offline]);
        let taken = |domain| format!("the mail profile of {domain} moves into the device's vault");
        check(
            "[\"corp.example\"]",
            "[]",
            &[&format!("then: {} -> nothing: this policy only warns", taken("corp.example"))],
        );
        check("[\"corp", "[\"b.example\", \"corp", &[&format!("then: new: {}", taken("b.example"))]);
        check(
            "{ floating = \"2026-12-01T17:00\" }",
            "\"2026-12-01T17:00Z\"",
            &["deadline, not before: 2026-12-01T17:00:00 (the device's local time) -> 2026-12-01T17:00Z"],
        );
        check("49h", "24h", &["deadline, grace: 49h -> 24h"]);
        check("grace = \"49h\"", "", &["deadline, grace: no longer 49h"]);
        check("36h", "37h", &["deadline, least notice: 36h -> 37h"]);
        check("10h", "11h", &["deadline, spread over: 10h -> 11h"]);
        check("22:00-07:00", "21:00-07:00", &["deadline, never in the hours: 22:00-07:00 -> 21:00-07:00"]);
        check(", \"sunday\"", "", &["deadline, never on a: no longer sunday"]);
        check("[\"pilot\"]", "[\"pilot\", \"sales\"]", &["reaches only the group: new: sales"]);
        check("percent = 50", "percent = 80", &["reaches: 50 devices of a hundred -> 80 devices of a hundred"]);
        check("30T09", "30T08", &["reaches nobody before: 2026-11-30T09:00Z -> 2026-11-30T08:00Z"]);
        check("over = \"7d\"", "over = \"1d\"", &["reaches more evenly over: 168h -> 24h"]);
        check("app = \"TikTok\"", "app = \"Tok\"", &["bans, rule tiktok: TikTok -> Tok"]);
        check(
            "only_warns = true",
            "only_warns = false",
            &[
                "bans, rule tiktok, package: pkg:deb/tiktok in vers:deb/<2, which only warns -> pkg:deb/tiktok in vers:deb/<2",
            ],
        );
        check(
            "\"Tick Tock\"",
            "\"Tick Tock\", \"Tok\"",
            &["bans, rule tiktok, package: new: what is called `Tok`, which only warns"],
        );
        check(
            "\"pkg:flatpak/com.tiktok.TikTok\", ",
            "",
            &["bans, rule tiktok, package: no longer pkg:flatpak/com.tiktok.TikTok"],
        );
        check(
            "[[rule]]",
            "[[rule]]\nid = \"b\"\napp = \"B\"\npurls = [\"pkg:deb/b\"]\n[[rule]]",
            &["bans, rule b: new: B", "bans, rule b, package: new: pkg:deb/b"],
        );
    }

    #[test]
    fn the_same_policy_differs_in_nothing_and_none_in_everything() {
        let policy = parse(FULL);
        assert_eq!(changes(Some(&policy), Some(&policy)), []);
        assert_eq!(changes(None, None), []);
        let (new, gone) = (changes(None, Some(&policy)), changes(Some(&policy), None));
        assert!(new.iter().all(|change| change.old.is_none()) && new.len() == fields(&policy).len());
        assert!(gone.iter().all(|change| change.new.is_none()) && gone.len() == new.len());
    }
}
