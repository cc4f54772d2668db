//! The device's side of the push stream, and the way of reports up. Everything it brings is judged elsewhere.

mod client;
mod stream;

pub(crate) use client::connect;

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use forewarn_proto::{api::AppealRequest, push::Frame, report::Report};
use reqwest::Client;
use tokio::sync::{mpsc, watch};

use crate::identity::Identity;

/// The shortest and the longest pause before another try. Between them it doubles, with jitter, so that a fleet that
/// lost its server does not come back all at once.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
/// See [`SHORTEST_PAUSE`].
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long a report may take. A server that takes it and says nothing must not hold up the next one.
const REPORT_TIMEOUT: Duration = Duration::from_secs(30);

/// What the server side of the daemon says.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The stream opened or closed.
    Connected(bool),
    /// A push.
    Frame(Frame),
    /// The server has the report of this sequence.
    Delivered(u64),
}

/// What both tasks share.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) client: Client,
    pub(crate) identity: Arc<Identity>,
    pub(crate) heard: mpsc::Sender<Heard>,
}

/// Keeps the stream open for ever. `known` holds the digest of the accepted bundle.
pub(crate) async fn listen(link: Link, known: watch::Receiver<String>) {
    let mut pause = SHORTEST_PAUSE;
    loop {
        let before = tokio::time::Instant::now();
        let result = stream::hear(&link, &known).await;
        if link.heard.send(Heard::Connected(false)).await.is_err() {
            return;
        }
        match result {
            Ok(()) => tracing::debug!("the server closed the stream"),
            Err(error) => tracing::debug!("the stream broke: {error:#}"),
        }
        if before.elapsed() > LONGEST_PAUSE {
            pause = SHORTEST_PAUSE;
        }
        tokio::time::sleep(jittered(pause)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Sends the newest report until the server has it, for ever.
pub(crate) async fn send_reports(link: Link, mut newest: watch::Receiver<Option<Report>>) {
    let mut pause = SHORTEST_PAUSE;
    loop {
        let report = newest.borrow_and_update().clone();
        let sent = match &report {
            Some(report) => send(&link, report).await,
            None => true,
        };
        if sent {
            pause = SHORTEST_PAUSE;
            let delivered = report.map(|report| report.sequence);
            if let Some(sequence) = delivered
                && link.heard.send(Heard::Delivered(sequence)).await.is_err()
            {
                return;
            }
            if newest.changed().await.is_err() {
                return;
            }
            continue;
        }
        let _ = tokio::time::timeout(jittered(pause), newest.changed()).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn send(link: &Link, report: &Report) -> bool {
    let request = link.client.post(format!("{}/v1/report", link.identity.server)).json(report);
    match request.timeout(REPORT_TIMEOUT).send().await.and_then(reqwest::Response::error_for_status) {
        Ok(_) => true,
        Err(error) => {
            tracing::debug!("the report waits: {error}");
            false
        }
    }
}

/// Sends appeals to the admins.
///
/// # Errors
/// When there are none, or the server has not taken them all.
pub(crate) async fn appeal(link: &Link, appeals: &[AppealRequest]) -> Result<()> {
    ensure!(!appeals.is_empty(), "no policy here speaks of that");
    for appeal in appeals {
        let request = link.client.post(format!("{}/v1/appeal", link.identity.server)).json(appeal);
        let answer =
            request.timeout(REPORT_TIMEOUT).send().await.context("the server can't be reached; try again later")?;
        if !answer.status().is_success() {
            bail!("the server refuses: {}", answer.json::<String>().await.unwrap_or_default());
        }
    }
    Ok(())
}

/// Between half and the whole of `pause`.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64() / 2.0)
}
