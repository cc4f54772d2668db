//! What devices reported, for admins.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use forewarn_proto::{
    api::{Answers, Appeal, FleetStatus, Told, ToldCorrection, ToldPerson, Undone},
    policy::{Policy, PolicyId},
    report::{ProfileState, RuleReport},
};
use forewarn_trust::Repository;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Refused,
    guard::{By, Viewer},
    input::{Json, Path, Query},
};
use crate::{Server, cohorts::Fleet, count::Counted, store::StoredReport};

pub(super) async fn appeals(_: By<Viewer>, State(server): State<Arc<Server>>) -> Result<Json<Vec<Appeal>>, Refused> {
    Ok(Json(server.store.appeals().await?))
}

pub(super) async fn status(_: By<Viewer>, State(server): State<Arc<Server>>) -> Result<Json<FleetStatus>, Refused> {
    Ok(Json(server.fleet_status().await?))
}

impl Server {
    /// What all devices reported, counted.
    pub(crate) async fn fleet_status(&self) -> anyhow::Result<FleetStatus> {
        let repository = self.in_force.lock().await.repository.clone();
        self.count_fleet(&repository).await
    }

    /// The same, by what this repository has in force.
    pub(crate) async fn count_fleet(&self, repository: &Repository) -> anyhow::Result<FleetStatus> {
        let mut counted = Counted::of(repository.policies_in_force()?);
        self.store.each_report(|stored| counted.add(&stored)).await?;
        Ok(counted.finish(self.store.count_devices().await?, self.feed.connected()))
    }
}

/// Devices by what they say of a policy's preview; of the policy itself where there is no preview of it.
pub(super) async fn alike(
    _: By<Viewer>,
    State(server): State<Arc<Server>>,
    Path(id): Path<PolicyId>,
) -> Result<Json<Answers>, Refused> {
    let targets = server.in_force.lock().await.repository.targets().map_err(anyhow::Error::from)?;
    let preview = targets.get(&Policy::preview_name(&id));
    let missing = || Refused(StatusCode::NOT_FOUND, format!("neither {id} nor a preview of it is in force"));
    let text = preview.or_else(|| targets.get(&Policy::target_name(&id))).ok_or_else(missing)?;
    let policy = Policy::parse(text.as_bytes()).map_err(anyhow::Error::from)?;
    let mut fleet = Fleet::default();
    server.store.each_report(|stored| fleet.add(&stored, &policy, preview.is_some())).await?;
    Ok(Json(fleet.finish(server.store.count_devices().await?)))
}

pub(super) async fn told(
    _: By<Viewer>,
    State(server): State<Arc<Server>>,
    Path(policy): Path<PolicyId>,
) -> Result<Json<Told>, Refused> {
    let mut told = Told::default();
    let add = |StoredReport { device, report, .. }| {
        let acting = report.policies.into_iter().filter(|p| !p.preview && p.policy == policy);
        for RuleReport { rule, people, .. } in acting.flat_map(|policy| policy.rules) {
            let person = |report| ToldPerson { device: device.clone(), rule: rule.clone(), report };
            told.people.extend(people.into_iter().map(person));
        }
        let corrections = report.corrections.into_iter().filter(|c| c.policy == policy);
        told.corrections.extend(corrections.map(|report| ToldCorrection { device: device.clone(), report }));
    };
    server.store.each_report(add).await?;
    Ok(Json(told))
}

/// The version of the timestamp role with which a retraction was published.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Since {
    since: u64,
}

pub(super) async fn undone(
    _: By<Viewer>,
    State(server): State<Arc<Server>>,
    Path(policy): Path<PolicyId>,
    Query(Since { since }): Query<Since>,
) -> Result<Json<Undone>, Refused> {
    let devices = server.store.count_devices().await?;
    let mut undone = Undone { devices, connected: server.feed.connected(), ..Undone::default() };
    let add = |StoredReport { report, .. }: StoredReport| {
        if report.bundle.is_none_or(|bundle| bundle < since) {
            return;
        }
        undone.reached += 1;
        for correction in report.corrections.iter().filter(|correction| correction.policy == policy) {
            undone.owed += 1;
            undone.corrected += u64::from(correction.shown.is_some());
        }
        let returning = report.profiles.iter().filter(|profile| profile.state == ProfileState::Returning);
        undone.returning += returning.count() as u64;
    };
    server.store.each_report(add).await?;
    Ok(Json(undone))
}
