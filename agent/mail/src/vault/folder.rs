//! A vault on disk, one for each person: `entries/0001/` with a journal and the contents that were taken. Folders are 0700, files 0600, and everything is sealed.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;
use std::io::Write as _;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use forewarn_host::user;
use fs_err::os::unix::fs::OpenOptionsExt as _;
use rustix::fs::{self as sys, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::closed::{self, Came, Closed, HomeOf};
use super::journal::Journal;
use super::sealed::{Keys, NotOpened};
use super::store::{Guard, Label, Store};
use crate::digest::Digest;
use crate::error::Error;
use crate::home::{FolderId, mount_of};
use crate::limits::{
    MAX_ENTRIES, MAX_HELD_DOMAINS, MAX_JOURNAL_BYTES, MAX_KEPT_ENTRIES, MAX_VAULT_BYTES, RESERVED_BYTES,
};

/// How long an entry is kept after what it holds was given back, or was found to be set up again.
pub const KEPT_AFTER_RESTORE: Duration = Duration::from_hours(30 * 24);

/// What a new entry is called until it is whole, and an old one when it goes: `.new-0001`.
const UNFINISHED: &str = ".new-";

const JOURNAL: &str = "journal";
/// The folders of mail that are closed.
const CLOSED: &str = "closed";
/// Holds when the entry was finished, in seconds since 1970.
const FINISHED: &str = "finished";

/// A program that is being started has all our files, this lock too, until it is running: a moment, which we wait for.
const LOCK_ATTEMPTS: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// A folder that holds one person's revoked accounts.
pub struct Folder {
    dir: PathBuf,
    entries: PathBuf,
    /// Whose it is.
    name: String,
    keys: Keys,
    now: Duration,
    /// What the entries have, in bytes, once that was measured. What is kept since is added.
    used: Cell<Option<u64>>,
    /// The home, if it is known.
    home: Option<HomeOf>,
}

impl Folder {
    /// Opens a vault, and creates its folder if need be: 0700, for its owner alone. `name` is the person whose accounts it holds, to whom all in it is bound; `now` the time since 1970, by which old entries go.
    ///
    /// # Errors
    /// [`Error::OpenVault`] when the folder can't be made.
    pub fn open(dir: &Path, name: &str, keys: Keys, now: Duration) -> Result<Self, Error> {
        let failed = |source| Error::OpenVault { path: dir.to_owned(), source };
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs_err::create_dir_all(parent).map_err(failed)?;
        }
        let entries = dir.join("entries");
        for folder in [dir, &entries] {
            make_folder(folder).map_err(|errno| failed(errno.into()))?;
            sync_folder(folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
                .map_err(failed)?;
        }
        let (dir, name) = (dir.to_owned(), name.to_owned());
        Ok(Self { dir, entries, name, keys, now, used: Cell::new(None), home: None })
    }

    /// Removes what a crash left of entries that were not whole yet, or were on their way out; and entries that were finished long ago.
    fn sweep(&self) -> Result<(), Error> {
        for name in self.names()?.iter().filter(|name| name.starts_with(UNFINISHED)) {
            remove(&self.entries.join(name))?;
        }
        for number in self.numbers()? {
            if self.is_over(number)? {
                let gone = self.entries.join(format!("{UNFINISHED}{number:04}"));
                rename(&self.folder(number), &gone)?;
                remove(&gone)?;
            }
        }
        Ok(())
    }

    /// What can't be read is not over.
    fn is_over(&self, number: u32) -> Result<bool, Error> {
        let path = self.folder(number).join(FINISHED);
        let text = match fs_err::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(Error::ReadVault { path, source }),
        };
        let finished = text.trim().parse().map(Duration::from_secs);
        Ok(finished.is_ok_and(|finished| self.now > finished + KEPT_AFTER_RESTORE))
    }

    /// Whether so many bytes more stay within `limit`.
    fn check_room(&self, bytes: usize, limit: u64) -> Result<(), Error> {
        let used = match self.used.get() {
            Some(used) => used,
            None => self.measure()?,
        };
        self.used.set(Some(used));
        if used + bytes as u64 > limit { Err(self.is_full()) } else { Ok(()) }
    }

    fn check_journal(&self, journal: &[u8]) -> Result<(), Error> {
        if journal.len() > MAX_JOURNAL_BYTES { Err(self.is_full()) } else { Ok(()) }
    }

    fn is_full(&self) -> Error {
        Error::FindRoom { path: self.dir.clone() }
    }

    /// The domains of which accounts are here that somebody waits for, by the vault's own journals, which are read one at a time. Of more than [`MAX_HELD_DOMAINS`] those of the oldest entries.
    ///
    /// # Errors
    /// When a journal can't be read: a vault that can't be read is never an empty one.
    pub fn held(&self) -> Result<BTreeSet<String>, Error> {
        let _guard = self.lock()?;
        let mut held = BTreeSet::new();
        for number in self.entries()?.into_iter().take(MAX_ENTRIES) {
            let journal = Journal::parse(number, &self.journal(number)?)?;
            if journal.stage.is_awaited() && held.len() < MAX_HELD_DOMAINS {
                held.insert(journal.domain);
            }
        }
        Ok(held)
    }

    /// The size of all entries, in bytes.
    fn measure(&self) -> Result<u64, Error> {
        let failed = |source| Error::ReadVault { path: self.entries.clone(), source };
        let mut bytes = 0;
        for number in self.numbers()? {
            for file in fs_err::read_dir(self.folder(number)).map_err(failed)? {
                bytes += file.and_then(|file| file.metadata()).map_err(failed)?.len();
            }
        }
        Ok(bytes)
    }

    fn closed(&self) -> Result<Closed, Error> {
        let path = self.dir.join(CLOSED);
        match fs_err::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| Error::CheckContent { path }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Closed::default()),
            Err(source) => Err(Error::ReadVault { path, source }),
        }
    }

    fn set_closed(&self, list: &Closed) -> Result<(), Error> {
        let (new, path) = (self.dir.join("closed.new"), self.dir.join(CLOSED));
        let bytes =
            serde_json::to_vec(list).map_err(|error| Error::WriteVault { path: path.clone(), source: error.into() })?;
        write(&new, &bytes)?;
        rename(&new, &path)?;
        sync_folder(&self.dir).map_err(|source| Error::WriteVault { path, source })
    }

    /// The same vault for this home of the user with this number. Only in a home that is known, folders are closed.
    ///
    /// # Errors
    /// [`Error::OpenHome`] when it is not there.
    pub fn for_home(mut self, path: &Path, user: u32) -> Result<Self, Error> {
        let failed = |errno: Errno| Error::OpenHome { path: path.to_owned(), source: errno.into() };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let home = sys::open(path, flags, Mode::empty()).map_err(failed)?;
        let (device, mount) = (FolderId::of(&home).map_err(failed)?.device, mount_of(&home).map_err(failed)?);
        let path = closed::place(home.as_fd()).map_err(failed)?;
        self.home = Some(HomeOf { user, device, mount, path, _held: Arc::new(home) });
        Ok(self)
    }

    fn folder(&self, number: u32) -> PathBuf {
        self.entries.join(format!("{number:04}"))
    }

    fn numbers(&self) -> Result<Vec<u32>, Error> {
        let mut numbers: Vec<u32> = self.names()?.iter().filter_map(|name| name.parse().ok()).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        let failed = |source| Error::ReadVault { path: self.entries.clone(), source };
        let entries = fs_err::read_dir(&self.entries).map_err(failed)?;
        entries.map(|entry| Ok(entry.map_err(failed)?.file_name().to_string_lossy().into_owned())).collect()
    }

    /// What a content is bound to.
    fn bound(&self, entry: u32, label: Option<&Label>) -> Vec<u8> {
        let (name, path, digest) = match label {
            Some(label) => (label.name.as_str(), label.path.as_str(), label.sha256.to_string()),
            None => (JOURNAL, "", String::new()),
        };
        let person = &self.name;
        // Lengths keep two different lists from being the same bytes.
        let parts = [name, path, &digest].map(|part| format!("{}:{part}", part.len()));
        format!("forewarn vault 1, person {person}, entry {entry}, {}", parts.join(",")).into_bytes()
    }

    fn write(&self, folder: &Path, entry: u32, label: Option<&Label>, bytes: &[u8]) -> Result<(), Error> {
        let name = match label {
            Some(label) => checked_name(label, folder)?,
            None => "journal.new",
        };
        let path = folder.join(name);
        let sealed = self.keys.seal(&self.bound(entry, label), bytes);
        self.used.set(self.used.get().map(|used| used + bytes.len() as u64));
        write(&path, &sealed.map_err(|_| Error::CheckContent { path: path.clone() })?)
    }

    fn read(&self, entry: u32, label: Option<&Label>) -> Result<Vec<u8>, Error> {
        let folder = self.folder(entry);
        let path = match label {
            Some(label) => folder.join(checked_name(label, &folder)?),
            None => folder.join(JOURNAL),
        };
        let sealed = fs_err::read(&path).map_err(|source| Error::ReadVault { path: path.clone(), source })?;
        let bytes = self.keys.open(&self.bound(entry, label), &sealed).map_err(|reason| match reason {
            NotOpened::Damaged => Error::CheckContent { path: path.clone() },
            NotOpened::UnknownKey => Error::FindKey { path: path.clone() },
        })?;
        let is_it = label.is_none_or(|label| Digest::of(&bytes) == label.sha256);
        if is_it { Ok(bytes) } else { Err(Error::CheckContent { path }) }
    }
}

impl Store for Folder {
    fn lock(&self) -> Result<Option<Guard>, Error> {
        let path = self.dir.join("lock");
        let file = create(&path).map_err(|source| Error::WriteVault { path: path.clone(), source })?;
        for _ in 0..LOCK_ATTEMPTS {
            match sys::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {
                    self.sweep()?;
                    return Ok(Some(Guard::new(file)));
                }
                Err(Errno::WOULDBLOCK) => std::thread::sleep(LOCK_PAUSE),
                Err(errno) => return Err(Error::WriteVault { path, source: errno.into() }),
            }
        }
        Err(Error::LockVault { path: self.dir.clone() })
    }

    fn entries(&self) -> Result<Vec<u32>, Error> {
        let open = self.numbers()?.into_iter().filter(|number| !self.folder(*number).join(FINISHED).exists());
        Ok(open.collect())
    }

    fn journal(&self, entry: u32) -> Result<Vec<u8>, Error> {
        self.read(entry, None)
    }

    fn create(&self, journal: &[u8], contents: &[(Label, &[u8])]) -> Result<u32, Error> {
        let bytes = contents.iter().map(|(_, bytes)| bytes.len()).sum();
        self.check_room(bytes, MAX_VAULT_BYTES - RESERVED_BYTES)?;
        self.check_journal(journal)?;
        // What is over goes by itself, after a time.
        if self.entries()?.len() >= MAX_ENTRIES {
            return Err(self.is_full());
        }
        let numbers = self.numbers()?;
        if numbers.len() >= MAX_KEPT_ENTRIES {
            return Err(self.is_full());
        }
        let number = numbers.last().copied().unwrap_or(0).saturating_add(1);
        let new = self.entries.join(format!("{UNFINISHED}{number:04}"));
        let failed = |source| Error::WriteVault { path: new.clone(), source };
        make_folder(&new).map_err(|errno| failed(errno.into()))?;
        for (label, bytes) in contents {
            self.write(&new, number, Some(label), bytes)?;
        }
        self.write(&new, number, None, journal)?;
        rename(&new.join("journal.new"), &new.join(JOURNAL))?;
        sync_folder(&new).map_err(failed)?;
        rename(&new, &self.folder(number))?;
        sync_folder(&self.entries).map_err(failed)?;
        Ok(number)
    }

    fn save(&self, entry: u32, journal: &[u8], finished: bool) -> Result<(), Error> {
        self.check_journal(journal)?;
        let folder = self.folder(entry);
        self.write(&folder, entry, None, journal)?;
        rename(&folder.join("journal.new"), &folder.join(JOURNAL))?;
        if finished {
            // Half a number would be another time.
            let new = folder.join("finished.new");
            write(&new, self.now.as_secs().to_string().as_bytes())?;
            rename(&new, &folder.join(FINISHED))?;
        }
        sync_folder(&folder).map_err(|source| Error::WriteVault { path: folder, source })
    }

    fn put(&self, entry: u32, label: &Label, bytes: &[u8]) -> Result<(), Error> {
        self.check_room(bytes.len(), MAX_VAULT_BYTES)?;
        let folder = self.folder(entry);
        self.write(&folder, entry, Some(label), bytes)?;
        sync_folder(&folder).map_err(|source| Error::WriteVault { path: folder, source })
    }

    fn discard(&self, entry: u32) -> Result<(), Error> {
        let gone = self.entries.join(format!("{UNFINISHED}{entry:04}"));
        rename(&self.folder(entry), &gone)?;
        remove(&gone)
    }

    fn close_folder(&self, folder: BorrowedFd<'_>) -> Result<(), Error> {
        let home = self.home.as_ref().ok_or_else(|| not_closed(Errno::PERM))?;
        let came = Came::check(folder, home).map_err(not_closed)?;
        let mut list = self.closed()?;
        // Whose folder root's is now is known from before. What is ours to close is mode 0000 already the second time.
        let is_open = came.stat.st_uid == home.user && (list.find(came.id).is_none() || is_given_away(home));
        if is_open {
            came.can_be_marked().map_err(not_closed)?;
            list.add(&came, &draw_mark()?).map_err(not_closed)?;
            self.set_closed(&list)?;
        }
        crate::crash::step();
        let Some(was) = list.find(came.id) else { return Ok(()) };
        if let Err(errno) = came.close(was, home) {
            list.remove(came.id);
            self.set_closed(&list)?;
            return Err(not_closed(errno));
        }
        list.set_marked(came.id, is_given_away(home));
        self.set_closed(&list)
    }

    fn open_folder(&self, folder: BorrowedFd<'_>) -> Result<(), Error> {
        let home = self.home.as_ref().ok_or_else(|| not_closed(Errno::PERM))?;
        let came = Came::check(folder, home).map_err(not_closed)?;
        let mut list = self.closed()?;
        let Some(was) = list.find(came.id).cloned() else {
            return if list.remove(came.id) { self.set_closed(&list) } else { Ok(()) };
        };
        if !came.is_what_was(&was).map_err(not_closed)? {
            return Err(not_closed(Errno::PERM));
        }
        list.set_marked(came.id, false);
        self.set_closed(&list)?;
        crate::crash::step();
        came.open(&was, home.user).map_err(not_closed)?;
        list.remove(came.id);
        self.set_closed(&list)
    }

    fn get(&self, entry: u32, label: &Label) -> Result<Vec<u8>, Error> {
        self.read(entry, Some(label))
    }
}

impl fmt::Debug for Folder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Folder").field("dir", &self.dir).field("name", &self.name).finish_non_exhaustive()
    }
}

fn not_closed(errno: Errno) -> Error {
    let source = match errno {
        Errno::OPNOTSUPP => std::io::Error::other(
            "its file system does not keep when a folder was made, or no attributes, or the kernel does not tell mounts apart",
        ),
        other => other.into(),
    };
    Error::CloseFolder { source }
}

/// Whether closed folders of this home are root's, and not their own person's.
fn is_given_away(home: &HomeOf) -> bool {
    user::is_root() && home.user != 0
}

fn draw_mark() -> Result<[u8; closed::MARK_BYTES], Error> {
    let mut mark = [0; closed::MARK_BYTES];
    aws_lc_rs::rand::fill(&mut mark).map_err(|_| not_closed(Errno::IO))?;
    Ok(mark)
}

/// A label comes from a process that may have been taken over: its name must not lead anywhere, nor to a journal.
fn checked_name<'l>(label: &'l Label, folder: &Path) -> Result<&'l str, Error> {
    let (index, what) = label.name.split_once('.').unwrap_or_default();
    let is_number = !index.is_empty() && index.len() <= 6 && index.bytes().all(|byte| byte.is_ascii_digit());
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if is_number && (1..=32).contains(&what.len()) && what.bytes().all(is_word) {
        return Ok(&label.name);
    }
    Err(Error::CheckContent { path: folder.join("?") })
}

fn make_folder(path: &Path) -> Result<(), Errno> {
    crate::crash::step();
    match sys::mkdir(path, Mode::RWXU) {
        Ok(()) => Ok(()),
        Err(Errno::EXIST) => sys::chmod(path, Mode::RWXU),
        Err(errno) => Err(errno),
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    crate::crash::step();
    fs_err::rename(from, to).map_err(|source| Error::WriteVault { path: to.to_owned(), source })
}

fn remove(path: &Path) -> Result<(), Error> {
    crate::crash::step();
    fs_err::remove_dir_all(path).map_err(|source| Error::WriteVault { path: path.to_owned(), source })
}

fn create(path: &Path) -> std::io::Result<fs_err::File> {
    crate::crash::step();
    fs_err::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let failed = |source| Error::WriteVault { path: path.to_owned(), source };
    let mut file = create(path).map_err(failed)?;
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    for half in [first, rest] {
        crate::crash::step();
        file.write_all(half).map_err(failed)?;
    }
    file.sync_all().map_err(failed)
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    fs_err::File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(index: u32, bytes: &[u8]) -> Label {
        Label { name: format!("{index}.original"), path: "mail".into(), sha256: Digest::of(bytes) }
    }

    fn is_full<T: fmt::Debug>(done: &Result<T, Error>) -> bool {
        matches!(done, Err(Error::FindRoom { .. }))
    }

    #[test]
    fn promise_7_a_vault_has_room_for_so_much_and_no_more_whatever_it_is_asked_to_keep() {
        let scratch = tempfile::tempdir().unwrap();
        let vault =
            Folder::open(&scratch.path().join("vault"), "me", Keys::new(&[7; 32], &[]), Duration::ZERO).unwrap();
        let number = vault.create(b"{}", &[]).unwrap();
        vault.used.set(Some(MAX_VAULT_BYTES - 100));
        let put = |index, bytes: &[u8]| vault.put(number, &label(index, bytes), bytes);
        put(0, &[0; 80]).unwrap();
        assert!(is_full(&put(1, &[0; 80])), "what was put before counts");
        put(2, &[0; 20]).unwrap();
        assert!(is_full(&vault.create(b"{}", &[])), "some room is kept to give things back");
        vault.used.set(Some(0));
        assert!(is_full(&vault.save(number, &vec![b' '; MAX_JOURNAL_BYTES + 1], false)));
        for _ in 1..MAX_ENTRIES {
            vault.create(b"{}", &[]).unwrap();
        }
        assert!(is_full(&vault.create(b"{}", &[])), "each start reads all of them");
        vault.save(number, b"{}", true).unwrap();
        vault.create(b"{}", &[]).unwrap();
    }
}
