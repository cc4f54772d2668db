//! What a draft does, from the bytes that are signed, in as many lines as any terminal shows: it stands right above the
//! question, so that no text in the draft can stand there in its place. Pure.

use std::collections::BTreeSet;

use anyhow::Result;
use forewarn_proto::{
    api::{Draft, FleetStatus},
    foreign::line,
    policy::{At, Domain, Exemptions, Group, Offline, Policy, Retraction, Rollout, Rule},
};
use forewarn_trust::{Changes, PublicKey, metadata};

use crate::{show, words};

/// The most characters of a line. Each is one line on a terminal of 80 columns.
const WIDTH: usize = 78;
/// The most characters of a name that a text's author chose.
const NAME: usize = 24;
/// The most characters of a mail domain.
const DOMAIN: usize = 50;
/// How wide the labels are.
const LABEL: usize = 12;

/// What stands above the facts.
const HEADING: &str = "What your signature does, whatever the texts above say:";

/// What a draft does, in at most fourteen lines.
///
/// # Errors
/// When a document of the draft does not parse.
pub(crate) fn facts(changes: &Changes, fleet: Option<&FleetStatus>) -> Result<Vec<String>> {
    let texts = |role: &str| {
        let is_of = move |(name, _): &(&String, &String)| name.split('/').next() == Some(role);
        changes.added.iter().filter(is_of).map(|(_, text)| text.as_bytes()).collect::<Vec<_>>()
    };
    let policies = texts("policies").into_iter().map(Policy::parse).collect::<Result<Vec<_>, _>>()?;
    let previews = texts("previews").into_iter().map(Policy::parse).collect::<Result<Vec<_>, _>>()?;
    let retractions = texts("retractions").into_iter().map(Retraction::parse).collect::<Result<Vec<_>, _>>()?;
    let exemptions = texts("exemptions").into_iter().map(Exemptions::parse).collect::<Result<Vec<_>, _>>()?;
    let mut lines = vec![HEADING.to_owned()];
    lines.extend(of_policies(policies, fleet));
    lines.extend(fact("only counts", previews.iter().map(version)));
    lines.extend(fact("takes out", changes.removed.iter().map(|name| name_of(name))));
    lines.extend(fact("withdraws", retractions.iter().map(|r| format!("{} up to {}", r.policy, r.through_version))));
    lines.extend(fact("spares", exemptions.iter().flat_map(spared)));
    if let Some(change) = &changes.admins {
        let (comes, goes) = (change.added.iter().map(came), change.removed.iter().map(gone));
        let needed = format!("{} signatures start a policy", change.threshold.1);
        let online = change.online.iter().map(|_| "other keys of the server".to_owned());
        lines.extend(fact("admins", [needed].into_iter().chain(comes).chain(goes).chain(online)));
    }
    Ok(lines)
}

/// The same of a founding.
///
/// # Errors
/// When the draft has no root that can be read.
pub(crate) fn of_founding(admins: &[PublicKey], draft: &Draft) -> Result<Vec<String>> {
    let (_, threshold) = metadata::admins_of(draft.roles.get("root").map(String::as_str).unwrap_or_default())?;
    let needed = format!("{threshold} of {} start a policy", admins.len());
    let lines = fact("admins", [needed].into_iter().chain(admins.iter().map(|key| name_of(&key.name))));
    Ok([HEADING.to_owned()].into_iter().chain(lines).collect())
}

/// All policies at once, the one with the nearest deadline first.
fn of_policies(mut policies: Vec<Policy>, fleet: Option<&FleetStatus>) -> Vec<String> {
    if policies.is_empty() {
        return Vec::new();
    }
    policies.sort_by_key(|policy| policy.deadline.at.as_ref().map(At::latest_instant));
    let consequences = || policies.iter().map(|policy| &policy.consequence);
    let domains: BTreeSet<&Domain> = consequences().flat_map(|c| &c.mail).collect();
    let domains: Vec<String> = domains.into_iter().map(|domain| cut(domain.as_str(), DOMAIN)).collect();
    let nothing = domains.is_empty().then(|| words::ONLY_WARNS.to_owned());
    let closes = consequences().any(|c| c.lock && !c.mail.is_empty());
    let hides = consequences().any(|c| c.whole_app);
    let offline = consequences().any(|c| c.offline == Offline::Revoke);
    [
        fact("puts in", policies.iter().map(version)),
        fact("bans", policies.iter().flat_map(|policy| &policy.rules).map(banned)),
        fact("deadline", policies.iter().map(deadline)),
        fact("takes mail", nothing.into_iter().chain(domains)),
        fact("closes", closes.then(|| "the stored mail of those accounts, until they come back".to_owned())),
        fact("hides", hides.then(|| "on Android the whole mail app, if its account can't be taken alone".to_owned())),
        fact("offline", offline.then(|| "acts there too, where no retraction is heard".to_owned())),
        fact("reaches", policies.iter().map(|policy| reach(&policy.rollout))),
        fact("hits", policies.iter().map(|policy| counted(policy, fleet))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// One line: as many items as it has room for, and how many more there are. The same said twice is said once.
fn fact(label: &str, items: impl IntoIterator<Item = String>) -> Option<String> {
    let mut distinct: Vec<String> = Vec::new();
    for item in items {
        if !distinct.contains(&item) {
            distinct.push(item);
        }
    }
    let (first, rest) = distinct.split_first()?;
    let mut text = first.clone();
    for (index, item) in rest.iter().enumerate() {
        let left = format!(" and {} more", rest.len() - index);
        let longer = format!("{text}, {item}");
        if length(&longer) + length(&left) + LABEL + 2 > WIDTH {
            text += &left;
            break;
        }
        text = longer;
    }
    Some(format!("  {label:<LABEL$}{}", cut(&text, WIDTH - LABEL - 2)))
}

fn version(policy: &Policy) -> String {
    format!("{} version {}", name_of(policy.id.as_str()), policy.version)
}

fn banned(rule: &Rule) -> String {
    let packages = rule.purls.len() + rule.display_names.len();
    format!("{} ({packages} package{})", name_of(&rule.app), if packages == 1 { "" } else { "s" })
}

fn deadline(policy: &Policy) -> String {
    let grace = policy.deadline.grace.max(policy.deadline.min_notice);
    match &policy.deadline.at {
        Some(at) => format!("{at} and {grace} after the notice"),
        None => format!("{grace} after the notice"),
    }
}

fn reach(rollout: &Rollout) -> String {
    let groups: Vec<&str> = rollout.groups.iter().map(Group::as_str).collect();
    let share =
        if rollout.percent < 100 { format!("{} of 100 devices", rollout.percent) } else { "all devices".to_owned() };
    let of = if groups.is_empty() { String::new() } else { format!(" of {}", cut(&groups.join(", "), NAME)) };
    let start = rollout.start.as_ref().map(|start| format!(" from {start} on")).unwrap_or_default();
    format!("{share}{of}{start}")
}

fn counted(policy: &Policy, fleet: Option<&FleetStatus>) -> String {
    match fleet.and_then(|fleet| show::preview_of(policy, fleet)) {
        Some((_, count)) => {
            let told = count.foretold.told_now.saturating_add(count.foretold.told_later);
            let mail = count.foretold.revoked.values().sum::<u64>();
            format!("{told} people on {} devices, mail of {mail} (previewed)", count.not_met)
        }
        None => "nobody knows how many: no preview was made".to_owned(),
    }
}

fn spared(document: &Exemptions) -> Vec<String> {
    let exemptions = document.exemptions.iter().map(|e| format!("{} until {}", name_of(&e.device), e.until));
    let pauses = document.pauses.iter().map(|p| format!("all that version {} has not reached", p.through_version));
    pauses.chain(exemptions).collect()
}

fn came(key: &PublicKey) -> String {
    format!("{} comes in", name_of(&key.name))
}

fn gone(key: &PublicKey) -> String {
    format!("{} goes out", name_of(&key.name))
}

/// A name that somebody chose, which can't look like more than a name.
fn name_of(name: &str) -> String {
    format!("`{}`", cut(&line(name).replace('`', "'"), NAME))
}

fn cut(text: &str, most: usize) -> String {
    if length(text) <= most { text.to_owned() } else { text.chars().take(most - 1).chain(['…']).collect() }
}

fn length(text: &str) -> usize {
    text.chars().count()
}
