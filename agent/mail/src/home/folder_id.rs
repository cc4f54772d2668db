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

/// Which mount an open file was reached by. Another name space's mount of the same folder is another one, under whatever name it shows itself. `None`: the kernel does not say (before Linux 5.8).
///
/// # Errors
/// That of statx(2).
pub(crate) fn mount_of(folder: impl AsFd) -> Result<Option<u64>, Errno> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let stat = sys::statx(folder, "", flags, StatxFlags::MNT_ID)?;
    Ok((stat.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(stat.stx_mnt_id))
}

impl From<&Statx> for FolderId {
    fn from(stat: &Statx) -> Self {
        let is_kept = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
        let born = is_kept.then_some((stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec));
        let device = sys::makedev(stat.stx_dev_major, stat.stx_dev_minor);
        Self { device, number: stat.stx_ino, born }
    }
}
