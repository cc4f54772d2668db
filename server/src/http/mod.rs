//! The routes. Devices are known by their certificate, admins by their signature on each request.

mod audit;
mod blast_limit;
mod caller;
mod device;
mod devices;
mod drafts;
mod fleet;
mod gate;
mod guard;
mod input;
mod intake;
mod openapi;
mod rate_limit;
mod routes;
mod sign_in;

pub use openapi::openapi;
pub(crate) use rate_limit::{Paces, Patience};

use std::sync::Arc;

use axum::{
    Json, Router,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use forewarn_trust::DraftError;

use crate::Server;

pub(crate) fn router(server: Arc<Server>) -> Router {
    let router = routes::routes().into_iter().map(|route| route.guarded(&server));
    let router = router.fold(Router::new(), |router, (path, handler)| router.route(path, handler));
    router
        .fallback(async || Refused::new(StatusCode::NOT_FOUND, "there is nothing at this address"))
        .method_not_allowed_fallback(async || Refused::new(StatusCode::METHOD_NOT_ALLOWED, "not by this method"))
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
