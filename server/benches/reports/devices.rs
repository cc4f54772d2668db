//! Devices that are enrolled, and what they trust.

use std::{path::Path, sync::Arc};

use anyhow::{Result, ensure};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use forewarn_proto::api::{EnrollAnswer, EnrollRequest};
use forewarn_server::{new_tokens, start};
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde::{Deserialize, Serialize};

use super::server::{BARE_CERTIFICATE, BARE_KEY, config};

/// Where devices' keys are.
const DEVICES: &str = "devices.json";

/// A device's certificate and key, in PEM.
#[derive(Serialize, Deserialize)]
pub(crate) struct Device {
    certificate: String,
    key: String,
}

/// Enrolls so many devices with a server in this folder.
pub(crate) fn enroll(folder: &Path, store: Option<&str>, count: usize) -> Result<()> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.self_signed(&key)?;
    fs_err::write(folder.join(BARE_CERTIFICATE), certificate.pem())?;
    fs_err::write(folder.join(BARE_KEY), key.serialize_pem())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let config = config(folder, store);
        let running = start(config.clone()).await?;
        let ca = reqwest::Certificate::from_pem(&fs_err::read(folder.join("server/ca.pem"))?)?;
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build()?;
        let mut devices = Vec::new();
        for token in new_tokens(&config, &std::collections::BTreeSet::new(), count).await? {
            devices.push(one(&client, &config.url, &token).await?);
        }
        running.stop().await;
        fs_err::write(folder.join(DEVICES), serde_json::to_vec(&devices)?)?;
        Ok(())
    })
}

async fn one(client: &reqwest::Client, url: &str, token: &str) -> Result<Device> {
    let encoded = token.trim_start_matches("forewarn-enroll:");
    let token: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded)?)?;
    let key = KeyPair::generate()?;
    let signing_request = CertificateParams::new(Vec::new())?.serialize_request(&key)?.pem()?;
    let secret = token["secret"].as_str().unwrap_or_default().to_owned();
    let answer =
        client.post(format!("{url}/v1/enroll")).json(&EnrollRequest { secret, signing_request }).send().await?;
    ensure!(answer.status().is_success(), "{}", answer.text().await?);
    let EnrollAnswer { certificate, .. } = answer.json().await?;
    Ok(Device { certificate, key: key.serialize_pem() })
}

/// The TLS of each device.
pub(crate) fn clients(folder: &Path) -> Result<Vec<Arc<ClientConfig>>> {
    let mut roots = RootCertStore::empty();
    for file in ["server/ca.pem", BARE_CERTIFICATE] {
        roots.add(CertificateDer::from_pem_file(folder.join(file))?)?;
    }
    let roots = Arc::new(roots);
    let devices: Vec<Device> = serde_json::from_slice(&fs_err::read(folder.join(DEVICES))?)?;
    let client = |Device { certificate, key }: Device| {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots.clone())
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(certificate.as_bytes())?],
                PrivateKeyDer::from_pem_slice(key.as_bytes())?,
            )?;
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    };
    devices.into_iter().map(client).collect()
}
