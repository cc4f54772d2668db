//! The vault's folder: `entries/0001/` with a journal and the contents that were taken. Folders are 0700, files 0600.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs_err::os::unix::fs::OpenOptionsExt as _;
use rustix::fs::{self as sys, FlockOperation, Mode};
use rustix::io::Errno;

use super::journal::Journal;
use crate::digest::Digest;
use crate::error::Error;
use crate::plan::Draft;

/// What a new entry is called until it is whole: `.new-0001`.
const UNFINISHED: &str = ".new-";

/// A program that is being started has all our files, this lock too, until it is running: a moment, which we wait for.
const LOCK_ATTEMPTS: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

pub(crate) struct Store {
    dir: PathBuf,
    entries: PathBuf,
}

/// Nobody else works in the vault while this value lives.
pub(crate) struct Guard {
    _file: fs_err::File,
}

/// One account that is, or was, in the vault.
pub(crate) struct Entry {
    /// From 1.
    pub(crate) number: u32,
    dir: PathBuf,
    pub(crate) journal: Journal,
}

impl Store {
    pub(crate) fn open(dir: &Path) -> Result<Self, Error> {
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
        Ok(Self { dir: dir.to_owned(), entries })
    }

    pub(crate) fn lock(&self) -> Result<Guard, Error> {
        let path = self.dir.join("lock");
        let file = create(&path).map_err(|source| Error::WriteVault { path: path.clone(), source })?;
        for _ in 0..LOCK_ATTEMPTS {
            match sys::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Guard { _file: file }),
                Err(Errno::WOULDBLOCK) => std::thread::sleep(LOCK_PAUSE),
                Err(errno) => return Err(Error::WriteVault { path, source: errno.into() }),
            }
        }
        Err(Error::LockVault { path: self.dir.clone() })
    }

    /// All entries, oldest first.
    pub(crate) fn entries(&self) -> Result<Vec<Entry>, Error> {
        let mut numbers: Vec<u32> = self.names()?.iter().filter_map(|name| name.parse().ok()).collect();
        numbers.sort_unstable();
        numbers.into_iter().map(|number| Entry::read(self.folder(number), number)).collect()
    }

    /// Keeps what a draft is about to take. Afterwards it is on the disk, whole, in stage revoking.
    pub(crate) fn create(&self, draft: &Draft) -> Result<Entry, Error> {
        let last = self.names()?.iter().filter_map(|name| name.parse::<u32>().ok()).max();
        let number = last.unwrap_or(0).saturating_add(1);
        let new = self.entries.join(format!("{UNFINISHED}{number:04}"));
        let failed = |source| Error::WriteVault { path: new.clone(), source };
        make_folder(&new).map_err(|errno| failed(errno.into()))?;
        let entry = Entry { number, dir: new.clone(), journal: Journal::of(draft) };
        for (index, file) in draft.files.iter().enumerate() {
            entry.put(index, "original", &file.original.bytes)?;
            if let Some(after) = &file.after {
                entry.put(index, "after", after)?;
            }
        }
        entry.save()?;
        crate::crash::step();
        fs_err::rename(&new, self.folder(number)).map_err(failed)?;
        sync_folder(&self.entries).map_err(failed)?;
        Ok(Entry { dir: self.folder(number), ..entry })
    }

    /// Removes entries that a crash left before they were whole: nothing had been taken yet, they are mere copies.
    pub(crate) fn sweep(&self) -> Result<(), Error> {
        for name in self.names()?.iter().filter(|name| name.starts_with(UNFINISHED)) {
            let path = self.entries.join(name);
            crate::crash::step();
            fs_err::remove_dir_all(&path).map_err(|source| Error::WriteVault { path, source })?;
        }
        Ok(())
    }

    fn folder(&self, number: u32) -> PathBuf {
        self.entries.join(format!("{number:04}"))
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        let failed = |source| Error::ReadVault { path: self.entries.clone(), source };
        let entries = fs_err::read_dir(&self.entries).map_err(failed)?;
        entries.map(|entry| Ok(entry.map_err(failed)?.file_name().to_string_lossy().into_owned())).collect()
    }
}

impl Entry {
    fn read(dir: PathBuf, number: u32) -> Result<Self, Error> {
        let path = dir.join("journal.json");
        let bytes = fs_err::read(&path).map_err(|source| Error::ReadVault { path: path.clone(), source })?;
        let journal = Journal::parse(&path, &bytes)?;
        Ok(Self { number, dir, journal })
    }

    /// Writes the journal; afterwards it is on the disk.
    pub(crate) fn save(&self) -> Result<(), Error> {
        let path = self.dir.join("journal.json");
        let failed = |source| Error::WriteVault { path: path.clone(), source };
        let mut bytes = serde_json::to_vec_pretty(&self.journal).map_err(|error| failed(error.into()))?;
        bytes.push(b'\n');
        let new = self.dir.join("journal.json.new");
        write(&new, &bytes)?;
        crate::crash::step();
        fs_err::rename(&new, &path).map_err(failed)?;
        sync_folder(&self.dir).map_err(failed)
    }

    /// Name of the temporary file beside a file in the home.
    pub(crate) fn temporary(&self, index: usize) -> String {
        format!(".forewarn-{:04}-{index}", self.number)
    }

    /// Keeps a content: `put(0, "original", ..)` as `0.original`.
    pub(crate) fn put(&self, index: usize, what: &str, bytes: &[u8]) -> Result<(), Error> {
        write(&self.dir.join(format!("{index}.{what}")), bytes)?;
        sync_folder(&self.dir).map_err(|source| Error::WriteVault { path: self.dir.clone(), source })
    }

    /// Keeps a content under a name that isn't taken: `0.stray-1`.
    pub(crate) fn put_stray(&self, index: usize, bytes: &[u8]) -> Result<(), Error> {
        let free =
            (1..).map(|count| format!("stray-{count}")).find(|name| !self.dir.join(format!("{index}.{name}")).exists());
        self.put(index, &free.unwrap_or_default(), bytes)
    }

    /// A content, if its digest is what the journal says.
    pub(crate) fn get(&self, index: usize, what: &str, digest: Digest) -> Result<Vec<u8>, Error> {
        let path = self.dir.join(format!("{index}.{what}"));
        let bytes = fs_err::read(&path).map_err(|source| Error::ReadVault { path: path.clone(), source })?;
        if Digest::of(&bytes) == digest { Ok(bytes) } else { Err(Error::CheckContent { path }) }
    }
}

fn make_folder(path: &Path) -> Result<(), Errno> {
    crate::crash::step();
    match sys::mkdir(path, Mode::RWXU) {
        Ok(()) => Ok(()),
        Err(Errno::EXIST) => sys::chmod(path, Mode::RWXU),
        Err(errno) => Err(errno),
    }
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
