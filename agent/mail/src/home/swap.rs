//! Changing one file in a home, in one step, and only if it is what was planned.
//!
//! The new content is written beside the file and the two are exchanged (`renameat2`). What came out is compared with the plan; if somebody changed the file in between, the exchange is undone.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;

use rustix::fs::{self as sys, AtFlags, Mode, OFlags, RenameFlags, Timespec, Timestamps};
use rustix::io::Errno;

use super::{Content, Home, Mtime, Place};
use crate::digest::Digest;
use crate::error::Error;

/// A change of one file.
pub(crate) struct Change<'a> {
    /// Path from the home.
    pub(crate) path: &'a str,
    /// Name of the temporary file, in the same folder.
    pub(crate) temporary: &'a str,
    /// What is there now. `None`: nothing.
    pub(crate) from: Option<Digest>,
    /// What shall be there. `None`: nothing.
    pub(crate) to: Option<NewFile<'a>>,
}

/// A file's new content.
pub(crate) struct NewFile<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) mode: u32,
    /// `None`: the time of writing.
    pub(crate) mtime: Option<Mtime>,
}

/// How a change went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Swapped {
    /// Done, and on the disk.
    Done,
    /// The file wasn't what was planned; it is as it was found.
    Unexpected,
}

impl Home {
    /// Makes the changes one after the other. `false` when a file wasn't what is expected; those before it are changed.
    ///
    /// Every new content is on the disk before the first file is changed, so that a full disk changes nothing.
    pub(crate) fn change_all(&self, changes: &[Change<'_>]) -> Result<bool, Error> {
        if !self.stage_all(changes)? {
            return Ok(false);
        }
        for change in changes {
            if self.commit(change)? == Swapped::Unexpected {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes the change, unless the file isn't what is expected.
    pub(crate) fn change(&self, change: &Change<'_>) -> Result<Swapped, Error> {
        let done = self.change_all(std::slice::from_ref(change))?;
        Ok(if done { Swapped::Done } else { Swapped::Unexpected })
    }

    fn stage_all(&self, changes: &[Change<'_>]) -> Result<bool, Error> {
        for (index, change) in changes.iter().enumerate() {
            let staged = self.stage(change);
            if matches!(staged, Ok(true)) {
                continue;
            }
            for staged in &changes[..=index] {
                self.remove_temporary(staged.path, staged.temporary)?;
            }
            return staged;
        }
        Ok(true)
    }

    /// Writes the new content beside the file. `false` when there is no such folder.
    fn stage(&self, change: &Change<'_>) -> Result<bool, Error> {
        let Some(place) = self.place(change.path)? else {
            return Ok(change.to.is_none());
        };
        change.to.as_ref().map_or(Ok(()), |new| write_temporary(change, &place, new)).map(|()| true)
    }

    fn commit(&self, change: &Change<'_>) -> Result<Swapped, Error> {
        let Some(place) = self.place(change.path)? else {
            return Ok(Swapped::Unexpected);
        };
        let swapped = match (change.from, &change.to) {
            (None, None) => return Ok(Swapped::Done),
            (Some(from), Some(new)) => self.exchange(change, &place, from, new)?,
            (Some(from), None) => self.take_away(change, &place, from)?,
            (None, Some(_)) => put(change, &place)?,
        };
        sync_folder(change.path, &place)?;
        Ok(swapped)
    }

    fn exchange(&self, change: &Change<'_>, place: &Place, from: Digest, new: &NewFile<'_>) -> Result<Swapped, Error> {
        match rename(place, (change.temporary, &place.name), RenameFlags::EXCHANGE) {
            Ok(()) => {}
            Err(Errno::NOENT) => return remove(change, place).map(|()| Swapped::Unexpected),
            Err(errno) => return Err(swap_error(change, errno)),
        }
        if self.came_out(change, from) {
            return remove(change, place).map(|()| Swapped::Done);
        }
        rename(place, (change.temporary, &place.name), RenameFlags::EXCHANGE)
            .map_err(|errno| swap_error(change, errno))?;
        self.remove_if(change, place, Digest::of(new.bytes))
    }

    /// Whether what was at the name is what was planned. What can't be read is not.
    fn came_out(&self, change: &Change<'_>, from: Digest) -> bool {
        let out = self.temporary(change.path, change.temporary);
        matches!(out, Ok(Some(out)) if out.shape.sha256 == from)
    }

    /// After an undone exchange the temporary holds our content, unless somebody wrote in between once more.
    fn remove_if(&self, change: &Change<'_>, place: &Place, ours: Digest) -> Result<Swapped, Error> {
        match self.temporary(change.path, change.temporary)? {
            Some(out) if out.shape.sha256 == ours => remove(change, place).map(|()| Swapped::Unexpected),
            _ => Err(Error::SettleFile { path: change.path.to_owned() }),
        }
    }

    fn take_away(&self, change: &Change<'_>, place: &Place, from: Digest) -> Result<Swapped, Error> {
        match rename(place, (&place.name, change.temporary), RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(Swapped::Unexpected),
            Err(errno) => return Err(swap_error(change, errno)),
        }
        if self.came_out(change, from) {
            return remove(change, place).map(|()| Swapped::Done);
        }
        match rename(place, (change.temporary, &place.name), RenameFlags::NOREPLACE) {
            Ok(()) => Ok(Swapped::Unexpected),
            Err(_) => Err(Error::SettleFile { path: change.path.to_owned() }),
        }
    }

    /// The temporary file of a change, if it is there.
    pub(crate) fn temporary(&self, path: &str, temporary: &str) -> Result<Option<Content>, Error> {
        let Some(place) = self.place(path)? else {
            return Ok(None);
        };
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match sys::openat(&place.dir, temporary, flags, Mode::empty()) {
            Ok(file) => self.content(path, file).map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(super::open_error(path, errno)),
        }
    }

    /// Removes a temporary whose content is known to be elsewhere.
    pub(crate) fn remove_temporary(&self, path: &str, temporary: &str) -> Result<(), Error> {
        let change = Change { path, temporary, from: None, to: None };
        let Some(place) = self.place(path)? else {
            return Ok(());
        };
        remove(&change, &place)?;
        sync_folder(path, &place)
    }

    /// Puts a temporary that holds the person's own content back to its name. `false` when something else is there now.
    pub(crate) fn put_back(&self, path: &str, temporary: &str, occupied_by_ours: bool) -> Result<bool, Error> {
        let change = Change { path, temporary, from: None, to: None };
        let Some(place) = self.place(path)? else {
            return Ok(false);
        };
        let flags = if occupied_by_ours { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
        match rename(&place, (temporary, &place.name), flags) {
            Ok(()) => sync_folder(path, &place).map(|()| true),
            Err(Errno::EXIST | Errno::NOENT) => Ok(false),
            Err(errno) => Err(swap_error(&change, errno)),
        }
    }
}

fn put(change: &Change<'_>, place: &Place) -> Result<Swapped, Error> {
    match rename(place, (change.temporary, &place.name), RenameFlags::NOREPLACE) {
        Ok(()) => Ok(Swapped::Done),
        Err(Errno::EXIST) => remove(change, place).map(|()| Swapped::Unexpected),
        Err(errno) => Err(swap_error(change, errno)),
    }
}

fn write_temporary(change: &Change<'_>, place: &Place, new: &NewFile<'_>) -> Result<(), Error> {
    let failed = |source: std::io::Error| Error::WriteTemporary { path: change.path.to_owned(), source };
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    crate::crash::step();
    let fd = sys::openat(&place.dir, change.temporary, flags, Mode::RUSR | Mode::WUSR)
        .map_err(|errno| failed(errno.into()))?;
    let mut file = File::from(fd);
    let (first, rest) = new.bytes.split_at(new.bytes.len() / 2);
    for half in [first, rest] {
        crate::crash::step();
        file.write_all(half).map_err(failed)?;
    }
    let fd = OwnedFd::from(file);
    crate::crash::step();
    finish(&fd, new).map_err(|errno| failed(errno.into()))
}

fn finish(fd: &OwnedFd, new: &NewFile<'_>) -> Result<(), Errno> {
    sys::fchmod(fd, Mode::from_raw_mode(new.mode))?;
    if let Some(mtime) = new.mtime {
        let time = Timespec { tv_sec: mtime.seconds, tv_nsec: mtime.nanoseconds.into() };
        sys::futimens(fd, &Timestamps { last_access: time, last_modification: time })?;
    }
    sys::fsync(fd)
}

fn rename(place: &Place, (from, to): (&str, &str), flags: RenameFlags) -> Result<(), Errno> {
    crate::crash::step();
    sys::renameat_with(&place.dir, from, &place.dir, to, flags)
}

fn remove(change: &Change<'_>, place: &Place) -> Result<(), Error> {
    crate::crash::step();
    match sys::unlinkat(&place.dir, change.temporary, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(Error::RemoveTemporary {
            path: change.path.to_owned(),
            temporary: change.temporary.to_owned(),
            source: errno.into(),
        }),
    }
}

fn sync_folder(path: &str, place: &Place) -> Result<(), Error> {
    sys::fsync(&place.dir).map_err(|errno| Error::SwapFile { path: path.to_owned(), source: errno.into() })
}

fn swap_error(change: &Change<'_>, errno: Errno) -> Error {
    Error::SwapFile { path: change.path.to_owned(), source: errno.into() }
}
