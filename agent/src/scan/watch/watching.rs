//! Looks for what there is to watch in one scope, and watches it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use forewarn_inventory::{HomeFolder, Places, watch_points};
use forewarn_mail::FolderId;
use forewarn_proto::inventory::Scope;

use super::{Asked, HomePoints, Points, Shared, Touched, lock};
use crate::scan::inotify::{Opened, Watches};

/// What is watched.
pub(super) enum Kind {
    /// What root alone writes, and the folder outside every home in which a person may have packages.
    System(Places),
    /// Somebody's home.
    Home(HomeFolder),
}

/// One scope's watch.
pub(super) struct Watching {
    kind: Kind,
    root: PathBuf,
    watches: Watches,
    shared: Arc<Mutex<Shared>>,
    touched: Touched,
    /// The kernel's number of each watch, and what was there when it began.
    watched: BTreeMap<PathBuf, (i32, FolderId)>,
    /// What the home's worker has named.
    wanted: HomePoints,
}

impl Watching {
    pub(super) fn new(
        kind: Kind,
        root: PathBuf,
        watches: Watches,
        shared: Arc<Mutex<Shared>>,
        touched: Touched,
    ) -> Self {
        Self { kind, root, watches, shared, touched, watched: BTreeMap::new(), wanted: HomePoints::default() }
    }

    /// Does what is asked, until nothing is.
    pub(super) fn attend(&mut self, asked: &Mutex<Asked>) {
        loop {
            let (anew, home) = {
                let mut asked = lock(asked);
                if !std::mem::take(&mut asked.renew) {
                    asked.attended = false;
                    return;
                }
                (std::mem::take(&mut asked.anew), asked.home.take())
            };
            self.wanted = home.unwrap_or(std::mem::take(&mut self.wanted));
            if anew {
                self.end();
            }
            self.renew();
            if anew {
                self.touched.add(self.scope());
            }
        }
    }

    fn scope(&self) -> Scope {
        match &self.kind {
            Kind::System(_) => Scope::System,
            Kind::Home(home) => Scope::Person(home.person),
        }
    }

    fn renew(&mut self) {
        let (scope, points) = (self.scope(), self.points());
        let gone = {
            let mut shared = lock(&self.shared);
            shared.points.insert(scope, points);
            shared.gone.remove(&scope).unwrap_or_default()
        };
        gone.iter().for_each(|path| self.unwatch(path));
        let kept: BTreeSet<PathBuf> =
            self.places().into_iter().map(|(path, found, scope)| self.watch((path, found), scope)).collect();
        let left: Vec<PathBuf> = self.watched.keys().filter(|path| !kept.contains(*path)).cloned().collect();
        left.iter().for_each(|path| self.unwatch(path));
    }

    /// Every path whose change means something. A home that is not there is waited for.
    fn points(&self) -> Points {
        match &self.kind {
            Kind::System(places) => {
                let system = watch_points(places, Scope::System).into_iter().map(|point| (point, Scope::System));
                system.chain(shared(places).into_iter().map(|(path, _, scope)| (path, scope))).collect()
            }
            Kind::Home(home) => {
                let scope = Scope::Person(home.person);
                let awaited = open_home(home).is_none().then(|| (home.path.clone(), scope));
                let known = self.wanted.all().map(|point| (home.path.join(point), scope));
                awaited.into_iter().chain(known).collect()
            }
        }
    }

    /// What is to be watched, where it is or would come into being.
    fn places(&self) -> Vec<(PathBuf, Opened, Scope)> {
        match &self.kind {
            Kind::System(places) => {
                let points = watch_points(places, Scope::System);
                let found = points.iter().filter_map(|point| existing(point, &self.root));
                found.map(|(path, opened)| (path, opened, Scope::System)).chain(shared(places)).collect()
            }
            Kind::Home(home) => self.places_in(home),
        }
    }

    fn places_in(&self, home: &HomeFolder) -> Vec<(PathBuf, Opened, Scope)> {
        let scope = Scope::Person(home.person);
        let Some(opened) = open_home(home) else {
            let awaited = existing(&home.path, &self.root);
            return awaited.map(|(path, opened)| (path, opened, scope)).into_iter().collect();
        };
        let folders = self.wanted.files.iter().filter_map(|file| Path::new(file).parent());
        let found = self.wanted.all().map(Path::new).chain(folders).filter_map(|point| {
            let (path, found) = nearest(&opened, point)?;
            Some((home.path.join(path), found, scope))
        });
        found.collect()
    }

    /// Ends all watches.
    fn end(&mut self) {
        for (path, (number, _)) in std::mem::take(&mut self.watched) {
            self.watches.remove(number, &path);
        }
    }

    /// Watches what is there, and has its scope looked at again: it may have changed before. Gives its path.
    fn watch(&mut self, (path, opened): (PathBuf, Opened), scope: Scope) -> PathBuf {
        if self.watched.get(&path).is_some_and(|(_, id)| *id == opened.id) {
            return path;
        }
        // Something else has taken its place without a word: a file system was mounted there.
        self.unwatch(&path);
        match self.watches.add(&opened, &path) {
            Ok(number) => {
                self.watched.insert(path.clone(), (number, opened.id));
                self.touched.add(scope);
            }
            Err(error) => tracing::warn!("{} can't be watched: {error}", path.display()),
        }
        path
    }

    fn unwatch(&mut self, path: &Path) {
        if let Some((number, _)) = self.watched.remove(path) {
            self.watches.remove(number, path);
        }
    }

    #[cfg(test)]
    pub(super) fn watched(&self) -> Vec<PathBuf> {
        self.watched.keys().cloned().collect()
    }
}

/// What is to be watched in the folder outside every home, and whose it is: of those who are looked after.
fn shared(places: &Places) -> Vec<(PathBuf, Opened, Scope)> {
    let (folder, below) = forewarn_inventory::shared(places);
    let Ok(opened) = Opened::at(&folder) else { return Vec::new() };
    let of = |point: PathBuf| {
        let found = opened.below(&point).ok()?;
        let owner = found.owner().ok()?;
        let home = places.homes.iter().find(|home| home.user == owner)?;
        Some((folder.join(&point), found, Scope::Person(home.person)))
    };
    below.into_iter().filter_map(of).collect()
}

/// A home, if it is there and its person's.
fn open_home(home: &HomeFolder) -> Option<Opened> {
    Opened::at(&home.path).ok().filter(|opened| opened.owner() == Ok(home.user))
}

/// What is at a path from a home, or in the nearest folder above it that is there and can be reached without a link: in it, the
/// path would appear.
fn nearest<'p>(home: &Opened, point: &'p Path) -> Option<(&'p Path, Opened)> {
    let here = |path: &'p Path| if path.as_os_str().is_empty() { Path::new(".") } else { path };
    point.ancestors().find_map(|path| Some((path, home.below(here(path)).ok()?)))
}

/// What is at a path of the system's, or in the nearest folder above it that is there: in it, the path would appear. Not the
/// root, which is above everything that this device does not have.
fn existing(path: &Path, root: &Path) -> Option<(PathBuf, Opened)> {
    let found = path.ancestors().find_map(|path| Some((path, Opened::at(path).ok()?)));
    found.filter(|(path, _)| *path != root).map(|(path, opened)| (path.to_owned(), opened))
}
