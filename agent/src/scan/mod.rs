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
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use forewarn_core::{
    ports::{self, Scan},
    turns::Lane,
};
use forewarn_engine::{Gap, Listing, Look, MailOf, Search, Wanted};
use forewarn_host::Clock;
use forewarn_inventory::{Lister, Places, sources_of};
use forewarn_proto::{
    inventory::{Person, Scope, Source},
    policy::Domain,
};
use futures_util::future::BoxFuture;
use jiff::Timestamp;

pub(crate) use watch::Watch;

use self::watch::HomePoints;
use crate::{
    people::{Account, People},
    worker::LookRequest,
};

/// How long one source of the system may take. Stops: a network file system whose server is gone. 100,000 packages of
/// dpkg's take 0.1 s.
const SOURCE_DEADLINE: Duration = Duration::from_secs(10);

/// Lists what there is.
#[derive(Clone)]
pub(crate) struct Scanner {
    root: PathBuf,
    people: People,
    system: BTreeMap<Source, (Lane, Arc<Mutex<Lister>>)>,
    reader: home::Reader,
}

impl Scanner {
    pub(crate) fn new(root: &Path, people: People) -> Self {
        let places = people.places(root);
        let lister = |source| Arc::new(Mutex::new(Lister::new(places.clone(), source, Scope::System)));
        let system = sources_of(Scope::System).map(|source| (source, (Lane::default(), lister(source)))).collect();
        Self { root: root.to_owned(), people, system, reader: home::Reader::default() }
    }

    /// Looks at a scope, and says what is to be watched in a home. None for somebody who is not looked after.
    async fn look(&self, search: &Search, scope: Scope) -> Option<(Scan, Option<HomePoints>)> {
        let Scope::Person(person) = scope else { return Some((self.look_at_system(search).await, None)) };
        let account = self.people.account(person)?;
        let found = self.home(account, sources_of(scope).collect(), &search.wanted, &search.domains).await;
        let home::Found { listings, mail, watch, isolation, failed } = found;
        let mail = mail.map(|has| MailOf { looked_for: search.domains.clone(), has });
        let look = Look { token: search.token, scope, listings: listings.into(), mail };
        Some((Scan { look, isolation, failed }, watch))
    }

    async fn look_at_system(&self, search: &Search) -> Scan {
        let (mut listings, mut failed) = (Vec::new(), false);
        for source in self.system.keys() {
            let listing = self.system_source(*source, &search.wanted).await;
            failed |= listing.is_err();
            listings.push(listing.unwrap_or_else(|unread| *unread));
        }
        let look = Look { token: search.token, scope: Scope::System, listings: listings.into(), mail: None };
        Scan { look, isolation: None, failed }
    }

    /// Lists one source wherever the device has it, or every source.
    pub(crate) async fn list(&self, source: Option<Source>, wanted: Wanted) -> Vec<Listing> {
        let asked = |candidate: &Source| source.is_none_or(|source| source == *candidate);
        let mut listings = Vec::new();
        for source in self.system.keys().filter(|source| asked(source)) {
            listings.push(self.system_source(*source, &wanted).await.unwrap_or_else(|unread| *unread));
        }
        for account in self.people.accounts() {
            let sources: Vec<Source> = sources_of(Scope::Person(account.person)).filter(asked).collect();
            if !sources.is_empty() {
                listings.extend(self.home(account, sources, &wanted, &BTreeSet::new()).await.listings);
            }
        }
        listings
    }

    /// Lists a source of the system; the error is a listing that says why it could not be read. One that has not come back from an
    /// earlier look is not waited for again.
    async fn system_source(&self, source: Source, wanted: &Wanted) -> Result<Listing, Box<Listing>> {
        let missing = |reason: &str| Box::new(unread(source, Scope::System, self.root.display(), reason));
        let Some((lane, lister)) = self.system.get(&source).filter(|(lane, _)| !lane.is_taken()) else {
            return Err(missing(NO_ANSWER));
        };
        let (lister, wanted) = (lister.clone(), wanted.clone());
        // A look that broke off leaves nothing in it that is half done.
        let list = move || lister.lock().unwrap_or_else(PoisonError::into_inner).list(&wanted, now());
        match tokio::time::timeout(SOURCE_DEADLINE, lane.run(list)).await {
            Ok(listing) => listing.map_err(|error| missing(&format!("{error:#}"))),
            Err(_) => Err(missing(NO_ANSWER)),
        }
    }

    async fn home(
        &self,
        account: &Account,
        sources: Vec<Source>,
        wanted: &Wanted,
        domains: &BTreeSet<Domain>,
    ) -> home::Found {
        let places = Places { root: self.root.clone(), homes: vec![account.folder()] };
        let (wanted, domains) = (wanted.clone(), domains.clone());
        let request = LookRequest { places, person: account.person, sources, wanted, domains };
        self.reader.look(&self.people, account, request).await
    }
}

/// Looks, and watches for what changes after that.
#[derive(Clone)]
pub(crate) struct WatchedDevice {
    scanner: Scanner,
    watch: Arc<Watch>,
}

impl WatchedDevice {
    pub(crate) fn new(scanner: Scanner, watch: Watch) -> Self {
        Self { scanner, watch: Arc::new(watch) }
    }
}

impl ports::Scanner for WatchedDevice {
    fn look(&self, scope: Scope, search: Search) -> BoxFuture<'static, Option<Scan>> {
        let Self { scanner, watch } = self.clone();
        Box::pin(async move {
            watch.renew_in(scope);
            let (scan, points) = scanner.look(&search, scope).await?;
            if let (Scope::Person(person), Some(points)) = (scope, points) {
                watch.set_home(person, points);
            }
            Some(scan)
        })
    }

    fn came(&self, person: Person) {
        self.watch.anew(person);
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
        let (stuck, _) = scanner.system[&Source::Dpkg].clone();
        let waiting = tokio::spawn(async move { stuck.run(std::thread::park).await });
        while !scanner.system[&Source::Dpkg].0.is_taken() {
            tokio::task::yield_now().await;
        }
        let listings = scanner.list(None, Wanted::All).await;
        let of = |source| listings.iter().find(|listing| listing.source == source).unwrap();
        assert_eq!(of(Source::Dpkg).gaps[0].reason, NO_ANSWER);
        assert_eq!((of(Source::Pacman).count, of(Source::Pacman).is_complete()), (1, true));
        assert_eq!(listings.iter().filter(|listing| !listing.is_complete()).count(), 1);
        waiting.abort();
    }
}
