//! Reads the push stream, event by event, and never more than a frame's size at a time.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use forewarn_proto::push::{EVENT, Frame, MAX_FRAME_BYTES, MAX_SPREAD, SPREAD_HEADER, WasUp};
use futures_util::{Stream, StreamExt};
use jiff::SignedDuration;
use reqwest::{Response, Url};
use sse_stream::SseStream;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{Heard, Link, bundle};
use crate::ports::Alarm;

/// How long a server may take to begin a stream, from the connection on. Stops: one that hangs, or something on the way that
/// answers for it, before there are any signs of life to miss.
const ANSWERED_WITHIN: SignedDuration = SignedDuration::from_secs(45);
/// How long the daemon may take to make trusted time of a frame's.
const TIME_PATIENCE: Duration = Duration::from_secs(5);

/// Where the stream was found last, and how it ended.
#[derive(Default)]
pub(super) struct Way {
    /// The address to which the server's own one led last.
    found: Option<Url>,
    /// Whether the next try begins at the server's own address: the last one at the other was in vain.
    anew: bool,
    /// The stream that ended last, if the last try brought one.
    up: Option<(Instant, Duration)>,
}

impl Way {
    /// How the last try went: None where it brought no stream.
    pub(super) fn was_up(&mut self) -> Option<WasUp> {
        let (since, spread) = self.up.take()?;
        Some(WasUp { lasted: since.elapsed(), spread })
    }

    /// After a try: where it brought no stream, the certificate may be why.
    pub(super) fn mind(&mut self, link: &Link) -> Result<()> {
        if self.up.is_some() {
            return Ok(());
        }
        link.credentials.complain();
        link.credentials.not_taken()
    }

    /// Opens the stream where it was found last, or asks the server where it is.
    async fn open(&mut self, link: &Link, known: &str) -> Result<Response> {
        // In turn, as long as neither brings a stream: a server that is busy is where it was, one that has moved says where.
        let found = self.found.as_ref().filter(|_| !self.anew);
        self.anew = found.is_some();
        let address = found.map_or_else(|| format!("{}/v1/stream", link.identity.server), ToString::to_string);
        let request = link.credentials.client().get(address).header("last-event-id", known);
        let answer = request.send().await.context("no connection")?.error_for_status()?;
        self.found = Some(answer.url().clone());
        self.anew = false;
        self.up = Some((Instant::now(), spread(&answer)));
        // A full disk is no reason not to hear what is pushed.
        if let Err(error) = link.credentials.taken() {
            tracing::error!("this device's certificate can't be stored: {error:#}");
        }
        Ok(answer)
    }
}

/// Over how long the server wants its devices to come back. One that says nothing wants nothing.
fn spread(answer: &Response) -> Duration {
    let seconds = answer.headers().get(SPREAD_HEADER).and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or_default()).min(MAX_SPREAD)
}

/// An answer, if it comes in time by the boot clock: a device that slept meanwhile finds out as soon as it wakes.
async fn answered<T>(
    answer: impl Future<Output = Result<T>>,
    mut timer: Box<dyn Alarm>,
    patience: SignedDuration,
) -> Result<T> {
    tokio::select! {
        answer = answer => answer,
        result = timer.sleep(Some(patience)) => {
            result?;
            bail!("the server has taken the connection, and says nothing");
        }
    }
}

/// Hears the stream until it ends, or gives no sign of life for too long.
pub(super) async fn hear(link: &Link, known: &watch::Receiver<String>, way: &mut Way) -> Result<()> {
    let last = known.borrow().clone();
    let answer = answered(way.open(link, &last), link.device.timer()?, ANSWERED_WITHIN).await?;
    let spread = spread(&answer);
    link.heard.send(Heard::Connected(true)).await?;
    let line = Line::new(answer, link.heard.clone(), link.device.timer()?);
    let patience = line.patience.clone();
    let mut events = SseStream::from_bytes_stream(Box::pin(line.chunks()));
    // Beside the stream: an undo does not wait for a bundle that is fetched, nor for a certificate.
    let (mut fetching, mut renewing) = (JoinSet::new(), JoinSet::new());
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            Some(renewed) = renewing.join_next() => match renewed {
                Ok(true) => {
                    tracing::debug!("the stream is opened anew with the new certificate");
                    return Ok(());
                }
                Ok(false) | Err(_) => continue,
            },
        };
        let Some(event) = event else { return Ok(()) };
        let event = event.map_err(|e| anyhow::anyhow!("{e}"))?;
        if event.event.as_deref() != Some(EVENT) {
            continue;
        }
        let frame: Frame = serde_json::from_str(event.data.as_deref().unwrap_or_default()).context("not a frame")?;
        // It stands in the first frame.
        if frame.alive_s.is_some() {
            patience.set(Frame::patience(frame.alive_s));
        }
        let wanted = frame.size.map(|size| (frame.digest.clone(), size));
        let mut time = link.time.clone();
        time.mark_unchanged();
        // First, because it tells the time.
        link.heard.send(Heard::Frame(Box::new(frame))).await?;
        // Whatever is fetched is not current any more.
        fetching.abort_all();
        if let Some((digest, size)) = wanted {
            let link = link.clone();
            fetching.spawn(async move { bundle::bring(&link, &digest, size, spread).await });
        }
        if renewing.is_empty() {
            let link = link.clone();
            renewing.spawn(async move {
                let _ = timeout(TIME_PATIENCE, time.changed()).await;
                let now = *time.borrow();
                // What fails is tried again at a later frame: the stream, and with it a retraction, is worth more.
                link.credentials.renew_if_due(now).await.unwrap_or_else(|error| {
                    tracing::warn!("{error:#}");
                    false
                })
            });
        }
    }
}

/// What comes over a stream, as long as something does.
struct Line {
    answer: Response,
    heard: mpsc::Sender<Heard>,
    /// Of the boot clock: a laptop that slept finds out as soon as it wakes.
    silence: Box<dyn Alarm>,
    patience: Patience,
    /// How many bytes came since the last event ended.
    unread: usize,
    budget: Budget,
}

/// How often a server may wake its devices: so often at once, and once a second.
struct Budget {
    left: u32,
    at: Instant,
}

impl Budget {
    const AT_ONCE: u32 = 600;

    fn new() -> Self {
        Self { left: Self::AT_ONCE, at: Instant::now() }
    }

    /// Whether it may once more now.
    fn take(&mut self, now: Instant) -> bool {
        let seconds = now.duration_since(self.at).as_secs();
        self.at += Duration::from_secs(seconds);
        self.left = self.left.saturating_add(u32::try_from(seconds).unwrap_or(u32::MAX)).min(Self::AT_ONCE);
        self.left = self.left.saturating_sub(1);
        self.left > 0
    }
}

/// How long the server may be silent. It says so itself.
#[derive(Clone)]
struct Patience(Arc<AtomicU64>);

impl Patience {
    fn set(&self, length: Duration) {
        self.0.store(length.as_secs(), Ordering::Relaxed);
    }

    fn get(&self) -> SignedDuration {
        SignedDuration::from_secs(self.0.load(Ordering::Relaxed).cast_signed())
    }
}

impl Line {
    fn new(answer: Response, heard: mpsc::Sender<Heard>, silence: Box<dyn Alarm>) -> Self {
        let patience = Patience(Arc::default());
        patience.set(Frame::patience(None));
        Self { answer, heard, silence, patience, unread: 0, budget: Budget::new() }
    }

    fn chunks(self) -> impl Stream<Item = io::Result<Bytes>> {
        futures_util::stream::unfold(self, |mut line| async move { Some((line.next().await?, line)) })
    }

    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        let chunk = tokio::select! {
            chunk = self.answer.chunk() => chunk,
            _ = self.silence.sleep(Some(self.patience.get())) => {
                return Some(Err(io::Error::other("the server gives no sign of life")));
            }
        };
        let chunk = match chunk {
            Ok(chunk) => chunk?,
            Err(error) => return Some(Err(io::Error::other(error))),
        };
        if !self.budget.take(Instant::now()) {
            return Some(Err(io::Error::other("the server never stops talking")));
        }
        if chunk.starts_with(b":") {
            let _ = self.heard.send(Heard::Alive).await;
        }
        self.unread += chunk.len();
        if self.unread > MAX_FRAME_BYTES {
            return Some(Err(io::Error::other(format!("an event is over {MAX_FRAME_BYTES} bytes"))));
        }
        if chunk.ends_with(b"\n\n") {
            self.unread = 0;
        }
        Some(Ok(chunk))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::BoxFuture;

    use super::*;

    /// A clock that knows no suspend.
    struct Tokio;

    impl Alarm for Tokio {
        fn sleep(&mut self, length: Option<SignedDuration>) -> BoxFuture<'_, Result<()>> {
            Box::pin(async move {
                tokio::time::sleep(length.unwrap().unsigned_abs()).await;
                Ok(())
            })
        }
    }

    #[tokio::test]
    async fn promise_3_a_server_that_takes_the_connection_and_says_nothing_is_left() {
        let silent = std::future::pending::<Result<()>>();
        let error = answered(silent, Box::new(Tokio), SignedDuration::from_millis(20)).await.unwrap_err();
        assert_eq!(error.to_string(), "the server has taken the connection, and says nothing");
        assert_eq!(answered(async { Ok(7) }, Box::new(Tokio), ANSWERED_WITHIN).await.unwrap(), 7);
    }

    #[test]
    fn promise_7_a_server_that_never_stops_talking_is_left() {
        let start = Instant::now();
        let mut budget = Budget::new();
        assert_eq!((0..10_000).filter(|_| budget.take(start)).count(), 599);
        assert!(!budget.take(start) && budget.take(start + Duration::from_secs(3)));
        let mut patient = Budget::new();
        assert!((1..10_000).all(|second| patient.take(start + Duration::from_secs(second))));
    }
}
