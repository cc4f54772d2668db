//! From a bundle's bytes to policies that may be believed. Verified first, parsed after.

use std::path::PathBuf;

use forewarn_engine::{PolicySet, SignedPolicy, Spared, Undoing};
use forewarn_proto::{
    bundle::Bundle,
    policy::{Exemption, Exemptions, Policy, Retraction},
    report::Refusal,
};
use forewarn_trust::{Document, Verified, digest, verify};
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
        let set = verified.check_expiry(now).and_then(|()| policy_set(&verified, &self.device));
        match set {
            Ok(set) => match store.set_bundle(bytes, &verified.root, &self.enrolled) {
                Ok(()) => {
                    self.root.clone_from(&verified.root);
                    self.accepted = Some(Accepted { digest: digest(bytes), verified, set: set.clone() });
                    Verdict::Accepted(set)
                }
                Err(error) => {
                    let refusal = Refusal::Unreadable(format!("it can't be stored: {error:#}"));
                    Verdict::Refused(refusal, undoing(&verified, &self.device))
                }
            },
            Err(refusal) => Verdict::Refused(refusal, undoing(&verified, &self.device)),
        }
    }

    async fn examine(&self, bytes: &[u8], root: &str) -> Result<Accepted, Refusal> {
        let verified = self.verified(bytes, root).await?;
        let set = policy_set(&verified, &self.device)?;
        Ok(Accepted { digest: digest(bytes), verified, set })
    }

    async fn verified(&self, bytes: &[u8], root: &str) -> Result<Verified, Refusal> {
        let bundle = Bundle::parse(bytes)?;
        let before = self.accepted.as_ref().map(|accepted| &accepted.verified);
        verify(root, before, &bundle, &self.scratch).await
    }
}

/// Parses what was verified. One document that does not parse refuses the whole bundle.
fn policy_set(verified: &Verified, device: &str) -> Result<PolicySet, Refusal> {
    let mut set = PolicySet { bundle: verified.version, ..PolicySet::default() };
    for (name, document) in verified.of_role("policies") {
        let policy = parse_policy(name, document)?;
        let signed = SignedPolicy {
            policy: policy.into(),
            signed_by: document.signed_by.clone(),
            expires: verified.admins_until,
        };
        set.policies.insert(signed.policy.id.clone(), signed);
    }
    for (name, document) in verified.of_role("previews") {
        let policy = parse_policy(name, document)?;
        set.previews.insert(policy.id.clone(), policy);
    }
    for (name, document) in verified.of_role("retractions") {
        let retraction = Retraction::parse(&document.bytes).map_err(|e| not_parsed(name, &e.to_string()))?;
        check_name(name, &Retraction::target_name(&retraction.policy))?;
    }
    for (name, document) in verified.of_role("exemptions") {
        let exemptions = Exemptions::parse(&document.bytes).map_err(|e| not_parsed(name, &e.to_string()))?;
        check_name(name, &Exemptions::target_name(&exemptions.policy))?;
    }
    set.undoing = undoing(verified, device);
    Ok(set)
}

/// What a verified bundle says that can only undo, as far as it can be read: what can't be read keeps nothing else unheard.
fn undoing(verified: &Verified, device: &str) -> Undoing {
    let mut undoing = Undoing::default();
    for (_, document) in verified.of_role("retractions") {
        let retraction = Retraction::parse(&document.bytes);
        retraction.iter().for_each(|retraction| undoing.retract(retraction));
    }
    for (_, document) in verified.of_role("exemptions") {
        let Ok(Exemptions { policy, pauses, exemptions }) = Exemptions::parse(&document.bytes) else { continue };
        pauses.iter().for_each(|pause| undoing.pause(&policy, pause));
        for Exemption { rule, until, .. } in exemptions.into_iter().filter(|exemption| exemption.device == device) {
            undoing.spare(&policy, &rule, &Spared { until, signed_by: document.signed_by.clone() });
        }
    }
    undoing
}

fn parse_policy(name: &str, document: &Document) -> Result<Policy, Refusal> {
    let policy = Policy::parse(&document.bytes).map_err(|e| not_parsed(name, &e.to_string()))?;
    let folder = name.split('/').next().unwrap_or_default();
    check_name(name, &format!("{folder}/{}.toml", policy.id))?;
    Ok(policy)
}

/// A document under another's name could stand in for it.
fn check_name(name: &str, expected: &str) -> Result<(), Refusal> {
    if name == expected { Ok(()) } else { Err(not_parsed(name, &format!("it holds {expected}"))) }
}

fn not_parsed(name: &str, reason: &str) -> Refusal {
    Refusal::NotParsed(format!("{name}: {reason}"))
}
