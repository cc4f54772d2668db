//! Who an admin is: each request is signed with the admin's key, which never comes here; the root says who is one.

use axum::http::{HeaderMap, Method, StatusCode, header::AUTHORIZATION};
use forewarn_trust::Repository;

use super::Refused;
use crate::Server;

/// How far an admin's clock may be off. A request that was overheard can't be sent again later than that.
const CLOCK_TOLERANCE_SECONDS: i64 = 300;

/// Who signed this request.
pub(super) fn known_admin(
    server: &Server,
    repository: &Repository,
    headers: &HeaderMap,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Result<String, Refused> {
    let text = match headers.get(AUTHORIZATION) {
        _ if !repository.is_founded() => "nothing is founded here yet; run `forewarn-admin found` first",
        Some(header) if header.as_bytes().starts_with(b"Founding ") => "this is founded already; leave --code out",
        Some(_) | None => "this request carries no signature of an admin",
    };
    let unknown = || Refused::new(StatusCode::UNAUTHORIZED, text);
    let header = headers.get(AUTHORIZATION).and_then(|h| h.to_str().ok()).ok_or_else(unknown)?;
    let (name, second) = repository.admin_of(header, method.as_str(), path, body).ok_or_else(unknown)?;
    if (server.clock.wall().as_second() - second).abs() > CLOCK_TOLERANCE_SECONDS {
        let text = "the request's time is off by more than five minutes; set this machine's clock";
        return Err(Refused::new(StatusCode::UNAUTHORIZED, text));
    }
    Ok(name)
}

pub(super) fn check_founding_code(server: &Server, headers: &HeaderMap) -> Result<(), Refused> {
    let expected = format!("Founding {}", server.own.founding_code);
    let given = headers.get(AUTHORIZATION).map(axum::http::HeaderValue::as_bytes).unwrap_or_default();
    // The code has 256 random bits; comparing digests keeps the comparison's time from saying anything about it.
    if forewarn_trust::digest(given) == forewarn_trust::digest(expected.as_bytes()) {
        return Ok(());
    }
    let text = "nothing is founded here yet; give the code that the server printed at its first start: --code";
    Err(Refused::new(StatusCode::UNAUTHORIZED, text))
}
