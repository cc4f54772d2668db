//! Everything that can happen to the engine.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use forewarn_proto::{
    inventory::{Person, Scope},
    policy::{Domain, Policy, PolicyId},
    report::{Medium, Obstacle, Refusal, Unread},
};
use jiff::{SignedDuration, Timestamp};

use crate::{Listing, NoticeId, ProfileId, Subject, Undoing, Wanted};

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// Time may have passed. Also the answer to a wake-up.
    Tick,
    /// The server said, over an authenticated connection, what time it is.
    ServerTime(Timestamp),
    /// A bundle was verified; this is all that it holds. What is not in it is no longer in force.
    PoliciesVerified(PolicySet),
    /// The server's word that the bundle in force is current, and that bundle has not expired.
    PoliciesConfirmed,
    /// The signatures of a bundle hold, and this is what it says that can only undo; whether it comes into force or not.
    UndoingHeard(Undoing),
    /// A bundle was offered and refused; the former one stays in force.
    BundleRefused(Refusal),
    /// A scope was looked at.
    Looked(Look),
    /// A look at this scope broke off, and says nothing.
    LookFailed(Scope),
    /// A notice was put before the person.
    NoticeShown(NoticeId, Medium),
    /// A notice could not be shown now.
    NoticeFailed(NoticeId, Obstacle),
    /// What was to show a notice went away without a word: the person may have seen it, and it does not count as shown.
    NoticeLost(NoticeId),
    /// A notice that was shown vanished before anybody could have read it: it was not shown.
    NoticeUnread(NoticeId),
    /// A notice that was shown, and could be read, is no longer there, though its person did nothing with it. It counts as shown, and is
    /// shown again.
    NoticeGone(NoticeId),
    /// What kept notices from this person is gone: they have come back, unlocked their screen, ended a meeting.
    PersonReachable(Person),
    /// This person's account or home is not quite what it was. What they were told counts no more: they get the full notice
    /// anew.
    PersonChanged(Person),
    /// What showed notices to this person is gone. It changes nothing but the report.
    PersonUnattended(Person),
    /// The person acknowledged what was shown about this.
    NoticeAcknowledged(Subject),
    /// The person wants to be reminded of this later. It moves no deadline, and a last call comes all the same.
    NoticeSnoozed(Subject, SignedDuration),
    /// [`crate::Effect::Persist`] with this generation is on disk.
    Persisted(u64),
    /// The profile is wholly in the vault.
    Revoked(ProfileId),
    /// The profile was revoked, and stored mail of it that was to be locked can still be read.
    StoreLeftOpen(ProfileId),
    /// Part or all of the profile waits for these mail clients to close.
    RevokeWaits(ProfileId, Vec<String>),
    /// The revoke failed; what was taken stays in the vault until it is finished or undone.
    RevokeFailed(ProfileId),
    /// The profile is wholly back.
    Restored(ProfileId),
    /// The restore failed or waits for a client; it is tried again for ever.
    RestoreFailed(ProfileId),
    /// A mail client for which this profile waited has closed: it is time to try again.
    ClientClosed(ProfileId),
    /// The server has this report.
    ReportDelivered(u64),
}

/// What is to be looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Comes back with what was found.
    pub token: Token,
    /// The packages that listings have to name.
    pub wanted: Wanted,
    /// The domains of which mail profiles are looked for.
    pub domains: BTreeSet<Domain>,
}

/// Says for which rules a look was begun: one for former rules says nothing of those that came since.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Token(pub(crate) u64);

/// What one look at one scope found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The token of its [`Search`].
    pub token: Token,
    /// Whose packages are listed.
    pub scope: Scope,
    /// Each in the place of the former one of its source. A listing that failed is one without packages and with a gap.
    pub listings: Arc<[Listing]>,
    /// What mail the scope's person has; None where that could not be found out.
    pub mail: Option<MailOf>,
}

/// The company mail that somebody has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailOf {
    /// The domains that were looked for in their home. Each home is looked at by itself, some later than others.
    pub looked_for: BTreeSet<Domain>,
    /// Those of which they have a profile.
    pub has: BTreeSet<Domain>,
}

/// Everything that one verified bundle says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicySet {
    /// The version of the bundle's timestamp role.
    pub bundle: u64,
    /// Policies that act.
    pub policies: BTreeMap<PolicyId, SignedPolicy>,
    /// Policies that are only counted.
    pub previews: BTreeMap<PolicyId, Policy>,
    /// What can only undo. It adds to what was heard before.
    pub undoing: Undoing,
    /// What this version of the agent can't read. Nothing is taken by it.
    pub unread: Vec<Unread>,
}

impl PolicySet {
    /// Whether something about a policy can't be read: itself, or whether it was withdrawn, or who is spared it. Nobody can
    /// say then what it asks.
    pub fn is_unread(&self, id: &PolicyId) -> bool {
        let acts = |folder: &str| ["policies", "retractions", "exemptions"].contains(&folder);
        let about = |document: &str| document.strip_suffix(".toml") == Some(id.as_str());
        self.unread.iter().filter_map(|unread| unread.document.split_once('/')).any(|(f, name)| acts(f) && about(name))
    }
}

/// A policy and who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedPolicy {
    /// The policy, shared: it can be large, and it does not change.
    pub policy: Arc<Policy>,
    /// The names of those who signed, or their key ids.
    pub signed_by: Vec<String>,
    /// When the admins' signatures expire. From then on the policy is over.
    pub expires: Timestamp,
}
