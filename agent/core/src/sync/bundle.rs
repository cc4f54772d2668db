//! Fetches a bundle that is too large for the stream, from an address that says what is in it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use forewarn_proto::{bundle::MAX_BUNDLE_BYTES, push::Retry, report::Refusal};
use forewarn_trust::digest as digest_of;
use reqwest::StatusCode;

use super::{Heard, Link, answer};

/// How long it may take. Bounds a server that sends a byte now and then.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Up to this spread a device fetches at once: the fleet is small.
const SMALL_SPREAD: Duration = Duration::from_secs(1);

/// Brings the bundle to the daemon. Where many devices do that, each waits a random part of the server's `spread`.
pub(super) async fn bring(link: &Link, digest: &str, size: u64, spread: Duration) -> Result<()> {
    if size > MAX_BUNDLE_BYTES as u64 {
        let refusal = Refusal::TooLarge(format!("{size} bytes, the limit is {MAX_BUNDLE_BYTES}").into());
        link.heard.send(Heard::Bundle(Err(refusal))).await?;
        return Ok(());
    }
    ensure!(digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "not a digest");
    if spread > SMALL_SPREAD {
        tokio::time::sleep(spread.mul_f64(fastrand::f64())).await;
    }
    let mut retry = Retry::new();
    loop {
        let fetched = tokio::time::timeout(TIMEOUT, fetch(link, digest, size)).await;
        match fetched.context("the bundle takes too long").flatten() {
            Ok(Some(bytes)) => return Ok(link.heard.send(Heard::Bundle(Ok(bytes))).await?),
            Ok(None) => {
                tracing::debug!("the bundle is no longer current; the stream says what is");
                return Ok(());
            }
            Err(error) => tracing::debug!("the bundle is fetched again: {error:#}"),
        }
        tokio::time::sleep(retry.pause(None, fastrand::f64())).await;
    }
}

/// The bytes, which are what the digest says; None where the server has others by now.
async fn fetch(link: &Link, digest: &str, size: u64) -> Result<Option<Vec<u8>>> {
    let address = format!("{}/v1/bundles/{digest}", link.identity.server);
    let answer = link.credentials.client().get(address).send().await.context("the bundle can't be fetched")?;
    if answer.status() == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    let size = usize::try_from(size)?;
    let bytes = answer::bytes(answer.error_for_status()?, size).await?;
    ensure!(bytes.len() == size, "the bundle is smaller than announced");
    ensure!(digest_of(&bytes) == digest, "the bundle that was fetched is not the one that was announced");
    Ok(Some(bytes))
}
