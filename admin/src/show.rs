//! What admins read before they sign.

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use forewarn_proto::{
    api::{Draft, DraftStatus, PolicyCount},
    policy::{Deadline, Policy, Retraction},
};
use forewarn_trust::{Changes, PublicKey, metadata};

const BOLD: Style = Style::new().bold();
const WARN: Style = AnsiColor::Yellow.on_default();

/// A policy in words.
pub(crate) fn policy(policy: &Policy) {
    anstream::println!("{BOLD}{}{BOLD:#} (policy {}, version {})", policy.title, policy.id, policy.version);
    for rule in &policy.rules {
        anstream::println!("  bans      {}", rule.app);
        rule.purls.iter().for_each(|purl| anstream::println!("              {purl}"));
    }
    anstream::println!("  deadline  {}", deadline(&policy.deadline));
    match policy.consequence.mail.as_slice() {
        [] => anstream::println!("  then      nothing: this policy only warns"),
        domains => {
            for domain in domains {
                anstream::println!("  then      the mail profile of {domain} moves into the device's vault");
            }
        }
    }
    for (language, text) in &policy.message {
        anstream::println!("  says ({language}) {text}");
    }
}

/// A deadline in words.
fn deadline(deadline: &Deadline) -> String {
    let grace = deadline.grace.max(deadline.min_notice);
    let at = deadline.at.as_ref().map(|at| format!("{at}, and ")).unwrap_or_default();
    format!("{at}at least {grace} after each person was shown the notice; never under the device's own least notice")
}

/// How far a draft has come, by the server's word.
pub(crate) fn progress(status: &DraftStatus) {
    anstream::println!("{BOLD}Draft {}{BOLD:#}", status.number);
    for (role, (have, need)) in &status.signatures {
        anstream::println!("  {role}: {have} of {need} signatures");
    }
    status.draft.targets.keys().for_each(|name| anstream::println!("  brings {name}"));
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

/// All that a draft changes.
pub(crate) fn changes(changes: &Changes) -> Result<()> {
    for name in &changes.removed {
        anstream::println!("  {WARN}takes out {name}{WARN:#}");
    }
    for (name, text) in &changes.added {
        if name.starts_with("retractions/") {
            let retraction = Retraction::parse(text.as_bytes())?;
            let Retraction { policy, through_version, reason, .. } = retraction;
            anstream::println!("  withdraws {policy} up to version {through_version}: {reason}");
        } else {
            anstream::println!("  puts in {name}:");
            policy(&Policy::parse(text.as_bytes())?);
        }
    }
    Ok(())
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
    for (stage, people) in &count.people {
        anstream::println!("  {people} people: {stage}");
    }
}
