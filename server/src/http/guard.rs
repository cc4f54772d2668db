//! The guard before every route. A handler's first argument says who is answered, [`By`] a kind of asker; the table reads it
//! from the handler's type, the guard enforces it, and the OpenAPI document says it. A handler without one is no route.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{FromRequest as _, FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header::AUTHORIZATION, request::Parts},
    middleware::Next,
    response::Response,
};
use forewarn_proto::api::{MAX_REQUEST_BYTES, Role};
use forewarn_trust::{SIGNED, digest};
use futures_util::StreamExt as _;

use super::{
    Refused,
    caller::{Caller, admin, bearer, check_founding_code},
    input::Whole,
};
use crate::{Server, listener::Peer, push::Register as _};

/// How much of a refused request's body is let pass, in bytes: the largest draft. Stops those who send without end.
const PASSED_OVER: usize = MAX_REQUEST_BYTES;
/// How long it may take to pass.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Whoever reaches the server.
    Anyone,
    /// An enrolled device, by its certificate.
    Device,
    /// An admin by their signature, or a token of this role or more.
    Role(Role),
    /// An admin by their signature; no token is enough.
    Admin,
    /// As with a role; and before there are admins, whoever knows the founding code.
    Founder(Role),
    /// The company's mail server, by its key.
    MailServer,
}

/// A kind of asker, and what is known of one who was admitted.
pub(super) trait Kind: 'static {
    const WHO: Who;
    type Known: Clone + Send + Sync + 'static;
}

macro_rules! kinds {
    ($($kind:ident: $known:ty = $who:expr;)*) => {$(
        pub(super) enum $kind {}

        impl Kind for $kind {
            const WHO: Who = $who;
            type Known = $known;
        }
    )*};
}

kinds! {
    Anyone: () = Who::Anyone;
    Device: String = Who::Device;
    Viewer: Caller = Who::Role(Role::Viewer);
    Approver: Caller = Who::Role(Role::Approver);
    Admin: Caller = Who::Admin;
    FounderOrViewer: Caller = Who::Founder(Role::Viewer);
    FounderOrAuthor: Caller = Who::Founder(Role::Author);
    FounderOrApprover: Caller = Who::Founder(Role::Approver);
    MailServer: () = Who::MailServer;
}

/// Somebody of this kind, whom the guard has admitted.
#[derive(Debug)]
pub(super) struct By<K: Kind>(pub(super) K::Known);

/// The guard's word on a request; made by [`Admitted::leave`] alone.
#[derive(Clone)]
struct Admitted<T> {
    who: Who,
    known: T,
}

impl<T: Clone + Send + Sync + 'static> Admitted<T> {
    fn leave(who: Who, known: T, parts: &mut Parts) {
        parts.extensions.insert(Self { who, known });
    }
}

impl<K: Kind, S: Sync> FromRequestParts<S> for By<K> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let admitted = parts.extensions.get::<Admitted<K::Known>>().filter(|admitted| admitted.who == K::WHO);
        let defect = || anyhow::anyhow!("{} was reached without its guard; this is a defect", parts.uri.path());
        Ok(Self(admitted.ok_or_else(defect)?.known.clone()))
    }
}

/// The arguments of a handler that says first who is answered.
pub(super) trait Guarded {
    const WHO: Who;
}

macro_rules! guarded {
    ($(($($more:ident),*))*) => {$(
        impl<M, K: Kind, $($more),*> Guarded for (M, By<K>, $($more,)*) {
            const WHO: Who = K::WHO;
        }
    )*};
}

guarded! { () (A) (A, B) (A, B, C) }

/// Admits whoever may ask, or refuses.
pub(super) async fn admit(
    State((server, who)): State<(Arc<Server>, Who)>,
    request: Request,
    next: Next,
) -> Result<Response, Refused> {
    let (mut parts, mut body) = request.into_parts();
    match judge(&server, who, &mut parts, &mut body).await {
        Ok(()) => Ok(next.run(Request::from_parts(parts, body)).await),
        Err(refused) => {
            pass_over(body).await;
            Err(refused)
        }
    }
}

async fn judge(server: &Server, who: Who, parts: &mut Parts, body: &mut Body) -> Result<(), Refused> {
    match who {
        Who::Anyone => Admitted::leave(who, (), parts),
        Who::Device => Admitted::leave(who, device(server, parts).await?, parts),
        Who::MailServer => Admitted::leave(who, check_gate_key(server, &parts.headers)?, parts),
        Who::Role(role) => Admitted::leave(who, caller(server, parts, body).await?.at_least(role)?, parts),
        Who::Admin => Admitted::leave(who, caller(server, parts, body).await?.with_key()?, parts),
        Who::Founder(role) => Admitted::leave(who, founder(server, parts, body).await?.at_least(role)?, parts),
    }
    Ok(())
}

/// Lets a body come and keeps nothing of it: whoever still speaks when the connection ends may never read why.
async fn pass_over(body: Body) {
    let mut pieces = body.into_data_stream();
    let pass = async {
        let mut left = PASSED_OVER;
        while let Some(Ok(piece)) = pieces.next().await {
            left = left.saturating_sub(piece.len());
            if left == 0 {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(PATIENCE, pass).await;
}

/// The device of a certificate that still counts.
async fn device(server: &Server, parts: &Parts) -> Result<String, Refused> {
    let none = || Refused::new(StatusCode::UNAUTHORIZED, "a device certificate is needed; run `forewarn enroll`");
    let device = parts.extensions.get::<Peer>().and_then(|peer| peer.0.clone()).ok_or_else(none)?;
    if server.known.is_device(&device).await? {
        return Ok(device);
    }
    server.numbers.unwelcome.inc();
    Err(not_enrolled())
}

pub(super) fn not_enrolled() -> Refused {
    Refused::new(StatusCode::FORBIDDEN, "this device is no longer enrolled; run `forewarn enroll`")
}

fn check_gate_key(server: &Server, headers: &HeaderMap) -> Result<(), Refused> {
    let Some(expected) = &server.gate_key else {
        let text = "the gate is closed to everyone; give `gate_key` in server.toml";
        return Err(Refused::new(StatusCode::NOT_FOUND, text));
    };
    let given = headers.get("x-api-key").map(HeaderValue::as_bytes).unwrap_or_default();
    if digest(given) == digest(expected.as_bytes()) {
        return Ok(());
    }
    Err(Refused::new(StatusCode::UNAUTHORIZED, "the mail server's key is missing or wrong: X-API-Key"))
}

/// As [`caller`]; before there are any admins, whoever knows the founding code.
async fn founder(server: &Server, parts: &Parts, body: &mut Body) -> Result<Caller, Refused> {
    if server.in_force.lock().await.repository.is_founded() {
        return caller(server, parts, body).await;
    }
    check_founding_code(server, &parts.headers)?;
    Ok(Caller { name: "the founding code".to_owned(), role: Role::Approver, has_key: false })
}

/// Who sent this request. A token is looked up before anything of the body is read; a signature covers the body.
async fn caller(server: &Server, parts: &Parts, body: &mut Body) -> Result<Caller, Refused> {
    let header = parts.headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok()).unwrap_or_default();
    if let Some(secret) = header.strip_prefix("Bearer ") {
        return bearer(server, secret).await;
    }
    if !header.starts_with(SIGNED) {
        return admin(server, parts, header, b"").await;
    }
    let whole = Request::from_parts(parts.clone(), std::mem::take(body));
    let Whole(bytes) = Whole::from_request(whole, &()).await?;
    *body = Body::from(bytes.clone());
    admin(server, parts, header, &bytes).await
}
