//! What admins ask. Each request is signed with the admin's key, which never comes here; the root says who is one.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode, Uri, header::AUTHORIZATION},
};
use forewarn_proto::{
    api::{
        Appeal, CorrectionCount, Draft, DraftStatus, FleetStatus, OnlineKeys, PolicyCount, Told, ToldCorrection,
        ToldPerson,
    },
    bundle::Bundle,
    report::{Finding, Obstacle, PolicyReport, ProfileReport, ProfileState, Refusal, Report, RuleReport, Stage},
};
use forewarn_trust::{Repository, verify};

use super::Refused;
use crate::Server;

/// How far an admin's clock may be off. A request that was overheard can't be sent again later than that.
const CLOCK_TOLERANCE_SECONDS: i64 = 300;

pub(super) async fn online_keys(State(server): State<Arc<Server>>) -> Json<OnlineKeys> {
    let (snapshot, timestamp) = (server.own.snapshot.public().public, server.own.timestamp.public().public);
    Json(OnlineKeys { snapshot, timestamp })
}

/// The bundle is what every device gets; whoever reaches the server may read it.
pub(super) async fn bundle(State(server): State<Arc<Server>>) -> Vec<u8> {
    server.repository.lock().await.bundle().to_bytes()
}

pub(super) async fn propose(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<DraftStatus>, Refused> {
    let repository = server.repository.lock().await;
    if repository.is_founded() {
        known_admin(&server, &repository, &headers, &Method::POST, "/v1/drafts", &body)?;
    } else {
        check_founding_code(&server, &headers)?;
    }
    let draft: Draft =
        serde_json::from_slice(&body).map_err(|e| Refused(StatusCode::BAD_REQUEST, format!("not a draft: {e}")))?;
    let signatures = repository.check(&draft)?;
    for (number, open) in server.store.drafts().await? {
        if let Ok(merged) = repository.merge(&open, &draft) {
            server.store.update_draft(number, &merged).await?;
            return Ok(Json(DraftStatus { number, signatures: repository.check(&merged)?, draft: merged }));
        }
    }
    let number = server.store.add_draft(&draft).await?;
    Ok(Json(DraftStatus { number, signatures, draft }))
}

/// The drafts that can still be published.
pub(super) async fn drafts(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
) -> Result<Json<Vec<DraftStatus>>, Refused> {
    let repository = server.repository.lock().await;
    if repository.is_founded() {
        known_admin(&server, &repository, &headers, &Method::GET, "/v1/drafts", b"")?;
    } else {
        check_founding_code(&server, &headers)?;
    }
    let open = server.store.drafts().await?.into_iter();
    let status = |(number, draft): (i64, Draft)| {
        let signatures = repository.check(&draft).ok()?;
        Some(DraftStatus { number, signatures, draft })
    };
    Ok(Json(open.filter_map(status).collect()))
}

pub(super) async fn publish(
    State(server): State<Arc<Server>>,
    Path(number): Path<i64>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<StatusCode, Refused> {
    let mut repository = server.repository.lock().await;
    if repository.is_founded() {
        known_admin(&server, &repository, &headers, &Method::POST, uri.path(), b"")?;
    } else {
        check_founding_code(&server, &headers)?;
    }
    let missing = || Refused::new(StatusCode::NOT_FOUND, "there is no such open draft; see `forewarn-admin status`");
    let draft = server.store.drafts().await?.remove(&number).ok_or_else(missing)?;
    let mut next = repository.clone();
    next.publish(&draft, &server.signer())?;
    check_as_a_device(&server, &next).await?;
    server.store.set_bundle(next.bundle(), Some(number)).await?;
    server.feed.push(next.bundle());
    *repository = next;
    tracing::info!("published draft {number}: {:?}", draft.roles.keys().collect::<Vec<_>>());
    Ok(StatusCode::NO_CONTENT)
}

/// What a device would refuse is not published: it would keep every later bundle from every device.
async fn check_as_a_device(server: &Server, next: &Repository) -> Result<(), Refused> {
    let refuse = |refusal: Refusal| Refused(StatusCode::CONFLICT, format!("devices would refuse this: {refusal}"));
    let bundle = Bundle::parse(&next.bundle().to_bytes()).map_err(refuse)?;
    let root = bundle.files.get("1.root.json").cloned().unwrap_or_default();
    verify(&root, None, &bundle, &server.config.state).await.map_err(refuse)?;
    Ok(())
}

pub(super) async fn appeals(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
) -> Result<Json<Vec<Appeal>>, Refused> {
    known_admin(&server, &*server.repository.lock().await, &headers, &Method::GET, "/v1/appeals", b"")?;
    Ok(Json(server.store.appeals().await?))
}

pub(super) async fn status(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
) -> Result<Json<FleetStatus>, Refused> {
    known_admin(&server, &*server.repository.lock().await, &headers, &Method::GET, "/v1/status", b"")?;
    let mut fleet = FleetStatus {
        devices: server.store.count_devices().await?,
        connected: server.feed.connected(),
        policies: BTreeMap::new(),
        corrections: BTreeMap::new(),
        refusals: BTreeMap::new(),
        unattended: 0,
    };
    for (_, report) in server.store.reports().await? {
        count(&mut fleet, &report);
    }
    Ok(Json(fleet))
}

pub(super) async fn told(
    State(server): State<Arc<Server>>,
    Path(policy): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Told>, Refused> {
    let path = format!("/v1/told/{policy}");
    known_admin(&server, &*server.repository.lock().await, &headers, &Method::GET, &path, b"")?;
    let mut told = Told::default();
    for (device, report) in server.store.reports().await? {
        let acting = report.policies.into_iter().filter(|p| !p.preview && p.policy.as_str() == policy);
        for RuleReport { rule, people, .. } in acting.flat_map(|policy| policy.rules) {
            let person = |report| ToldPerson { device: device.clone(), rule: rule.clone(), report };
            told.people.extend(people.into_iter().map(person));
        }
        let corrections = report.corrections.into_iter().filter(|c| c.policy.as_str() == policy);
        told.corrections.extend(corrections.map(|report| ToldCorrection { device: device.clone(), report }));
    }
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

/// Who signed this request.
fn known_admin(
    server: &Server,
    repository: &Repository,
    headers: &HeaderMap,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Result<String, Refused> {
    let text = match headers.get(AUTHORIZATION) {
        _ if !repository.is_founded() => "nothing is founded here yet; run `forewarn-admin found` first",
        Some(header) if header.as_bytes().starts_with(b"Founding ") => "this is founded already; leave --code out",
        Some(_) | None => "this request carries no signature of an admin",
    };
    let unknown = || Refused::new(StatusCode::UNAUTHORIZED, text);
    let header = headers.get(AUTHORIZATION).and_then(|h| h.to_str().ok()).ok_or_else(unknown)?;
    let (name, second) = repository.admin_of(header, method.as_str(), path, body).ok_or_else(unknown)?;
    if (server.clock.wall().as_second() - second).abs() > CLOCK_TOLERANCE_SECONDS {
        let text = "the request's time is off by more than five minutes; set this machine's clock";
        return Err(Refused::new(StatusCode::UNAUTHORIZED, text));
    }
    Ok(name)
}

fn check_founding_code(server: &Server, headers: &HeaderMap) -> Result<(), Refused> {
    let expected = format!("Founding {}", server.own.founding_code);
    let given = headers.get(AUTHORIZATION).map(axum::http::HeaderValue::as_bytes).unwrap_or_default();
    // The code has 256 random bits; comparing digests keeps the comparison's time from saying anything about it.
    if forewarn_trust::digest(given) == forewarn_trust::digest(expected.as_bytes()) {
        return Ok(());
    }
    let text = "nothing is founded here yet; give the code that the server printed at its first start: --code";
    Err(Refused::new(StatusCode::UNAUTHORIZED, text))
}
