//! What admins read before they sign, line by line. Pure.

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use forewarn_proto::{
    api::{Draft, DraftStatus, FleetStatus, Foresight, PolicyCount, Share},
    foreign::{MARGIN, folded, line},
    policy::{Exemption, Exemptions, Pause, Policy, Retraction},
};
use forewarn_trust::{AdminsChange, Changes, PublicKey, Verified, metadata};

use crate::{
    diff::{self, FieldChange},
    facts::facts,
    words::{MESSAGE, policy_in_words},
};

const BOLD: Style = Style::new().bold();
const WARN: Style = AnsiColor::Yellow.on_default();

/// A policy in words: all that it does, since what is signed is what was shown.
pub(crate) fn policy(policy: &Policy) -> Vec<String> {
    let (title, id, version) = (line(policy.title.english()), &policy.id, policy.version);
    let mut lines = vec![format!("{BOLD}{title}{BOLD:#} (policy {id}, version {version})")];
    for (label, text) in policy_in_words(policy) {
        // A message is a text of its own, all else is one line.
        let parts = if label == MESSAGE { folded(&text) } else { vec![line(&text).into_owned()] };
        let mut parts = parts.into_iter();
        lines.push(format!("  {label:<10}{}", parts.next().unwrap_or_default()));
        lines.extend(parts.map(|part| format!("  {:10}{MARGIN}{part}", "")));
    }
    lines
}

/// How far a draft has come, by the server's word.
pub(crate) fn progress(status: &DraftStatus) -> Vec<String> {
    let stale = if status.stale { ", stale: something else was published since; signing makes it anew" } else { "" };
    let mut lines = vec![format!("{BOLD}Draft {}{BOLD:#}{stale}", status.number)];
    let signatures = status.signatures.iter();
    lines.extend(signatures.map(|(role, (have, need))| format!("  {}: {have} of {need} signatures", line(role))));
    lines.extend(status.draft.targets.keys().map(|name| format!("  brings {}", line(name))));
    lines.extend(status.draft.removes.iter().map(|name| format!("  takes out {}", line(name))));
    if status.draft.roles.contains_key("root") {
        lines.push("  changes the root: who the admins are, or what the server's keys are".to_owned());
    }
    lines.extend(status.waiting.iter().map(|why| format!("  is signed and waits: {}", why.line())));
    lines
}

/// Who the admins will be.
pub(crate) fn founders(admins: &[PublicKey], draft: &Draft) -> Result<Vec<String>> {
    let root = draft.roles.get("root").map(String::as_str).unwrap_or_default();
    let (_, threshold) = metadata::admins_of(root)?;
    let mut lines =
        vec![format!("  names the admins, {threshold} of whom start a policy and any one of whom stops it:")];
    for admin in admins {
        lines.push(format!("    {}  {}", admin.fingerprint()?, line(&admin.name)));
    }
    lines.push(format!("  {WARN}Compare each fingerprint with its owner, in person or by phone.{WARN:#}"));
    Ok(lines)
}

/// Who the admins will be, and what else that changes.
fn admins(change: &AdminsChange) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for (what, keys) in [("comes in", &change.added), ("goes out", &change.removed)] {
        for key in keys {
            lines.push(format!("  {WARN}{what}  {}  {}{WARN:#}", key.fingerprint()?, line(&key.name)));
        }
    }
    lines.push(match change.threshold {
        (old, new) if old == new => format!("  signatures that a policy needs: {new}, as before"),
        (old, new) => format!("  {WARN}signatures that a policy needs: {old} -> {new}{WARN:#}"),
    });
    if let Some((old, new)) = &change.online {
        for (role, old, new) in
            [("snapshot", &old.snapshot, &new.snapshot), ("timestamp", &old.timestamp, &new.timestamp)]
        {
            let (old, new) = (old.fingerprint()?, new.fingerprint()?);
            lines.push(format!("  {WARN}the server's key for its {role}: {old} -> {new}{WARN:#}"));
        }
        lines.push(format!("  {WARN}Compare the new ones with what `forewarn-server online-keys` prints.{WARN:#}"));
    }
    if !change.renewed.is_empty() {
        lines.push(format!("  signed anew, saying what they say now: {}", change.renewed.join(", ")));
    }
    lines.push(format!("  the new root is good until {}", change.until));
    if !change.added.is_empty() {
        lines.push(format!("  {WARN}Compare each fingerprint with its owner, in person or by phone.{WARN:#}"));
    }
    Ok(lines)
}

/// What devices have counted of the policies that a draft puts in.
pub(crate) fn previews(changes: &Changes, fleet: &FleetStatus) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for (_, text) in changes.added.iter().filter(|(name, _)| name.starts_with("policies/")) {
        let policy = Policy::parse(text.as_bytes())?;
        let (id, version) = (&policy.id, policy.version);
        match preview_of(&policy, fleet) {
            Some((name, counted)) => lines.extend(count(&name, counted)),
            None => lines.push(format!(
                "  {WARN}{id} version {version}: no preview was made: nobody knows how many this hits{WARN:#}"
            )),
        }
    }
    Ok(lines)
}

/// What devices have counted of this version of a policy.
pub(crate) fn preview_of<'f>(policy: &Policy, fleet: &'f FleetStatus) -> Option<(String, &'f PolicyCount)> {
    let name = format!("preview/{}", policy.id);
    let counted = fleet.policies.get(&name).filter(|counted| counted.version == policy.version)?;
    Some((name, counted))
}

/// All that an admin reads before the question whether to sign: what the draft changes, what devices counted, and at the
/// end, whatever the texts of the draft say, the facts.
///
/// # Errors
/// When a document of the draft does not parse.
pub(crate) fn before_signing(changes: &Changes, in_force: &Verified, fleet: &FleetStatus) -> Result<Vec<String>> {
    Ok([self::changes(changes, in_force)?, previews(changes, fleet)?, facts(changes, Some(fleet))?].concat())
}

/// All that a draft changes, against what is in force.
pub(crate) fn changes(changes: &Changes, in_force: &Verified) -> Result<Vec<String>> {
    let mut lines = changes.admins.as_ref().map(admins).transpose()?.unwrap_or_default();
    let former = |name: &str| in_force.documents.get(name).and_then(|former| Policy::parse(&former.bytes).ok());
    for name in &changes.removed {
        let what = former(name).map(|gone| format!(" (version {}: {})", gone.version, line(gone.title.english())));
        lines.push(format!("  {WARN}takes out {}{}{WARN:#}", line(name), what.unwrap_or_default()));
    }
    for (name, text) in &changes.added {
        lines.extend(match name.split('/').next() {
            Some("retractions") => withdrawn(&Retraction::parse(text.as_bytes())?),
            Some("exemptions") => spared(&line(name), Exemptions::parse(text.as_bytes())?),
            _ => put_in(&line(name), former(name).as_ref(), &Policy::parse(text.as_bytes())?),
        });
    }
    Ok(lines)
}

fn withdrawn(retraction: &Retraction) -> Vec<String> {
    let Retraction { policy, through_version, reason, .. } = retraction;
    vec![format!("  withdraws {policy} up to version {through_version}: {}", line(reason))]
}

fn spared(name: &str, document: Exemptions) -> Vec<String> {
    let pause = |Pause { at, through_version }: Pause| {
        format!("  {name} pauses the rollout up to version {through_version}, as it stood {at}")
    };
    let exemption = |Exemption { device, rule, until }: Exemption| {
        format!("  {name} spares {} {rule} until {until}", line(&device))
    };
    document.pauses.into_iter().map(pause).chain(document.exemptions.into_iter().map(exemption)).collect()
}

fn put_in(name: &str, former: Option<&Policy>, new: &Policy) -> Vec<String> {
    let mut lines = vec![format!("  {} {name}:", if former.is_some() { "changes" } else { "puts in" })];
    lines.extend(policy(new));
    if let Some(former) = former {
        lines.push(format!("  Against version {}, which is in force:", former.version));
        lines.extend(diff::changed(former, new).iter().flat_map(FieldChange::lines));
    }
    lines
}

fn people(number: u64) -> String {
    if number == 1 { "1 person".to_owned() } else { format!("{number} people") }
}

/// What publishing a preview would do.
fn foreseen(foretold: &Foresight) -> Vec<String> {
    let Foresight { devices, told_now, told_later, revoked } = foretold;
    if *devices == 0 {
        return Vec::new();
    }
    let mut lines = vec![format!("  if published: {} told now on {devices} devices", people(*told_now))];
    if *told_later > 0 {
        lines.push(format!("  if published: {} told later, as the rollout goes on", people(*told_later)));
    }
    let mut sum = 0;
    for (day, number) in revoked {
        sum += number;
        lines.push(format!("  if nobody did anything: mail of {} revoked by the end of {day} UTC", people(sum)));
    }
    lines
}

/// What devices report of one policy.
pub(crate) fn count(name: &str, count: &PolicyCount) -> Vec<String> {
    let PolicyCount { version, not_met, met, unknown, shown, .. } = count;
    let mut lines = vec![format!(
        "{BOLD}{}{BOLD:#} version {version}: not met on {not_met} devices, met on {met}, unknown on {unknown}; notice \
         shown to {shown} people",
        line(name)
    )];
    if count.unheard > 0 {
        lines.push(format!("  {} devices have not answered on this version yet", count.unheard));
    }
    if count.too_old > 0 {
        let devices = if count.too_old == 1 { "device is" } else { "devices are" };
        lines.push(format!(
            "  {WARN}{} {devices} too old for this policy: nothing is taken there{WARN:#}",
            count.too_old
        ));
    }
    lines.extend(foreseen(&count.foretold));
    let shares = count.platforms.iter().map(|(name, share)| (format!("on {}", line(name)), share));
    let groups = count.groups.iter().map(|(name, share)| (format!("in {}", line(name)), share));
    for (place, Share { devices, not_met, unknown, people }) in shares.chain(groups) {
        lines.push(format!(
            "  {place}: {devices} devices answered, not met on {not_met}, unknown on {unknown}; {}",
            self::people(*people)
        ));
    }
    lines.extend(count.people.iter().map(|(stage, number)| format!("  {}: {}", people(*number), line(stage))));
    if !count.not_told.is_empty() {
        lines.push(format!("  {} not yet told:", people(count.not_told.values().sum())));
        lines.extend(count.not_told.iter().map(|(why, number)| format!("    {}: {}", people(*number), line(why))));
    }
    if count.store_open > 0 {
        let people = people(count.store_open);
        lines.push(format!("  {people}: stored mail could not be locked, and can still be read"));
    }
    if count.waiting > 0 {
        lines.push(format!("  {} of them: waiting for a mail program to close", count.waiting));
    }
    lines
}
