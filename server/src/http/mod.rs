//! The routes. Devices are known by their certificate, admins by their signature on each request.

mod blast;
mod caller;
mod device;
mod devices;
mod drafts;
mod fleet;
mod gate;
mod patience;
mod record;

pub(crate) use patience::Patience;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use forewarn_proto::{api::MAX_REQUEST_BYTES, bundle::MAX_BUNDLE_BYTES, report::MAX_REPORT_BYTES};
use forewarn_trust::DraftError;

use crate::Server;

pub(crate) fn router(server: Arc<Server>) -> Router {
    let limit = DefaultBodyLimit::max;
    Router::new()
        .route("/v1/enroll", post(device::enroll).layer(limit(64 * 1024)))
        .route("/v1/renew", post(device::renew).layer(limit(64 * 1024)))
        .route("/v1/stream", get(device::stream))
        .route("/v1/bundles/{digest}", get(device::bundle))
        .route("/v1/report", post(device::report).layer(limit(MAX_REPORT_BYTES)))
        .route("/v1/appeal", post(device::appeal).layer(limit(16 * 1024)))
        .route("/v1/appeals", get(fleet::appeals))
        .route("/v1/bundle", get(drafts::bundle).post(drafts::bring_back).layer(limit(MAX_BUNDLE_BYTES)))
        .route("/v1/online-keys", get(drafts::online_keys))
        .route("/v1/drafts", get(drafts::drafts).post(drafts::propose).layer(limit(MAX_REQUEST_BYTES)))
        .route("/v1/drafts/{number}/publish", post(drafts::publish))
        .route("/v1/told/{policy}", get(fleet::told))
        .route("/v1/status", get(fleet::status))
        .route("/v1/undone/{policy}", get(fleet::undone))
        .route("/v1/devices", get(devices::list))
        .route("/v1/devices/{device}", delete(devices::forget))
        .route("/v1/devices/{device}/revoke", post(devices::revoke))
        .route("/v1/audit", get(record::audit))
        .route("/v1/tokens", get(record::tokens).post(record::make_token).layer(limit(16 * 1024)))
        .route("/v1/tokens/{name}", delete(record::end_token))
        .route("/gate/dovecot", post(gate::ask).layer(limit(gate::MAX_BYTES)))
        .with_state(server)
}

/// Why a request was refused, as JSON text for people: `"2 of 3 signatures"`.
#[derive(Debug)]
pub(crate) struct Refused(StatusCode, String);

impl Refused {
    fn new(status: StatusCode, text: &str) -> Self {
        Self(status, text.to_owned())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(self.1)).into_response()
    }
}

impl From<DraftError> for Refused {
    fn from(error: DraftError) -> Self {
        Self(StatusCode::CONFLICT, error.to_string())
    }
}

/// What went wrong inside is logged, not told.
impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        tracing::error!("{error:#}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the server failed; its log says why")
    }
}
