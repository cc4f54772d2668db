//! From a draft to what is in force: proposed, signed, published.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode, Uri},
};
use forewarn_proto::{
    api::{Draft, DraftStatus, OnlineKeys, Role},
    audit::Decision,
    bundle::Bundle,
    report::Refusal,
};
use forewarn_trust::{Repository, digest, verify};

use super::{
    Refused,
    caller::{Asked, Caller, check_founding_code, identify},
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
    author(&server, &Asked { headers: &headers, method: &Method::POST, path: "/v1/drafts", body: &body }).await?;
    let repository = &server.in_force.lock().await.repository;
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

/// Who may put drafts before the admins; before there are any, who knows the founding code.
async fn author(server: &Server, asked: &Asked<'_>) -> Result<Caller, Refused> {
    if server.in_force.lock().await.repository.is_founded() {
        return identify(server, asked).await?.at_least(Role::Author);
    }
    check_founding_code(server, asked.headers)?;
    Ok(Caller { name: "the founding code".to_owned(), role: Role::Approver })
}

/// The drafts that can still be published.
pub(super) async fn drafts(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
) -> Result<Json<Vec<DraftStatus>>, Refused> {
    author(&server, &Asked { headers: &headers, method: &Method::GET, path: "/v1/drafts", body: b"" }).await?;
    let repository = &server.in_force.lock().await.repository;
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
    let by = author(&server, &Asked { headers: &headers, method: &Method::POST, path: uri.path(), body: b"" }).await?;
    let by = by.at_least(Role::Approver)?.name;
    let mut in_force = server.in_force.lock().await;
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
