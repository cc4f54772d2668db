//! What the server owns beside its online keys: its certificate authority and its own certificate. Made at the first start,
//! kept in the database.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use forewarn_proto::policy::Group;
use forewarn_trust::{digest, random_secret};
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{config::Config, store::Store};

/// Before every enrolment token, so that people and programs know one when they see it.
const TOKEN_PREFIX: &str = "forewarn-enroll:";

/// What a one-time enrolment token says.
#[derive(Debug, Serialize, Deserialize)]
struct Token {
    server: String,
    /// The CA's certificate, DER in base64url.
    ca: String,
    secret: String,
    /// The groups that the device will be in.
    groups: BTreeSet<Group>,
}

/// Keys and certificates.
pub(crate) struct Own {
    /// The CA's certificate, in PEM.
    pub(crate) ca_certificate: String,
    /// The server's certificate and key, in PEM.
    pub(crate) certificate: String,
    pub(crate) key: String,
    /// Who knows it may found the repository, once.
    pub(crate) founding_code: String,
    ca: Issuer<'static, KeyPair>,
}

impl Own {
    /// Loads what was made before, and makes what is missing.
    pub(crate) async fn load(store: &Store, config: &Config) -> Result<Self> {
        let ca_key = KeyPair::from_pem(&store.secret_or("ca key", || Ok(KeyPair::generate()?.serialize_pem())).await?)?;
        let ca_certificate = store.secret_or("ca certificate", || Ok(ca_params()?.self_signed(&ca_key)?.pem())).await?;
        let ca = Issuer::from_ca_cert_pem(&ca_certificate, ca_key).context("the stored CA certificate is damaged")?;
        let key = KeyPair::generate()?;
        let certificate = server_params(config.hosts()?)?.signed_by(&key, &ca)?.pem();
        fs_err::write(config.state.join("ca.pem"), &ca_certificate)?;
        Ok(Self {
            founding_code: store.secret_or("founding code", || Ok(random_secret()?)).await?,
            certificate,
            key: key.serialize_pem(),
            ca_certificate,
            ca,
        })
    }

    /// Makes a token with which one device can enroll.
    pub(crate) async fn new_token(&self, store: &Store, config: &Config, groups: &BTreeSet<Group>) -> Result<String> {
        let secret = random_secret()?;
        store.add_token(&digest(secret.as_bytes()), groups).await?;
        let ca = pem_to_der(&self.ca_certificate)?;
        let token =
            Token { server: config.url.clone(), ca: URL_SAFE_NO_PAD.encode(ca), secret, groups: groups.clone() };
        Ok(format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token)?)))
    }

    /// Gives a device a certificate for the key that signed its request, good from `now` for as long as `validity`.
    /// Whatever else the request asks for is dropped.
    pub(crate) fn certify(
        &self,
        device: &str,
        signing_request: &str,
        now: Timestamp,
        validity: SignedDuration,
    ) -> Result<String> {
        let mut request = CertificateSigningRequestParams::from_pem(signing_request)?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, device);
        params.not_before = OffsetDateTime::from_unix_timestamp(now.as_second())?;
        params.not_after = OffsetDateTime::from_unix_timestamp(now.saturating_add(validity)?.as_second())?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        request.params = params;
        Ok(request.signed_by(&self.ca)?.pem())
    }
}

fn ca_params() -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "Forewarn device CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn server_params(hosts: Vec<String>) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name.push(DnType::CommonName, "Forewarn server");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn pem_to_der(pem: &str) -> Result<Vec<u8>> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    Ok(CertificateDer::from_pem_slice(pem.as_bytes()).context("the stored CA certificate is damaged")?.to_vec())
}
