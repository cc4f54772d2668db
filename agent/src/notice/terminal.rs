//! Notices for people without a desktop: a few lines on each of their terminals.

use std::{
    io::Write,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use rustix::fs::{Mode, OFlags, open};

use super::Words;

/// Where the kernel shows pseudo-terminals, as devices that belong to their person.
const TERMINALS: &str = "/dev/pts";

/// Writes on the terminals that are named, or on all of the person's.
pub(super) fn show(named: Option<&[PathBuf]>, words: &Words) -> Result<()> {
    let terminals = named.map_or_else(own_terminals, <[_]>::to_vec);
    let shown = terminals.iter().filter(|terminal| write(terminal, words).is_ok()).count();
    if shown == 0 {
        bail!("there is no desktop and no terminal on which to show it");
    }
    Ok(())
}

fn own_terminals() -> Vec<PathBuf> {
    let uid = rustix::process::geteuid().as_raw();
    let is_own = |path: &PathBuf| {
        let metadata = fs_err::metadata(path);
        metadata.is_ok_and(|m| m.uid() == uid && m.file_type().is_char_device() && m.mode() & 0o200 != 0)
    };
    let entries = fs_err::read_dir(TERMINALS).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.file_name().is_some_and(|name| name != "ptmx")).filter(is_own).collect()
}

/// Never waits for a terminal that is stopped, never follows a link, never takes the terminal for its own.
fn write(terminal: &Path, words: &Words) -> Result<()> {
    let flags =
        OFlags::WRONLY | OFlags::APPEND | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = std::fs::File::from(open(terminal, flags, Mode::empty())?);
    let body = words.body.replace('\n', "\r\n  ");
    file.write_all(format!("\r\n[forewarn] {}\r\n  {body}\r\n", words.summary).as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_nowhere_was_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let (there, link) = (folder.path().join("tty"), folder.path().join("link"));
        fs_err::write(&there, "").unwrap();
        fs_err::os::unix::fs::symlink(&there, &link).unwrap();
        let words = Words { summary: "Hear".into(), body: "one\ntwo".into() };
        assert!(show(Some(&[link]), &words).is_err(), "a link is not followed");
        assert!(show(Some(&[folder.path().join("gone")]), &words).is_err());
        show(Some(std::slice::from_ref(&there)), &words).unwrap();
        assert_eq!(fs_err::read_to_string(&there).unwrap(), "\r\n[forewarn] Hear\r\n  one\r\n  two\r\n");
    }
}
