//! Opening files and folders: the one place that touches the file system. Reading it wrongly is what an attacker in a
//! home folder hopes for, so every open goes through here.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

use std::{
    fs::File,
    io::{self, Read},
    path::{Component, Path, PathBuf},
};

#[cfg(target_os = "linux")]
pub(crate) use linux::{Root, is_same};
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{Root, is_same};

/// What was found under a name.
#[derive(Debug)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nothing is ever found there"))]
pub(crate) enum Opened {
    /// Nothing: the name, or a folder on the way, does not exist, or a link leads nowhere.
    Missing,
    /// A regular file.
    File(File),
    /// A folder.
    Folder,
    /// A device, FIFO or socket. It was not read.
    Special,
}

/// What a folder says about one of its names, before it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nothing is ever found there"))]
pub(crate) enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A device, FIFO or socket.
    Special,
    /// A symbolic link: open it to learn what it leads to.
    Link,
}

/// What tells whether a file or folder is still what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The file system and the file in it.
    pub(crate) file: (u64, u64),
    /// In bytes.
    pub(crate) size: u64,
    /// When its contents or attributes last changed, since the Unix epoch. Nobody can set it.
    pub(crate) changed: std::time::Duration,
}

/// What a name led to when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The name, below the root.
    pub(crate) path: PathBuf,
    /// `None` if nothing was there.
    pub(crate) stamp: Option<Stamp>,
}

/// A name in a folder.
#[derive(Debug)]
pub(crate) struct Name {
    /// The name as text; `None` if it isn't UTF-8.
    pub(crate) text: Option<String>,
    pub(crate) kind: Kind,
}

/// Why a file has no contents for us.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("it can't be read: {0}")]
    Read(#[from] io::Error),
    #[error("it has more than {0} bytes")]
    TooLarge(u64),
    #[error("it is not a regular file")]
    NotAFile,
}

/// Where below `root` a path is that is named in full: what `/home/alice/a/b` is in `/home/alice`. `None` if it is not there
/// by its name.
pub(crate) fn below(root: &Root, absolute: &Path) -> Option<PathBuf> {
    let rest = absolute.strip_prefix(root.path(Path::new(""))).ok()?;
    rest.components().all(|part| matches!(part, Component::Normal(_))).then(|| rest.to_owned())
}

/// Reads a file of at most `limit` bytes under `root`. `None` if it isn't there.
///
/// # Errors
/// When it is there and can't be read, or is longer.
pub(crate) fn read_at(root: &Root, path: &Path, limit: u64) -> Result<Option<Vec<u8>>, ReadError> {
    match root.open(path)? {
        Opened::Missing => Ok(None),
        Opened::Folder | Opened::Special => Err(ReadError::NotAFile),
        Opened::File(file) => read(file, limit).map(Some),
    }
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// When reading fails, or the file is longer (it may have grown since it was opened, so its size isn't trusted).
pub(crate) fn read(file: File, limit: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLarge(limit));
    }
    Ok(bytes)
}
