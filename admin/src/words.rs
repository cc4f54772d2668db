//! A policy in words. Pure: what admins read before they sign, and what a difference is told in.

use forewarn_proto::policy::{
    At, Certificate, Contact, Deadline, Domain, Group, Length, Offline, Pattern, Policy, QuietHours, Rollout,
};

/// All that a policy does, each line with its label, since what is signed is what was shown.
pub(crate) fn policy_in_words(policy: &Policy) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut say = |label: &str, text: String| lines.push((label.to_owned(), text));
    policy.title.translations().for_each(|(language, text)| say("titled", format!("({language}) {text}")));
    for rule in &policy.rules {
        say("bans", rule.app.clone());
        rule.purls.iter().for_each(|pattern| say("", format!("  {}", purl(pattern))));
        rule.display_names.iter().for_each(|name| say("", format!("  {}", display_name(name))));
        rule.signers.iter().for_each(|signer| say("", format!("  {}", signed_by(signer))));
    }
    deadline_in_words(&policy.deadline).into_iter().for_each(|text| say("deadline", text));
    rollout_in_words(&policy.rollout).into_iter().for_each(|(_, text)| say("reaches", text));
    if let Some(until) = &policy.until {
        say("ends", end(until));
    }
    if policy.consequence.mail.is_empty() {
        say("then", ONLY_WARNS.to_owned());
    }
    for domain in &policy.consequence.mail {
        say("then", takes(domain));
    }
    if policy.consequence.lock {
        say("then", LOCKS.to_owned());
    }
    if policy.consequence.whole_app {
        say("then", WHOLE_APP.to_owned());
    }
    if policy.consequence.offline == Offline::Revoke {
        say("offline", ACTS_OFFLINE.to_owned());
    }
    policy.message.iter().for_each(|(language, text)| say(MESSAGE, format!("({language}) {text}")));
    for (way, texts) in policy.contact.iter().flat_map(Contact::ways) {
        texts.iter().for_each(|(language, text)| say("ask", format!("{way} ({language}) {text}")));
    }
    lines
}

/// The label of a message, the one text that may have several lines.
pub(crate) const MESSAGE: &str = "says";
pub(crate) const ONLY_WARNS: &str = "nothing: this policy only warns";
pub(crate) const WHOLE_APP: &str =
    "on Android, the whole mail app is hidden where the account in it can't be taken alone";
pub(crate) const LOCKS: &str = "the stored mail of those accounts is closed until they come back";
pub(crate) const ACTS_OFFLINE: &str =
    "acts on devices that have not reached the server for long, too; a retraction can't stop it there";

pub(crate) fn purl(pattern: &Pattern) -> String {
    format!("{pattern}{}", if pattern.is_certain() { "" } else { ", which only warns" })
}

pub(crate) fn display_name(name: &str) -> String {
    format!("what is called `{name}`, which only warns")
}

pub(crate) fn signed_by(signer: &Certificate) -> String {
    format!("on Android only where it is signed by {signer}")
}

pub(crate) fn takes(domain: &Domain) -> String {
    format!("the mail profile of {domain} moves into the device's vault")
}

pub(crate) fn end(until: &At) -> String {
    format!("{until}; what it took goes back then")
}

pub(crate) fn quiet(hours: QuietHours) -> String {
    format!("never in the hours {hours} of the device's local time: it moves to their end")
}

pub(crate) fn day_off(days: &str) -> String {
    format!("never on a {days}: it moves to the next other day")
}

pub(crate) fn spread(ramp: Length) -> String {
    format!("spread over {ramp}: each device has its own place in it")
}

/// Which devices a policy reaches and when, each field of it in words; nothing of those that hold nobody back.
pub(crate) fn rollout_in_words(rollout: &Rollout) -> Vec<(&'static str, String)> {
    let Rollout { groups, percent, start, over } = rollout;
    let mut fields = Vec::new();
    if !groups.is_empty() {
        let groups: Vec<&str> = groups.iter().map(Group::as_str).collect();
        fields.push(("rollout.groups", format!("only devices of the group {}", groups.join(" or "))));
    }
    if *percent < 100 {
        fields
            .push(("rollout.percent", format!("only {percent} devices of a hundred, each by its own place among all")));
    }
    fields.extend(start.iter().map(|start| ("rollout.start", format!("nobody before {start}"))));
    if *over > Length::default() {
        fields.push(("rollout.over", format!("evenly more devices over {over} from then on")));
    }
    fields
}

fn deadline_in_words(deadline: &Deadline) -> Vec<String> {
    let grace = deadline.grace.max(deadline.min_notice);
    let at = deadline.at.as_ref().map(|at| format!("{at}, and ")).unwrap_or_default();
    let mut lines = vec![format!(
        "{at}at least {grace} after each person was shown the notice; never under the device's own least notice"
    )];
    if let Some(hours) = deadline.quiet_hours {
        lines.push(quiet(hours));
    }
    if !deadline.days_off.is_empty() {
        let days: Vec<&str> = deadline.days_off.iter().map(|day| day.name()).collect();
        lines.push(day_off(&days.join(" or a ")));
    }
    if deadline.ramp > Length::default() {
        lines.push(spread(deadline.ramp));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every field of a policy with a value of its own, which the words have to bring.
    const FULL: &str = r#"
id = "no-tiktok"
version = 7
title = { en = "TikTok must go", de = "TikTok muss weg" }
until = "2027-01-31T12:00Z"
message = { en = "Please remove it." }
rollout = { groups = ["pilot"], percent = 50, start = "2026-11-30T09:00Z", over = "7d" }
consequence = { mail = ["corp.example"], lock = true, whole_app = true, offline = "revoke" }

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
signers = ["ABababababababababababababababababababababababababababababababab"]

[contact]
mail = "it@corp.example"
url = { en = "https://corp.example/en", de = "https://corp.example/de" }
"#;

    #[test]
    fn admins_see_all_that_a_policy_does() {
        let policy = Policy::parse(FULL.as_bytes()).unwrap();
        let words = policy_in_words(&policy).into_iter().map(|(label, text)| format!("{label:<10}{text}\n"));
        let expected = "\
titled    (de) TikTok muss weg
bans      TikTok
            pkg:flatpak/com.tiktok.TikTok
            pkg:deb/tiktok in vers:deb/<2, which only warns
            what is called `Tick Tock`, which only warns
            on Android only where it is signed by abababababababababababababababababababababababababababababababab
deadline  2026-12-01T17:00:00 (the device's local time), and at least 49h after each person was shown the notice; \
never under the device's own least notice
deadline  never in the hours 22:00-07:00 of the device's local time: it moves to their end
deadline  never on a saturday or a sunday: it moves to the next other day
deadline  spread over 10h: each device has its own place in it
reaches   only devices of the group pilot
reaches   only 50 devices of a hundred, each by its own place among all
reaches   nobody before 2026-11-30T09:00Z
reaches   evenly more devices over 168h from then on
ends      2027-01-31T12:00Z; what it took goes back then
then      the mail profile of corp.example moves into the device's vault
then      the stored mail of those accounts is closed until they come back
then      on Android, the whole mail app is hidden where the account in it can't be taken alone
offline   acts on devices that have not reached the server for long, too; a retraction can't stop it there
says      (en) Please remove it.
ask       mail (en) it@corp.example
ask       url (de) https://corp.example/de
ask       url (en) https://corp.example/en
";
        assert_eq!(words.collect::<String>(), expected);
    }
}
