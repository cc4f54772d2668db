//! What outlives the daemon: the engine's state, and the bundle in force with its root. One SQLite database, transactions
//! that are on disk when they return.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use forewarn_engine::State;
use forewarn_proto::{inventory::Person, ipc::Entry};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, ffi};

use crate::history::History;

const FILE: &str = "forewarn.sqlite";
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
    -- What was decided, by number.
    CREATE TABLE IF NOT EXISTS entries (number INTEGER PRIMARY KEY, person TEXT NOT NULL, entry BLOB NOT NULL) STRICT;
";
const PUT: &str = "INSERT OR REPLACE INTO kept (name, value) VALUES (?1, ?2)";
const STATE: &str = "state";
const BUNDLE: &str = "bundle";
const ROOT: &str = "root";
const ENROLLED: &str = "enrolled root";
const HISTORY: &str = "history";
/// How many entries are kept, of all people together.
const MAX_ENTRIES: u32 = 2000;
/// How much of the database is held in memory, in KiB. The state is read once, and written whole.
const CACHE_KIB: i32 = 64;

/// How often, and with what pause, an open store is tried. One that was killed while it started a worker is held for a
/// moment longer, by what was to become the worker.
const TRIES: u32 = 20;
/// See [`TRIES`].
const PAUSE: Duration = Duration::from_millis(50);

/// The open store; no second daemon can open it.
pub struct Store {
    database: Connection,
    _lock: fs_err::File,
}

/// What was stored of the engine's state.
pub(crate) enum Stored {
    /// Nothing yet: a new device.
    Missing,
    /// The state as it was.
    State(Box<State>),
    /// Something that can't be read. It is kept beside the store; what is in the vault must come back.
    Damaged,
    /// Nobody knows: it can't be read now.
    Unread(anyhow::Error),
}

impl Store {
    /// Opens the store in `folder`. A damaged file is put aside, never overwritten.
    pub fn open(folder: &Path) -> Result<Self> {
        let lock = fs_err::File::create(folder.join("daemon.lock"))?;
        let is_free = |_| {
            let free = lock.file().try_lock().is_ok();
            (!free).then(|| std::thread::sleep(PAUSE)).is_none()
        };
        if !(0..TRIES).any(is_free) {
            bail!("another daemon runs on {}; stop it first", folder.display());
        }
        let path = folder.join(FILE);
        let database = match connect(&path) {
            Ok(database) => database,
            Err(error) if is_damage(&error) => {
                let aside = put_aside(&path)?;
                tracing::error!("the store was damaged ({error}); it is kept as {}", aside.display());
                connect(&path).context("the store can't be made anew")?
            }
            Err(error) => return Err(error).with_context(|| format!("{} can't be opened", path.display())),
        };
        Ok(Self { database, _lock: lock })
    }

    /// The engine's state.
    pub(crate) fn state(&self) -> Stored {
        match self.get(STATE) {
            Ok(None) => Stored::Missing,
            Ok(Some(bytes)) => match serde_json::from_slice(&bytes) {
                Ok(state) => Stored::State(Box::new(state)),
                Err(error) => {
                    tracing::error!("the stored state can't be read: {error}");
                    let _ = self.put(&[("state.damaged", &bytes)]);
                    Stored::Damaged
                }
            },
            Err(error) if error.downcast_ref().is_some_and(is_damage) => {
                tracing::error!("the stored state can't be read: {error:#}");
                Stored::Damaged
            }
            Err(error) => Stored::Unread(error),
        }
    }

    pub(crate) fn set_state(&self, state: &State) -> Result<()> {
        self.put(&[(STATE, &serde_json::to_vec(state)?)])
    }

    /// The bundle in force and its root, as they were stored together under this enrolment.
    ///
    /// # Errors
    /// When it can't be read, which it may be another time.
    pub(crate) fn bundle(&self, enrolled: &str) -> Result<Option<(Vec<u8>, String)>> {
        if self.get(ENROLLED)?.is_none_or(|of| of != enrolled.as_bytes()) {
            return Ok(None);
        }
        let (bundle, root) = (self.get(BUNDLE)?, self.get(ROOT)?);
        Ok(bundle.zip(root.and_then(|root| String::from_utf8(root).ok())))
    }

    pub(crate) fn set_bundle(&self, bundle: &[u8], root: &str, enrolled: &str) -> Result<()> {
        self.put(&[(BUNDLE, bundle), (ROOT, root.as_bytes()), (ENROLLED, enrolled.as_bytes())])
    }

    /// How everyone stood when the last entry was made; nobody did where that can't be read.
    pub(crate) fn history(&self) -> History {
        let bytes = self.get(HISTORY).ok().flatten().unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Adds an entry that the agent has not made itself.
    ///
    /// # Errors
    /// When it can't be stored.
    pub fn add_entry(&self, person: Person, entry: Entry) -> Result<()> {
        self.add_entries(&[(person, entry)], &self.history())
    }

    /// Adds entries, and drops the oldest when there are too many.
    pub(crate) fn add_entries(&self, entries: &[(Person, Entry)], history: &History) -> Result<()> {
        let transaction = self.database.unchecked_transaction()?;
        transaction.execute(PUT, (HISTORY, serde_json::to_vec(history)?))?;
        for (person, entry) in entries {
            let entry = serde_json::to_vec(entry)?;
            transaction.execute("INSERT INTO entries (person, entry) VALUES (?1, ?2)", (person.to_string(), entry))?;
        }
        let oldest = "DELETE FROM entries WHERE number <= (SELECT max(number) FROM entries) - ?1";
        transaction.execute(oldest, [MAX_ENTRIES])?;
        Ok(transaction.commit()?)
    }

    /// Forgets what was decided about a person.
    pub fn forget_entries(&self, person: Person) -> Result<()> {
        self.database.execute("DELETE FROM entries WHERE person = ?1", [person.to_string()])?;
        Ok(())
    }

    /// What was decided about a person, the oldest first. An entry that can't be read is left out.
    pub(crate) fn entries(&self, person: Person) -> Result<Vec<Entry>> {
        let mut query = self.database.prepare("SELECT entry FROM entries WHERE person = ?1 ORDER BY number")?;
        let all =
            query.query_map([person.to_string()], |row| Ok(serde_json::from_slice(row.get_ref(0)?.as_blob()?).ok()))?;
        Ok(all.filter_map(|entry| entry.ok().flatten()).collect())
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let value = self.database.query_row("SELECT value FROM kept WHERE name = ?1", [name], |row| row.get(0));
        Ok(value.optional()?)
    }

    fn put(&self, kept: &[(&str, &[u8])]) -> Result<()> {
        let transaction = self.database.unchecked_transaction()?;
        for entry in kept {
            transaction.execute(PUT, *entry)?;
        }
        Ok(transaction.commit()?)
    }
}

/// Opens the database, or makes it, and reads all of it once.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let database = Connection::open(path)?;
    database.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    // What is committed is in the database itself, where damage is noticed. A write-ahead log would be cut off there.
    database.pragma_update(None, "journal_mode", "TRUNCATE")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.pragma_update(None, "fullfsync", true)?;
    database.pragma_update(None, "cache_size", -CACHE_KIB)?;
    let verdict: String = database.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), Some(verdict)));
    }
    database.execute_batch(SCHEMA)?;
    Ok(database)
}

/// Whether the file itself is wrong or can't be read, rather than the disk full or away. `Unknown` is what SQLite says of a
/// format of the future.
fn is_damage(error: &rusqlite::Error) -> bool {
    let Some(code) = error.sqlite_error() else { return false };
    let unreadable = [ffi::SQLITE_IOERR_READ, ffi::SQLITE_IOERR_SHORT_READ, ffi::SQLITE_IOERR_CORRUPTFS];
    matches!(code.code, ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown)
        || unreadable.contains(&code.extended_code)
}

/// Keeps a damaged database under another name. A journal that it leaves is SQLite's to remove: it undoes nothing in a
/// database that is empty.
fn put_aside(path: &Path) -> Result<PathBuf> {
    let free = (1..1000).map(|n| path.with_extension(format!("damaged-{n}"))).find(|aside| !aside.exists());
    let aside = free.context("there are a thousand damaged stores already; look at them")?;
    fs_err::rename(path, &aside)?;
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What SQLite undoes after a crash.
    const JOURNAL: &str = "forewarn.sqlite-journal";
    /// SQLite's, in bytes.
    const PAGE: usize = 4096;

    /// Files of an open store, as a power cut leaves them.
    fn copied(folder: &Path, names: &[&str]) -> tempfile::TempDir {
        let after = tempfile::tempdir().unwrap();
        for name in names {
            fs_err::copy(folder.join(name), after.path().join(name)).unwrap();
        }
        after
    }

    #[test]
    fn a_missing_a_good_and_a_damaged_state_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert!(matches!(store.state(), Stored::Missing));
        store.set_state(&State::default()).unwrap();
        assert!(matches!(store.state(), Stored::State(_)));
        store.put(&[(STATE, b"{\"half\":")]).unwrap();
        assert!(matches!(store.state(), Stored::Damaged));
        assert_eq!(store.get("state.damaged").unwrap().unwrap(), b"{\"half\":");
    }

    #[test]
    fn what_was_decided_is_each_person_s_own_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let entry = |about: &str| Entry {
            at: "2026-12-01T00:00Z".parse().unwrap(),
            about: about.into(),
            event: forewarn_proto::ipc::Event::MailTaken,
        };
        let (ann, ben) = (Person::from_bits(1), Person::from_bits(2));
        assert_eq!(store.entries(ann).unwrap(), []);
        store.add_entries(&[(ann, entry("first")), (ben, entry("other"))], &History::default()).unwrap();
        store.add_entries(&[(ann, entry("second"))], &History::default()).unwrap();
        assert_eq!(store.entries(ann).unwrap(), [entry("first"), entry("second")]);
        let many: Vec<_> = (0..MAX_ENTRIES).map(|_| (ben, entry("more"))).collect();
        store.add_entries(&many, &History::default()).unwrap();
        assert_eq!(store.entries(ann).unwrap(), []);
        assert_eq!(store.entries(ben).unwrap().len(), MAX_ENTRIES as usize);
    }

    #[test]
    fn a_power_cut_undoes_what_was_not_committed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.set_bundle(b"bundle", "root", "enrolled").unwrap();
        let transaction = store.database.unchecked_transaction().unwrap();
        transaction.execute(PUT, (BUNDLE, vec![7; 1_000_000])).unwrap();
        let after = copied(folder.path(), &[FILE, JOURNAL]);
        assert!(fs_err::metadata(after.path().join(FILE)).unwrap().len() > 500_000, "some is written");
        let found = Store::open(after.path()).unwrap().bundle("enrolled").unwrap();
        assert_eq!(found, Some((b"bundle".to_vec(), "root".to_owned())));
        let alone = copied(folder.path(), &[JOURNAL]);
        assert_eq!(Store::open(alone.path()).unwrap().bundle("enrolled").unwrap(), None);
    }

    #[test]
    fn what_is_committed_needs_no_other_file() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.set_bundle(b"bundle", "root", "enrolled").unwrap();
        let after = copied(folder.path(), &[FILE]);
        let found = Store::open(after.path()).unwrap().bundle("enrolled").unwrap();
        assert_eq!(found, Some((b"bundle".to_vec(), "root".to_owned())));
    }

    #[test]
    fn a_damaged_file_is_put_aside_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let garbage = b"not a database at all".repeat(1000);
        fs_err::write(&path, &garbage).unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert!(matches!(store.state(), Stored::Missing));
        assert_eq!(fs_err::read(path.with_extension("damaged-1")).unwrap(), garbage);
    }

    #[test]
    fn a_format_of_the_future_is_put_aside_too() {
        let folder = tempfile::tempdir().unwrap();
        Store::open(folder.path()).unwrap().set_state(&State::default()).unwrap();
        let path = folder.path().join(FILE);
        let mut bytes = fs_err::read(&path).unwrap();
        // The schema's format. Source: SQLite's `fileformat2.html`, 1.3.10.
        bytes[47] = 9;
        fs_err::write(&path, &bytes).unwrap();
        assert!(matches!(Store::open(folder.path()).unwrap().state(), Stored::Missing));
        assert_eq!(fs_err::read(path.with_extension("damaged-1")).unwrap(), bytes);
    }

    #[test]
    fn a_page_that_a_disk_has_lost_is_never_read_as_a_state() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = vec![b' '; 20_000];
        state.extend(serde_json::to_vec(&State::default()).unwrap());
        Store::open(folder.path()).unwrap().put(&[(STATE, &state)]).unwrap();
        let path = folder.path().join(FILE);
        let whole = fs_err::read(&path).unwrap();
        assert!(matches!(Store::open(folder.path()).unwrap().state(), Stored::State(_)));
        for page in 0..whole.len() / PAGE {
            let mut bytes = whole.clone();
            bytes[page * PAGE..][..PAGE].fill(0);
            fs_err::write(&path, &bytes).unwrap();
            let state = Store::open(folder.path()).unwrap().state();
            assert!(matches!(state, Stored::Missing | Stored::Damaged), "page {page}");
        }
    }

    #[test]
    fn what_does_not_fit_leaves_what_was_stored_and_the_store_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.set_bundle(b"bundle", "root", "enrolled").unwrap();
        let may_have = |pages: u32| store.database.pragma_update(None, "max_page_count", pages).unwrap();
        may_have(10);
        let large = vec![7; 100_000];
        assert!(store.set_bundle(&large, "newer root", "enrolled").is_err());
        assert_eq!(store.bundle("enrolled").unwrap(), Some((b"bundle".to_vec(), "root".to_owned())));
        may_have(1000);
        store.set_bundle(&large, "newer root", "enrolled").unwrap();
        assert_eq!(store.bundle("enrolled").unwrap(), Some((large, "newer root".to_owned())));
    }

    #[test]
    fn a_second_daemon_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let _first = Store::open(folder.path()).unwrap();
        assert!(Store::open(folder.path()).is_err());
    }
}
