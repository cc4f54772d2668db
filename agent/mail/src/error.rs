//! What can go wrong; each variant is named for the step that failed.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::limits::{MAX_FILE_BYTES, MAX_NAMES};

/// Why a file in a home is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// A link leads out of the home, or through `/proc`.
    #[error("a link leads out of the home; make the link relative, or put the file into the home")]
    Outside,
    /// A folder, a pipe, a device or a socket.
    #[error("it isn't a regular file")]
    NotRegular,
    /// Somebody else's file.
    #[error("it belongs to somebody else than the home")]
    OtherOwner,
    /// It has a second name, which a replacement would cut off.
    #[error("it has several names (hard links); copy it, so that it has one")]
    HardLinked,
    /// Larger than [`MAX_FILE_BYTES`].
    #[error("it is larger than {} MiB", MAX_FILE_BYTES >> 20)]
    TooLarge,
    /// A folder of more than [`MAX_NAMES`] names.
    #[error("it holds more than {MAX_NAMES} names")]
    TooMany,
    /// Its name isn't UTF-8.
    #[error("its name isn't UTF-8")]
    NameNotUtf8,
}

/// An error of this crate. Texts hold paths, never contents of files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The domain isn't one.
    #[error("{domain:?} isn't a mail domain; write it like corp.example")]
    CheckDomain {
        /// As given.
        domain: String,
    },
    /// The home folder.
    #[error("can't open the home {}", path.display())]
    OpenHome {
        /// The home.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A path below the home.
    #[error("can't open {path} in the home{}", if source.raw_os_error() == Some(38) { "; Linux 5.6 or newer is needed (openat2)" } else { "" })]
    OpenFile {
        /// Path from the home.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file that is not touched, for safety.
    #[error("{path} in the home is refused: {refusal}")]
    CheckFile {
        /// Path from the home.
        path: String,
        /// Why.
        refusal: Refusal,
    },
    /// A file's content.
    #[error("can't read {path} in the home")]
    ReadFile {
        /// Path from the home.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The lock that the mail program holds while it runs.
    #[error("can't take the program's lock {path} in the home")]
    LockProfile {
        /// Path from the home.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The new content, beside the file.
    #[error("can't write the new content beside {path} in the home; is the disk full?")]
    WriteTemporary {
        /// Path from the home.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The exchange of the file with its new content.
    #[error("can't exchange {path} in the home with its new content")]
    SwapFile {
        /// Path from the home.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The end of the file's temporary.
    #[error("can't remove the temporary file {temporary} beside {path} in the home; it may hold credentials")]
    RemoveTemporary {
        /// Path from the home.
        path: String,
        /// Name of the temporary.
        temporary: String,
        /// Why.
        source: io::Error,
    },
    /// Somebody else writes the file at the same time.
    #[error("{path} in the home keeps changing; try again when no program writes it")]
    SettleFile {
        /// Path from the home.
        path: String,
    },
    /// The vault's folder.
    #[error("can't open the vault {}", path.display())]
    OpenVault {
        /// The vault.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process works in the vault.
    #[error("the vault {} is in use by another process; try again when that has ended", path.display())]
    LockVault {
        /// The vault.
        path: PathBuf,
    },
    /// Something in the vault.
    #[error("can't read {} in the vault", path.display())]
    ReadVault {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in the vault.
    #[error("can't write {} in the vault; is the disk full?", path.display())]
    WriteVault {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The process that keeps the vault, or the pipe to it.
    #[error("the vault could not be used: {reason}")]
    AskVault {
        /// What was wrong.
        reason: String,
    },
    /// The key with which something in the vault was sealed.
    #[error("{} was sealed with a key that isn't here; put the former key of the vault back", path.display())]
    FindKey {
        /// The file.
        path: PathBuf,
    },
    /// A vault that has had its share of the disk.
    #[error("the vault {} is full; remove entries that are no longer needed", path.display())]
    FindRoom {
        /// The vault.
        path: PathBuf,
    },
    /// A folder of stored mail.
    #[error("a folder of stored mail can't be closed or opened")]
    CloseFolder {
        /// Why.
        source: io::Error,
    },
    /// A journal that isn't one. It is never taken for an empty one.
    #[error("the journal of the vault's entry {entry} can't be understood; put it back from a backup")]
    ReadJournal {
        /// The entry's number.
        entry: u32,
        /// Why.
        source: serde_json::Error,
    },
    /// A journal of another version.
    #[error(
        "the journal of the vault's entry {entry} has format {found}, this version knows format {known}; install the version that wrote it"
    )]
    CheckJournal {
        /// The entry's number.
        entry: u32,
        /// The format found.
        found: u32,
        /// The format known.
        known: u32,
    },
    /// A content in the vault whose digest isn't what the journal says.
    #[error("{} in the vault is damaged; put it back from a backup", path.display())]
    CheckContent {
        /// The file.
        path: PathBuf,
    },
}

impl Error {
    /// Whether a disk is full, the home's or the vault's.
    pub(crate) fn is_full_disk(&self) -> bool {
        if let Self::WriteTemporary { source, .. } | Self::WriteVault { source, .. } = self {
            return source.kind() == io::ErrorKind::StorageFull;
        }
        // The vault's side speaks in words. This one is the C library's.
        matches!(self, Self::AskVault { reason } if reason.contains("No space left on device"))
    }

    /// As a reason to leave one profile alone.
    pub(crate) fn into_reason(self, path: &str) -> crate::SkipReason {
        if let Self::CheckFile { path, refusal } = self {
            return crate::SkipReason::Refused { path, refusal };
        }
        let error = match std::error::Error::source(&self) {
            Some(source) => source.to_string(),
            None => self.to_string(),
        };
        crate::SkipReason::Unreadable { path: path.to_owned(), error }
    }
}
