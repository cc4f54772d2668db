//! The record of decisions, and tokens, whose making is one.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use forewarn_proto::{
    api::{MAX_TOKEN_DAYS, Token, TokenRequest},
    audit::Chained,
    policy::Name,
};
use forewarn_trust::digest;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Refused,
    caller::{bearer_of, new_secret},
    guard::{Admin, By, Viewer},
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
    _: By<Viewer>,
    State(server): State<Arc<Server>>,
    Query(After { after }): Query<After>,
) -> Result<Json<Vec<Chained>>, Refused> {
    Ok(Json(server.store.audit_after(after).await?))
}

pub(super) async fn tokens(_: By<Admin>, State(server): State<Arc<Server>>) -> Result<Json<Vec<Token>>, Refused> {
    Ok(Json(server.store.tokens().await?))
}

/// Makes a token and answers with its secret, which is not kept.
pub(super) async fn make_token(
    By(caller): By<Admin>,
    State(server): State<Arc<Server>>,
    Whole(body): Whole,
) -> Result<Json<String>, Refused> {
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
    if !server.store.add_api_token(&digest(secret.as_bytes()), &token, &caller.name, now).await? {
        return Err(Refused(StatusCode::CONFLICT, format!("{name} has a token already; end that one first")));
    }
    Ok(Json(secret))
}

/// Ends a token: an admin any, and each token itself.
pub(super) async fn end_token(
    By(caller): By<Viewer>,
    State(server): State<Arc<Server>>,
    Path(name): Path<Name>,
) -> Result<StatusCode, Refused> {
    let by = if caller.name == bearer_of(name.as_str()) { caller.name } else { caller.with_key()?.name };
    if server.store.end_api_token(name.as_str(), &by, server.clock.wall()).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Refused(StatusCode::NOT_FOUND, format!("{name} has no token")))
}
