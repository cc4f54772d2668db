//! Renews this device's certificate, with a new key, before the server stops believing the old one. The old pair is kept
//! until the server has taken the new one.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, Result, bail};
use forewarn_proto::api::{EnrollAnswer, RenewRequest};
use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair};
use reqwest::Client;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use x509_parser::{parse_x509_certificate, prelude::Validity};

use super::{
    ANSWER_TIMEOUT,
    answer::{json, refusal},
    client::connect,
};
use crate::{
    identity::{Credentials, Identity},
    ports::Device,
};

/// This device's identity as it is used now, and the client that shows it. What renews is the only one who writes it.
#[derive(Clone)]
pub(crate) struct ClientIdentity {
    used: Arc<Mutex<(Identity, Client)>>,
    state: PathBuf,
    device: Arc<dyn Device>,
    complained: Arc<AtomicBool>,
}

impl ClientIdentity {
    /// Takes an identity as it was stored in the folder `state`.
    pub(crate) fn new(identity: Identity, state: PathBuf, device: Arc<dyn Device>) -> Result<Self> {
        let client = connect(&identity.ca, Some(&identity))?;
        Ok(Self { used: Arc::new(Mutex::new((identity, client))), state, device, complained: Arc::default() })
    }

    /// The client for a request. It changes when the certificate does.
    pub(crate) fn client(&self) -> Client {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    fn identity(&self) -> Identity {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// Stores an identity and uses it from now on.
    fn set(&self, identity: Identity) -> Result<()> {
        let client = connect(&identity.ca, Some(&identity))?;
        identity.save(&self.state, &*self.device)?;
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = (identity, client);
        Ok(())
    }

    /// Renews the certificate if a third of its time or less is left at `now`, which is trusted time. True if there is a new
    /// one: the stream is to be opened anew with it.
    pub(super) async fn renew_if_due(&self, now: Timestamp) -> Result<bool> {
        let identity = self.identity();
        if identity.former.is_some() || !is_due(&identity.certificate, now)? {
            return Ok(false);
        }
        let key = KeyPair::generate()?;
        let signing_request = CertificateParams::new(Vec::new())?.serialize_request(&key)?.pem()?;
        let request =
            self.client().post(format!("{}/v1/renew", identity.server)).json(&RenewRequest { signing_request });
        let answer = request.timeout(ANSWER_TIMEOUT).send().await.context("the certificate can't be renewed")?;
        if !answer.status().is_success() {
            bail!("the server does not renew the certificate: {}", refusal(answer).await.line());
        }
        let EnrollAnswer { certificate, .. } = json(answer).await?;
        let former = Some(Credentials { certificate: identity.certificate, key: identity.key });
        self.set(Identity { certificate, key: key.serialize_pem(), former, ..identity })?;
        Ok(true)
    }

    /// The server has taken the certificate that is used: the former one has had its time.
    pub(super) fn taken(&self) -> Result<()> {
        let identity = self.identity();
        if identity.former.is_none() {
            return Ok(());
        }
        tracing::info!("the certificate of this device is renewed");
        self.set(Identity { former: None, ..identity })
    }

    /// The server could not be reached with the certificate that is used. If the former one is still here it is tried, in
    /// turn with this one.
    pub(super) fn not_taken(&self) -> Result<()> {
        let identity = self.identity();
        let Some(former) = identity.former else { return Ok(()) };
        let current = Credentials { certificate: identity.certificate, key: identity.key };
        self.set(Identity { certificate: former.certificate, key: former.key, former: Some(current), ..identity })
    }

    /// Says once what a person can do where the certificate's time is over.
    pub(super) fn complain(&self) {
        let now = self.device.now().wall;
        let is_over = validity(&self.identity().certificate).is_ok_and(|(_, until)| until < now);
        if is_over && !self.complained.swap(true, Ordering::Relaxed) {
            tracing::error!(
                "the certificate of this device has expired, so the server does not speak with it; get a token from the \
                 company and run `forewarn enroll --again`"
            );
        }
    }
}

/// Whether a third of a certificate's time or less is left.
fn is_due(certificate: &str, now: Timestamp) -> Result<bool> {
    let (from, until) = validity(certificate)?;
    Ok(until.duration_since(now) <= until.duration_since(from) / 3)
}

/// From when to when a certificate in PEM is good.
fn validity(certificate: &str) -> Result<(Timestamp, Timestamp)> {
    let der = CertificateDer::from_pem_slice(certificate.as_bytes()).context("this device's certificate is damaged")?;
    let (_, parsed) = parse_x509_certificate(&der).context("this device's certificate is damaged")?;
    let Validity { not_before, not_after } = parsed.validity();
    Ok((Timestamp::from_second(not_before.timestamp())?, Timestamp::from_second(not_after.timestamp())?))
}
