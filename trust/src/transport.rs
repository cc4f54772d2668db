//! `tough` fetches files by URL; here they come out of a bundle that has already arrived whole.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use forewarn_proto::bundle::Bundle;
use futures_util::stream;
use tough::{Transport, TransportError, TransportErrorKind, TransportStream};
use url::Url;

/// Where the bundle pretends to be. `.invalid` never resolves (RFC 2606), should a request ever leave.
pub(crate) const METADATA_URL: &str = "https://bundle.invalid/metadata/";
/// See [`METADATA_URL`].
pub(crate) const TARGETS_URL: &str = "https://bundle.invalid/targets/";

#[derive(Debug, Clone)]
pub(crate) struct BundleTransport(pub(crate) Arc<Bundle>);

#[async_trait]
impl Transport for BundleTransport {
    async fn fetch(&self, url: Url) -> Result<TransportStream, TransportError> {
        let missing = || TransportError::new(TransportErrorKind::FileNotFound, &url);
        let name = file_name(&url).ok_or_else(missing)?;
        let text = self.0.files.get(&name).ok_or_else(missing)?;
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        Ok(Box::pin(stream::once(async move { Ok(bytes) })))
    }
}

/// `…/metadata/3.policies.json` is `3.policies.json`; `…/targets/<digest>.policies/no-tiktok.toml` is
/// `policies/no-tiktok.toml`: one bundle holds one version of a target, so its digest need not be in its name.
fn file_name(url: &Url) -> Option<String> {
    let path = url.path();
    if let Some(name) = path.strip_prefix("/metadata/") {
        return Some(name.to_owned());
    }
    let (digest, name) = path.strip_prefix("/targets/")?.split_once('.')?;
    (digest.len() == 64).then(|| name.to_owned())
}
