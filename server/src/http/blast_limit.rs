//! The brake on a mistake: a policy that would touch a large part of the devices needs one signature more than others do.
//!
//! What is not known counts as touched: a policy that no preview has counted touches every device.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use forewarn_proto::api::{Draft, FleetStatus, PolicyCount};
use forewarn_trust::Repository;

use super::Refused;
use crate::Server;

/// Refuses to publish a draft with as many signatures as it needs, where it needs one more.
pub(super) async fn check(server: &Server, repository: &Repository, draft: &Draft) -> Result<(), Refused> {
    let targets = repository.targets().map_err(forewarn_trust::DraftError::from)?;
    let new: Vec<&str> = new_policies(draft, &targets).collect();
    let Some((have, need)) = repository.signatures(draft)?.get("policies").copied().filter(|_| !new.is_empty()) else {
        return Ok(());
    };
    let fleet = server.count_fleet(repository).await?;
    let limit = limit(fleet.devices, server.config.blast_limit);
    for id in new {
        let counted = is_counted(id, draft, &targets).then(|| fleet.policies.get(&format!("preview/{id}"))).flatten();
        let touched = touched(&fleet, counted);
        if touched > limit && have <= need {
            return Err(Refused(StatusCode::CONFLICT, text(id, touched, &fleet, counted, limit, need)));
        }
    }
    Ok(())
}

/// The ids of policies that the draft puts in or changes.
fn new_policies<'d>(draft: &'d Draft, in_force: &BTreeMap<String, String>) -> impl Iterator<Item = &'d str> {
    let changed = draft.targets.iter().filter(|(name, text)| in_force.get(*name) != Some(*text));
    changed.filter_map(|(name, _)| name.strip_prefix("policies/")?.strip_suffix(".toml"))
}

/// Whether the devices were asked about exactly this text.
fn is_counted(id: &str, draft: &Draft, in_force: &BTreeMap<String, String>) -> bool {
    in_force.get(&format!("previews/{id}.toml")) == draft.targets.get(&format!("policies/{id}.toml"))
}

/// How many devices may be touched without one more signature. One is never too many.
fn limit(devices: u64, percent: u8) -> u64 {
    (devices.saturating_mul(u64::from(percent)) / 100).max(1)
}

fn touched(fleet: &FleetStatus, counted: Option<&PolicyCount>) -> u64 {
    counted.map_or(fleet.devices, |count| count.foretold.devices + count.unknown + count.unheard)
}

fn text(id: &str, touched: u64, fleet: &FleetStatus, counted: Option<&PolicyCount>, limit: u64, need: usize) -> String {
    let devices = fleet.devices;
    let why = match counted {
        None => format!("no preview has counted {id} as it is now, so that it may touch all {devices} devices"),
        Some(count) => format!(
            "{id} would touch up to {touched} of {devices} devices: {} where somebody would be told, {} that can't tell, \
             {} that have not answered",
            count.foretold.devices, count.unknown, count.unheard
        ),
    };
    format!("{why}. More than {limit} need {} signatures instead of {need}; one more admin can sign", need + 1)
}

#[cfg(test)]
mod tests {
    use forewarn_proto::api::Foresight;

    use super::*;

    #[test]
    fn what_nobody_knows_counts_as_touched() {
        let fleet = FleetStatus { devices: 200, ..FleetStatus::default() };
        let foretold = Foresight { devices: 5, ..Foresight::default() };
        let counted = PolicyCount { met: 180, unknown: 3, unheard: 2, foretold, ..PolicyCount::default() };
        assert_eq!(touched(&fleet, None), 200);
        assert_eq!(touched(&fleet, Some(&counted)), 10);
        assert_eq!([limit(200, 10), limit(9, 10), limit(0, 10), limit(200, 100)], [20, 1, 1, 200]);
    }

    #[test]
    fn only_the_very_text_that_was_counted_is_counted() {
        let draft = |text: &str| Draft {
            targets: BTreeMap::from([("policies/ban.toml".to_owned(), text.to_owned())]),
            ..Draft::default()
        };
        let targets = |name: &str| BTreeMap::from([(name.to_owned(), "one".to_owned())]);
        let previewed = targets("previews/ban.toml");
        assert!(is_counted("ban", &draft("one"), &previewed) && !is_counted("ban", &draft("other"), &previewed));
        assert_eq!(new_policies(&draft("one"), &previewed).collect::<Vec<_>>(), ["ban"]);
        assert_eq!(new_policies(&draft("one"), &targets("policies/ban.toml")).count(), 0, "it is in force already");
    }
}
