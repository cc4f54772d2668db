//! Folders of stored mail that are closed while their account is revoked: nothing in them is moved, copied or changed.
//!
//! A folder comes as an open file, from whoever works in the home: no path in a home is ever resolved here. Where we are root a closed folder is root's, mode 0700, and marked with a secret of its own; else its own person's, mode 0000, which keeps programs out and not the person. What it was before is written down first. Only what is written down is opened again, and only if it is the very same: a number is given again, to a folder of root's as well, and so its birth and its mark must be the same too.

use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use forewarn_host::user;
use rustix::fs::{self as sys, AtFlags, FileType, Gid, Mode, Stat, Uid, XattrFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::home::{FolderId, mount_of};

/// The most folders of one person that are closed at once. It stops a process that was taken over from filling the list.
const MAX_CLOSED: usize = 256;

/// The attribute that holds a closed folder's mark. Who can't enter the folder can't read it (xattr(7)).
const MARK: &str = "user.forewarn.lock";

/// How many bytes were drawn for a mark. It is written as twice as many digits.
pub(crate) const MARK_BYTES: usize = 16;

/// What Linux puts behind the path of what was removed.
const REMOVED: &[u8] = b" (deleted)";

/// A person's home, as the vault's side knows it.
#[derive(Debug, Clone)]
pub(crate) struct HomeOf {
    /// Its owner's number.
    pub(crate) user: u32,
    pub(crate) device: u64,
    /// The mount that it is on.
    pub(crate) mount: Option<u64>,
    /// Without links.
    pub(crate) path: PathBuf,
    /// Kept open: a mount's number is given again as soon as nobody has anything on it open.
    pub(crate) _held: Arc<OwnedFd>,
}

/// Which folders are closed, and what they were.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Closed(Vec<Was>);

/// A folder that is closed, or is being closed or opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Was {
    pub(crate) folder: FolderId,
    pub(crate) mode: u32,
    /// In hexadecimal.
    mark: String,
    /// Whether it has its mark for certain. It has not while it is being closed or opened.
    marked: bool,
}

/// A folder that came in, and what is known of it.
pub(crate) struct Came<'f> {
    fd: BorrowedFd<'f>,
    pub(crate) id: FolderId,
    pub(crate) stat: Stat,
}

impl Closed {
    /// Adds a folder that is about to be closed. Another one that had its number is gone.
    pub(crate) fn add(&mut self, came: &Came<'_>, mark: &[u8]) -> Result<(), Errno> {
        self.0.retain(|was| !was.folder.has_number_of(came.id));
        if self.0.len() >= MAX_CLOSED {
            return Err(Errno::NOSPC);
        }
        let mode = came.stat.st_mode & 0o7777;
        self.0.push(Was { folder: came.id, mode, mark: hex::encode(mark), marked: false });
        Ok(())
    }

    pub(crate) fn find(&self, id: FolderId) -> Option<&Was> {
        self.0.iter().find(|was| was.folder == id)
    }

    /// Notes whether a folder certainly has its mark.
    pub(crate) fn set_marked(&mut self, id: FolderId, marked: bool) {
        self.0.iter_mut().filter(|was| was.folder == id).for_each(|was| was.marked = marked);
    }

    /// Forgets a folder, and any other that had its number. Whether there was one.
    pub(crate) fn remove(&mut self, id: FolderId) -> bool {
        let before = self.0.len();
        self.0.retain(|was| !was.folder.has_number_of(id));
        self.0.len() < before
    }
}

impl<'f> Came<'f> {
    /// A folder that came in, if it may be closed or opened: one that is there, in the person's home, on the file system of that, and theirs or root's.
    ///
    /// Its place is what the kernel says, as text. That text is of the name space in which the folder was opened, where the person may have mounted anything anywhere: so it has to be of the very mount that the home is on.
    pub(crate) fn check(fd: BorrowedFd<'f>, home: &HomeOf) -> Result<Self, Errno> {
        let id = FolderId::of(fd)?;
        if id.device != home.device {
            return Err(Errno::XDEV);
        }
        let stat = sys::fstat(fd)?;
        let is_theirs = stat.st_uid == home.user || (stat.st_uid == 0 && user::is_root());
        let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if !is_folder || !is_theirs {
            return Err(Errno::PERM);
        }
        check_place(fd, home)?;
        // Nothing else tells it from one that gets its number.
        if id.born.is_none() {
            return Err(Errno::OPNOTSUPP);
        }
        Ok(Self { fd, id, stat })
    }

    /// Whether the file system keeps marks. Nothing is changed.
    pub(crate) fn can_be_marked(&self) -> Result<(), Errno> {
        match self.mark() {
            Ok(_) | Err(Errno::NODATA) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    /// Closes it. What was begun and can't be finished is as it was, and its user's.
    ///
    /// Until it is root's and nobody else's to enter, its person can move it elsewhere, where somebody may trust what is root's: so
    /// its place is looked at once more after that.
    pub(crate) fn close(&self, was: &Was, home: &HomeOf) -> Result<(), Errno> {
        if !user::is_root() {
            return self.set_mode(0);
        }
        self.give(0)?;
        let closed = self.set_mode(0o700).and_then(|()| check_place(self.fd, home));
        closed.and_then(|()| self.set_mark(&was.mark)).or_else(|errno| {
            // It must not stay root's, whatever else fails.
            self.give(home.user)?;
            self.set_mode(was.mode)?;
            Err(errno)
        })
    }

    /// Whether it is for certain what was closed: where it is root's, it has the mark.
    pub(crate) fn is_what_was(&self, was: &Was) -> Result<bool, Errno> {
        if self.stat.st_uid != 0 || !was.marked {
            return Ok(true);
        }
        match self.mark() {
            Ok(mark) => Ok(mark == was.mark.as_bytes()),
            Err(Errno::NODATA) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    /// Opens it, as it was.
    pub(crate) fn open(&self, was: &Was, user: u32) -> Result<(), Errno> {
        if !user::is_root() {
            return self.set_mode(was.mode);
        }
        match sys::removexattr(self.link(), MARK) {
            Ok(()) | Err(Errno::NODATA) => {}
            Err(errno) => return Err(errno),
        }
        // The mode first: whoever gets it must not meet it half open.
        self.set_mode(was.mode)?;
        self.give(user)
    }

    fn mark(&self) -> Result<Vec<u8>, Errno> {
        let mut mark = vec![0; 2 * MARK_BYTES + 1];
        let length = sys::getxattr(self.link(), MARK, &mut mark[..])?;
        mark.truncate(length);
        Ok(mark)
    }

    fn set_mark(&self, mark: &str) -> Result<(), Errno> {
        sys::setxattr(self.link(), MARK, mark.as_bytes(), XattrFlags::empty())
    }

    /// Its group stays.
    fn give(&self, owner: u32) -> Result<(), Errno> {
        sys::chownat(self.fd, "", Some(Uid::from_raw(owner)), None::<Gid>, AtFlags::EMPTY_PATH)
    }

    fn set_mode(&self, mode: u32) -> Result<(), Errno> {
        sys::chmod(self.link(), Mode::from_raw_mode(mode))
    }

    /// The folder may be open for its path alone, with which `fchmod` and its like do nothing. This leads to the very folder, by no path.
    fn link(&self) -> PathBuf {
        link(self.fd)
    }
}

fn link(fd: BorrowedFd<'_>) -> PathBuf {
    format!("/proc/self/fd/{}", fd.as_raw_fd()).into()
}

/// Where an open folder is, as the kernel writes it.
pub(crate) fn place(fd: BorrowedFd<'_>) -> Result<PathBuf, Errno> {
    let text = sys::readlink(link(fd), Vec::new())?.into_bytes();
    if text.ends_with(REMOVED) {
        return Err(Errno::NOENT);
    }
    Ok(std::ffi::OsStr::from_bytes(&text).into())
}

/// Whether an open folder is in the home, on the very mount of that.
fn check_place(fd: BorrowedFd<'_>, home: &HomeOf) -> Result<(), Errno> {
    let mount = mount_of(fd)?.ok_or(Errno::OPNOTSUPP)?;
    if home.mount != Some(mount) {
        return Err(Errno::XDEV);
    }
    if is_below(&place(fd)?, &home.path) { Ok(()) } else { Err(Errno::PERM) }
}

fn is_below(place: &Path, home: &Path) -> bool {
    place.starts_with(home) && place != home
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;
    use std::time::Duration;

    use super::*;
    use crate::vault::{Folder, Keys};

    fn home_of(path: &Path) -> HomeOf {
        let stat = sys::stat(path).unwrap();
        let held = OwnedFd::from(fs_err::File::open(path).unwrap().into_file());
        let mount = mount_of(&held).unwrap();
        let (user, device, held) = (stat.st_uid, stat.st_dev, Arc::new(held));
        HomeOf { user, device, mount, path: path.canonicalize().unwrap(), _held: held }
    }

    #[test]
    fn only_a_folder_of_the_person_s_in_their_home_and_on_its_file_system_is_closed() {
        let scratch = tempfile::tempdir().unwrap();
        let [home, inside, outside] = ["home", "home/Mail", "outside"].map(|name| scratch.path().join(name));
        [&home, &inside, &outside].iter().for_each(|folder| fs_err::create_dir(folder).unwrap());
        let file = fs_err::File::create(home.join("file")).unwrap();
        let open = |path: &Path| fs_err::File::open(path).unwrap();
        let of = home_of(&home);
        let check = |fd: &fs_err::File, home: &HomeOf| Came::check(fd.as_fd(), home).err();
        assert_eq!(check(&open(&inside), &of), None);
        assert_eq!(check(&open(&inside), &HomeOf { device: of.device + 1, ..of.clone() }), Some(Errno::XDEV));
        assert_eq!(check(&open(&inside), &HomeOf { mount: of.mount.map(|m| m + 1), ..of.clone() }), Some(Errno::XDEV));
        assert_eq!(check(&open(&inside), &HomeOf { mount: None, ..of.clone() }), Some(Errno::XDEV));
        assert_eq!(check(&file, &of), Some(Errno::PERM));
        assert_eq!(check(&open(&home), &of), Some(Errno::PERM), "the home itself");
        assert_eq!(check(&open(&outside), &of), Some(Errno::PERM), "its place is elsewhere");
        let gone = open(&inside);
        fs_err::remove_dir(&inside).unwrap();
        assert_eq!(check(&gone, &of), Some(Errno::NOENT), "it is removed");
        // Of somebody else; but a folder of root's may be one that we have closed, which the list knows.
        fs_err::create_dir(&inside).unwrap();
        let theirs = check(&open(&inside), &HomeOf { user: of.user + 1, ..of.clone() });
        assert_eq!(theirs, (of.user != 0).then_some(Errno::PERM));
    }

    /// A mount with nothing open can go, and the person's next one gets its number.
    #[test]
    fn promise_7_a_home_stays_open_for_as_long_as_its_mount_is_known_by_a_number() {
        let scratch = tempfile::tempdir().unwrap();
        let (home, vault) = (scratch.path().join("home"), scratch.path().join("vault"));
        fs_err::create_dir(&home).unwrap();
        let are_open = || {
            let open = fs_err::read_dir("/proc/self/fd").unwrap().map(|fd| fs_err::read_link(fd.unwrap().path()));
            open.filter(|link| link.as_ref().is_ok_and(|link| *link == home.canonicalize().unwrap())).count()
        };
        let folder = Folder::open(&vault, "ann", Keys::new(&[7; 32], &[]), Duration::ZERO).unwrap();
        let folder = folder.for_home(&home, sys::stat(&home).unwrap().st_uid).unwrap();
        assert_eq!(are_open(), 1);
        drop(folder);
        assert_eq!(are_open(), 0, "and no longer, so that it can be unmounted");
    }

    /// Its person has the time from the look at its place until it is root's. A daemon of their own guards it against nobody.
    #[test]
    fn promise_7_a_folder_that_is_moved_out_of_the_home_while_it_is_closed_is_not_root_s() {
        let scratch = tempfile::tempdir().unwrap();
        let (home, elsewhere) = (scratch.path().join("home"), scratch.path().join("elsewhere"));
        fs_err::create_dir_all(home.join("Mail")).unwrap();
        let user = if user::is_root() { 61001 } else { sys::stat(&home).unwrap().st_uid };
        std::os::unix::fs::chown(&home, Some(user), None).unwrap();
        std::os::unix::fs::chown(home.join("Mail"), Some(user), None).unwrap();
        let file = fs_err::File::open(home.join("Mail")).unwrap();
        let of = home_of(&home);
        let came = Came::check(file.as_fd(), &of).unwrap();
        let mut closed = Closed::default();
        closed.add(&came, &[7; MARK_BYTES]).unwrap();
        fs_err::rename(home.join("Mail"), &elsewhere).unwrap();
        let result = came.close(closed.find(came.id).unwrap(), &of);
        let now = sys::stat(&elsewhere).unwrap();
        assert_eq!(now.st_uid, user);
        if user::is_root() {
            assert_eq!((result, now.st_mode), (Err(Errno::PERM), came.stat.st_mode));
            assert_eq!(came.mark(), Err(Errno::NODATA));
        } else {
            assert_eq!((result, now.st_mode & 0o7777), (Ok(()), 0));
        }
    }

    /// What the kernel gives for a folder that got the number of one that was removed (ext4: at once).
    #[test]
    fn promise_7_a_folder_with_the_number_of_one_that_was_closed_is_another_one() {
        let scratch = tempfile::tempdir().unwrap();
        let home = scratch.path().join("home");
        fs_err::create_dir_all(home.join("Mail")).unwrap();
        let file = fs_err::File::open(home.join("Mail")).unwrap();
        let came = Came::check(file.as_fd(), &home_of(&home)).unwrap();
        let mut closed = Closed::default();
        assert_eq!(closed.find(came.id), None);
        closed.add(&came, &[7; MARK_BYTES]).unwrap();
        assert_eq!(closed.find(came.id).map(|was| was.mode), Some(came.stat.st_mode & 0o7777));
        let (seconds, nanoseconds) = came.id.born.unwrap();
        let other = FolderId { born: Some((seconds, nanoseconds ^ 1)), ..came.id };
        assert_eq!(closed.find(other), None);
        // The one that was closed must be gone, so it leaves the list.
        assert!(closed.remove(other));
        assert_eq!(closed, Closed::default());
    }
}
