//! Notices for people without a desktop: a few lines on each of their terminals that they use.

use std::{
    io::Write,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, OFlags, open};

use crate::words::Words;

/// Where the kernel shows pseudo-terminals, as devices that belong to their person.
const TERMINALS: &str = "/dev/pts";
/// A terminal at which nothing was typed for longer, in seconds, has nobody before it. (A terminal's access time is that
/// of its last input, to eight seconds: linux, `drivers/tty/tty_io.c`.)
const USED: u64 = 15 * 60;

/// Why nothing was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotShown {
    /// There is no terminal of theirs, or none takes it.
    NoTerminal,
    /// There is one, and nobody has used it lately.
    NobodyThere,
}

/// Writes on the terminals that are named, or on all that the person uses.
pub(super) fn show(user: u32, named: Option<&[PathBuf]>, words: &Words) -> Result<(), NotShown> {
    let terminals = match named {
        Some(named) => named.to_vec(),
        None => used_terminals(user)?,
    };
    let shown = terminals.iter().filter(|terminal| write(terminal, words).is_ok()).count();
    if shown == 0 { Err(NotShown::NoTerminal) } else { Ok(()) }
}

fn used_terminals(user: u32) -> Result<Vec<PathBuf>, NotShown> {
    let entries = fs_err::read_dir(TERMINALS).into_iter().flatten().flatten().map(|entry| entry.path());
    let all = entries.filter(|path| path.file_name().is_some_and(|name| name != "ptmx"));
    let with_metadata = all.filter_map(|path| Some((fs_err::symlink_metadata(&path).ok()?, path)));
    let is_own = |m: &std::fs::Metadata| m.uid() == user && m.file_type().is_char_device() && m.mode() & 0o200 != 0;
    let own: Vec<_> = with_metadata.filter(|(metadata, _)| is_own(metadata)).collect();
    if own.is_empty() {
        return Err(NotShown::NoTerminal);
    }
    let now = crate::scan::now().as_secs();
    let is_used = |m: &std::fs::Metadata| now.saturating_sub(u64::try_from(m.atime()).unwrap_or_default()) <= USED;
    let used: Vec<PathBuf> = own.into_iter().filter(|(m, _)| is_used(m)).map(|(_, path)| path).collect();
    if used.is_empty() { Err(NotShown::NobodyThere) } else { Ok(used) }
}

/// Never waits for a terminal that is stopped, never follows a link, never takes the terminal for its own.
fn write(terminal: &Path, words: &Words) -> anyhow::Result<()> {
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
        let show = |path: &Path| show(0, Some(&[path.to_owned()]), &words);
        assert_eq!(show(&link), Err(NotShown::NoTerminal), "a link is not followed");
        assert_eq!(show(&folder.path().join("gone")), Err(NotShown::NoTerminal));
        show(&there).unwrap();
        assert_eq!(fs_err::read_to_string(&there).unwrap(), "\r\n[forewarn] Hear\r\n  one\r\n  two\r\n");
    }
}
