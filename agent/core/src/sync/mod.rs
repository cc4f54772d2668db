//! The device's side of the push stream, and the way of reports up. Everything it brings is judged elsewhere.

mod answer;
mod bundle;
mod client;
mod renew;
mod stream;

pub use answer::{json, refusal};
pub use client::connect;
pub(crate) use renew::ClientIdentity;

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use forewarn_proto::{
    api::AppealRequest,
    push::{Frame, Retry},
    report::{Refusal, Report},
};
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use crate::{identity::Identity, ports::Device};

/// How long the server may take to answer a request. One that takes it and says nothing must not hold up the next.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// What the server side of the daemon says.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The stream opened or closed.
    Connected(bool),
    /// The server gave a sign of life.
    Alive,
    /// A push.
    Frame(Box<Frame>),
    /// The bundle that the last frame spoke of and did not carry, or why it is not taken.
    Bundle(Result<Vec<u8>, Refusal>),
    /// The server has the report of this sequence.
    Delivered(u64),
}

/// What both tasks share.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) credentials: ClientIdentity,
    pub(crate) device: Arc<dyn Device>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) heard: mpsc::Sender<Heard>,
    /// Trusted time, by which certificates are renewed. The server's word alone would have them renewed at its will.
    pub(crate) time: watch::Receiver<Timestamp>,
}

/// Keeps the stream open for ever. `known` holds the digest of the accepted bundle.
pub(crate) async fn listen(link: Link, known: watch::Receiver<String>) {
    let (mut retry, mut way) = (Retry::new(), stream::Way::default());
    loop {
        let result = stream::hear(&link, &known, &mut way).await;
        if link.heard.send(Heard::Connected(false)).await.is_err() {
            return;
        }
        match result {
            Ok(()) => tracing::debug!("the server closed the stream"),
            Err(error) => tracing::debug!("the stream broke: {error:#}"),
        }
        if let Err(error) = way.mind(&link) {
            tracing::error!("this device's certificate can't be stored: {error:#}");
        }
        tokio::time::sleep(retry.pause(way.was_up(), fastrand::f64())).await;
    }
}

/// Sends the newest report until the server has it, for ever.
pub(crate) async fn send_reports(link: Link, mut newest: watch::Receiver<Option<Report>>) {
    let mut retry = Retry::new();
    loop {
        let report = newest.borrow_and_update().clone();
        let sent = match &report {
            Some(report) => send(&link, report).await,
            None => true,
        };
        if sent {
            retry = Retry::new();
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
        let _ = tokio::time::timeout(retry.pause(None, fastrand::f64()), newest.changed()).await;
    }
}

async fn send(link: &Link, report: &Report) -> bool {
    let request = link.credentials.client().post(format!("{}/v1/report", link.identity.server)).json(report);
    match request.timeout(ANSWER_TIMEOUT).send().await.and_then(reqwest::Response::error_for_status) {
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
        let request = link.credentials.client().post(format!("{}/v1/appeal", link.identity.server)).json(appeal);
        let answer =
            request.timeout(ANSWER_TIMEOUT).send().await.context("the server can't be reached; try again later")?;
        if !answer.status().is_success() {
            bail!("the server refuses: {}", refusal(answer).await.line());
        }
    }
    Ok(())
}
