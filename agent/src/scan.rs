//! Looks at the device: packages, and who has company mail. And watches for changes; a watch is a hint, after which all
//! is listed again.

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use anyhow::Result;
use forewarn_clock::Clock;
use forewarn_engine::MailFound;
use forewarn_inventory::{Lister, Places, watch_points};
use forewarn_mail::Home;
use forewarn_proto::{
    inventory::{Change, Gap, Listing, Scope, Source, Wanted},
    policy::Domain,
};
use jiff::Timestamp;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// How long changes are gathered before the packages are listed. A package manager writes its database several times.
pub(crate) const SETTLE: Duration = Duration::from_millis(100);

/// How often all is looked at without a hint: for what no watch tells.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(4 * 60 * 60);

/// What the engine wants to hear of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Extent {
    /// What differs from the last look.
    Changes,
    /// Everything, because rules have changed.
    Whole,
}

/// What one look found.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) extent: Extent,
    /// What was looked for. A look for what rules named before they changed says nothing of the new ones.
    pub(crate) wanted: Wanted,
    pub(crate) listings: Arc<[Listing]>,
    pub(crate) mail: Option<MailFound>,
}

/// Lists everything, and reads what may have changed. Blocks while it reads.
pub(crate) fn look(
    lister: &mut Lister,
    places: &Places,
    domains: &BTreeSet<Domain>,
    wanted: Wanted,
    extent: Extent,
) -> Scan {
    let people = places.homes.iter().map(|(person, home)| (*person, domains_with_mail(home, domains))).collect();
    let mail = Some(MailFound { domains: domains.clone(), people });
    // Files are stamped by the system's own clock, whatever clock the daemon goes by.
    let now = Duration::try_from(Clock::Real.wall().duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default();
    let listings = lister.list(&wanted, now).into();
    Scan { extent, wanted, listings, mail }
}

impl Scan {
    /// A look that broke off: nothing is known of any source, and of mail what was known before.
    pub(crate) fn broken_off(places: &Places, wanted: Wanted) -> Self {
        let scopes: Vec<Scope> =
            places.homes.iter().map(|(person, _)| Scope::Person(*person)).chain([Scope::System]).collect();
        let gap = Gap { path: String::new(), offset: None, reason: "the look broke off; this is a defect".to_owned() };
        let of = |source| scopes.iter().map(move |scope| (source, *scope));
        let listings = Source::ALL.into_iter().flat_map(of).map(|(source, scope)| Listing {
            source,
            scope,
            count: 0,
            packages: Vec::new(),
            gaps: vec![gap.clone()],
        });
        Self { extent: Extent::Whole, wanted, listings: listings.collect(), mail: None }
    }
}

/// What differs between two looks; none if the former one lacks a source that the new one has.
pub(crate) fn changes(former: &[Listing], new: &[Listing]) -> Option<Vec<Change>> {
    let of = |listing: &Listing| former.iter().find(|f| (f.source, f.scope) == (listing.source, listing.scope));
    new.iter().map(|listing| Some(listing.change_from(of(listing)?))).collect()
}

/// The domains among `domains` of which this home has a mail profile.
fn domains_with_mail(home: &Path, domains: &BTreeSet<Domain>) -> BTreeSet<Domain> {
    let home = match Home::open(home) {
        Ok(home) => home,
        Err(error) => {
            tracing::warn!("mail profiles can't be looked for: {error}");
            return BTreeSet::new();
        }
    };
    let present = forewarn_mail::domains(&home);
    domains.iter().filter(|domain| present.contains(domain.as_str())).cloned().collect()
}

/// Sends a hint whenever something changes where packages are recorded. Stops when it is dropped.
pub(crate) struct Watch {
    watcher: RecommendedWatcher,
    places: Places,
    watched: BTreeSet<std::path::PathBuf>,
}

impl Watch {
    pub(crate) fn new(places: &Places, hints: mpsc::Sender<()>) -> Result<Self> {
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let read_only = event.is_ok_and(|event| event.kind.is_access());
            if !read_only {
                // A full channel already holds a hint.
                let _ = hints.try_send(());
            }
        })?;
        let mut watch = Self { watcher, places: places.clone(), watched: BTreeSet::new() };
        watch.renew();
        Ok(watch)
    }

    /// Watches what has come into being since the last time.
    pub(crate) fn renew(&mut self) {
        for point in watch_points(&self.places) {
            let Some(point) = self.existing(&point).filter(|point| !self.watched.contains(*point)) else { continue };
            match self.watcher.watch(point, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.watched.insert(point.to_owned())),
                Err(error) => tracing::warn!("{} can't be watched: {error}", point.display()),
            }
        }
    }

    /// The path itself, or the nearest folder above it that is there: in it, the path would appear. Not the root, which is
    /// above everything that this device does not have.
    fn existing<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        path.ancestors().find(|folder| folder.exists()).filter(|folder| *folder != self.places.root)
    }
}
