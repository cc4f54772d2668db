//! What admins read before they sign.

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use forewarn_proto::{
    api::{Draft, DraftStatus, FleetStatus, Foresight, PolicyCount, Share},
    policy::{
        At, Deadline, Domain, Exemption, Exemptions, Group, Length, Offline, Pattern, Pause, Policy, QuietHours,
        Retraction, Rollout,
    },
};
use forewarn_trust::{AdminsChange, Changes, PublicKey, Verified, metadata};

use crate::diff::{self, FieldChange};

const BOLD: Style = Style::new().bold();
const WARN: Style = AnsiColor::Yellow.on_default();

/// A policy in words: all that it does, since what is signed is what was shown.
pub(crate) fn policy(policy: &Policy) {
    anstream::println!("{BOLD}{}{BOLD:#} (policy {}, version {})", policy.title, policy.id, policy.version);
    policy_in_words(policy).iter().for_each(|(label, text)| anstream::println!("  {label:<10}{text}"));
}

fn policy_in_words(policy: &Policy) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut say = |label: &str, text: String| lines.push((label.to_owned(), text));
    for rule in &policy.rules {
        say("bans", rule.app.clone());
        rule.purls.iter().for_each(|pattern| say("", format!("  {}", purl(pattern))));
        rule.display_names.iter().for_each(|name| say("", format!("  {}", display_name(name))));
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
    if policy.consequence.seal {
        say("then", SEALS.to_owned());
    }
    if policy.consequence.offline == Offline::Revoke {
        say("offline", ACTS_OFFLINE.to_owned());
    }
    policy.message.iter().for_each(|(language, text)| say("says", format!("({language}) {text}")));
    lines
}

pub(crate) const ONLY_WARNS: &str = "nothing: this policy only warns";
pub(crate) const SEALS: &str = "the stored mail of those accounts is closed until they come back";
pub(crate) const ACTS_OFFLINE: &str =
    "acts on devices that have not reached the server for long, too; a retraction can't stop it there";

pub(crate) fn purl(pattern: &Pattern) -> String {
    format!("{pattern}{}", if pattern.only_warns { ", which only warns" } else { "" })
}

pub(crate) fn display_name(name: &str) -> String {
    format!("what is called `{name}`, which only warns")
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

/// How far a draft has come, by the server's word.
pub(crate) fn progress(status: &DraftStatus) {
    let stale = if status.stale { ", stale: something else was published since; signing makes it anew" } else { "" };
    anstream::println!("{BOLD}Draft {}{BOLD:#}{stale}", status.number);
    for (role, (have, need)) in &status.signatures {
        anstream::println!("  {role}: {have} of {need} signatures");
    }
    status.draft.targets.keys().for_each(|name| anstream::println!("  brings {name}"));
    status.draft.removes.iter().for_each(|name| anstream::println!("  takes out {name}"));
    if status.draft.roles.contains_key("root") {
        anstream::println!("  changes who the admins are");
    }
    if let Some(why) = &status.waiting {
        anstream::println!("  is signed and waits: {why}");
    }
}

/// Who the admins will be.
pub(crate) fn founders(admins: &[PublicKey], draft: &Draft) -> Result<()> {
    let root = draft.roles.get("root").map(String::as_str).unwrap_or_default();
    let (_, threshold) = metadata::admins_of(root)?;
    anstream::println!("  names the admins, {threshold} of whom start a policy and any one of whom stops it:");
    for admin in admins {
        anstream::println!("    {}  {}", admin.fingerprint()?, admin.name);
    }
    anstream::println!("  {WARN}Compare each fingerprint with its owner, in person or by phone.{WARN:#}");
    Ok(())
}

/// Who the admins will be, and what else that changes.
fn admins(change: &AdminsChange) -> Result<()> {
    for key in &change.added {
        anstream::println!("  {WARN}comes in  {}  {}{WARN:#}", key.fingerprint()?, key.name);
    }
    for key in &change.removed {
        anstream::println!("  {WARN}goes out  {}  {}{WARN:#}", key.fingerprint()?, key.name);
    }
    match change.threshold {
        (old, new) if old == new => anstream::println!("  signatures that a policy needs: {new}, as before"),
        (old, new) => anstream::println!("  {WARN}signatures that a policy needs: {old} -> {new}{WARN:#}"),
    }
    if !change.renewed.is_empty() {
        anstream::println!("  signed anew, saying what they say now: {}", change.renewed.join(", "));
    }
    anstream::println!("  the new list of admins is good until {}", change.until);
    if !change.added.is_empty() {
        anstream::println!("  {WARN}Compare each fingerprint with its owner, in person or by phone.{WARN:#}");
    }
    Ok(())
}

/// What devices have counted of the policies that a draft puts in.
pub(crate) fn previews(changes: &Changes, fleet: &FleetStatus) -> Result<()> {
    for (_, text) in changes.added.iter().filter(|(name, _)| name.starts_with("policies/")) {
        let policy = Policy::parse(text.as_bytes())?;
        let name = format!("preview/{}", policy.id);
        match fleet.policies.get(&name).filter(|counted| counted.version == policy.version) {
            Some(counted) => count(&name, counted),
            None => {
                let (id, version) = (&policy.id, policy.version);
                anstream::println!(
                    "  {WARN}{id} version {version}: no preview was made: nobody knows how many this hits{WARN:#}"
                );
            }
        }
    }
    Ok(())
}

/// All that a draft changes, against what is in force.
pub(crate) fn changes(changes: &Changes, in_force: &Verified) -> Result<()> {
    if let Some(change) = &changes.admins {
        admins(change)?;
    }
    let former = |name: &str| in_force.documents.get(name).and_then(|former| Policy::parse(&former.bytes).ok());
    for name in &changes.removed {
        let what = former(name).map(|gone| format!(" (version {}: {})", gone.version, gone.title));
        anstream::println!("  {WARN}takes out {name}{}{WARN:#}", what.unwrap_or_default());
    }
    for (name, text) in &changes.added {
        if name.starts_with("retractions/") {
            let retraction = Retraction::parse(text.as_bytes())?;
            let Retraction { policy, through_version, reason, .. } = retraction;
            anstream::println!("  withdraws {policy} up to version {through_version}: {reason}");
        } else if name.starts_with("exemptions/") {
            let exemptions = Exemptions::parse(text.as_bytes())?;
            if let Some(Pause { at, through_version }) = exemptions.pause {
                anstream::println!("  {name} pauses the rollout up to version {through_version}, as it stood {at}");
            }
            for Exemption { device, rule, until } in exemptions.exemptions {
                anstream::println!("  {name} spares {device} {rule} until {until}");
            }
        } else {
            let (former, new) = (former(name), Policy::parse(text.as_bytes())?);
            anstream::println!("  {} {name}:", if former.is_some() { "changes" } else { "puts in" });
            policy(&new);
            if let Some(former) = &former {
                anstream::println!("  Against version {}, which is in force:", former.version);
                differences(&diff::changed(former, &new));
            }
        }
    }
    Ok(())
}

fn differences(changes: &[FieldChange]) {
    changes.iter().flat_map(FieldChange::lines).for_each(|line| anstream::println!("{line}"));
}

fn people(number: u64) -> String {
    if number == 1 { "1 person".to_owned() } else { format!("{number} people") }
}

/// What publishing a preview would do.
fn foreseen(foretold: &Foresight) {
    let Foresight { devices, told_now, told_later, revoked } = foretold;
    if *devices == 0 {
        return;
    }
    anstream::println!("  if published: {} told now on {devices} devices", people(*told_now));
    if *told_later > 0 {
        anstream::println!("  if published: {} told later, as the rollout goes on", people(*told_later));
    }
    let mut sum = 0;
    for (day, number) in revoked {
        sum += number;
        anstream::println!("  if nobody did anything: mail of {} revoked by the end of {day} UTC", people(sum));
    }
}

/// What devices report of one policy.
pub(crate) fn count(name: &str, count: &PolicyCount) {
    anstream::println!(
        "{BOLD}{name}{BOLD:#} version {}: not met on {} devices, met on {}, unknown on {}; notice shown to {} people",
        count.version,
        count.not_met,
        count.met,
        count.unknown,
        count.shown,
    );
    if count.unheard > 0 {
        anstream::println!("  {} devices have not answered on this version yet", count.unheard);
    }
    foreseen(&count.foretold);
    let shares = count.platforms.iter().map(|(name, share)| (format!("on {name}"), share));
    let groups = count.groups.iter().map(|(name, share)| (format!("in {name}"), share));
    for (place, Share { devices, not_met, unknown, people }) in shares.chain(groups) {
        anstream::println!(
            "  {place}: {devices} devices answered, not met on {not_met}, unknown on {unknown}; {}",
            self::people(*people)
        );
    }
    for (stage, people) in &count.people {
        anstream::println!("  {}: {stage}", self::people(*people));
    }
    if !count.not_told.is_empty() {
        anstream::println!("  {} not yet told:", self::people(count.not_told.values().sum()));
        count.not_told.iter().for_each(|(why, number)| anstream::println!("    {}: {why}", self::people(*number)));
    }
    if count.waiting > 0 {
        anstream::println!("  {} of them: waiting for a mail program to close", count.waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every field of a policy with a value of its own, which the words have to bring.
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

    #[test]
    fn admins_see_all_that_a_policy_does() {
        let policy = Policy::parse(FULL.as_bytes()).unwrap();
        let words = policy_in_words(&policy).into_iter().map(|(label, text)| format!("{label:<10}{text}\n"));
        let expected = "\
bans      TikTok
            pkg:flatpak/com.tiktok.TikTok
            pkg:deb/tiktok in vers:deb/<2, which only warns
            what is called `Tick Tock`, which only warns
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
offline   acts on devices that have not reached the server for long, too; a retraction can't stop it there
says      (en) Please remove it.
";
        assert_eq!(words.collect::<String>(), expected);
    }
}
