//! People without an admin's key sign in at the company's identity provider, and get a token for a working day.

use std::{net::IpAddr, sync::Arc};

use axum::{Extension, extract::State, http::StatusCode};
use forewarn_proto::api::{Provider, SignInRequest, SignedIn, Token};
use forewarn_trust::{digest, random_secret};
use jiff::Timestamp;

use super::{Refused, caller::TOKEN_PREFIX, input::Json};
use crate::{
    Server,
    config::SignInConfig,
    listener::From,
    sign_in::{self, Failed, Person},
};

pub(super) async fn provider(
    State(server): State<Arc<Server>>,
    Extension(From(address)): Extension<From>,
) -> Result<Json<Provider>, Refused> {
    let config = config(&server, address)?;
    Ok(Json(sign_in::provider(config).await.map_err(Failed::from)?))
}

pub(super) async fn sign_in(
    State(server): State<Arc<Server>>,
    Extension(From(address)): Extension<From>,
    Json(request): Json<SignInRequest>,
) -> Result<Json<SignedIn>, Refused> {
    let config = config(&server, address)?;
    let Person { name, role } = sign_in::redeem(config, &request).await?;
    let secret = format!("{TOKEN_PREFIX}{}", random_secret().map_err(anyhow::Error::from)?);
    let now = server.clock.wall();
    let ends = now.saturating_add(config.valid.0).unwrap_or(Timestamp::MAX);
    let token = Token { name: name.to_string(), role, ends };
    server.store.sign_in(&digest(secret.as_bytes()), &token, now).await?;
    Ok(Json(SignedIn { secret, token }))
}

/// How people sign in here, for an address that does not ask too often.
fn config(server: &Server, address: IpAddr) -> Result<&SignInConfig, Refused> {
    let none =
        || Refused::new(StatusCode::NOT_FOUND, "nobody can sign in here: the server's configuration has no [sign_in]");
    let config = server.config.sign_in.as_ref().ok_or_else(none)?;
    if server.patience.allows(address) {
        return Ok(config);
    }
    Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, "too many have asked from there; try again in a minute"))
}

impl std::convert::From<Failed> for Refused {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Person(text) => Self(StatusCode::FORBIDDEN, text),
            Failed::Provider(error) => {
                tracing::error!("nobody can sign in: {error:#}");
                Self::new(StatusCode::BAD_GATEWAY, "the identity provider can't be used; the server's log says why")
            }
        }
    }
}
