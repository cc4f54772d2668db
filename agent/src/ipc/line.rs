//! One JSON text a line, each of limited length.

use anyhow::{Context, Result, bail};
use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The next line; none at the end. Not to be broken off: what was read of a line would be lost.
///
/// # Errors
/// When it is longer than `limit` bytes, or is not what is expected.
pub(super) async fn read<T: DeserializeOwned>(
    stream: &mut (impl AsyncBufRead + Unpin),
    limit: usize,
) -> Result<Option<T>> {
    let mut line = Vec::new();
    stream.take(limit as u64).read_until(b'\n', &mut line).await?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(serde_json::from_slice(&line).context("a line can't be understood")?)),
        Some(_) => bail!("a line is cut off, or longer than {limit} bytes"),
    }
}

/// Writes a line.
pub(super) async fn write(stream: &mut (impl AsyncWrite + Unpin), value: &impl Serialize) -> Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(stream.write_all(&line).await?)
}
