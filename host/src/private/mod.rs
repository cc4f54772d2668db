//! Files and folders that their owner alone can open.

mod linux;

use std::{
    io::{self, Write as _},
    path::Path,
};

/// Writes a file, all of it or nothing, and has it on the disk.
///
/// # Errors
/// When it can't be written; the former one stays.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!(".{name}.new"));
    let _ = fs_err::remove_file(&new);
    let mut file = create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs_err::rename(&new, path)?;
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    linux::sync_folder(folder.unwrap_or(Path::new(".")))
}

/// Makes a file that was not there.
///
/// # Errors
/// When it is there already, or can't be made.
pub fn create(path: &Path) -> io::Result<fs_err::File> {
    linux::options().write(true).create_new(true).open(path)
}

/// Makes a folder, or has one that is there be its owner's alone.
///
/// # Errors
/// When that can't be done.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    fs_err::create_dir_all(folder)?;
    linux::close(folder)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_private_file_and_its_folder_are_open_to_nobody_else() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/b");
        create_folder(&folder).unwrap();
        let file = folder.join("secret.json");
        for text in ["first", "second"] {
            write(&file, text.as_bytes()).unwrap();
            assert_eq!(fs_err::read_to_string(&file).unwrap(), text);
        }
        let mode = |path: &Path| fs_err::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
        assert_eq!(create(&file).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs_err::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
    }
}
