//! Who lives on this device: the accounts whose homes are looked after, each tied to a person who keeps their name
//! whatever happens to the account's.

mod database;
mod heritage;
mod register;

use std::{
    collections::BTreeMap,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use forewarn_core::{ports, turns::Lane};
use forewarn_host::{person, user};
use forewarn_inventory::{HomeFolder, Places};
use forewarn_proto::inventory::Person;
use tokio::{sync::mpsc, time::Instant};

use self::{
    database::{Entry, Listed},
    register::{Home, Register, Sighting},
};
pub(crate) use self::{
    database::{group_of, groups_of},
    heritage::{give, is_gone, kept, known},
};
use crate::config::Config;

/// How long homes may take to be seen at a start. One that does not answer counts as one that is not there.
const PATIENCE: Duration = Duration::from_secs(3);

/// An account whose home is looked after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// Whose it is.
    pub(crate) person: Person,
    /// The user's number.
    pub(crate) user: u32,
    /// The number of their own group, by the user database.
    pub(crate) group: u32,
    /// Their name, if the user database knows one.
    pub(crate) name: Option<String>,
    pub(crate) home: PathBuf,
    /// What passwd(5) said of the number when they were met.
    listed: Option<Listed>,
}

impl Account {
    fn of(person: Person, entry: Entry) -> Self {
        let Entry { user, group, name, home, listed, .. } = entry;
        Self { person, user, group, name, home, listed }
    }

    /// Where the inventory looks for what they have.
    pub(crate) fn folder(&self) -> HomeFolder {
        HomeFolder { person: self.person, user: self.user, path: self.home.clone() }
    }
}

/// Everyone who is looked after, for all that asks who somebody is.
#[derive(Debug, Clone)]
pub(crate) struct People {
    accounts: Arc<[Account]>,
    register: Arc<Mutex<Register>>,
    /// Where what touches each one's home is done.
    lanes: Arc<BTreeMap<Person, Lane>>,
    /// Who is not the same as before: their home or their name is another.
    changed: mpsc::UnboundedSender<Person>,
}

impl People {
    /// Meets everyone who has a home here. The receiver hears of each who is not quite who they were.
    ///
    /// # Errors
    /// When what is known of them can't be stored.
    pub(crate) fn meet(config: &Config) -> Result<(Self, mpsc::UnboundedReceiver<Person>)> {
        let mut register = Register::load(&config.state)?;
        let entries = looked_after(config, |entry| register.has_met(entry.name.as_deref()));
        let seen = answers(&entries, sighting);
        // A home that does not answer says nothing, and holds up nobody else's.
        let seen = entries.iter().zip(seen).map(|(entry, seen)| seen.unwrap_or_else(|| sighting_without(entry)));
        let persons = register.meet(&seen.collect::<Vec<_>>(), person::draw)?;
        let accounts: Vec<Account> =
            persons.into_iter().zip(entries).map(|(person, entry)| Account::of(person, entry)).collect();
        let (changed, receiver) = mpsc::unbounded_channel();
        for person in register.to_be_told_anew() {
            let _ = changed.send(person);
        }
        Ok((Self::new(accounts, register, changed), receiver))
    }

    /// For a command of a person's own, which looks after nobody.
    pub(crate) fn unmet(accounts: Vec<Account>) -> Self {
        let seen = accounts.iter().map(|account| (account.person, sighting(&Entry::from(account))));
        let register = Register::of(seen);
        Self::new(accounts, register, mpsc::unbounded_channel().0)
    }

    fn new(accounts: Vec<Account>, register: Register, changed: mpsc::UnboundedSender<Person>) -> Self {
        let lanes = accounts.iter().map(|account| (account.person, Lane::default())).collect();
        Self { accounts: accounts.into(), register: Arc::new(Mutex::new(register)), lanes: Arc::new(lanes), changed }
    }

    /// These, as if they had been met before: whose number this is, and where their home is.
    #[cfg(test)]
    pub(crate) fn of<const N: usize>(these: [(Person, u32, &Path); N]) -> Self {
        let account = |(person, user, home): (Person, u32, &Path)| {
            Account::of(person, Entry { home: home.to_owned(), ..database::entry(user) })
        };
        Self::unmet(these.into_iter().map(account).collect())
    }

    pub(crate) fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    pub(crate) fn persons(&self) -> impl Iterator<Item = Person> {
        self.accounts.iter().map(|account| account.person)
    }

    /// Where what touches this person's home is done: one thing at a time, on a thread that it may keep.
    pub(crate) fn lane(&self, person: Person) -> Lane {
        self.lanes.get(&person).cloned().unwrap_or_default()
    }

    pub(crate) fn places(&self, root: &Path) -> Places {
        Places { root: root.to_owned(), homes: self.accounts.iter().map(Account::folder).collect() }
    }

    pub(crate) fn account(&self, person: Person) -> Option<&Account> {
        self.accounts.iter().find(|account| account.person == person)
    }

    /// Somebody's account, as long as the number is theirs.
    pub(crate) fn account_now(&self, person: Person) -> Option<&Account> {
        self.account(person).filter(|account| is_still_theirs(account))
    }

    /// Who has this number now. Nobody, if it is another account's by now: whoever gets the number of somebody who has left
    /// is not them.
    pub(crate) fn of_user(&self, user: u32) -> Option<&Account> {
        self.accounts.iter().find(|account| account.user == user).filter(|account| is_still_theirs(account))
    }

    /// The account as it is now, if this person is still who they were: it is theirs, and so is the home. If the home is
    /// another, they are to be told anew, and nothing is done there until they are. Their group may have changed. Blocks for
    /// as long as the home's file system, or a directory service, does.
    ///
    /// # Errors
    /// What has changed.
    pub(crate) fn ensure_same(&self, account: &Account) -> Result<Account> {
        let now = database::entry(account.user);
        ensure!(now.listed == account.listed, "the account with the number {} is another one by now", account.user);
        // Before the register is locked: it is everybody's.
        let seen = sighting(&Entry::from(account));
        let is_same = self.register().notice(account.person, &seen)?;
        if !is_same {
            let _ = self.changed.send(account.person);
            bail!("the home folder is not the one that was there before; its person is told anew first");
        }
        Ok(Account { group: now.group, ..account.clone() })
    }

    /// Whether this person is still to be told anew. Nothing is taken from them before.
    pub(crate) fn is_to_be_told(&self, person: Person) -> bool {
        self.register().to_be_told_anew().contains(&person)
    }

    fn register(&self) -> MutexGuard<'_, Register> {
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ports::People for People {
    fn persons(&self) -> Vec<Person> {
        self.accounts.iter().map(|account| account.person).collect()
    }

    fn forget_to_tell(&self, person: Person) -> Result<()> {
        self.register().forget_to_tell(person)
    }
}

/// The accounts that a command of a person's own asks about. Nobody is registered by that: their names are of this process
/// alone.
pub(crate) fn at_hand(config: &Config) -> Vec<Account> {
    let of = |entry: Entry| Account::of(person::of_user(entry.user), entry);
    looked_after(config, |_| false).into_iter().map(of).collect()
}

/// The account that this command asks about: whoever root names, else the first.
///
/// # Errors
/// When that is none of those that are looked after.
pub(crate) fn asked_about(config: &Config) -> Result<Account> {
    let mut accounts = at_hand(config).into_iter();
    let account = match config.user {
        Some(user) => accounts.find(|account| account.user == user),
        None => accounts.next(),
    };
    account.context("no home of theirs is looked after; see `homes` in agent.toml")
}

/// What is named in the configuration; else everyone, where this is root; else oneself. Who is not root looks after their own
/// home alone.
fn looked_after(config: &Config, is_known: impl Fn(&Entry) -> bool) -> Vec<Entry> {
    let (is_root, me) = (user::is_root(), user::current());
    let entries = database::everyone();
    let whose = |home: PathBuf| entry_of_home(home, &entries);
    let found: Vec<Entry> = match &config.homes {
        None if is_root => {
            let all = entries.clone();
            let have_homes = answers(&entries, move |entry| has_home(entry, &all));
            let pairs = entries.iter().zip(have_homes);
            pairs.filter(|(entry, has)| *has == Some(true) || is_known(entry)).map(|(entry, _)| entry.clone()).collect()
        }
        None => config.own_home.clone().into_iter().filter_map(whose).collect(),
        Some(named) => {
            let all = entries.clone();
            answers(named, move |home| entry_of_home(home.clone(), &all)).into_iter().flatten().flatten().collect()
        }
    };
    let found: Vec<Entry> = found.into_iter().filter(|entry| is_root || entry.user == me).collect();
    found.iter().filter(|entry| !is_left_behind(entry, &found)).cloned().collect()
}

/// Whether a folder is its owner's by the number alone, where the account of that number has another one that is looked after.
/// Somebody else left it.
fn is_left_behind(entry: &Entry, found: &[Entry]) -> bool {
    let own = |other: &Entry| other.listed.as_ref().is_some_and(|listed| listed.home() == other.home);
    !own(entry) && found.iter().any(|other| other.user == entry.user && own(other))
}

/// What comes of asking this of each, at the same time; None where it does not answer. That keeps a thread.
fn answers<T, A>(all: &[T], ask: impl Fn(&T) -> A + Send + Sync + 'static) -> Vec<Option<A>>
where
    T: Clone + Send + 'static,
    A: Send + 'static,
{
    let (ask, deadline) = (Arc::new(ask), Instant::now() + PATIENCE);
    let asked = all.iter().cloned().map(|one| {
        let ((sender, answer), ask) = (std::sync::mpsc::channel(), ask.clone());
        std::thread::spawn(move || sender.send(ask(&one)));
        answer
    });
    let answers: Vec<_> = asked.collect();
    let left = || deadline.saturating_duration_since(Instant::now());
    answers.into_iter().map(|answer| answer.recv_timeout(left()).ok()).collect()
}

/// Whose a home is: where nothing is mounted yet, the folder may be anybody's.
fn entry_of_home(home: PathBuf, entries: &[Entry]) -> Option<Entry> {
    let account = entries.iter().find(|entry| entry.home == home).cloned();
    account.or_else(|| Some(Entry { home: home.clone(), ..database::entry(owner(&home)?) }))
}

/// Whether an account's folder is its own, or is empty: then its own will be mounted there. Accounts of services are in
/// others' folders, or share one.
fn has_home(entry: &Entry, entries: &[Entry]) -> bool {
    let Entry { user, home, logs_in, .. } = entry;
    let is_empty = || fs_err::read_dir(home).is_ok_and(|mut names| names.next().is_none());
    let is_alone = || entries.iter().filter(|other| other.home == *home).count() == 1;
    // To look into it may have it mounted.
    let is_theirs = || owner(home) == Some(*user);
    owner(home).is_some() && (is_theirs() || (*logs_in && is_alone() && (is_empty() || is_theirs())))
}

fn owner(home: &Path) -> Option<u32> {
    let metadata = fs_err::symlink_metadata(home).ok()?;
    metadata.is_dir().then(|| metadata.uid())
}

/// Whether passwd(5) still says of this number what it said when they were met. A directory service is not asked again: that
/// may take long.
fn is_still_theirs(account: &Account) -> bool {
    database::listed(account.user) == account.listed
}

fn sighting(entry: &Entry) -> Sighting {
    Sighting { home: Home::at(&entry.home, entry.user), ..sighting_without(entry) }
}

/// The same of somebody whose home does not answer.
fn sighting_without(entry: &Entry) -> Sighting {
    let Entry { user, name, home, .. } = entry;
    let by_number = entry.listed.as_ref().is_some_and(|listed| listed.home() != home);
    Sighting { user: *user, name: name.clone(), path: home.clone(), home: Home::Absent, by_number }
}
