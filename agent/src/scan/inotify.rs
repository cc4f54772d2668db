//! Where something is watched, and what the kernel says of it: inotify(7), on files that are open already.
//!
//! A watch is set on an open file, never on a path: between a look at a path in a home and a watch on it, its owner could put
//! something of root's there.

use std::{
    collections::BTreeMap,
    mem::MaybeUninit,
    os::{
        fd::{AsFd as _, AsRawFd as _, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use forewarn_mail::FolderId;
use rustix::{
    fs::{
        Mode, OFlags, ResolveFlags,
        inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init, remove_watch},
        open, openat2,
    },
    io::Errno,
};
use tokio::io::unix::AsyncFd;

use crate::alarm::register;

/// What is a change. Reading is none.
const CHANGES: WatchFlags = WatchFlags::ATTRIB
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MODIFY)
    .union(WatchFlags::MOVE)
    .union(WatchFlags::MOVE_SELF);

/// After these, something else may be where it was.
const GONE: ReadFlags = ReadFlags::DELETE
    .union(ReadFlags::DELETE_SELF)
    .union(ReadFlags::IGNORED)
    .union(ReadFlags::MOVED_FROM)
    .union(ReadFlags::MOVED_TO)
    .union(ReadFlags::MOVE_SELF)
    .union(ReadFlags::UNMOUNT);

/// In somebody's folder nothing is followed, and no other file system entered: it might be a program of theirs that does not
/// answer.
const BENEATH: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_MAGICLINKS)
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_XDEV);

/// How much is read of events at once, in bytes.
const AT_ONCE: usize = 4096;

/// Something changed, or may have.
pub(super) enum Event {
    /// At this path. `gone`: what was there may have been removed or replaced.
    Changed { path: PathBuf, gone: bool },
    /// Events were lost: anything may have changed.
    Lost,
}

/// A file or folder that is watched, open for its path alone while it is set up.
pub(super) struct Opened {
    fd: OwnedFd,
    pub(super) id: FolderId,
}

/// The kernel's side of all watches.
#[derive(Clone)]
pub(super) struct Watches {
    inotify: Arc<AsyncFd<OwnedFd>>,
    /// By the kernel's number: the paths under which it is known here, one for each who watches it.
    paths: Arc<Mutex<BTreeMap<i32, Vec<PathBuf>>>>,
}

impl Opened {
    /// What is at a path of the system's. Links are followed: root alone makes them.
    pub(super) fn at(path: &Path) -> Result<Self, Errno> {
        Self::of(open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?)
    }

    /// What is below a folder in which somebody else chooses every name.
    pub(super) fn below(&self, relative: &Path) -> Result<Self, Errno> {
        Self::of(openat2(&self.fd, relative, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), BENEATH)?)
    }

    fn of(fd: OwnedFd) -> Result<Self, Errno> {
        Ok(Self { id: FolderId::of(&fd)?, fd })
    }

    /// Whose it is.
    pub(super) fn owner(&self) -> Result<u32, Errno> {
        Ok(rustix::fs::fstat(&self.fd)?.st_uid)
    }
}

impl Watches {
    pub(super) fn new() -> Result<Self> {
        let inotify = register(init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?)?;
        Ok(Self { inotify: Arc::new(inotify), paths: Arc::default() })
    }

    /// Watches what is open, known as `path`. Gives the kernel's number.
    pub(super) fn add(&self, opened: &Opened, path: &Path) -> Result<i32, Errno> {
        // It leads to the very file, by no path.
        let link = format!("/proc/self/fd/{}", opened.fd.as_raw_fd());
        let number = add_watch(self.inotify.get_ref(), link, CHANGES)?;
        self.paths().entry(number).or_default().push(path.to_owned());
        Ok(number)
    }

    /// Ends a watch on this path. It may have ended by itself, if what was there was removed; and what others watch goes on.
    pub(super) fn remove(&self, number: i32, path: &Path) {
        let mut paths = self.paths();
        let Some(known) = paths.get_mut(&number) else { return };
        if let Some(index) = known.iter().position(|known| known == path) {
            known.swap_remove(index);
        }
        if known.is_empty() {
            paths.remove(&number);
            let _ = remove_watch(self.inotify.get_ref(), number);
        }
    }

    /// Waits for events, and hands each over; for ever.
    ///
    /// # Errors
    /// When the kernel gives no more.
    pub(super) async fn attend(&self, mut take: impl FnMut(Event)) -> Result<()> {
        loop {
            let mut guard = self.inotify.readable().await?;
            match self.read(&mut take) {
                Err(Errno::WOULDBLOCK) => guard.clear_ready(),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Reads events until there are none: that is the error.
    fn read(&self, take: &mut impl FnMut(Event)) -> Result<std::convert::Infallible, Errno> {
        let mut buffer = [MaybeUninit::uninit(); AT_ONCE];
        let mut events = Reader::new(self.inotify.get_ref().as_fd(), &mut buffer);
        loop {
            let event = events.next()?;
            if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                take(Event::Lost);
                continue;
            }
            let mut known = self.paths().get(&event.wd()).cloned().unwrap_or_default();
            known.dedup();
            let (name, gone) = (event.file_name(), event.events().intersects(GONE));
            for mut path in known {
                path.extend(name.map(|name| std::ffi::OsStr::from_bytes(name.to_bytes())));
                take(Event::Changed { path, gone });
            }
        }
    }

    fn paths(&self) -> std::sync::MutexGuard<'_, BTreeMap<i32, Vec<PathBuf>>> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
