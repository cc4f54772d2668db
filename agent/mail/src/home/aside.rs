//! Putting a folder aside within the home, so that the program whose account is gone doesn't delete what it holds.

use std::os::fd::OwnedFd;

use rustix::fs::{self as sys, AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::{FolderId, Home, Place, open_error};
use crate::error::Error;
use crate::plan::Move;

impl Home {
    /// Which folder is there, if it is one of the person's.
    pub(crate) fn folder_id(&self, path: &str) -> Result<Option<FolderId>, Error> {
        let Some((folder, id)) = self.look_at_folder(path)? else { return Ok(None) };
        let stat = sys::fstat(&folder).map_err(|errno| open_error(path, errno))?;
        Ok((stat.st_uid == self.owner).then_some(id))
    }

    /// A folder of the person's, open, and which it is. `None` when there is none.
    pub(crate) fn open_folder(&self, path: &str) -> Result<Option<(OwnedFd, FolderId)>, Error> {
        self.folder_with(path, OFlags::RDONLY | OFlags::NONBLOCK)
    }

    /// The same of a folder that may be closed: it can only be pointed at.
    pub(crate) fn look_at_folder(&self, path: &str) -> Result<Option<(OwnedFd, FolderId)>, Error> {
        self.folder_with(path, OFlags::PATH)
    }

    fn folder_with(&self, path: &str, flags: OFlags) -> Result<Option<(OwnedFd, FolderId)>, Error> {
        let Some(place) = self.place(path)? else { return Ok(None) };
        let flags = flags | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match sys::openat(&place.dir, &place.name, flags, Mode::empty()) {
            Ok(folder) => {
                let id = FolderId::of(&folder).map_err(|errno| open_error(path, errno))?;
                Ok(Some((folder, id)))
            }
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS) => Ok(None),
            Err(errno) => Err(open_error(path, errno)),
        }
    }

    /// Puts the folder aside, if it is still there.
    pub(crate) fn put_aside(&self, aside: &Move) -> Result<(), Error> {
        if self.folder_id(&aside.from)? == Some(aside.folder) {
            self.rename_folder(aside, (&aside.from, &aside.to), RenameFlags::NOREPLACE)?;
        }
        Ok(())
    }

    /// Brings the folder back, if it isn't back yet. A folder that a running program has made in its place meanwhile goes where ours was; if it is empty, it goes.
    pub(crate) fn bring_back(&self, aside: &Move) -> Result<(), Error> {
        if self.folder_id(&aside.to)? != Some(aside.folder) {
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
