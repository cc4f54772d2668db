//! What a request brings, read by its type. What does not fit is refused as everything else is: as JSON text for people.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{self, FromRequest, FromRequestParts, Request},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};

use super::Refused;

/// How long a body may take to come: eight megabytes of a draft over a slow line. Stops those who begin one and never end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A body of JSON, or such an answer.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

/// What an address names.
#[derive(Debug)]
pub(super) struct Path<T>(pub(super) T);

/// What stands after an address's question mark.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

/// A body's bytes, for whoever has to look at their signature first.
#[derive(Debug)]
pub(super) struct Whole(pub(super) Bytes);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let read = in_time(extract::Json::from_request(request, state)).await?;
        read.map(|extract::Json(value)| Self(value)).map_err(|e| Refused(e.status(), e.body_text()))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let read = extract::Path::from_request_parts(parts, state).await;
        read.map(|extract::Path(value)| Self(value)).map_err(|e| Refused(e.status(), e.body_text()))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let read = extract::Query::from_request_parts(parts, state).await;
        read.map(|extract::Query(value)| Self(value)).map_err(|e| Refused(e.status(), e.body_text()))
    }
}

impl<S: Send + Sync> FromRequest<S> for Whole {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let read = in_time(Bytes::from_request(request, state)).await?;
        read.map(Self).map_err(|e| Refused(e.status(), e.body_text()))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Waits for a body, but not for ever.
pub(super) async fn in_time<T>(body: impl Future<Output = T>) -> Result<T, Refused> {
    let late = |_| Refused::new(StatusCode::REQUEST_TIMEOUT, "the request's body did not come in time");
    tokio::time::timeout(PATIENCE, body).await.map_err(late)
}

/// Reads what `body` has to be, such as "a report".
pub(super) fn parse<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| {
        let status = if error.is_data() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::BAD_REQUEST };
        Refused(status, format!("not {what}: {error}"))
    })
}
