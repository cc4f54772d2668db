//! From a bundle's bytes to policies that may be believed. Verified first, parsed after.

mod documents;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use anyhow::Result;
use forewarn_engine::{PolicySet, Undoing};
use forewarn_proto::{bundle::Bundle, report::Refusal};
use forewarn_trust::{Scratch, Verified, digest, verify, verify_undo};
use jiff::Timestamp;

use crate::{identity::Identity, store::Store, turns::Lane};

/// What is believed now.
pub(crate) struct Trust {
    root: String,
    /// The digest of the root of the enrolment. What is stored under another one belongs to former admins.
    enrolled: String,
    accepted: Option<Accepted>,
    /// This device's name, by which it may be spared something.
    device: String,
    /// Where temporary folders are made, the first that has room.
    scratch: Vec<PathBuf>,
    /// Where bundles are verified: beside all else.
    lane: Lane,
}

struct Accepted {
    digest: String,
    verified: Verified,
    set: PolicySet,
}

/// What is to be verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Offer {
    /// A bundle that the server has sent.
    Bundle(Vec<u8>),
    /// The bundle that was accepted before this start, and the root that it came with.
    Stored(Vec<u8>, String),
    /// The newest of what undoes.
    Undo(String),
}

/// What was offered, and whether it is signed as it has to be.
#[derive(Debug)]
pub(crate) struct Examined {
    offer: Offer,
    verified: Result<Verified, Unverified>,
}

/// Why something does not count as verified.
#[derive(Debug)]
enum Unverified {
    /// It is not what it has to be.
    Refused(Refusal),
    /// This device could not look.
    Unable(Refusal),
}

impl From<Refusal> for Unverified {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What came of an offer.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It is in force now, and the newest that the server has.
    Accepted(PolicySet),
    /// It is in force as it was before.
    Restored(PolicySet),
    /// This undoes, whatever else is in force.
    Undoes(Undoing),
    /// What undoes can't be used without its bundle, which comes: there is none yet, or other admins signed it.
    Unusable(Refusal),
    /// It is not in force. What it says that can only undo counts all the same, if its signatures hold.
    Refused(Refusal, Undoing),
    /// It can't be kept, or read, for a reason of this device's own, and is to be offered again. What it undoes counts.
    Postponed(Refusal, Undoing, Offer),
}

impl Trust {
    /// Starts from the root of the enrolment. What was accepted before is to be offered: see [`Self::stored`].
    pub(crate) fn new(identity: &Identity, scratch: Vec<PathBuf>) -> Self {
        let (root, device) = (identity.root.clone(), identity.device.clone());
        let enrolled = digest(root.as_bytes());
        Self { root, enrolled, accepted: None, device, scratch, lane: Lane::default() }
    }

    /// What was accepted before this start.
    ///
    /// # Errors
    /// When it can't be read now.
    pub(crate) fn stored(&self, store: &Store) -> Result<Option<Offer>> {
        Ok(store.bundle(&self.enrolled)?.map(|(bytes, root)| Offer::Stored(bytes, root)))
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

    /// Verifies an offer on a thread of its own, by what is accepted now.
    pub(crate) fn examine(&self, offer: Offer) -> impl Future<Output = Examined> + 'static {
        let (lane, scratch) = (self.lane.clone(), self.scratch.clone());
        let root = match &offer {
            Offer::Stored(_, root) => root.clone(),
            Offer::Bundle(_) | Offer::Undo(_) => self.root.clone(),
        };
        let before = self.accepted.as_ref().map(|accepted| accepted.verified.clone());
        async move {
            let offered = offer.clone();
            let verified = lane.run(move || verified(&offered, &root, before.as_ref(), &scratch)).await;
            let verified = verified.unwrap_or_else(|error| Err(unable(&format!("{error:#}"))));
            Examined { offer, verified }
        }
    }

    /// Judges what was examined, and stores a bundle if it is accepted.
    pub(crate) fn judge(&mut self, examined: Examined, now: Timestamp, store: &Store) -> Verdict {
        let Examined { offer, verified } = examined;
        let verified = match verified {
            Ok(verified) => verified,
            Err(Unverified::Unable(refusal)) => return Verdict::Postponed(refusal, Undoing::default(), offer),
            // It was accepted before, so the reason may be this device's own.
            Err(Unverified::Refused(refusal)) if matches!(offer, Offer::Stored(..)) => {
                return Verdict::Postponed(refusal, Undoing::default(), offer);
            }
            Err(Unverified::Refused(refusal)) if matches!(offer, Offer::Undo(_)) => return Verdict::Unusable(refusal),
            Err(Unverified::Refused(refusal)) => return Verdict::Refused(refusal, Undoing::default()),
        };
        let undoing = || documents::undoing(&verified, &self.device);
        match &offer {
            Offer::Undo(_) => Verdict::Undoes(undoing()),
            // A newer one has come meanwhile.
            Offer::Stored(..) if self.accepted.is_some() => Verdict::Undoes(undoing()),
            Offer::Stored(bytes, _) => Verdict::Restored(self.accept(bytes, verified)),
            Offer::Bundle(bytes) => {
                if let Err(refusal) = verified.check_expiry(now) {
                    return Verdict::Refused(refusal, undoing());
                }
                match self.keep(bytes, &verified, store) {
                    Ok(()) => Verdict::Accepted(self.accept(bytes, verified)),
                    Err(refusal) => Verdict::Postponed(refusal, undoing(), offer),
                }
            }
        }
    }

    fn accept(&mut self, bytes: &[u8], verified: Verified) -> PolicySet {
        self.root.clone_from(&verified.root);
        let set = documents::read(&verified, &self.device);
        self.accepted = Some(Accepted { digest: digest(bytes), verified, set: set.clone() });
        set
    }

    fn keep(&self, bytes: &[u8], verified: &Verified, store: &Store) -> Result<(), Refusal> {
        let kept = store.set_bundle(bytes, &verified.root, &self.enrolled);
        kept.map_err(|error| Refusal::Unreadable(format!("it can't be stored: {error:#}").into()))
    }
}

/// Verifies an offer; blocks.
fn verified(offer: &Offer, root: &str, before: Option<&Verified>, scratch: &[PathBuf]) -> Result<Verified, Unverified> {
    let bytes = match offer {
        Offer::Bundle(bytes) | Offer::Stored(bytes, _) => bytes,
        Offer::Undo(text) => {
            let accepted = before.ok_or_else(|| Refusal::Unreadable("there is no bundle yet".into()))?;
            return Ok(verify_undo(accepted, text)?);
        }
    };
    let bundle = Bundle::parse(bytes)?;
    // Its own, so that what it reads waits for nothing else.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build();
    let runtime = runtime.map_err(|error| unable(&error.to_string()))?;
    let scratch = Scratch::in_one_of(scratch).ok_or_else(|| unable("there is no room for a temporary folder"))?;
    Ok(runtime.block_on(verify(root, before, &bundle, scratch.path()))?)
}

fn unable(why: &str) -> Unverified {
    Unverified::Unable(Refusal::Unreadable(why.into()))
}
