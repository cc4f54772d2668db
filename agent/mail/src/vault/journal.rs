//! The journal: one small JSON text for each entry, which says what was about to be done.
//!
//! One that is missing or can't be understood is an error; it is never taken for an empty one.

use serde::{Deserialize, Serialize};

use crate::account::{Account, Client};
use crate::digest::Digest;
use crate::error::Error;
use crate::home::{FolderId, Mtime, Shape};
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
    /// It could not be given back, because its profile is gone. It is kept, nobody waits for it, and it goes back if the
    /// profile is there at a later restore.
    ///
    /// Former versions wrote `superseded` for this and for the next two. Which was meant can't be told, so nothing may be lost.
    #[serde(alias = "superseded")]
    ProfileGone,
    /// The account is over, as in the two below, but a closed folder of its mail is not where it was. That alone is looked for.
    StoreMoved,
    /// The person has set the account up again: theirs stays. Ours is kept for a while and never tried again, because they
    /// may delete theirs.
    SetUpAgain,
    /// The account is back in the home; the entry is kept for a while.
    Restored,
}

impl Stage {
    /// Whether somebody waits for the account to come back.
    pub fn is_awaited(self) -> bool {
        matches!(self, Self::Revoking | Self::Revoked | Self::Restoring)
    }
}

/// The format that this version writes.
const FORMAT: u32 = 3;

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
    /// Folders of stored mail that are closed meanwhile: where each was, and which it is.
    pub(crate) stores: Vec<(String, FolderId)>,
    /// New numbers, of a restore that had to choose some.
    pub(crate) renames: Renames,
    /// Originals that were put beside files which were in the way, as paths from the home. They go at the next revoke. Those
    /// of an entry that is over are in a journal of their own, which holds nothing else and outlives it.
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

    /// Whether nothing of it will be given back any more.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::SetUpAgain | Stage::Restored)
    }

    /// Whether nothing in the home has to be remembered either, so that the entry may go some day.
    pub(crate) fn is_finished(&self) -> bool {
        self.is_over() && self.besides.is_empty()
    }

    /// A journal of nothing but the originals that were put beside files; here they are forgotten. `None` when there are none.
    pub(crate) fn split_besides(&mut self) -> Option<Self> {
        let besides = std::mem::take(&mut self.besides);
        (!besides.is_empty()).then(|| Self {
            format: FORMAT,
            stage: Stage::SetUpAgain,
            client: self.client,
            profile: self.profile.clone(),
            domain: self.domain.clone(),
            accounts: Vec::new(),
            files: Vec::new(),
            moves: Vec::new(),
            stores: Vec::new(),
            renames: Renames::default(),
            besides,
        })
    }

    pub(crate) fn is_unfinished(&self) -> bool {
        matches!(self.stage, Stage::Revoking | Stage::Restoring)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_a_former_version_called_superseded_is_kept_and_tried_again() {
        let text = br#"{"format":3,"stage":"superseded","client":"isync","profile":".mbsyncrc","domain":"corp.example","accounts":[],"files":[],"moves":[],"stores":[],"renames":{},"besides":[]}"#;
        let journal = Journal::parse(1, text).unwrap();
        assert_eq!(journal.stage, Stage::ProfileGone);
        assert!(!journal.is_over() && !journal.is_finished() && !journal.stage.is_awaited());
    }

    #[test]
    fn what_was_put_beside_files_outlives_the_entry() {
        let text = br#"{"format":3,"stage":"set_up_again","client":"isync","profile":".mbsyncrc","domain":"corp.example","accounts":[],"files":[],"moves":[],"stores":[["Mail",{"device":1,"number":7,"born":[1,2]}]],"renames":{},"besides":[]}"#;
        let mut journal = Journal::parse(1, text).unwrap();
        assert!(journal.is_finished() && journal.split_besides().is_none());
        journal.besides.push(Beside { path: "x".to_owned(), sha256: Digest::of(b"x") });
        assert!(!journal.is_finished());
        let apart = journal.split_besides().unwrap();
        assert!(journal.is_finished() && apart.is_over() && !apart.is_finished());
        assert_eq!((apart.besides.len(), apart.stores.len(), apart.domain.as_str()), (1, 0, "corp.example"));
    }
}
