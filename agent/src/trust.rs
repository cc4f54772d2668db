//! From a bundle's bytes to policies that may be believed. Verified first, parsed after.

use std::path::PathBuf;

use forewarn_engine::{PolicySet, SignedPolicy, Spared};
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
    /// It is not in force; its retractions are all the same, because they can only undo.
    Refused(Refusal, Option<PolicySet>),
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
            Err(refusal) => return Verdict::Refused(refusal, None),
        };
        let set = verified.check_expiry(now).and_then(|()| policy_set(&verified, &self.device));
        match set {
            Ok(mut set) => match store.set_bundle(bytes, &verified.root, &self.enrolled) {
                Ok(()) => {
                    self.root.clone_from(&verified.root);
                    self.keep_retractions(&mut set);
                    self.accepted = Some(Accepted { digest: digest(bytes), verified, set: set.clone() });
                    Verdict::Accepted(set)
                }
                Err(error) => {
                    let refusal = Refusal::Unreadable(format!("it can't be stored: {error:#}").into());
                    Verdict::Refused(refusal, self.with_retractions_of(&verified))
                }
            },
            Err(refusal) => Verdict::Refused(refusal, self.with_retractions_of(&verified)),
        }
    }

    /// A retraction that was heard stays, whatever a later bundle leaves out.
    fn keep_retractions(&self, set: &mut PolicySet) {
        for (id, heard) in self.accepted.iter().flat_map(|accepted| &accepted.set.retractions) {
            let said = set.retractions.entry(id.clone()).or_insert_with(|| heard.clone());
            said.through_version = said.through_version.max(heard.through_version);
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

    /// The policies in force with the retractions of a bundle whose signatures hold but which is refused otherwise.
    fn with_retractions_of(&mut self, verified: &Verified) -> Option<PolicySet> {
        let accepted = self.accepted.as_mut()?;
        let before = accepted.set.retractions.clone();
        for (_, document) in verified.of_role("retractions") {
            if let Ok(retraction) = Retraction::parse(&document.bytes) {
                accepted.set.retractions.insert(retraction.policy.clone(), retraction);
            }
        }
        (accepted.set.retractions != before).then(|| accepted.set.clone())
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
        set.retractions.insert(retraction.policy.clone(), retraction);
    }
    for (name, document) in verified.of_role("exemptions") {
        let exemptions = Exemptions::parse(&document.bytes).map_err(|e| not_parsed(name, &e.to_string()))?;
        check_name(name, &Exemptions::target_name(&exemptions.policy))?;
        set.pauses.insert(exemptions.policy.clone(), exemptions.pauses);
        for Exemption { rule, until, .. } in exemptions.exemptions.into_iter().filter(|e| e.device == device) {
            let spared = Spared { until, signed_by: document.signed_by.clone() };
            set.exemptions.insert((exemptions.policy.clone(), rule), spared);
        }
    }
    Ok(set)
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
    Refusal::NotParsed(format!("{name}: {reason}").into())
}
