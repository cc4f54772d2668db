//! Looks at the device: packages, and who has company mail. And watches for changes; a watch is a hint, after which all
//! is listed again.

use std::{collections::BTreeSet, path::Path, time::Duration};

use anyhow::Result;
use forewarn_engine::MailFound;
use forewarn_inventory::{Places, list, watch_points};
use forewarn_mail::Home;
use forewarn_proto::{inventory::Listing, policy::Domain};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// How long changes are gathered before the packages are listed. A package manager writes its database several times.
pub(crate) const SETTLE: Duration = Duration::from_millis(100);

/// What one look found.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) listings: Vec<Listing>,
    pub(crate) mail: MailFound,
}

/// Lists everything. Blocks while it reads.
pub(crate) fn look(places: &Places, domains: &BTreeSet<Domain>) -> Scan {
    let people = places.homes.iter().map(|(person, home)| (*person, domains_with_mail(home, domains))).collect();
    Scan { listings: list(places), mail: MailFound { domains: domains.clone(), people } }
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
            let point = existing(&point);
            if self.watched.contains(point) {
                continue;
            }
            match self.watcher.watch(point, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.watched.insert(point.to_owned())),
                Err(error) => tracing::warn!("{} can't be watched: {error}", point.display()),
            }
        }
    }
}

/// The path itself, or the nearest folder above it that is there: in it, the path would appear.
fn existing(path: &Path) -> &Path {
    path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(path)
}
