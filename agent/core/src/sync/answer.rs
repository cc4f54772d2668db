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
pub async fn json<T: DeserializeOwned>(answer: Response) -> Result<T> {
    let bytes = bytes(answer, MAX_ANSWER_BYTES).await?;
    serde_json::from_slice(&bytes).context("the server's answer can't be read")
}

/// Why the server refuses, in its own words; empty where it gives none that can be read.
pub async fn refusal(answer: Response) -> Foreign {
    json::<String>(answer).await.unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    /// What a server answers that sends this head, and then goes on for ever.
    async fn endless(head: &'static str) -> Response {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(head.as_bytes()).await;
            while stream.write_all(&[b' '; 16 * 1024]).await.is_ok() {}
        });
        reqwest::get(format!("http://{address}")).await.unwrap()
    }

    #[tokio::test]
    async fn promise_7_a_server_that_never_ends_its_answer_fills_nothing() {
        let ok = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n\"";
        let error = json::<String>(endless(ok).await).await.unwrap_err();
        assert_eq!(error.to_string(), format!("the server answers with over {MAX_ANSWER_BYTES} bytes"));
        let refused = "HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n\"";
        assert_eq!(refusal(endless(refused).await).await, Foreign::default());
        assert!(bytes(endless(ok).await, 100).await.is_err());
    }
}
