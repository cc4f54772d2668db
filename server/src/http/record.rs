//! The record of decisions, and tokens, whose making is one.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, Method, StatusCode},
};
use forewarn_proto::{
    api::{MAX_TOKEN_DAYS, Role, Token, TokenRequest},
    audit::Chained,
    policy::Name,
};
use forewarn_trust::digest;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Refused,
    caller::{Asked, Caller, bearer_of, identify, new_secret},
    input::{Json, Path, Query, Whole, parse},
};
use crate::Server;

/// After which entry the record goes on.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct After {
    after: i64,
}

pub(super) async fn audit(
    State(server): State<Arc<Server>>,
    caller: Caller,
    Query(After { after }): Query<After>,
) -> Result<Json<Vec<Chained>>, Refused> {
    caller.at_least(Role::Viewer)?;
    Ok(Json(server.store.audit_after(after).await?))
}

pub(super) async fn tokens(State(server): State<Arc<Server>>, caller: Caller) -> Result<Json<Vec<Token>>, Refused> {
    caller.with_key()?;
    Ok(Json(server.store.tokens().await?))
}

/// Makes a token and answers with its secret, which is not kept.
pub(super) async fn make_token(
    State(server): State<Arc<Server>>,
    method: Method,
    headers: HeaderMap,
    Whole(body): Whole,
) -> Result<Json<String>, Refused> {
    let asked = Asked { headers: &headers, method: &method, path: "/v1/tokens", body: &body };
    let by = identify(&server, &asked).await?.with_key()?.name;
    let TokenRequest { name, role, days } = parse(&body, "a token request")?;
    if !(1..=MAX_TOKEN_DAYS).contains(&days) {
        let text = format!("days: write a number from 1 to {MAX_TOKEN_DAYS}");
        return Err(Refused(StatusCode::UNPROCESSABLE_ENTITY, text));
    }
    if name.as_str().contains('@') {
        return Err(Refused::new(StatusCode::UNPROCESSABLE_ENTITY, "name: an @ is for people who sign in"));
    }
    let secret = new_secret()?;
    let now = server.clock.wall();
    let ends = now.saturating_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MAX);
    let token = Token { name: name.to_string(), role, ends };
    if !server.store.add_api_token(&digest(secret.as_bytes()), &token, &by, now).await? {
        return Err(Refused(StatusCode::CONFLICT, format!("{name} has a token already; end that one first")));
    }
    Ok(Json(secret))
}

pub(super) async fn end_token(
    State(server): State<Arc<Server>>,
    caller: Caller,
    Path(name): Path<Name>,
) -> Result<StatusCode, Refused> {
    let by = if caller.name == bearer_of(name.as_str()) { caller.name } else { caller.with_key()?.name };
    if server.store.end_api_token(name.as_str(), &by, server.clock.wall()).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Refused(StatusCode::NOT_FOUND, format!("{name} has no token")))
}
