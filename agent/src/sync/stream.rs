//! Reads the push stream, event by event, and never more than a frame's size at a time.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context, Result};
use forewarn_proto::push::{EVENT, Frame, MAX_FRAME_BYTES};
use futures_util::StreamExt;
use sse_stream::SseStream;
use tokio::sync::watch;

use super::{Heard, Link};

/// Hears the stream until it ends.
pub(super) async fn hear(link: &Link, known: &watch::Receiver<String>) -> Result<()> {
    let last = known.borrow().clone();
    let request = link.client.get(format!("{}/v1/stream", link.identity.server)).header("last-event-id", last);
    let answer = request.send().await.context("no connection")?.error_for_status()?;
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
            link.heard.send(Heard::Frame(frame)).await?;
        }
    }
    Ok(())
}
