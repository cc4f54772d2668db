//! Putting a folder aside within the home, so that the program whose account is gone doesn't delete what it holds.

use std::os::fd::OwnedFd;

use rustix::fs::{self as sys, AtFlags, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::{Home, Place, open_error};
use crate::error::Error;
use crate::plan::Move;

impl Home {
    /// The folder's own number, if it is a folder of the person's.
    pub(crate) fn folder_number(&self, path: &str) -> Result<Option<u64>, Error> {
        let Some(place) = self.place(path)? else { return Ok(None) };
        match sys::statat(&place.dir, &place.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory && stat.st_uid == self.owner => {
                Ok(Some(stat.st_ino))
            }
            Ok(_) | Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(open_error(path, errno)),
        }
    }

    /// A folder of the person's, open, and its own number. `None` when there is none.
    pub(crate) fn open_folder(&self, path: &str) -> Result<Option<(OwnedFd, u64)>, Error> {
        self.folder_with(path, OFlags::RDONLY | OFlags::NONBLOCK)
    }

    /// The same of a folder that may be closed: it can only be pointed at.
    pub(crate) fn look_at_folder(&self, path: &str) -> Result<Option<(OwnedFd, u64)>, Error> {
        self.folder_with(path, OFlags::PATH)
    }

    fn folder_with(&self, path: &str, flags: OFlags) -> Result<Option<(OwnedFd, u64)>, Error> {
        let Some(place) = self.place(path)? else { return Ok(None) };
        let flags = flags | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match sys::openat(&place.dir, &place.name, flags, Mode::empty()) {
            Ok(folder) => {
                let number = sys::fstat(&folder).map_err(|errno| open_error(path, errno))?.st_ino;
                Ok(Some((folder, number)))
            }
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS) => Ok(None),
            Err(errno) => Err(open_error(path, errno)),
        }
    }

    /// Puts the folder aside, if it is still there.
    pub(crate) fn put_aside(&self, aside: &Move) -> Result<(), Error> {
        if self.folder_number(&aside.from)? == Some(aside.number) {
            self.rename_folder(aside, (&aside.from, &aside.to), RenameFlags::NOREPLACE)?;
        }
        Ok(())
    }

    /// Brings the folder back, if it isn't back yet. A folder that a running program has made in its place meanwhile goes where ours was; if it is empty, it goes.
    pub(crate) fn bring_back(&self, aside: &Move) -> Result<(), Error> {
        if self.folder_number(&aside.to)? != Some(aside.number) {
            return Ok(());
        }
        let there = self.place(&aside.from)?.is_some_and(|place| is_there(&place));
        let flags = if there { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
        self.rename_folder(aside, (&aside.to, &aside.from), flags)?;
        if let (true, Some(place)) = (there, self.place(&aside.to)?) {
            crate::crash::step();
            // Only an empty one can be removed so.
            let _ = sys::unlinkat(&place.dir, &place.name, AtFlags::REMOVEDIR);
        }
        Ok(())
    }

    /// The same, but what is in its place stays there.
    pub(crate) fn bring_back_where_free(&self, aside: &Move) -> Result<(), Error> {
        if self.place(&aside.from)?.is_some_and(|place| is_there(&place)) { Ok(()) } else { self.bring_back(aside) }
    }

    fn rename_folder(&self, aside: &Move, (from, to): (&str, &str), flags: RenameFlags) -> Result<(), Error> {
        let failed = |errno: Errno| Error::SwapFile { path: aside.from.clone(), source: errno.into() };
        let (Some(old), Some(new)) = (self.place(from)?, self.place(to)?) else { return Ok(()) };
        crate::crash::step();
        sys::renameat_with(&old.dir, &old.name, &new.dir, &new.name, flags).map_err(failed)?;
        for place in [&old, &new] {
            sys::fsync(&place.dir).map_err(failed)?;
        }
        Ok(())
    }
}

fn is_there(place: &Place) -> bool {
    sys::statat(&place.dir, &place.name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
}
