//! Whether an AppImage's file system can be read, as a pure function over its superblock.
//!
//! Format: Linux's `fs/squashfs/squashfs_fs.h` (`squashfs_super_block`); all numbers little-endian.

/// How many bytes tell.
pub(super) const SUPERBLOCK_BYTES: usize = 96;

const MAGIC: &[u8] = b"hsqs";
/// The compressions by number; none at 0.
const COMPRESSIONS: [&str; 7] = ["nothing", "gzip", "lzma", "lzo", "xz", "lz4", "zstd"];
const READ: [&str; 2] = ["gzip", "zstd"];

/// Why a file system is not read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    #[error("the AppImage ends before its file system begins")]
    NotBegun,
    #[error("the AppImage is cut off: its file system has {0} bytes, of which {1} are there")]
    CutOff(u64, u64),
    #[error("the AppImage's file system is not SquashFS")]
    NotSquashFs,
    #[error("the AppImage's file system is SquashFS {0}.{1}, which is not read")]
    Version(u64, u64),
    #[error("the AppImage's file system is compressed with {0}, which is not read")]
    Compression(&'static str),
}

impl Unfit {
    /// Whether the rest of the file is still to come. Such an AppImage doesn't start.
    pub(super) fn is_unfinished(&self) -> bool {
        match self {
            Self::NotBegun | Self::CutOff(..) => true,
            Self::NotSquashFs | Self::Version(..) | Self::Compression(_) => false,
        }
    }
}

/// Looks at what follows an AppImage's runtime: the first [`SUPERBLOCK_BYTES`] of it, or as many as there are. `room` is
/// how many there are up to the file's end.
///
/// # Errors
/// When it can't be read.
pub(super) fn check(superblock: &[u8], room: u64) -> Result<(), Unfit> {
    // Some programs make room for a download in advance.
    if superblock.len() < SUPERBLOCK_BYTES || superblock.iter().all(|byte| *byte == 0) {
        return Err(Unfit::NotBegun);
    }
    if !superblock.starts_with(MAGIC) {
        return Err(Unfit::NotSquashFs);
    }
    let number = |at: usize, length: usize| {
        superblock[at..at + length].iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let (compression, major, minor, size) = (number(20, 2), number(28, 2), number(30, 2), number(40, 8));
    if size > room {
        return Err(Unfit::CutOff(size, room));
    }
    if (major, minor) != (4, 0) {
        return Err(Unfit::Version(major, minor));
    }
    let name = usize::try_from(compression).ok().and_then(|number| COMPRESSIONS.get(number).copied());
    match name {
        Some(name) if READ.contains(&name) => Ok(()),
        name => Err(Unfit::Compression(name.unwrap_or("something unknown"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn superblock(compression: u8, size: u8) -> [u8; SUPERBLOCK_BYTES] {
        let mut block = [0; SUPERBLOCK_BYTES];
        block[..4].copy_from_slice(MAGIC);
        (block[20], block[28], block[40]) = (compression, 4, size);
        block
    }

    #[test]
    fn what_can_t_be_read_is_named() {
        assert_eq!(check(&superblock(1, 200), 200), Ok(()));
        assert_eq!(check(&superblock(6, 200), 1000), Ok(()));
        assert_eq!(check(&superblock(4, 200), 200), Err(Unfit::Compression("xz")));
        assert_eq!(check(&superblock(3, 200), 200), Err(Unfit::Compression("lzo")));
        assert_eq!(check(&superblock(5, 200), 200), Err(Unfit::Compression("lz4")));
        assert_eq!(check(&superblock(9, 200), 200), Err(Unfit::Compression("something unknown")));
        let mut old = superblock(1, 200);
        (old[28], old[30]) = (3, 1);
        assert_eq!(check(&old, 200), Err(Unfit::Version(3, 1)));
        assert_eq!(check(&[b'D'; SUPERBLOCK_BYTES], 200), Err(Unfit::NotSquashFs));
    }

    #[test]
    fn what_is_still_to_come_is_known() {
        assert_eq!(check(&superblock(4, 200), 199), Err(Unfit::CutOff(200, 199)));
        assert_eq!(check(&[0; SUPERBLOCK_BYTES], 1000), Err(Unfit::NotBegun));
        assert_eq!(check(&superblock(1, 200)[..95], 95), Err(Unfit::NotBegun));
        assert_eq!(check(b"", 0), Err(Unfit::NotBegun));
    }

    #[test]
    fn no_bytes_break_it() {
        crate::mutated::check(&[&superblock(1, 200)], |bytes| drop(check(bytes, bytes.len() as u64)));
    }
}
