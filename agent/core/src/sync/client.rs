//! The connection to the server: TLS 1.3, the server's CA alone, this device's certificate.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::{Certificate, Client, Identity as TlsIdentity, tls};

use crate::identity::Identity;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// A client that trusts `ca` (PEM) alone, without a certificate of its own unless `identity` is given.
pub fn connect(ca: &str, identity: Option<&Identity>) -> Result<Client> {
    let ca = Certificate::from_pem(ca.as_bytes()).context("the server's CA certificate is damaged")?;
    let mut builder = Client::builder()
        .https_only(true)
        .no_proxy()
        .tls_version_min(tls::Version::TLS_1_3)
        .tls_certs_only([ca])
        .connect_timeout(CONNECT_TIMEOUT)
        // The server gives signs of life of its own. What answers for it on the way proves nothing.
        .tcp_keepalive(None)
        .pool_idle_timeout(None);
    if let Some(identity) = identity {
        let pem = format!("{}\n{}", identity.key, identity.certificate);
        let own = TlsIdentity::from_pem(pem.as_bytes()).context("this device's certificate or key is damaged")?;
        builder = builder.identity(own);
    }
    builder.build().context("TLS can't be set up")
}
