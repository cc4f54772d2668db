//! What outlives the daemon: the engine's state, and the bundle in force with its root. One file, transactions that are
//! on disk when they return.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use forewarn_engine::State;
use forewarn_proto::{inventory::Person, ipc::Entry};
use redb::{Database, Durability, ReadableDatabase, ReadableTable as _, TableDefinition};
use rustix::fs::{FlockOperation, flock};

use crate::history::History;

const TABLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("forewarn");
const STATE: &str = "state";
const BUNDLE: &str = "bundle";
const ROOT: &str = "root";
const ENROLLED: &str = "enrolled root";
const HISTORY: &str = "history";
/// What was decided, by number.
const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("entries");
/// How many entries are kept, of all people together.
const MAX_ENTRIES: u64 = 2000;

/// How often, and with what pause, an open store is tried. One that was killed while it started a worker is held for a
/// moment longer, by what was to become the worker.
const TRIES: u32 = 20;
/// See [`TRIES`].
const PAUSE: Duration = Duration::from_millis(50);

/// The open store; no second daemon can open it.
pub(crate) struct Store {
    database: Database,
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
}

impl Store {
    /// Opens the store in `folder`. A damaged file is put aside, never overwritten.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let lock = fs_err::File::create(folder.join("daemon.lock"))?;
        let is_free = |_| {
            let free = flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok();
            (!free).then(|| std::thread::sleep(PAUSE)).is_none()
        };
        if !(0..TRIES).any(is_free) {
            bail!("another daemon runs on {}; stop it first", folder.display());
        }
        let path = folder.join("forewarn.redb");
        let database = match Database::create(&path) {
            Ok(database) => database,
            Err(error) if is_damage(&error) => {
                let aside = put_aside(&path)?;
                tracing::error!("the store was damaged ({error}); it is kept as {}", aside.display());
                Database::create(&path).context("the store can't be made anew")?
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
            Err(error) => {
                tracing::error!("the stored state can't be read: {error:#}");
                Stored::Damaged
            }
        }
    }

    pub(crate) fn set_state(&self, state: &State) -> Result<()> {
        self.put(&[(STATE, &serde_json::to_vec(state)?)])
    }

    /// The bundle in force and its root, as they were stored together under this enrolment.
    pub(crate) fn bundle(&self, enrolled: &str) -> Option<(Vec<u8>, String)> {
        if self.get(ENROLLED).ok().flatten()? != enrolled.as_bytes() {
            return None;
        }
        let bundle = self.get(BUNDLE).ok().flatten()?;
        Some((bundle, String::from_utf8(self.get(ROOT).ok().flatten()?).ok()?))
    }

    pub(crate) fn set_bundle(&self, bundle: &[u8], root: &str, enrolled: &str) -> Result<()> {
        self.put(&[(BUNDLE, bundle), (ROOT, root.as_bytes()), (ENROLLED, enrolled.as_bytes())])
    }

    /// How everyone stood when the last entry was made; nobody did where that can't be read.
    pub(crate) fn history(&self) -> History {
        let bytes = self.get(HISTORY).ok().flatten().unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Adds entries, and drops the oldest when there are too many.
    pub(crate) fn add_entries(&self, entries: &[(Person, Entry)], history: &History) -> Result<()> {
        let history = serde_json::to_vec(history)?;
        let transaction = self.database.begin_write()?;
        {
            transaction.open_table(TABLE)?.insert(HISTORY, history.as_slice())?;
            let mut table = transaction.open_table(ENTRIES)?;
            let mut next = table.last()?.map_or(0, |(number, _)| number.value() + 1);
            for entry in entries {
                table.insert(next, serde_json::to_vec(entry)?.as_slice())?;
                next += 1;
            }
            table.retain(|number, _| number + MAX_ENTRIES >= next)?;
        }
        Ok(transaction.commit()?)
    }

    /// What was decided about a person, the oldest first. An entry that can't be read is left out.
    pub(crate) fn entries(&self, person: Person) -> Result<Vec<Entry>> {
        let table = match self.database.begin_read()?.open_table(ENTRIES) {
            Ok(table) => table,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let all = table.iter()?.filter_map(|row| {
            let (_, bytes) = row.ok()?;
            serde_json::from_slice::<(Person, Entry)>(bytes.value()).ok()
        });
        Ok(all.filter(|(of, _)| *of == person).map(|(_, entry)| entry).collect())
    }

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let transaction = self.database.begin_read()?;
        match transaction.open_table(TABLE) {
            Ok(table) => Ok(table.get(key)?.map(|value| value.value().to_vec())),
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn put(&self, entries: &[(&str, &[u8])]) -> Result<()> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        {
            let mut table = transaction.open_table(TABLE)?;
            for (key, value) in entries {
                table.insert(*key, *value)?;
            }
        }
        Ok(transaction.commit()?)
    }
}

/// Whether the file itself is wrong, rather than the disk full or away.
fn is_damage(error: &redb::DatabaseError) -> bool {
    let redb::DatabaseError::Storage(error) = error else { return false };
    let unreadable = |error: &std::io::Error| error.kind() == std::io::ErrorKind::InvalidData;
    matches!(error, redb::StorageError::Corrupted(_)) || matches!(error, redb::StorageError::Io(e) if unreadable(e))
}

fn put_aside(path: &Path) -> Result<PathBuf> {
    let free = (1..1000).map(|n| path.with_extension(format!("damaged-{n}"))).find(|aside| !aside.exists());
    let aside = free.context("there are a thousand damaged stores already; look at them")?;
    fs_err::rename(path, &aside)?;
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let (ann, ben) = (Person(1), Person(2));
        assert_eq!(store.entries(ann).unwrap(), []);
        store.add_entries(&[(ann, entry("first")), (ben, entry("other"))], &History::default()).unwrap();
        store.add_entries(&[(ann, entry("second"))], &History::default()).unwrap();
        assert_eq!(store.entries(ann).unwrap(), [entry("first"), entry("second")]);
        let many: Vec<_> = (0..MAX_ENTRIES).map(|_| (ben, entry("more"))).collect();
        store.add_entries(&many, &History::default()).unwrap();
        assert_eq!(store.entries(ann).unwrap(), []);
        assert_eq!(store.entries(ben).unwrap().len() as u64, MAX_ENTRIES);
    }

    #[test]
    fn a_damaged_file_is_put_aside_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("forewarn.redb");
        fs_err::write(&path, b"not a database at all").unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert!(matches!(store.state(), Stored::Missing));
        assert_eq!(fs_err::read(path.with_extension("damaged-1")).unwrap(), b"not a database at all");
    }

    #[test]
    fn a_second_daemon_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let _first = Store::open(folder.path()).unwrap();
        assert!(Store::open(folder.path()).is_err());
    }
}
