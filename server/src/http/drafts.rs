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
    audit::Decision,
    bundle::Bundle,
    report::Refusal,
};
use forewarn_trust::{Repository, digest, verify};

use super::{
    Refused,
    admin::{check_founding_code, known_admin},
};
use crate::{Server, in_force::InForce};

pub(super) async fn online_keys(State(server): State<Arc<Server>>) -> Json<OnlineKeys> {
    let (snapshot, timestamp) = (server.own.snapshot.public().public, server.own.timestamp.public().public);
    Json(OnlineKeys { snapshot, timestamp })
}

/// The bundle is what every device gets; whoever reaches the server may read it.
pub(super) async fn bundle(State(server): State<Arc<Server>>) -> Vec<u8> {
    server.in_force.lock().await.repository.bundle().to_bytes()
}

pub(super) async fn propose(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<DraftStatus>, Refused> {
    let repository = &server.in_force.lock().await.repository;
    if repository.is_founded() {
        known_admin(&server, repository, &headers, &Method::POST, "/v1/drafts", &body)?;
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
    let repository = &server.in_force.lock().await.repository;
    if repository.is_founded() {
        known_admin(&server, repository, &headers, &Method::GET, "/v1/drafts", b"")?;
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
    let mut in_force = server.in_force.lock().await;
    let repository = &in_force.repository;
    let by = if repository.is_founded() {
        known_admin(&server, repository, &headers, &Method::POST, uri.path(), b"")?
    } else {
        check_founding_code(&server, &headers)?;
        "the founding code".to_owned()
    };
    let missing = || Refused::new(StatusCode::NOT_FOUND, "there is no such open draft; see `forewarn-admin status`");
    let draft = server.store.drafts().await?.remove(&number).ok_or_else(missing)?;
    put_in_force(&server, &mut in_force, number, &draft, by).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn put_in_force(
    server: &Server,
    in_force: &mut InForce,
    number: i64,
    draft: &Draft,
    by: String,
) -> Result<(), Refused> {
    let mut next = in_force.repository.clone();
    let roles = next.signed_roles(draft)?;
    next.publish(draft, &server.signer())?;
    check_as_a_device(server, &next).await?;
    let bundle = digest(&next.bundle().to_bytes());
    let decision = Decision::Published { draft: number, by, roles, bundle };
    if !server.put_in_force(in_force, next, Some((number, decision))).await? {
        let text = "another server has just published something else; propose it again if it is still wanted";
        return Err(Refused::new(StatusCode::CONFLICT, text));
    }
    tracing::info!("published draft {number}: {:?}", draft.roles.keys().collect::<Vec<_>>());
    Ok(())
}

/// What a device would refuse is not published: it would keep every later bundle from every device.
async fn check_as_a_device(server: &Server, next: &Repository) -> Result<(), Refused> {
    let refuse = |refusal: Refusal| Refused(StatusCode::CONFLICT, format!("devices would refuse this: {refusal}"));
    let bundle = Bundle::parse(&next.bundle().to_bytes()).map_err(refuse)?;
    let root = bundle.files.get("1.root.json").cloned().unwrap_or_default();
    verify(&root, None, &bundle, &server.config.state).await.map_err(refuse)?;
    Ok(())
}
