//! Opening on Linux, with openat2(2).

use std::{
    cell::RefCell,
    fs::File,
    io,
    os::{fd::OwnedFd, unix::fs::MetadataExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, open, openat, openat2, readlinkat, statat},
    io::Errno,
};

use super::{Kind, Name, Opened, Seen, Stamp};

/// How often an open is tried again when a rename elsewhere disturbed it (EAGAIN in openat2(2)).
const ATTEMPTS: usize = 16;

/// Folders of the system in which people choose names: root follows no link out of them.
const PEOPLE_S: [&str; 2] = ["home/linuxbrew", "nix/var/nix/profiles/per-user"];
/// The same, unless it is root's: Nix may be one person's own.
const MAY_BE_A_PERSON_S: &str = "nix";

/// Whether two open files are the same one.
pub(crate) fn is_same(one: &File, other: &File) -> io::Result<bool> {
    let (one, other) = (one.metadata()?, other.metadata()?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

/// As far as a link is followed where a person chooses it.
const BENEATH: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS).union(ResolveFlags::NO_XDEV);

/// A folder under which names are opened.
#[derive(Debug)]
pub(crate) struct Root {
    fd: OwnedFd,
    path: PathBuf,
    resolve: ResolveFlags,
    /// Everything that was opened, as it was then.
    seen: RefCell<Vec<Seen>>,
}

impl Root {
    /// A folder that only the system's administrator writes to: links are followed, wherever they lead. Flatpak and
    /// snapd place desktop entries as links. Folders in it that belong to a person are as homes are.
    ///
    /// `None` if it does not exist.
    pub(crate) fn system(path: &Path) -> io::Result<Option<Self>> {
        Self::new(path, ResolveFlags::empty())
    }

    /// A person's home. Whoever writes there chooses every name and link, so a link is followed only where it stays
    /// beneath the home, never through `/proc`'s magic links, and never onto another file system (which might be a
    /// FUSE mount that doesn't answer). An absolute link counts as leading out, even back into the home.
    ///
    /// `None` if it does not exist.
    pub(crate) fn home(path: &Path) -> io::Result<Option<Self>> {
        Self::new(path, BENEATH)
    }

    fn new(path: &Path, resolve: ResolveFlags) -> io::Result<Option<Self>> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match open(path, flags, Mode::empty()) {
            Ok(fd) => Ok(Some(Self { fd, path: path.to_owned(), resolve, seen: RefCell::default() })),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The full path of a name under this folder, to show.
    pub(crate) fn path(&self, relative: &Path) -> PathBuf {
        if relative.as_os_str().is_empty() { self.path.clone() } else { self.path.join(relative) }
    }

    /// Opens a name under this folder; `relative` must not be absolute. It doesn't wait, not even for a FIFO's writer.
    ///
    /// # Errors
    /// Those of openat2(2) and fstat(2), in words for a link that leads out.
    pub(crate) fn open(&self, relative: &Path) -> io::Result<Opened> {
        Ok(match self.open_fd(relative)? {
            None => Opened::Missing,
            Some((fd, kind)) => match kind {
                Kind::File => Opened::File(fd.into()),
                Kind::Folder => Opened::Folder,
                Kind::Link | Kind::Special => Opened::Special,
            },
        })
    }

    /// The names in a folder, without `.` and `..`, sorted; at most `limit` and one more. `None` if there is no such
    /// folder.
    ///
    /// # Errors
    /// Those of openat2(2) and getdents64(2), in words for a link that leads out.
    pub(crate) fn names(&self, relative: &Path, limit: usize) -> io::Result<Option<Vec<Name>>> {
        let Some((fd, Kind::Folder)) = self.open_fd(relative)? else { return Ok(None) };
        let mut folder = Dir::new(fd)?;
        let mut names = Vec::new();
        while let Some(entry) = folder.read() {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let kind = match kind(entry.file_type()) {
                Some(kind) => kind,
                None => kind_of(&statat(folder.fd()?, name, AtFlags::SYMLINK_NOFOLLOW)?),
            };
            names.push(Name { text: name.to_str().ok().map(str::to_owned), kind });
            if names.len() > limit {
                break;
            }
        }
        names.sort_unstable_by(|a, b| a.text.cmp(&b.text));
        Ok(Some(names))
    }

    /// Whether there is something of this name that can be opened.
    pub(crate) fn is_there(&self, relative: &Path) -> bool {
        matches!(self.open_fd(relative), Ok(Some(_)))
    }

    /// The number of the user to whom what has this name belongs. `None` if it can't be opened.
    pub(crate) fn owner(&self, relative: &Path) -> Option<u32> {
        self.open_unseen(relative).ok().flatten().map(|(_, stat)| stat.st_uid)
    }

    /// Everything that was opened, or not found, under this folder so far: what comes of it can only change with one of
    /// these.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }

    /// Whether a name still leads to what was seen there.
    pub(crate) fn is_as_seen(&self, seen: &Seen) -> bool {
        self.open_unseen(&seen.path).is_ok_and(|now| now.map(|(_, stat)| stamp(&stat)) == seen.stamp)
    }

    /// Where a symbolic link leads, unresolved. `None` if there is no such link.
    ///
    /// # Errors
    /// Those of openat2(2) and readlinkat(2), in words for a target that is not UTF-8.
    pub(crate) fn link(&self, relative: &Path) -> io::Result<Option<PathBuf>> {
        let (Some(folder), Some(name)) = (relative.parent(), relative.file_name()) else { return Ok(None) };
        let Some((folder, _)) = self.open_fd(folder)? else { return Ok(None) };
        match readlinkat(&folder, name, Vec::new()) {
            Ok(target) => match target.to_str() {
                Ok(target) => Ok(Some(PathBuf::from(target))),
                Err(_) => Err(io::Error::other("the link's target is not UTF-8")),
            },
            // Nothing, or something that is no link.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::INVAL) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens for reading, and notes what was seen. `None` if it does not exist.
    fn open_fd(&self, relative: &Path) -> io::Result<Option<(OwnedFd, Kind)>> {
        let opened = self.open_unseen(relative)?;
        let stamp = opened.as_ref().map(|(_, stat)| stamp(stat));
        self.seen.borrow_mut().push(Seen { path: relative.to_owned(), stamp });
        Ok(opened.map(|(fd, stat)| (fd, kind_of(&stat))))
    }

    fn open_unseen(&self, relative: &Path) -> io::Result<Option<(OwnedFd, Stat)>> {
        let relative = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let mut attempts = ATTEMPTS;
        loop {
            attempts -= 1;
            // Without restrictions openat(2) does, which older kernels have too.
            let opened = if self.resolve.is_empty() {
                self.open_of_system(relative, flags)
            } else {
                openat2(&self.fd, relative, flags, Mode::empty(), self.resolve)
            };
            return match opened {
                Ok(fd) => {
                    let stat = fstat(&fd)?;
                    Ok(Some((fd, stat)))
                }
                Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
                Err(Errno::AGAIN | Errno::INTR) if attempts > 0 => continue,
                // A socket, or a device without a driver.
                Err(Errno::NXIO | Errno::NODEV) => Err(io::Error::other("it is not a regular file")),
                Err(Errno::XDEV) => Err(io::Error::other("a link or mount leads out of the home folder")),
                Err(Errno::NOSYS) => Err(io::Error::other("this kernel has no openat2 (Linux 5.6)")),
                Err(error) => Err(error.into()),
            };
        }
    }
}

impl Root {
    fn open_of_system(&self, relative: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let of = |top: &&str| relative.strip_prefix(top).ok().filter(|rest| !rest.as_os_str().is_empty());
        let tops = PEOPLE_S.iter().chain([&MAY_BE_A_PERSON_S]);
        let Some((top, rest)) = tops.filter_map(|top| Some((*top, of(top)?))).next() else {
            return openat(&self.fd, relative, flags, Mode::empty());
        };
        let folder = openat(&self.fd, top, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        if top == MAY_BE_A_PERSON_S && fstat(&folder)?.st_uid == 0 {
            return openat(&self.fd, relative, flags, Mode::empty());
        }
        openat2(&folder, rest, flags, Mode::empty(), BENEATH)
    }
}

fn stamp(stat: &Stat) -> Stamp {
    let seconds = u64::try_from(stat.st_ctime).unwrap_or_default();
    let nanoseconds = u32::try_from(stat.st_ctime_nsec).unwrap_or_default();
    Stamp {
        file: (stat.st_dev, stat.st_ino),
        size: u64::try_from(stat.st_size).unwrap_or_default(),
        changed: Duration::new(seconds, nanoseconds),
    }
}

/// `None` where the file system does not say.
fn kind(file_type: FileType) -> Option<Kind> {
    match file_type {
        FileType::RegularFile => Some(Kind::File),
        FileType::Directory => Some(Kind::Folder),
        FileType::Symlink => Some(Kind::Link),
        FileType::Fifo | FileType::Socket => Some(Kind::Special),
        FileType::CharacterDevice | FileType::BlockDevice => Some(Kind::Special),
        FileType::Unknown => None,
    }
}

fn kind_of(stat: &Stat) -> Kind {
    kind(FileType::from_raw_mode(stat.st_mode)).unwrap_or(Kind::Special)
}
