//! From a bundle's bytes to policies that may be believed. Verified first, parsed after.

mod documents;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use forewarn_engine::{PolicySet, Undoing};
use forewarn_proto::{bundle::Bundle, report::Refusal};
use forewarn_trust::{Verified, digest, verify};
use jiff::Timestamp;

use crate::{identity::Identity, store::Store};

/// What is believed now.
pub(crate) struct Trust {
    root: String,
    /// The digest of the root of the enrolment. What is stored under another one belongs to former admins.
    enrolled: String,
    accepted: Option<Accepted>,
    /// This device's name, by which it may be spared something.
    device: String,
    scratch: PathBuf,
}

struct Accepted {
    digest: String,
    verified: Verified,
    set: PolicySet,
}

/// What came of a bundle.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It is in force now.
    Accepted(PolicySet),
    /// It is not in force. What it says that can only undo counts all the same, if its signatures hold.
    Refused(Refusal, Undoing),
}

impl Trust {
    /// Starts from what was accepted before, verified once more, or from the root of the enrolment.
    pub(crate) async fn load(store: &Store, identity: &Identity, scratch: PathBuf) -> Self {
        let (root, device) = (identity.root.clone(), identity.device.clone());
        let enrolled = digest(root.as_bytes());
        let mut trust = Self { root, enrolled, accepted: None, device, scratch };
        if let Some((bytes, root)) = store.bundle(&trust.enrolled) {
            match trust.examine(&bytes, &root).await {
                Ok(accepted) => {
                    trust.root.clone_from(&accepted.verified.root);
                    trust.accepted = Some(accepted);
                }
                Err(refusal) => tracing::error!("the stored bundle is not used: {refusal}"),
            }
        }
        trust
    }

    /// The policies of the accepted bundle.
    pub(crate) fn policies(&self) -> Option<&PolicySet> {
        self.accepted.as_ref().map(|accepted| &accepted.set)
    }

    /// The digest of the accepted bundle, for the server to recognise.
    pub(crate) fn digest(&self) -> Option<&str> {
        self.accepted.as_ref().map(|accepted| accepted.digest.as_str())
    }

    /// Whether `digest` is the accepted bundle's, and that bundle is good at `now`.
    pub(crate) fn confirms(&self, digest: &str, now: Timestamp) -> Result<bool, Refusal> {
        match &self.accepted {
            Some(accepted) if accepted.digest == digest => accepted.verified.check_expiry(now).map(|()| true),
            Some(_) | None => Ok(false),
        }
    }

    /// Judges a bundle that was offered, and stores it if it is accepted.
    pub(crate) async fn judge(&mut self, bytes: &[u8], now: Timestamp, store: &Store) -> Verdict {
        let root = self.root.clone();
        let verified = match self.verified(bytes, &root).await {
            Ok(verified) => verified,
            Err(refusal) => return Verdict::Refused(refusal, Undoing::default()),
        };
        let kept = verified.check_expiry(now).and_then(|()| self.keep(bytes, &verified, store));
        if let Err(refusal) = kept {
            return Verdict::Refused(refusal, documents::undoing(&verified, &self.device));
        }
        self.root.clone_from(&verified.root);
        let set = documents::read(&verified, &self.device);
        self.accepted = Some(Accepted { digest: digest(bytes), verified, set: set.clone() });
        Verdict::Accepted(set)
    }

    fn keep(&self, bytes: &[u8], verified: &Verified, store: &Store) -> Result<(), Refusal> {
        let kept = store.set_bundle(bytes, &verified.root, &self.enrolled);
        kept.map_err(|error| Refusal::Unreadable(format!("it can't be stored: {error:#}").into()))
    }

    async fn examine(&self, bytes: &[u8], root: &str) -> Result<Accepted, Refusal> {
        let verified = self.verified(bytes, root).await?;
        let set = documents::read(&verified, &self.device);
        Ok(Accepted { digest: digest(bytes), verified, set })
    }

    async fn verified(&self, bytes: &[u8], root: &str) -> Result<Verified, Refusal> {
        let bundle = Bundle::parse(bytes)?;
        let before = self.accepted.as_ref().map(|accepted| &accepted.verified);
        verify(root, before, &bundle, &self.scratch).await
    }
}
