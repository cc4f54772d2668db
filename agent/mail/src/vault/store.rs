//! What a vault asks of the place where its entries are kept: a shelf of opaque bytes.

use std::os::fd::BorrowedFd;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::Error;

/// Where a vault keeps its entries: a folder on disk, or the other end of a pipe.
///
/// Whatever returns `Ok` is on the disk.
pub trait Store {
    /// Nobody else works in the vault while the guard lives.
    ///
    /// # Errors
    /// [`Error::LockVault`] when somebody else does.
    fn lock(&self) -> Result<Option<Guard>, Error>;

    /// The number of every entry that isn't finished, oldest first; a finished one may be among them.
    ///
    /// # Errors
    /// When they can't be read: a vault that can't be read is never an empty one.
    fn entries(&self) -> Result<Vec<u32>, Error>;

    /// An entry's journal.
    ///
    /// # Errors
    /// When it can't be read.
    fn journal(&self, entry: u32) -> Result<Vec<u8>, Error>;

    /// Keeps a new entry, and gives its number. After a crash it is there wholly or not at all.
    ///
    /// # Errors
    /// When it can't be written; nothing is kept then.
    fn create(&self, journal: &[u8], contents: &[(Label, &[u8])]) -> Result<u32, Error>;

    /// Replaces an entry's journal. `finished`: nothing of it will be given back any more, and the entry may go some day.
    ///
    /// # Errors
    /// When it can't be written; the former one stays.
    fn save(&self, entry: u32, journal: &[u8], finished: bool) -> Result<(), Error>;

    /// Keeps one more content of an entry.
    ///
    /// # Errors
    /// When it can't be written.
    fn put(&self, entry: u32, label: &Label, bytes: &[u8]) -> Result<(), Error>;

    /// Removes an entry that was undone before anything of it was taken, so that it is a mere copy of what is in its place.
    /// Only one that the same side has created in this session.
    ///
    /// # Errors
    /// When it is another one, or can't be removed.
    fn discard(&self, entry: u32) -> Result<(), Error>;

    /// Closes a folder of the person's, so that what is in it can't be read until it is opened again. Doing it twice is harmless.
    ///
    /// # Errors
    /// When it is none of the person's, is on another file system than their home, or can't be closed.
    fn close_folder(&self, folder: BorrowedFd<'_>) -> Result<(), Error>;

    /// Opens a folder that was closed, with the owner and mode that it had. Any other folder stays as it is.
    ///
    /// # Errors
    /// When it can't be opened.
    fn open_folder(&self, folder: BorrowedFd<'_>) -> Result<(), Error>;

    /// A content of an entry.
    ///
    /// # Errors
    /// When it isn't there, or isn't what was kept under this label.
    fn get(&self, entry: u32, label: &Label) -> Result<Vec<u8>, Error>;
}

/// Nobody else works in the vault while this value lives.
#[derive(Debug)]
pub struct Guard {
    _file: fs_err::File,
}

impl Guard {
    /// A file whose lock is held.
    pub(crate) fn new(file: fs_err::File) -> Self {
        Self { _file: file }
    }
}

/// Which content of an entry. It is bound to the bytes: they can't be had under another label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// `0.original`
    pub(crate) name: String,
    /// The file in the home that it is about, as a path from the home.
    pub(crate) path: String,
    /// Of the bytes.
    pub(crate) sha256: Digest,
}
