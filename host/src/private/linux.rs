use std::{io, os::unix::fs::PermissionsExt, path::Path};

use fs_err::os::unix::fs::OpenOptionsExt as _;

pub(super) fn options() -> fs_err::OpenOptions {
    let mut options = fs_err::OpenOptions::new();
    options.mode(0o600);
    options
}

pub(super) fn close(folder: &Path) -> io::Result<()> {
    fs_err::set_permissions(folder, PermissionsExt::from_mode(0o700))
}

/// Has the names in a folder on the disk.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    fs_err::File::open(folder)?.sync_all()
}
