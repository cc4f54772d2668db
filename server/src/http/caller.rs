//! Who asks. An admin signs each request with the key that never comes here, and the root says who is one; a program, or a
//! person without such a key, shows a token that says what they may do.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header::AUTHORIZATION, request::Parts, uri::PathAndQuery};
use forewarn_proto::api::{Role, Token};
use forewarn_trust::{Repository, digest, random_secret};

use super::Refused;
use crate::Server;

/// How far an admin's clock may be off. A request that was overheard can't be sent again later than that.
const CLOCK_TOLERANCE_SECONDS: i64 = 300;
/// Before every token's secret, so that people and programs know one when they see it.
const TOKEN_PREFIX: &str = "forewarn-api-";

/// Who asks, and what they may do.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) name: String,
    pub(super) role: Role,
    /// Whether an admin's own key signed the request.
    pub(super) has_key: bool,
}

impl Caller {
    /// Refuses whoever may do less.
    pub(super) fn at_least(self, role: Role) -> Result<Self, Refused> {
        if self.role >= role {
            return Ok(self);
        }
        let needed = match role {
            Role::Viewer => "a viewer",
            Role::Author => "an author",
            Role::Approver => "an approver, or an admin's own key",
        };
        Err(Refused(StatusCode::FORBIDDEN, format!("this takes {needed}; {} is less", self.name)))
    }

    /// Refuses whoever has only a token: one that leaked must not make others that outlive it.
    pub(super) fn with_key(self) -> Result<Self, Refused> {
        if self.has_key {
            return Ok(self);
        }
        Err(Refused(StatusCode::FORBIDDEN, format!("this takes an admin's own key, and {} has none", self.name)))
    }
}

/// Whoever shows this token.
pub(super) async fn bearer(server: &Server, secret: &str) -> Result<Caller, Refused> {
    let token = server.store.token_of(&digest(secret.as_bytes()), server.clock.wall()).await?;
    let refused = || Refused::new(StatusCode::UNAUTHORIZED, "this token is unknown, or has ended");
    let caller = |token: Token| Caller { name: bearer_of(&token.name), role: token.role, has_key: false };
    token.map(caller).ok_or_else(refused)
}

/// Whoever shows the token of this name, so named that the record can't take a program for an admin. People who signed in
/// have an `@` in their names.
pub(super) fn bearer_of(token: &str) -> String {
    if token.contains('@') { token.to_owned() } else { format!("the token {token}") }
}

/// The secret of a new token.
pub(super) fn new_secret() -> anyhow::Result<String> {
    Ok(format!("{TOKEN_PREFIX}{}", random_secret()?))
}

/// The admin whose key signed this request. What is in force is locked for a moment; nobody who asks may hold that lock.
pub(super) async fn admin(server: &Server, parts: &Parts, header: &str, body: &[u8]) -> Result<Caller, Refused> {
    let name = signer(server, &server.in_force.lock().await.repository, parts, header, body)?;
    Ok(Caller { name, role: Role::Approver, has_key: true })
}

fn signer(
    server: &Server,
    repository: &Repository,
    parts: &Parts,
    header: &str,
    body: &[u8],
) -> Result<String, Refused> {
    let text = match header {
        _ if !repository.is_founded() => "nothing is founded here yet; run `forewarn-admin found` first",
        header if header.starts_with("Founding ") => "this is founded already; leave --code out",
        _ => "this request carries neither the signature of an admin nor a token",
    };
    let unknown = || Refused::new(StatusCode::UNAUTHORIZED, text);
    let path = parts.uri.path_and_query().map_or("", PathAndQuery::as_str);
    let (name, second) = repository.admin_of(header, parts.method.as_str(), path, body).ok_or_else(unknown)?;
    if (server.clock.wall().as_second() - second).abs() > CLOCK_TOLERANCE_SECONDS {
        let text = "the request's time is off by more than five minutes; set this machine's clock";
        return Err(Refused::new(StatusCode::UNAUTHORIZED, text));
    }
    Ok(name)
}

/// Before there are admins: whether the request carries the code that the server printed at its first start.
pub(super) fn check_founding_code(server: &Server, headers: &HeaderMap) -> Result<(), Refused> {
    let expected = format!("Founding {}", server.own.founding_code);
    let given = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    // The code has 256 random bits; comparing digests keeps the comparison's time from saying anything about it.
    if digest(given) == digest(expected.as_bytes()) {
        return Ok(());
    }
    let text = "nothing is founded here yet; give the code that the server printed at its first start: --code";
    Err(Refused::new(StatusCode::UNAUTHORIZED, text))
}
