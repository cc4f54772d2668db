//! The journal: one small JSON text for each entry, which says what was about to be done.
//!
//! One that is missing or can't be understood is an error; it is never taken for an empty one.

use serde::{Deserialize, Serialize};

use crate::account::{Account, Client};
use crate::digest::Digest;
use crate::error::Error;
use crate::home::{Mtime, Shape};
use crate::plan::{Draft, Move, Role};
use crate::rewritten::Renames;

/// How far an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Files are being taken. After a crash this is undone.
    Revoking,
    /// The account is in the vault.
    Revoked,
    /// Files are being given back. After a crash this is finished.
    Restoring,
    /// It could not be given back, because the person has set the account up again, or done away with the profile. It is
    /// kept, and nobody waits for it.
    Superseded,
    /// The account is back in the home; the entry is kept.
    Restored,
}

/// The format that this version writes.
const FORMAT: u32 = 2;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Journal {
    format: u32,
    pub(crate) stage: Stage,
    pub(crate) client: Client,
    pub(crate) profile: String,
    pub(crate) domain: String,
    pub(crate) accounts: Vec<Account>,
    /// In the order in which they are taken; they are given back in the reverse one.
    pub(crate) files: Vec<Held>,
    /// Folders that are put aside before the files are taken.
    pub(crate) moves: Vec<Move>,
    /// Folders of stored mail that are closed meanwhile, each with its own number.
    pub(crate) stores: Vec<(String, u64)>,
    /// New numbers, of a restore that had to choose some.
    pub(crate) renames: Renames,
    /// Originals that were put beside files which were in the way, as paths from the home. They go at the next revoke.
    pub(crate) besides: Vec<Beside>,
}

/// An original beside a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Beside {
    pub(crate) path: String,
    pub(crate) sha256: Digest,
}

/// One file of an entry. Its contents are kept beside the journal: `0.original`, `0.after`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Held {
    pub(crate) role: Role,
    pub(crate) path: String,
    pub(crate) original: Shape,
    /// `None`: the file goes.
    pub(crate) after: Option<Digest>,
    /// What a restore is about to do, with the contents in `0.from` and `0.to`.
    pub(crate) restoring: Option<Target>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    pub(crate) from: Option<Digest>,
    pub(crate) to: Option<Digest>,
    pub(crate) mode: u32,
    /// `None`: the time of writing.
    pub(crate) mtime: Option<Mtime>,
}

impl Journal {
    pub(crate) fn of(draft: &Draft) -> Self {
        let held = draft.files.iter().zip(&draft.plan.files).map(|(file, plan)| Held {
            role: file.role,
            path: file.path.clone(),
            original: file.original.shape,
            after: plan.after,
            restoring: None,
        });
        Self {
            format: FORMAT,
            stage: Stage::Revoking,
            client: draft.plan.client,
            profile: draft.plan.profile.clone(),
            domain: draft.plan.domain.clone(),
            accounts: draft.plan.accounts.clone(),
            files: held.collect(),
            moves: draft.moves.clone(),
            stores: Vec::new(),
            renames: Renames::default(),
            besides: Vec::new(),
        }
    }

    pub(crate) fn parse(entry: u32, bytes: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let failed = |source| Error::ReadJournal { entry, source };
        let Version { format: found } = serde_json::from_slice(bytes).map_err(failed)?;
        if found != FORMAT {
            return Err(Error::CheckJournal { entry, found, known: FORMAT });
        }
        serde_json::from_slice(bytes).map_err(failed)
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self).map_err(|source| Error::ReadJournal { entry: 0, source })
    }

    /// Whether the profile is one text of sections that need no others.
    pub(crate) fn is_one_text(&self) -> bool {
        let [held] = self.files.as_slice() else { return false };
        matches!(held.role, Role::Sections(syntax) if syntax.stands_alone()) && held.path == self.profile
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.stage == Stage::Restored
    }

    pub(crate) fn is_unfinished(&self) -> bool {
        matches!(self.stage, Stage::Revoking | Stage::Restoring)
    }
}
