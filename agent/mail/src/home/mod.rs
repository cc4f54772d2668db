//! A person's home: finding and reading files in it, without being led astray by links, pipes or sizes.

mod aside;
mod folder_id;
mod lock;
mod swap;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{self as sys, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

pub(crate) use self::folder_id::mount_of;
pub use self::folder_id::{Birth, FolderId};
pub(crate) use self::lock::ProfileLock;
pub(crate) use self::swap::{Change, NewFile};
use crate::account::Client;
use crate::digest::Digest;
use crate::error::{Error, Refusal};
use crate::limits::{MAX_FILE_BYTES, MAX_NAMES};

/// A person's home folder, opened once; every path below it is resolved with `openat2` and stays below it.
#[derive(Debug)]
pub struct Home {
    dir: OwnedFd,
    /// The home's own real path, to make paths relative to it.
    real: PathBuf,
    owner: u32,
    running: BTreeSet<Client>,
}

/// A file's time of last change, as the file system keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mtime {
    pub(crate) seconds: i64,
    pub(crate) nanoseconds: u32,
}

/// What a file is, beside its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    pub(crate) sha256: Digest,
    /// Permission bits: `0o600`.
    pub(crate) mode: u32,
    pub(crate) mtime: Mtime,
}

/// A file as it was read.
#[derive(Clone)]
pub(crate) struct Content {
    pub(crate) bytes: Vec<u8>,
    pub(crate) shape: Shape,
}

/// An existing folder without a link in its path, and a name in it.
struct Place {
    dir: OwnedFd,
    name: String,
}

impl Home {
    /// Opens a home folder.
    ///
    /// # Errors
    /// [`Error::OpenHome`] when there is no such folder.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let failed = |errno: Errno| Error::OpenHome { path: dir.to_owned(), source: errno.into() };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = sys::open(dir, flags, Mode::empty()).map_err(failed)?;
        let owner = sys::fstat(&fd).map_err(failed)?.st_uid;
        let real = real_path(&fd).map_err(failed)?;
        Ok(Self { dir: fd, real, owner, running: BTreeSet::new() })
    }

    /// The same home, in which these programs are running: what they keep in their memory is not changed under them.
    #[must_use]
    pub fn with_running(mut self, running: BTreeSet<Client>) -> Self {
        self.running = running;
        self
    }

    pub(crate) fn runs(&self, client: Client) -> bool {
        self.running.contains(&client)
    }

    /// The names in a folder, sorted; none when there is no such folder. A name that isn't UTF-8 is nobody's account.
    pub(crate) fn names(&self, path: &str) -> Result<Vec<String>, Error> {
        let Some(real) = self.resolve(path)? else { return Ok(Vec::new()) };
        let real = if real.is_empty() { "." } else { &real };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let dir = match self.open_below(real, flags, ResolveFlags::NO_SYMLINKS) {
            Ok(dir) => dir,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Vec::new()),
            Err(errno) => return Err(open_error(path, errno)),
        };
        let mut names = Vec::new();
        for entry in sys::Dir::read_from(&dir).map_err(|errno| open_error(path, errno))? {
            let entry = entry.map_err(|errno| open_error(path, errno))?;
            names
                .extend(entry.file_name().to_str().ok().filter(|name| !matches!(*name, "." | "..")).map(str::to_owned));
            if names.len() > MAX_NAMES {
                return Err(refused(path, Refusal::TooMany));
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The home's real path, without links.
    pub(crate) fn real(&self) -> &Path {
        &self.real
    }

    /// The path without links, from the home, of what is there. `None` when nothing is there.
    pub(crate) fn resolve(&self, path: &str) -> Result<Option<String>, Error> {
        let Some(fd) = self.look(path, ResolveFlags::empty())? else {
            return Ok(None);
        };
        let real = real_path(&fd).map_err(|errno| open_error(path, errno))?;
        let below = real.strip_prefix(&self.real).map_err(|_| refused(path, Refusal::Outside))?;
        let below = below.to_str().ok_or_else(|| refused(path, Refusal::NameNotUtf8))?;
        Ok(Some(below.to_owned()))
    }

    /// Reads a file of the person's. `None` when there is none.
    ///
    /// Refused: what isn't a regular file, belongs to somebody else, has a second name, or exceeds [`MAX_FILE_BYTES`].
    pub(crate) fn read(&self, path: &str) -> Result<Option<Content>, Error> {
        match self.resolve(path)? {
            Some(real) => self.read_real(path, &real),
            None => Ok(None),
        }
    }

    fn read_real(&self, path: &str, real: &str) -> Result<Option<Content>, Error> {
        // Looked at before it is opened: opening a device or a pipe can have effects of its own.
        let Some(seen) = self.look(real, ResolveFlags::NO_SYMLINKS)? else {
            return Ok(None);
        };
        self.check(path, &sys::fstat(&seen).map_err(|errno| open_error(path, errno))?)?;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match self.open_below(real, flags, ResolveFlags::NO_SYMLINKS) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(open_error(path, errno)),
        };
        self.content(path, file).map(Some)
    }

    /// Reads an open file, after checking it.
    fn content(&self, path: &str, file: OwnedFd) -> Result<Content, Error> {
        let stat = sys::fstat(&file).map_err(|errno| open_error(path, errno))?;
        self.check(path, &stat)?;
        let mut bytes = Vec::new();
        let read = File::from(file).take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
        let read = read.map_err(|source| Error::ReadFile { path: path.to_owned(), source })?;
        if read as u64 > MAX_FILE_BYTES {
            return Err(refused(path, Refusal::TooLarge));
        }
        let shape = Shape { sha256: Digest::of(&bytes), mode: stat.st_mode & 0o7777, mtime: mtime_of(&stat) };
        Ok(Content { bytes, shape })
    }

    fn check(&self, path: &str, stat: &Stat) -> Result<(), Error> {
        let refusal = if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            Refusal::NotRegular
        } else if stat.st_uid != self.owner {
            Refusal::OtherOwner
        } else if stat.st_nlink > 1 {
            Refusal::HardLinked
        } else if u64::try_from(stat.st_size).is_ok_and(|size| size > MAX_FILE_BYTES) {
            Refusal::TooLarge
        } else {
            return Ok(());
        };
        Err(refused(path, refusal))
    }

    /// The folder, without links, in which the path's last part is or would be. `None` when there is no such folder.
    fn place(&self, path: &str) -> Result<Option<Place>, Error> {
        let real = match self.resolve(path)? {
            Some(real) => Some(real),
            None => self.would_be(path)?,
        };
        let Some(real) = real else { return Ok(None) };
        let (folder, name) = real.rsplit_once('/').unwrap_or((".", &real));
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match self.open_below(folder, flags, ResolveFlags::NO_SYMLINKS) {
            Ok(dir) => Ok(Some(Place { dir, name: name.to_owned() })),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(open_error(path, errno)),
        }
    }

    fn would_be(&self, path: &str) -> Result<Option<String>, Error> {
        let (folder, name) = path.rsplit_once('/').unwrap_or((".", path));
        let folder = self.resolve(folder)?;
        Ok(folder.map(|folder| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }))
    }

    fn look(&self, path: &str, more: ResolveFlags) -> Result<Option<OwnedFd>, Error> {
        match self.open_below(path, OFlags::PATH | OFlags::CLOEXEC, more) {
            Ok(fd) => Ok(Some(fd)),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(errno) => Err(open_error(path, errno)),
        }
    }

    fn open_below(&self, path: &str, flags: OFlags, more: ResolveFlags) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | more;
        sys::openat2(&self.dir, path, flags, Mode::empty(), resolve)
    }
}

fn real_path(fd: &OwnedFd) -> Result<PathBuf, Errno> {
    use std::os::unix::ffi::OsStringExt as _;
    let link = sys::readlink(format!("/proc/self/fd/{}", fd.as_raw_fd()), Vec::new())?;
    Ok(PathBuf::from(std::ffi::OsString::from_vec(link.into_bytes())))
}

fn mtime_of(stat: &Stat) -> Mtime {
    Mtime { seconds: stat.st_mtime, nanoseconds: u32::try_from(stat.st_mtime_nsec).unwrap_or(0) }
}

fn refused(path: &str, refusal: Refusal) -> Error {
    Error::CheckFile { path: path.to_owned(), refusal }
}

fn open_error(path: &str, errno: Errno) -> Error {
    match errno {
        // EXDEV: RESOLVE_BENEATH would have left the home. ELOOP: a magic link, or a link where none may be.
        Errno::XDEV | Errno::LOOP => refused(path, Refusal::Outside),
        other => Error::OpenFile { path: path.to_owned(), source: other.into() },
    }
}
