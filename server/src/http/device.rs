//! What devices ask: enroll once, then listen and report.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    http::{StatusCode, header},
    response::IntoResponse,
};
use forewarn_proto::{
    api::{AppealRequest, EnrollAnswer, EnrollRequest, MAX_APPEAL_CHARS, RenewRequest},
    report::Report,
};
use forewarn_trust::{digest, random_secret};

use super::Refused;
use crate::{Server, listener::Peer};

/// A bundle's address says what is in it, so a cache may keep it for as long as it likes.
const CACHED: &str = "public, max-age=31536000, immutable";

pub(super) async fn enroll(
    State(server): State<Arc<Server>>,
    Json(request): Json<EnrollRequest>,
) -> Result<Json<EnrollAnswer>, Refused> {
    let secret = random_secret().map_err(anyhow::Error::from)?;
    let device = format!("device-{}", &secret[..12]);
    let certificate = server.certify(&device, &request.signing_request).map_err(bad_request)?;
    let token = digest(request.secret.as_bytes());
    if !server.store.enroll(&token, &device, server.clock.wall()).await? {
        let text = "this token is unknown or was used; make another with `forewarn-server token`";
        return Err(Refused::new(StatusCode::FORBIDDEN, text));
    }
    tracing::info!("enrolled {device}");
    Ok(Json(EnrollAnswer { device, certificate }))
}

/// A device that is still enrolled, and whose certificate is still good, gets another.
pub(super) async fn renew(
    State(server): State<Arc<Server>>,
    Extension(peer): Extension<Peer>,
    Json(request): Json<RenewRequest>,
) -> Result<Json<EnrollAnswer>, Refused> {
    let device = known_device(&server, peer).await?;
    let certificate = server.certify(&device, &request.signing_request).map_err(bad_request)?;
    tracing::info!("renewed the certificate of {device}");
    Ok(Json(EnrollAnswer { device, certificate }))
}

fn bad_request(error: anyhow::Error) -> Refused {
    Refused(StatusCode::BAD_REQUEST, format!("the signing request: {error}"))
}

impl Server {
    fn certify(&self, device: &str, signing_request: &str) -> anyhow::Result<String> {
        let validity = self.config.certificate_validity.0;
        self.own.certify(device, signing_request, self.clock.wall(), validity)
    }
}

pub(super) async fn report(
    State(server): State<Arc<Server>>,
    Extension(peer): Extension<Peer>,
    Json(report): Json<Report>,
) -> Result<StatusCode, Refused> {
    let device = known_device(&server, peer).await?;
    server.store.add_report(&device, &report, server.clock.wall()).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn appeal(
    State(server): State<Arc<Server>>,
    Extension(peer): Extension<Peer>,
    Json(appeal): Json<AppealRequest>,
) -> Result<StatusCode, Refused> {
    let device = known_device(&server, peer).await?;
    let is_control = |c: char| c.is_control() && c != '\n';
    if appeal.reason.chars().count() > MAX_APPEAL_CHARS || appeal.reason.chars().any(is_control) {
        let text = format!("a reason is plain text of at most {MAX_APPEAL_CHARS} characters");
        return Err(Refused(StatusCode::BAD_REQUEST, text));
    }
    if !server.store.add_appeal(&device, &appeal, server.clock.wall()).await? {
        let text = "this device contests too many rules; talk to the admins";
        return Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, text));
    }
    tracing::info!("{device} contests {} of {}", appeal.rule, appeal.policy);
    Ok(StatusCode::NO_CONTENT)
}

/// Devices listen elsewhere; this says where. The connection is of no more use.
pub(super) async fn stream(State(server): State<Arc<Server>>) -> impl IntoResponse {
    let headers = [(header::LOCATION, server.stream_url.clone()), (header::CONNECTION, "close".to_owned())];
    (StatusCode::TEMPORARY_REDIRECT, headers)
}

/// The current bundle, for devices to which it did not go in a frame. It is what every device gets; whoever reaches the
/// server may read it.
pub(super) async fn bundle(
    State(server): State<Arc<Server>>,
    Path(digest): Path<String>,
) -> Result<([(header::HeaderName, &'static str); 2], Bytes), Refused> {
    let current = server.feed.current();
    if current.digest != digest {
        return Err(Refused::new(StatusCode::NOT_FOUND, "this bundle is not current; the stream says which one is"));
    }
    let headers = [(header::CACHE_CONTROL, CACHED), (header::CONTENT_TYPE, "application/json")];
    Ok((headers, current.bundle.clone()))
}

async fn known_device(server: &Server, peer: Peer) -> Result<String, Refused> {
    let text = "a device certificate is needed; run `forewarn enroll`";
    let name = peer.0.ok_or_else(|| Refused::new(StatusCode::UNAUTHORIZED, text))?;
    if !server.store.is_device(&name).await? {
        return Err(Refused::new(StatusCode::FORBIDDEN, "this device is no longer enrolled; run `forewarn enroll`"));
    }
    Ok(name)
}
