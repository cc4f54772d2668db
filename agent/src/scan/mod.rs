//! Looks at the device: packages, and who has company mail.
//!
//! What root alone writes is read by the daemon itself, each source in its turn; a home by a worker with that person's
//! rights. None of them can hold the others up: what does not answer in time is a gap, and the look goes on.

mod home;
mod inotify;
mod watch;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, TryLockError},
    time::Duration,
};

use forewarn_clock::Clock;
use forewarn_engine::MailFound;
use forewarn_inventory::{Lister, Places, sources_of};
use forewarn_proto::{
    inventory::{Change, Gap, Listing, Person, Scope, Source, Wanted},
    ipc::Isolation,
    policy::Domain,
};
use jiff::Timestamp;

pub(crate) use watch::{HomePoints, Pace, Touched, Watch};

use crate::{
    people::{Account, People},
    worker::LookRequest,
};

/// How often all is looked at without a hint: for what no watch tells.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(4 * 60 * 60);

/// How long one source of the system may take. Stops: a network file system whose server is gone. 100,000 packages of
/// dpkg's take 0.1 s.
const SOURCE_DEADLINE: Duration = Duration::from_secs(10);

/// What to look at, and what the engine wants to hear of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What differs from the last look, in these scopes.
    Changes(BTreeSet<Scope>),
    /// Everything, because rules have changed.
    Whole,
}

/// What is looked for.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    pub(crate) wanted: Wanted,
    /// Mail domains.
    pub(crate) domains: BTreeSet<Domain>,
    /// How many errands about mail had been done when the look began.
    pub(crate) errands: u64,
}

/// What one look found.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) extent: Extent,
    /// What was looked for. A look for what rules named before they changed says nothing of the new ones.
    pub(crate) wanted: Wanted,
    pub(crate) listings: Vec<Listing>,
    /// The domains of which people have mail. Whoever could not be looked at is not among them.
    pub(crate) mail: MailFound,
    /// What is to be watched in the homes that were looked at.
    pub(crate) watch: BTreeMap<Person, HomePoints>,
    /// See [`Search::errands`]. What was found of mail before the last errand ended may have been taken since.
    pub(crate) errands: u64,
    /// How far the last worker was shut in.
    pub(crate) isolation: Option<Isolation>,
}

/// Looks again and again, and one look at a time.
#[derive(Debug, Clone)]
pub(crate) struct Scanner {
    root: PathBuf,
    people: People,
    system: BTreeMap<Source, Arc<Mutex<Lister>>>,
    reader: home::Reader,
}

impl Extent {
    /// Everything that can have changed.
    pub(crate) fn everywhere(people: &People) -> Self {
        Self::Changes(people.persons().map(Scope::Person).chain([Scope::System]).collect())
    }

    /// Both at once.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Changes(one), Self::Changes(other)) => Self::Changes(&one | &other),
            _ => Self::Whole,
        }
    }

    fn reaches(&self, scope: Scope) -> bool {
        match self {
            Self::Changes(scopes) => scopes.contains(&scope),
            Self::Whole => true,
        }
    }
}

impl Scanner {
    pub(crate) fn new(root: &Path, people: People) -> Self {
        let places = people.places(root);
        let lister = |source| Arc::new(Mutex::new(Lister::new(places.clone(), source, Scope::System)));
        let system = sources_of(Scope::System).map(|source| (source, lister(source))).collect();
        Self { root: root.to_owned(), people, system, reader: home::Reader::default() }
    }

    /// Looks at what `extent` reaches.
    pub(crate) async fn look(&self, search: Search, extent: Extent) -> Scan {
        let mut listings = Vec::new();
        if extent.reaches(Scope::System) {
            for (source, lister) in &self.system {
                listings.push(self.system_source(*source, lister.clone(), &search.wanted).await);
            }
        }
        let (mut people, mut watch, mut isolation) = (BTreeMap::new(), BTreeMap::new(), None);
        for account in self.people.accounts().iter().filter(|account| extent.reaches(Scope::Person(account.person))) {
            let person = account.person;
            let found = self.home(account, sources_of(Scope::Person(person)).collect(), &search).await;
            listings.extend(found.listings);
            people.extend(found.mail.map(|mail| (person, mail)));
            watch.extend(found.watch.map(|points| (person, points)));
            isolation = found.isolation;
        }
        let errands = search.errands;
        Scan {
            extent,
            errands,
            watch,
            wanted: search.wanted,
            listings,
            mail: MailFound { domains: search.domains, people },
            isolation,
        }
    }

    /// Lists one source wherever the device has it, or every source.
    pub(crate) async fn list(&self, source: Option<Source>, wanted: Wanted) -> Vec<Listing> {
        let asked = |candidate: &Source| source.is_none_or(|source| source == *candidate);
        let mut listings = Vec::new();
        for (source, lister) in self.system.iter().filter(|(source, _)| asked(source)) {
            listings.push(self.system_source(*source, lister.clone(), &wanted).await);
        }
        let search = Search { wanted, domains: BTreeSet::new(), errands: 0 };
        for account in self.people.accounts() {
            let sources: Vec<Source> = sources_of(Scope::Person(account.person)).filter(asked).collect();
            if !sources.is_empty() {
                listings.extend(self.home(account, sources, &search).await.listings);
            }
        }
        listings
    }

    /// Lists a source of the system. One that has not come back from an earlier look is not waited for again.
    async fn system_source(&self, source: Source, lister: Arc<Mutex<Lister>>, wanted: &Wanted) -> Listing {
        let wanted = wanted.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut lister = match lister.try_lock() {
                Ok(lister) => lister,
                // A look that broke off leaves nothing in it that is half done.
                Err(TryLockError::Poisoned(broken)) => broken.into_inner(),
                Err(TryLockError::WouldBlock) => return None,
            };
            Some(lister.list(&wanted, now()))
        });
        let reason = match tokio::time::timeout(SOURCE_DEADLINE, read).await {
            Ok(Ok(Some(listing))) => return listing,
            Ok(Ok(None)) | Err(_) => NO_ANSWER,
            Ok(Err(_)) => "its reader broke off; this is a defect",
        };
        unread(source, Scope::System, self.root.display(), reason)
    }

    async fn home(&self, account: &Account, sources: Vec<Source>, search: &Search) -> home::Found {
        let places = Places { root: self.root.clone(), homes: vec![account.folder()] };
        let (wanted, domains) = (search.wanted.clone(), search.domains.clone());
        let request = LookRequest { places, person: account.person, sources, wanted, domains };
        self.reader.look(&self.people, account, request).await
    }
}

const NO_ANSWER: &str = "it did not answer in time";

/// A listing of what could not be read at all.
fn unread(source: Source, scope: Scope, path: impl ToString, reason: impl ToString) -> Listing {
    let gap = Gap { path: path.to_string(), offset: None, reason: reason.to_string() };
    Listing { source, scope, count: 0, packages: Vec::new(), gaps: vec![gap] }
}

/// Since the Unix epoch. Files are stamped by the system's own clock, whatever clock the daemon goes by.
pub(crate) fn now() -> Duration {
    Duration::try_from(Clock::Real.wall().duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default()
}

/// What differs between two looks; none if the former one lacks a source that the new one has.
pub(crate) fn changes(former: &[Listing], new: &[Listing]) -> Option<Vec<Change>> {
    let of = |listing: &Listing| former.iter().find(|f| (f.source, f.scope) == (listing.source, listing.scope));
    new.iter().map(|listing| Some(listing.change_from(of(listing)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_source_that_has_not_come_back_holds_up_nothing() {
        let root = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(root.path().join("var/lib/pacman/local/zlib-1.3-1")).unwrap();
        fs_err::create_dir_all(root.path().join("etc")).unwrap();
        fs_err::write(root.path().join("etc/os-release"), "ID=arch\n").unwrap();
        let scanner = Scanner::new(root.path(), People::of([]));
        // Somebody else reads it, and does not come back.
        let stuck = scanner.system[&Source::Dpkg].clone();
        let (held, is_held) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let _held = stuck.lock().unwrap();
            held.send(()).unwrap();
            std::thread::park();
        });
        is_held.recv().unwrap();
        let listings = scanner.list(None, Wanted::All).await;
        let of = |source| listings.iter().find(|listing| listing.source == source).unwrap();
        assert_eq!(of(Source::Dpkg).gaps[0].reason, NO_ANSWER);
        assert_eq!((of(Source::Pacman).count, of(Source::Pacman).is_complete()), (1, true));
        assert_eq!(listings.iter().filter(|listing| !listing.is_complete()).count(), 1);
    }
}
