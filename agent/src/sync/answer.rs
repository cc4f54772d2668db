//! What a server answers, read to its end and no further than a limit. A server may be anybody's.

use anyhow::{Context, Result, ensure};
use forewarn_proto::{api::MAX_ANSWER_BYTES, foreign::Foreign};
use reqwest::Response;
use serde::de::DeserializeOwned;

/// A body of at most `limit` bytes.
///
/// # Errors
/// When it is longer, or breaks off.
pub(crate) async fn bytes(mut answer: Response, limit: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        ensure!(bytes.len() + chunk.len() <= limit, "the server answers with over {limit} bytes");
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// An answer in JSON.
///
/// # Errors
/// When it is too long, or not what is expected.
pub(crate) async fn json<T: DeserializeOwned>(answer: Response) -> Result<T> {
    let bytes = bytes(answer, MAX_ANSWER_BYTES).await?;
    serde_json::from_slice(&bytes).context("the server's answer can't be read")
}

/// Why the server refuses, in its own words; empty where it gives none that can be read.
pub(crate) async fn refusal(answer: Response) -> Foreign {
    json::<String>(answer).await.unwrap_or_default().into()
}
