//! Whom a device of the benchmark trusts, and what it shows.

use std::{path::Path, sync::Arc};

use anyhow::Result;
use rustls::{
    ClientConfig, RootCertStore,
    client::{Resumption, WebPkiServerVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use serde::{Deserialize, Serialize};

/// What a device got at its enrolment.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Device {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// What all clients share.
pub(crate) struct Clients {
    provider: Arc<CryptoProvider>,
    verifier: Arc<WebPkiServerVerifier>,
}

impl Clients {
    pub(crate) fn new(roots: Arc<RootCertStore>) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build()?;
        Ok(Self { provider, verifier })
    }

    /// No resumption: each connection is a first one.
    pub(crate) fn config(&self, device: Option<&Device>) -> Result<Arc<ClientConfig>> {
        let builder = ClientConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_webpki_verifier(self.verifier.clone());
        let mut config = match device {
            None => builder.with_no_client_auth(),
            Some(device) => {
                let chain = vec![CertificateDer::from_pem_slice(device.certificate.as_bytes())?];
                builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(device.key.as_bytes())?)?
            }
        };
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    }
}

pub(crate) fn name() -> Result<ServerName<'static>> {
    Ok(ServerName::try_from("127.0.0.1")?)
}

/// What clients share: whom they trust.
pub(crate) fn roots(folder: &Path) -> Result<Arc<RootCertStore>> {
    let mut roots = RootCertStore::empty();
    for file in ["peer.pem", "server/ca.pem"] {
        if let Ok(pem) = fs_err::read(folder.join(file)) {
            roots.add(CertificateDer::from_pem_slice(&pem)?)?;
        }
    }
    Ok(Arc::new(roots))
}

/// A client, without a certificate or with this device's.
pub(crate) fn client(folder: &Path, device: Option<&Device>) -> Result<Arc<ClientConfig>> {
    Clients::new(roots(folder)?)?.config(device)
}
