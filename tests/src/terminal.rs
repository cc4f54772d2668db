//! A terminal at which a person sits: what is shown on it is kept in a file.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    thread,
};

use anyhow::Result;
use rustix::{
    fs::{Gid, Mode, OFlags, Uid, open},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};

/// A pseudo-terminal (pts(4)) of a person. It is used as long as this value lives: for the kernel they typed when it was
/// made.
#[derive(Debug)]
pub struct Terminal {
    /// The terminal as programs open it: `/dev/pts/3`.
    pub path: PathBuf,
    /// Without anybody who has it open, what is behind the terminal reads of a hang-up.
    open: OwnedFd,
}

impl Terminal {
    /// A terminal of the user of this number. All that is shown on it goes into the file, line ends as `\n`.
    ///
    /// # Errors
    /// When there are no more terminals, or the file can't be written.
    pub fn new(owner: u32, shown: &Path) -> Result<Self> {
        let seat = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&seat)?;
        unlockpt(&seat)?;
        let path = PathBuf::from(ptsname(&seat, Vec::new())?.into_string()?);
        let open = open(&path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        let file = fs_err::OpenOptions::new().create(true).append(true).open(shown)?;
        thread::spawn(move || keep(File::from(seat), file));
        let terminal = Self { path, open };
        terminal.give_to(owner)?;
        Ok(terminal)
    }

    /// Another user sits at it.
    ///
    /// # Errors
    /// When whoever runs this may not say so.
    pub fn give_to(&self, owner: u32) -> Result<()> {
        Ok(rustix::fs::fchown(&self.open, Some(Uid::from_raw(owner)), None::<Gid>)?)
    }
}

/// Keeps what is shown, until nobody has the terminal open any more.
fn keep(mut seat: File, mut file: fs_err::File) {
    let mut shown = [0; 4096];
    while let Ok(length) = seat.read(&mut shown) {
        let text: Vec<u8> = shown.iter().take(length).copied().filter(|byte| *byte != b'\r').collect();
        if length == 0 || file.write_all(&text).is_err() {
            return;
        }
    }
}
