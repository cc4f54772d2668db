//! The lock that Thunderbird holds while it runs.
//!
//! Source: `nsProfileLock.cpp`, an `fcntl` write lock on `PROFILE/.parentlock`. Holding it ourselves also keeps Thunderbird from starting in the middle of an edit. The `lock` link beside it survives a kill and lies.

use std::os::fd::OwnedFd;

use rustix::fs::{self as sys, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::{Home, open_error};
use crate::error::Error;

/// A profile that no program runs in, for as long as this value lives.
///
/// `fcntl` locks belong to the process: another open and close of the same file in this process would end it.
#[derive(Debug)]
pub(crate) struct ProfileLock {
    _file: OwnedFd,
}

impl Home {
    /// Takes the lock, without waiting. `None` when the program runs. Never signals anything.
    pub(crate) fn lock_profile(&self, profile: &str) -> Result<Option<ProfileLock>, Error> {
        let path = format!("{profile}/.parentlock");
        let failed = |errno: Errno| Error::LockProfile { path: path.clone(), source: errno.into() };
        let place = self.place(&path)?.ok_or_else(|| failed(Errno::NOENT))?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        crate::crash::step();
        let file = sys::openat(&place.dir, &place.name, flags, Mode::RUSR | Mode::WUSR).map_err(failed)?;
        self.check(&path, &sys::fstat(&file).map_err(|errno| open_error(&path, errno))?)?;
        match sys::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(ProfileLock { _file: file })),
            Err(Errno::AGAIN | Errno::ACCESS) => Ok(None),
            Err(errno) => Err(failed(errno)),
        }
    }
}
