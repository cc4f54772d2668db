//! People without an admin's key sign in at the company's identity provider, and get a token for a working day.

use std::{net::IpAddr, sync::Arc};

use axum::{Extension, extract::State, http::StatusCode};
use forewarn_proto::api::{Provider, SignInRequest, SignedIn, Token};
use forewarn_trust::digest;
use jiff::Timestamp;

use super::{
    Refused,
    caller::new_secret,
    guard::{Anyone, By},
    input::Json,
};
use crate::{
    Server,
    listener::From,
    sign_in::{Failed, Person, SignIn},
};

pub(super) async fn provider(
    _: By<Anyone>,
    State(server): State<Arc<Server>>,
    Extension(From(address)): Extension<From>,
) -> Result<Json<Provider>, Refused> {
    Ok(Json(asked(&server, address)?.provider().await.map_err(Failed::from)?))
}

pub(super) async fn sign_in(
    _: By<Anyone>,
    State(server): State<Arc<Server>>,
    Extension(From(address)): Extension<From>,
    Json(request): Json<SignInRequest>,
) -> Result<Json<SignedIn>, Refused> {
    let provider = asked(&server, address)?;
    let Person { name, role } = provider.redeem(&request).await?;
    let secret = new_secret()?;
    let now = server.clock.wall();
    let ends = now.saturating_add(provider.valid()).unwrap_or(Timestamp::MAX);
    let token = Token { name: name.to_string(), role, ends };
    server.store.sign_in(&digest(secret.as_bytes()), &token, now).await?;
    Ok(Json(SignedIn { secret, token }))
}

/// The provider, for an address that does not ask too often.
fn asked(server: &Server, address: IpAddr) -> Result<&SignIn, Refused> {
    let none =
        || Refused::new(StatusCode::NOT_FOUND, "nobody can sign in here: the server's configuration has no [sign_in]");
    let provider = server.sign_in.as_ref().ok_or_else(none)?;
    if server.patience.allows(address) {
        return Ok(provider);
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
