//! What devices reported, for admins.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, Method},
};
use forewarn_proto::{
    api::{Appeal, CorrectionCount, FleetStatus, PolicyCount, Told, ToldCorrection, ToldPerson},
    report::{Finding, Obstacle, PolicyReport, ProfileReport, ProfileState, Report, RuleReport, Stage},
};

use super::{Refused, admin::known_admin};
use crate::{Server, store::StoredReport};

pub(super) async fn appeals(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
) -> Result<Json<Vec<Appeal>>, Refused> {
    known_admin(&server, &server.in_force.lock().await.repository, &headers, &Method::GET, "/v1/appeals", b"")?;
    Ok(Json(server.store.appeals().await?))
}

pub(super) async fn status(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
) -> Result<Json<FleetStatus>, Refused> {
    known_admin(&server, &server.in_force.lock().await.repository, &headers, &Method::GET, "/v1/status", b"")?;
    let mut fleet = FleetStatus {
        devices: server.store.count_devices().await?,
        connected: server.feed.connected(),
        policies: BTreeMap::new(),
        corrections: BTreeMap::new(),
        refusals: BTreeMap::new(),
        unattended: 0,
    };
    server.store.each_report(|stored| count(&mut fleet, &stored.report)).await?;
    Ok(Json(fleet))
}

pub(super) async fn told(
    State(server): State<Arc<Server>>,
    Path(policy): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Told>, Refused> {
    let path = format!("/v1/told/{policy}");
    known_admin(&server, &server.in_force.lock().await.repository, &headers, &Method::GET, &path, b"")?;
    let mut told = Told::default();
    let add = |StoredReport { device, report, .. }| {
        let acting = report.policies.into_iter().filter(|p| !p.preview && p.policy.as_str() == policy);
        for RuleReport { rule, people, .. } in acting.flat_map(|policy| policy.rules) {
            let person = |report| ToldPerson { device: device.clone(), rule: rule.clone(), report };
            told.people.extend(people.into_iter().map(person));
        }
        let corrections = report.corrections.into_iter().filter(|c| c.policy.as_str() == policy);
        told.corrections.extend(corrections.map(|report| ToldCorrection { device: device.clone(), report }));
    };
    server.store.each_report(add).await?;
    Ok(Json(told))
}

fn count(fleet: &mut FleetStatus, report: &Report) {
    fleet.unattended += report.unattended.len() as u64;
    for policy in &report.policies {
        let prefix = if policy.preview { "preview/" } else { "" };
        count_policy(fleet.policies.entry(format!("{prefix}{}", policy.policy)).or_default(), policy, report);
    }
    for correction in &report.corrections {
        let count: &mut CorrectionCount = fleet.corrections.entry(correction.policy.clone()).or_default();
        count.owed += 1;
        count.shown += u64::from(correction.shown.is_some());
    }
    if let Some(refusal) = &report.refused {
        *fleet.refusals.entry(refusal.to_string()).or_default() += 1;
    }
}

fn count_policy(count: &mut PolicyCount, policy: &PolicyReport, report: &Report) {
    count.version = count.version.max(policy.version);
    match policy.rules.iter().map(|rule| rule.finding).max() {
        Some(Finding::NotMet) => count.not_met += 1,
        Some(Finding::Unknown) => count.unknown += 1,
        Some(Finding::Met) | None => count.met += 1,
    }
    for person in policy.rules.iter().flat_map(|rule| &rule.people) {
        *count.people.entry(person.stage.text().to_owned()).or_default() += 1;
        count.shown += u64::from(person.shown.is_some());
        if person.shown.is_none() {
            let why = person.obstacle.map_or("the notice is on its way", Obstacle::text);
            *count.not_told.entry(why.to_owned()).or_default() += 1;
        }
        let waits = |profile: &ProfileReport| profile.person == person.person && profile.state == ProfileState::Waiting;
        count.waiting += u64::from(person.stage == Stage::Revoking && report.profiles.iter().any(waits));
    }
}
