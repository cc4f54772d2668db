//! Notices for people without a desktop: a few lines on each of their terminals that they use.

use std::{
    fs::File,
    io::Write,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};

use forewarn_core::{ports::NotShown, words::Words};
use forewarn_proto::foreign::line;
use forewarn_terminal::{columns_of, wrapped};
use rustix::{
    fs::{Mode, OFlags, open},
    termios::isatty,
};

/// Where the kernel shows pseudo-terminals, as devices that belong to their person.
const TERMINALS: &str = "/dev/pts";
/// A terminal at which nothing was typed for longer, in seconds, has nobody before it. (A terminal's access time is that
/// of its last input, to eight seconds: linux, `drivers/tty/tty_io.c`.)
const USED: u64 = 15 * 60;

/// Writes on the terminals that the user of this number owns and uses; of those that are named, if any are.
///
/// Only a terminal shows something: what was written into a file, or into `/dev/null`, nobody has read.
pub(super) fn show(owner: u32, named: Option<&[PathBuf]>, words: &Words) -> Result<(), NotShown> {
    let own: Vec<File> = candidates(named).iter().filter_map(|path| own_terminal(path, owner)).collect();
    if own.is_empty() {
        return Err(NotShown::NoTerminal);
    }
    let used: Vec<File> = own.into_iter().filter(is_used).collect();
    if used.is_empty() {
        return Err(NotShown::NobodyThere);
    }
    let write = |mut terminal: File| {
        let text = text(words, columns_of(&terminal));
        terminal.write_all(text.as_bytes()).ok()
    };
    let shown = used.into_iter().filter_map(write).count();
    if shown == 0 { Err(NotShown::NoTerminal) } else { Ok(()) }
}

fn candidates(named: Option<&[PathBuf]>) -> Vec<PathBuf> {
    let all = || fs_err::read_dir(TERMINALS).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    named.map_or_else(all, <[PathBuf]>::to_vec)
}

/// The terminal at this path, if it is one, and this user's. Never waits for one that is stopped, never follows a link,
/// never takes it for its own.
fn own_terminal(path: &Path, owner: u32) -> Option<File> {
    let is_own = |metadata: &std::fs::Metadata| {
        metadata.uid() == owner && metadata.file_type().is_char_device() && metadata.mode() & 0o200 != 0
    };
    // Other devices do things by being opened.
    fs_err::symlink_metadata(path).ok().filter(is_own)?;
    let flags =
        OFlags::WRONLY | OFlags::APPEND | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let terminal = File::from(open(path, flags, Mode::empty()).ok()?);
    (isatty(&terminal) && terminal.metadata().is_ok_and(|metadata| is_own(&metadata))).then_some(terminal)
}

fn is_used(terminal: &File) -> bool {
    let now = crate::scan::now().as_secs();
    let used = terminal.metadata().ok().and_then(|metadata| u64::try_from(metadata.atime()).ok());
    // After the wall clock was set back nobody knows when that was.
    used.is_some_and(|used| now.abs_diff(used) <= USED)
}

/// The notice as a terminal of so many columns gets it.
fn text(words: &Words, columns: Option<usize>) -> String {
    let body = words.body.lines().map(|part| format!("  {}", line(part)));
    let lines = [String::new(), format!("[forewarn] {}", line(&words.summary))].into_iter().chain(body);
    let fitted = lines.flat_map(|line| columns.map_or_else(|| vec![line.clone()], |columns| wrapped(&line, columns)));
    fitted.map(|line| format!("{line}\r\n")).collect()
}

#[cfg(test)]
mod tests {
    use std::{io::Read, os::fd::OwnedFd};

    use forewarn_host::user;
    use fs_err::os::unix::fs::symlink;
    use proptest::prelude::*;
    use rustix::{
        fs::{Timespec, Timestamps, UTIME_OMIT, utimensat},
        pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    };

    use super::*;

    /// A terminal of whoever runs the test: where one sits, and its path.
    fn terminal() -> (OwnedFd, PathBuf) {
        let seat = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&seat).unwrap();
        unlockpt(&seat).unwrap();
        let path = PathBuf::from(ptsname(&seat, Vec::new()).unwrap().into_string().unwrap());
        (seat, path)
    }

    fn check(path: &Path, expected: Result<(), NotShown>) {
        let words = Words { summary: "Hear".into(), body: "one\ntwo".into() };
        let shown = show(user::current(), Some(&[path.to_owned()]), &words);
        assert_eq!(shown, expected, "{}", path.display());
    }

    #[test]
    fn promise_1_only_a_terminal_shows_a_notice() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        let (_seat, terminal) = terminal();
        fs_err::write(&file, "").unwrap();
        symlink(&terminal, &link).unwrap();
        for path in [&file, &link, &folder.path().join("gone"), Path::new("/dev/null"), Path::new("/dev/zero")] {
            check(path, Err(NotShown::NoTerminal));
        }
        assert_eq!(fs_err::read_to_string(&file).unwrap(), "");
    }

    #[test]
    fn promise_1_only_a_terminal_that_its_person_uses_shows_a_notice() {
        let (mut seat, terminal) = {
            let (seat, path) = terminal();
            (File::from(seat), path)
        };
        check(&terminal, Ok(()));
        let mut read = [0; 256];
        let length = seat.read(&mut read).unwrap();
        let shown = String::from_utf8_lossy(&read[..length]).replace("\r\r", "\r");
        assert_eq!(shown, "\r\n[forewarn] Hear\r\n  one\r\n  two\r\n");
        let words = Words { summary: "Hear".into(), body: String::new() };
        let others = show(user::current() + 1, Some(std::slice::from_ref(&terminal)), &words);
        assert_eq!(others, Err(NotShown::NoTerminal), "it is somebody else's");
        // Long ago; and since then the wall clock was set back.
        for second in [1_000_000_000, 5_000_000_000] {
            let last_access = Timespec { tv_sec: second, tv_nsec: 0 };
            let times = Timestamps { last_access, last_modification: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT } };
            utimensat(rustix::fs::CWD, &terminal, &times, rustix::fs::AtFlags::empty()).unwrap();
            check(&terminal, Err(NotShown::NobodyThere));
        }
    }

    proptest! {
        #[test]
        fn no_notice_does_anything_to_a_terminal_but_say_something(summary in any::<String>(), body in any::<String>()) {
            let lines = text(&Words { summary, body }, None);
            let lines: Vec<&str> = lines.trim_start_matches("\r\n").split_terminator("\r\n").collect();
            prop_assert!(lines.iter().all(|text| line(text) == *text));
            prop_assert!(lines.iter().skip(1).all(|text| text.starts_with("  ")), "no line of it looks like another notice");
        }
    }
}
