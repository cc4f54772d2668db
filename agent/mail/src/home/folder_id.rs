//! Which folder it is, wherever it is moved to, and never another one that got its number.

use std::os::fd::AsFd;

use rustix::fs::{self as sys, AtFlags, Statx, StatxFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// When a folder was made, by its file system: seconds and nanoseconds since 1970.
pub type Birth = (i64, u32);

/// A folder's file system, its number there, and when it was made. A number alone is given again as soon as its folder is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderId {
    pub(crate) device: u64,
    pub(crate) number: u64,
    /// `None`: the file system doesn't keep that.
    pub(crate) born: Option<Birth>,
}

impl FolderId {
    /// Of a file or folder that is open, if only for its path.
    ///
    /// # Errors
    /// That of statx(2).
    pub fn of(folder: impl AsFd) -> Result<Self, Errno> {
        // A file system that may be the person's own program (FUSE), and never answer, is not asked.
        let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
        let wanted = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
        sys::statx(folder, "", flags, wanted).map(|stat| Self::from(&stat))
    }

    /// When it was made.
    pub fn born(self) -> Option<Birth> {
        self.born
    }

    /// Whether both have the number: one of them, or neither, is there.
    pub(crate) fn has_number_of(self, other: Self) -> bool {
        (self.device, self.number) == (other.device, other.number)
    }
}

impl From<&Statx> for FolderId {
    fn from(stat: &Statx) -> Self {
        let is_kept = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
        let born = is_kept.then_some((stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec));
        let device = sys::makedev(stat.stx_dev_major, stat.stx_dev_minor);
        Self { device, number: stat.stx_ino, born }
    }
}
