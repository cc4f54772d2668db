//! Folders of stored mail that are closed while their account is revoked: nothing in them is moved, copied or changed.
//!
//! A folder comes as an open file, from whoever works in the home: no path in a home is ever resolved here. Where we are root a closed folder is root's, mode 0700; else its own person's, mode 0000, which keeps programs out and not the person. What it was before is written down first; only what is written down is opened again, so that nobody is given a folder of root's that was never theirs.

use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::path::PathBuf;

use rustix::fs::{self as sys, AtFlags, FileType, Gid, Mode, Stat, StatxFlags, Uid};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// The most folders of one person that are closed at once. It stops a process that was taken over from filling the list.
const MAX_CLOSED: usize = 256;

/// Which folders are closed, and what they were.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Closed(Vec<Was>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Was {
    device: u64,
    number: u64,
    mode: u32,
}

impl Closed {
    /// Adds a folder that is about to be closed. `false` when it is there already.
    pub(crate) fn add(&mut self, stat: &Stat) -> Result<bool, Errno> {
        if self.find(stat).is_some() {
            return Ok(false);
        }
        if self.0.len() >= MAX_CLOSED {
            return Err(Errno::NOSPC);
        }
        self.0.push(Was { device: stat.st_dev, number: stat.st_ino, mode: stat.st_mode & 0o7777 });
        Ok(true)
    }

    fn find(&self, stat: &Stat) -> Option<&Was> {
        self.0.iter().find(|was| (was.device, was.number) == (stat.st_dev, stat.st_ino))
    }

    pub(crate) fn remove(&mut self, stat: &Stat) {
        self.0.retain(|was| (was.device, was.number) != (stat.st_dev, stat.st_ino));
    }

    /// The mode that a closed folder had.
    pub(crate) fn mode_of(&self, stat: &Stat) -> Option<u32> {
        self.find(stat).map(|was| was.mode)
    }
}

/// What is known of a folder that came in, if it may be closed: a folder of the person's, on the file system of their home.
pub(crate) fn checked(folder: BorrowedFd<'_>, person: u32, device: Option<u64>) -> Result<Stat, Errno> {
    // Another file system may be the person's own program (FUSE), which never answers: it is not asked.
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let place = sys::statx(folder, "", flags, StatxFlags::empty())?;
    let place = (place.stx_dev_major, place.stx_dev_minor);
    if device.is_some_and(|device| (sys::major(device), sys::minor(device)) != place) {
        return Err(Errno::XDEV);
    }
    let stat = sys::fstat(folder)?;
    let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    let is_theirs = stat.st_uid == person || (stat.st_uid == 0 && rustix::process::geteuid().is_root());
    if is_folder && is_theirs { Ok(stat) } else { Err(Errno::PERM) }
}

pub(crate) fn close(folder: BorrowedFd<'_>) -> Result<(), Errno> {
    if rustix::process::geteuid().is_root() {
        give(folder, 0)?;
        return set_mode(folder, 0o700);
    }
    set_mode(folder, 0)
}

pub(crate) fn open(folder: BorrowedFd<'_>, person: u32, mode: u32) -> Result<(), Errno> {
    // The mode first: whoever gets it must not meet it half open.
    set_mode(folder, mode)?;
    if rustix::process::geteuid().is_root() { give(folder, person) } else { Ok(()) }
}

/// Its group stays.
fn give(folder: BorrowedFd<'_>, owner: u32) -> Result<(), Errno> {
    sys::chownat(folder, "", Some(Uid::from_raw(owner)), None::<Gid>, AtFlags::EMPTY_PATH)
}

/// The folder may be open for its path alone, of which `fchmod` knows nothing.
fn set_mode(folder: BorrowedFd<'_>, mode: u32) -> Result<(), Errno> {
    let path: PathBuf = format!("/proc/self/fd/{}", folder.as_raw_fd()).into();
    sys::chmod(path, Mode::from_raw_mode(mode))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use super::*;

    #[test]
    fn only_a_folder_of_the_person_s_on_their_home_s_file_system_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let file = fs_err::File::create(folder.path().join("file")).unwrap();
        let open = fs_err::File::open(folder.path()).unwrap();
        let stat = sys::fstat(&open).unwrap();
        let me = stat.st_uid;
        let check = |fd, person, device| checked(fd, person, device).map(|stat| stat.st_ino);
        assert_eq!(check(open.as_fd(), me, Some(stat.st_dev)), Ok(stat.st_ino));
        assert_eq!(check(open.as_fd(), me, Some(stat.st_dev + 1)), Err(Errno::XDEV));
        assert_eq!(check(file.as_fd(), me, None), Err(Errno::PERM));
        // A folder of root's may be one that we have closed; the list knows.
        let theirs = check(open.as_fd(), me + 1, None);
        assert_eq!(theirs.is_ok(), me == 0);
    }

    #[test]
    fn only_what_was_written_down_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let stat = sys::stat(folder.path()).unwrap();
        let mut closed = Closed::default();
        assert_eq!(closed.mode_of(&stat), None);
        assert_eq!((closed.add(&stat), closed.add(&stat)), (Ok(true), Ok(false)));
        assert_eq!(closed.mode_of(&stat), Some(stat.st_mode & 0o7777));
        closed.remove(&stat);
        assert_eq!(closed, Closed::default());
    }
}
