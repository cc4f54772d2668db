//! A message to a person, from the daemon that decides it to whatever puts it before them. The words are made there.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    id::{NoticeId, Subject},
    policy::{Domain, Language, Texts},
};

/// A message to a person. The engine says what it is about; the words are made elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What the receipt has to name.
    pub id: NoticeId,
    /// What it is about, and whom it is for.
    pub subject: Subject,
    /// What it says.
    pub kind: NoticeKind,
    /// The apps in question, as people call them.
    pub apps: Vec<String>,
    /// The titles of the policies, the one with the earliest deadline first; or of the one that was retracted.
    pub titles: Vec<Texts>,
    /// The first policy's, or the retraction's, own words, by language.
    pub message: BTreeMap<Language, String>,
    /// The earliest effective deadline of the policies; for a first notice the one that showing it now brings.
    pub deadline: Option<Timestamp>,
    /// What will be, is, or is no longer revoked.
    pub takes: Vec<Domain>,
    /// Whether the stored mail of what is revoked will be closed too.
    pub locks: bool,
}

/// What a notice says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A banned app was found; grace starts when this is shown.
    First,
    /// The deadline comes nearer.
    Reminder {
        /// How long before the deadline this reminder is due.
        before: SignedDuration,
    },
    /// What the person knows has changed: a policy that banned the app is gone, another still does.
    Update,
    /// The person asked to be reminded now.
    Again,
    /// The last warning.
    LastCall,
    /// The profile is in the vault.
    Revoked,
    /// The profile waits for a mail client to close.
    Waiting,
    /// Mail of a domain that is in the vault was set up again by hand.
    SetUpAgain,
    /// The profile is back.
    Restored,
    /// What was shown was sent in error.
    Correction,
}
