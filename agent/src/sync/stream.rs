//! Reads the push stream, event by event, and never more than a frame's size at a time.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use forewarn_proto::push::{EVENT, Frame, MAX_FRAME_BYTES, MAX_SPREAD, SPREAD_HEADER, WasUp};
use futures_util::StreamExt;
use reqwest::{Response, Url};
use sse_stream::SseStream;
use tokio::{sync::watch, time::Instant};

use super::{Heard, Link, bundle};

/// Where the stream was found last, and how it ended.
#[derive(Default)]
pub(super) struct Way {
    /// The address to which the server's own one led, for as long as a stream is to be had there.
    found: Option<Url>,
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
        link.badge.complain();
        link.badge.not_taken()
    }

    /// Opens the stream where it was found last, or asks the server where it is.
    async fn open(&mut self, link: &Link, known: &str) -> Result<Response> {
        // Taken: if it is not there any more, the next try begins at the server's own address.
        let found = self.found.take();
        let address = found.map_or_else(|| format!("{}/v1/stream", link.identity.server), String::from);
        let request = link.badge.client().get(address).header("last-event-id", known);
        let answer = request.send().await.context("no connection")?.error_for_status()?;
        self.found = Some(answer.url().clone());
        self.up = Some((Instant::now(), spread(&answer)));
        // A full disk is no reason not to hear what is pushed.
        if let Err(error) = link.badge.taken() {
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

/// Hears the stream until it ends.
pub(super) async fn hear(link: &Link, known: &watch::Receiver<String>, way: &mut Way) -> Result<()> {
    let last = known.borrow().clone();
    let answer = way.open(link, &last).await?;
    let spread = spread(&answer);
    link.heard.send(Heard::Connected(true)).await?;
    let unread = Arc::new(AtomicUsize::new(0));
    let counted = unread.clone();
    let bytes = answer.bytes_stream().map(move |chunk| {
        let chunk = chunk.map_err(io::Error::other)?;
        let held = counted.fetch_add(chunk.len(), Ordering::Relaxed) + chunk.len();
        if held > MAX_FRAME_BYTES {
            return Err(io::Error::other(format!("an event is over {MAX_FRAME_BYTES} bytes")));
        }
        Ok(chunk)
    });
    let mut events = SseStream::from_bytes_stream(Box::pin(bytes));
    while let Some(event) = events.next().await {
        unread.store(0, Ordering::Relaxed);
        let event = event.map_err(|e| anyhow::anyhow!("{e}"))?;
        if event.event.as_deref() == Some(EVENT) {
            let frame: Frame =
                serde_json::from_str(event.data.as_deref().unwrap_or_default()).context("not a frame")?;
            let wanted = frame.size.map(|size| (frame.digest.clone(), size));
            let time = frame.time;
            // First, because it tells the time.
            link.heard.send(Heard::Frame(frame)).await?;
            if let Some((digest, size)) = wanted {
                bundle::bring(link, &digest, size, spread).await?;
            }
            // What fails is tried again at a later frame: the stream, and with it a retraction, is worth more.
            match link.badge.renew_if_due(time).await {
                Ok(true) => {
                    tracing::debug!("the stream is opened anew with the new certificate");
                    return Ok(());
                }
                Ok(false) => {}
                Err(error) => tracing::warn!("{error:#}"),
            }
        }
    }
    Ok(())
}
