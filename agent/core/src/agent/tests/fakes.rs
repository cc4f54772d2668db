//! A system that is made of plain values. Each port notes in the log what it was asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Result;
use forewarn_engine::{Gap, Input, Listing, Look, MailOf, Notice, Now, Package, ProfileId, Search, Subject};
use forewarn_proto::{
    inventory::{Person, Scope, Source},
    policy::Domain,
};
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{
    ports::{Alarm, Device, Handled, NotShown, People, Presenter, Profiles, Programs, Scan, Scanner, Start},
    words::Words,
};

/// What is so on the device.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// The time by a clock that nobody can touch.
    pub(super) truth: Timestamp,
    pub(super) wall_error: SignedDuration,
    pub(super) boot: SignedDuration,
    pub(super) boots: u32,
    pub(super) zone: TimeZone,
    pub(super) people: Vec<Person>,
    pub(super) installed: BTreeSet<(Scope, String)>,
    pub(super) broken_scan: bool,
    pub(super) mailless: BTreeSet<Person>,
    pub(super) client_runs: bool,
    pub(super) vault_broken: bool,
    pub(super) vault: BTreeSet<ProfileId>,
    pub(super) log: Vec<Happened>,
    /// How often each scope was looked at.
    pub(super) looks: BTreeMap<Scope, u32>,
    /// Where a look ends in a panic.
    pub(super) breaks_off: BTreeSet<Scope>,
    /// Which profiles wait for which programs.
    pub(super) awaited: Vec<(Person, BTreeSet<String>)>,
    /// Whom a companion was to be started for.
    pub(super) started: Vec<Person>,
    /// What was written on terminals.
    pub(super) written: Vec<Person>,
    /// Whether people have a terminal.
    pub(super) terminals: bool,
    pub(super) to_be_told: BTreeSet<Person>,
}

/// Something that a person or an onlooker could have seen, by true time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Happened {
    pub(super) at: Timestamp,
    pub(super) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Shown(Notice),
    NotShown(Subject),
    Withdrawn(Subject),
    Revoked(ProfileId),
    Waits(ProfileId),
    RevokeFailed(ProfileId),
    Restored(ProfileId),
    RestoreFailed(ProfileId),
}

/// The system: every port is this.
#[derive(Debug, Clone)]
pub(super) struct Fake(Arc<Mutex<Facts>>);

impl Fake {
    pub(super) fn at(truth: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Facts {
            truth,
            wall_error: SignedDuration::ZERO,
            boot: SignedDuration::from_secs(60),
            boots: 0,
            zone: TimeZone::UTC,
            people: Vec::new(),
            installed: BTreeSet::new(),
            broken_scan: false,
            mailless: BTreeSet::new(),
            client_runs: false,
            vault_broken: false,
            vault: BTreeSet::new(),
            log: Vec::new(),
            looks: BTreeMap::new(),
            breaks_off: BTreeSet::new(),
            awaited: Vec::new(),
            started: Vec::new(),
            written: Vec::new(),
            terminals: false,
            to_be_told: BTreeSet::new(),
        })))
    }

    pub(super) fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn happened(&self, what: What) {
        let mut facts = self.facts();
        let at = facts.truth;
        facts.log.push(Happened { at, what });
    }

    fn handled(id: ProfileId, input: impl FnOnce(ProfileId) -> Input) -> BoxFuture<'static, Handled> {
        let handled =
            Handled { input: input(id.clone()), id, notes: Vec::new(), waiting: BTreeSet::new(), store_open: false };
        Box::pin(std::future::ready(handled))
    }
}

impl Facts {
    fn listing(&self, scope: Scope) -> Listing {
        let there = self.installed.iter().filter(|(of, _)| *of == scope);
        let packages: Vec<Package> = there.map(|(_, app)| package(app)).collect();
        let gap = Gap { path: "/broken".into(), offset: None, reason: "broken".into() };
        let gaps = if self.broken_scan { vec![gap] } else { Vec::new() };
        Listing { source: Source::Desktop, scope, count: packages.len(), packages, gaps }
    }

    fn mail_of(&self, person: Person, domains: &BTreeSet<Domain>) -> MailOf {
        let is_there = |domain: &&Domain| {
            let id = ProfileId { domain: (*domain).clone(), person };
            !self.vault.contains(&id) && !self.mailless.contains(&person)
        };
        MailOf { looked_for: domains.clone(), has: domains.iter().filter(is_there).cloned().collect() }
    }
}

fn package(app: &str) -> Package {
    let purl = format!("pkg:webapp/chromium/{app}").parse().unwrap();
    Package { purl, display_name: Some(app.to_owned()), found_in: format!("{app}.desktop"), state: None }
}

impl Device for Fake {
    fn now(&self) -> Now {
        let facts = self.facts();
        let wall = facts.truth.saturating_add(facts.wall_error).unwrap();
        Now { wall, boot: facts.boot, boot_id: Some(facts.boots.to_string()), zone: facts.zone.clone() }
    }

    fn is_simulated(&self) -> bool {
        true
    }

    fn timer(&self) -> Result<Box<dyn Alarm>> {
        Ok(Box::new(self.clone()))
    }

    fn write_private(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        Ok(fs_err::write(path, bytes)?)
    }
}

impl Alarm for Fake {
    /// The test says when it is time.
    fn sleep(&mut self, _: Option<SignedDuration>) -> BoxFuture<'_, Result<()>> {
        Box::pin(std::future::pending())
    }
}

impl Scanner for Fake {
    fn look(&self, scope: Scope, Search { token, domains, .. }: Search) -> BoxFuture<'static, Option<Scan>> {
        let mut facts = self.facts();
        *facts.looks.entry(scope).or_default() += 1;
        if facts.breaks_off.contains(&scope) {
            return Box::pin(async { panic!("a defect") });
        }
        let mail = if let Scope::Person(person) = scope { Some(facts.mail_of(person, &domains)) } else { None };
        let look = Look { token, scope, listings: [facts.listing(scope)].into(), mail };
        Box::pin(std::future::ready(Some(Scan { look, isolation: None, failed: false })))
    }

    fn came(&self, _: Person) {}
}

impl Profiles for Fake {
    fn settle(&self, _: Person) -> BoxFuture<'static, bool> {
        Box::pin(std::future::ready(true))
    }

    fn revoke(&self, id: ProfileId, _: bool) -> BoxFuture<'static, Handled> {
        let Facts { vault_broken: broken, client_runs: runs, .. } = self.facts().clone();
        if broken {
            self.happened(What::RevokeFailed(id.clone()));
            return Self::handled(id, Input::RevokeFailed);
        }
        if runs {
            self.happened(What::Waits(id.clone()));
            let client = "Thunderbird".to_owned();
            let waiting = BTreeSet::from([client.clone()]);
            let input = Input::RevokeWaits(id.clone(), vec![client]);
            return Box::pin(std::future::ready(Handled { id, input, notes: Vec::new(), waiting, store_open: false }));
        }
        self.facts().vault.insert(id.clone());
        self.happened(What::Revoked(id.clone()));
        Self::handled(id, Input::Revoked)
    }

    fn restore(&self, id: ProfileId) -> BoxFuture<'static, Handled> {
        if self.facts().vault_broken {
            self.happened(What::RestoreFailed(id.clone()));
            return Self::handled(id, Input::RestoreFailed);
        }
        self.facts().vault.remove(&id);
        self.happened(What::Restored(id.clone()));
        Self::handled(id, Input::Restored)
    }
}

impl Programs for Fake {
    fn closed(&self, person: Person, names: BTreeSet<String>) -> BoxFuture<'static, ()> {
        self.facts().awaited.push((person, names));
        Box::pin(std::future::pending())
    }
}

impl People for Fake {
    fn persons(&self) -> Vec<Person> {
        self.facts().people.clone()
    }

    fn forget_to_tell(&self, person: Person) -> Result<()> {
        self.facts().to_be_told.remove(&person);
        Ok(())
    }
}

impl Presenter for Fake {
    fn has_session(&self, _: Person) -> bool {
        false
    }

    fn start(&self, person: Person) -> Start {
        self.facts().started.push(person);
        Start::Impossible
    }

    fn show(&self, person: Person, _: &Words) -> Result<(), NotShown> {
        let mut facts = self.facts();
        if facts.terminals {
            facts.written.push(person);
            return Ok(());
        }
        Err(NotShown::NoTerminal)
    }
}
