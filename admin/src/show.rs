//! What admins read before they sign.

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use forewarn_proto::{
    api::{Draft, DraftStatus, FleetStatus, Foresight, PolicyCount, Share},
    policy::{Exemption, Exemptions, Pause, Policy, Retraction},
};
use forewarn_trust::{AdminsChange, Changes, PublicKey, Verified, metadata};

use crate::{
    diff::{self, FieldChange},
    words::policy_in_words,
};

const BOLD: Style = Style::new().bold();
const WARN: Style = AnsiColor::Yellow.on_default();

/// A policy in words: all that it does, since what is signed is what was shown.
pub(crate) fn policy(policy: &Policy) {
    anstream::println!("{BOLD}{}{BOLD:#} (policy {}, version {})", policy.title.english(), policy.id, policy.version);
    policy_in_words(policy).iter().for_each(|(label, text)| anstream::println!("  {label:<10}{text}"));
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
        anstream::println!("  changes the root: who the admins are, or what the server's keys are");
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
    if let Some((old, new)) = &change.online {
        for (role, old, new) in
            [("snapshot", &old.snapshot, &new.snapshot), ("timestamp", &old.timestamp, &new.timestamp)]
        {
            let (old, new) = (old.fingerprint()?, new.fingerprint()?);
            anstream::println!("  {WARN}the server's key for its {role}: {old} -> {new}{WARN:#}");
        }
        anstream::println!("  {WARN}Compare the new ones with what `forewarn-server online-keys` prints.{WARN:#}");
    }
    if !change.renewed.is_empty() {
        anstream::println!("  signed anew, saying what they say now: {}", change.renewed.join(", "));
    }
    anstream::println!("  the new root is good until {}", change.until);
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
        let what = former(name).map(|gone| format!(" (version {}: {})", gone.version, gone.title.english()));
        anstream::println!("  {WARN}takes out {name}{}{WARN:#}", what.unwrap_or_default());
    }
    for (name, text) in &changes.added {
        if name.starts_with("retractions/") {
            let retraction = Retraction::parse(text.as_bytes())?;
            let Retraction { policy, through_version, reason, .. } = retraction;
            anstream::println!("  withdraws {policy} up to version {through_version}: {reason}");
        } else if name.starts_with("exemptions/") {
            let exemptions = Exemptions::parse(text.as_bytes())?;
            for Pause { at, through_version } in exemptions.pauses {
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
    if count.too_old > 0 {
        let devices = if count.too_old == 1 { "device is" } else { "devices are" };
        anstream::println!(
            "  {WARN}{} {devices} too old for this policy: nothing is taken there{WARN:#}",
            count.too_old
        );
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
