//! From a draft to what is in force: proposed, signed, published.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode, Uri},
};
use forewarn_proto::{
    api::{Draft, DraftStatus, OnlineKeys},
    bundle::Bundle,
    report::Refusal,
};
use forewarn_trust::{Repository, verify};

use super::{
    Refused,
    admin::{check_founding_code, known_admin},
};
use crate::Server;

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
