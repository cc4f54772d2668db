//! What devices ask: enroll once, then listen and report.

use std::sync::Arc;

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
};
use forewarn_proto::{
    api::{AppealRequest, EnrollAnswer, EnrollRequest, MAX_APPEAL_CHARS, RenewRequest},
    foreign::{self, Lines},
    report::{MAX_REPORT_BYTES, Report},
};
use forewarn_trust::{digest, random_secret};
use futures_util::StreamExt as _;

use super::{
    Refused,
    guard::{Anyone, By, Device, not_enrolled},
    input::{Json, Path, in_time, parse},
};
use crate::{
    Server,
    listener::From,
    operations::Refusal,
    store::{Busy, Room, Verdict},
};

/// A bundle's address says what is in it, so that whoever may have it may keep it for as long as they like.
const CACHED: &str = "private, max-age=31536000, immutable";
/// How much of a bundle is handed to a connection at a time, in bytes.
const PIECE_BYTES: usize = 16 * 1024;

pub(super) async fn enroll(
    _: By<Anyone>,
    State(server): State<Arc<Server>>,
    Extension(From(address)): Extension<From>,
    Json(request): Json<EnrollRequest>,
) -> Result<Json<EnrollAnswer>, Refused> {
    if !server.patience.allows(address) {
        server.numbers.enrolment_refused(Refusal::TooMany);
        let text = "too many have asked to enroll from there; try again in a minute";
        return Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, text));
    }
    let token = digest(request.secret.as_bytes());
    if !server.store.is_token(&token).await? {
        server.numbers.enrolment_refused(Refusal::Token);
        return Err(no_token());
    }
    let secret = random_secret().map_err(anyhow::Error::from)?;
    let device = format!("device-{}", &secret[..12]);
    let certificate = server.certify(&device, &request.signing_request).map_err(bad_request)?;
    if !server.store.enroll(&token, &device, server.clock.wall()).await? {
        return Err(no_token());
    }
    server.known.add(&device);
    server.numbers.enrolled.inc();
    tracing::info!("enrolled {device}");
    Ok(Json(EnrollAnswer { device, certificate }))
}

fn no_token() -> Refused {
    let text = "this token is unknown or was used; make another with `forewarn-server token`";
    Refused::new(StatusCode::FORBIDDEN, text)
}

/// A device that is still enrolled, and whose certificate is still good, gets another.
pub(super) async fn renew(
    By(device): By<Device>,
    State(server): State<Arc<Server>>,
    Json(request): Json<RenewRequest>,
) -> Result<Json<EnrollAnswer>, Refused> {
    if !server.paces.renewal(&device) {
        return Err(too_often());
    }
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

/// A report is stored as it came: every field that it may have is in [`Report`], and others are refused.
pub(super) async fn report(
    By(device): By<Device>,
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Refused> {
    if !server.paces.report(&device) {
        server.numbers.report_refused(Refusal::TooOften);
        return Err(too_often());
    }
    let stated = stated_length(&headers)?;
    let mut room = server.reports.room(&device).map_err(|busy| server.busy(busy))?;
    let bytes = in_time(read_body(&server, body, stated, &mut room)).await??;
    let sequence = read_report(&bytes).inspect_err(|_| server.numbers.report_refused(Refusal::Unreadable))?;
    let text = String::from_utf8(bytes).map_err(|_| Refused::new(StatusCode::BAD_REQUEST, "not UTF-8"))?;
    match server.reports.write(room, device, sequence, text, server.clock.wall()).await {
        Verdict::Stored => {
            server.numbers.reports.inc();
            Ok(StatusCode::NO_CONTENT)
        }
        Verdict::NotWelcome => {
            server.numbers.report_refused(Refusal::NotWelcome);
            Err(not_enrolled())
        }
        Verdict::Failed => {
            server.numbers.report_refused(Refusal::Failed);
            Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, "the report could not be stored"))
        }
    }
}

impl Server {
    fn busy(&self, _: Busy) -> Refused {
        self.numbers.report_refused(Refusal::Busy);
        Refused::new(StatusCode::SERVICE_UNAVAILABLE, "too many reports wait already; send it again later")
    }
}

/// Reads a report's bytes, for each of which room is taken when it comes.
async fn read_body(server: &Server, body: Body, stated: usize, room: &mut Room) -> Result<Vec<u8>, Refused> {
    let unread = |why: String| Refused(StatusCode::BAD_REQUEST, format!("the report did not come whole: {why}"));
    let (mut chunks, mut bytes) = (body.into_data_stream(), Vec::new());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| unread(error.to_string()))?;
        if bytes.len() + chunk.len() > stated {
            return Err(unread(format!("it has more than the {stated} bytes that it stated")));
        }
        room.grow(chunk.len()).map_err(|busy| server.busy(busy))?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Reads a report so far as it is looked at before it is stored: its form, its texts, its number.
fn read_report(bytes: &[u8]) -> Result<u64, Refused> {
    let report: Report = parse(bytes, "a report")?;
    let refuse = |fault| Err(Refused(StatusCode::UNPROCESSABLE_ENTITY, format!("not a report: {fault}")));
    report.fault().map_or(Ok(report.sequence), refuse)
}

/// A report's length is said first, so that one that is too long is not read.
fn stated_length(headers: &HeaderMap) -> Result<usize, Refused> {
    let stated = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let stated = stated.ok_or_else(|| Refused::new(StatusCode::LENGTH_REQUIRED, "a report states its length"))?;
    if stated > MAX_REPORT_BYTES {
        let text = format!("a report has at most {MAX_REPORT_BYTES} bytes");
        return Err(Refused(StatusCode::PAYLOAD_TOO_LARGE, text));
    }
    Ok(stated)
}

pub(super) async fn appeal(
    By(device): By<Device>,
    State(server): State<Arc<Server>>,
    Json(appeal): Json<AppealRequest>,
) -> Result<StatusCode, Refused> {
    if !server.paces.appeal(&device) {
        return Err(too_often());
    }
    let reason = appeal.reason.as_data();
    if reason.chars().count() > MAX_APPEAL_CHARS {
        let text = format!("a reason has at most {MAX_APPEAL_CHARS} characters");
        return Err(Refused(StatusCode::BAD_REQUEST, text));
    }
    if let Some(fault) = foreign::fault(reason, Lines::Many) {
        return Err(Refused(StatusCode::BAD_REQUEST, format!("the reason: {fault}")));
    }
    if !server.store.add_appeal(&device, &appeal, server.clock.wall()).await? {
        let text = "this device contests too many rules; talk to the admins";
        return Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, text));
    }
    tracing::info!("{device} contests {} of {}", appeal.rule, appeal.policy);
    Ok(StatusCode::NO_CONTENT)
}

/// Devices listen elsewhere; this says where. The connection is of no more use.
pub(super) async fn stream(_: By<Anyone>, State(server): State<Arc<Server>>) -> impl IntoResponse {
    let headers = [(header::LOCATION, server.stream_url.clone()), (header::CONNECTION, "close".to_owned())];
    (StatusCode::TEMPORARY_REDIRECT, headers)
}

/// The current bundle, for devices to which it did not go in a frame.
pub(super) async fn bundle(
    _: By<Device>,
    State(server): State<Arc<Server>>,
    Path(digest): Path<String>,
) -> Result<([(header::HeaderName, String); 3], Body), Refused> {
    let current = server.feed.current();
    if current.digest != digest {
        return Err(Refused::new(StatusCode::NOT_FOUND, "this bundle is not current; the stream says which one is"));
    }
    let headers = [
        (header::CACHE_CONTROL, CACHED.to_owned()),
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_LENGTH, current.bundle.len().to_string()),
    ];
    Ok((headers, in_pieces(current.bundle.clone())))
}

/// A body of which a slow reader holds a piece, and not a copy of the whole.
pub(super) fn in_pieces(bytes: Bytes) -> Body {
    let pieces = (0..bytes.len())
        .step_by(PIECE_BYTES)
        .map(move |at| Ok::<_, std::convert::Infallible>(bytes.slice(at..bytes.len().min(at + PIECE_BYTES))));
    Body::from_stream(futures_util::stream::iter(pieces))
}

fn too_often() -> Refused {
    Refused::new(StatusCode::TOO_MANY_REQUESTS, "this device asks too often; try again in a minute")
}
