//! Hints that something has changed where packages are recorded. A hint says where to look again, and nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Result;
use forewarn_inventory::{Places, scopes, watch_points};
use forewarn_proto::inventory::Scope;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{sync::Notify, time::Instant};

/// How long after a look the next one may follow. A package manager writes its database several times.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);

/// While the hints go on, each pause is twice as long as the former, up to this. Stops: a large upgrade, or a person's
/// script, that has the agent look all the time.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The scopes in which something was touched since the last look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Touched {
    scopes: Arc<Mutex<BTreeSet<Scope>>>,
    notify: Arc<Notify>,
}

impl Touched {
    fn add(&self, scope: Scope) {
        self.lock().insert(scope);
        self.notify.notify_one();
    }

    /// Waits until something was touched and the next look may come. Nothing is lost if the wait is broken off.
    pub(crate) async fn wait(&self, pace: &Pace) {
        while self.lock().is_empty() {
            self.notify.notified().await;
        }
        tokio::time::sleep_until(pace.next).await;
    }

    /// The touched scopes, which from now on are untouched.
    pub(crate) fn take(&self) -> BTreeSet<Scope> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<Scope>> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How soon after one look the next may follow: the first hint is followed at once, those after it ever more seldom.
#[derive(Debug)]
pub(crate) struct Pace {
    next: Instant,
    pause: Duration,
}

impl Pace {
    pub(crate) fn new(now: Instant) -> Self {
        Self { next: now, pause: SHORTEST_PAUSE }
    }

    /// A look begins.
    pub(crate) fn step(&mut self, now: Instant) {
        let quiet = now.saturating_duration_since(self.next) >= LONGEST_PAUSE;
        self.pause = if quiet { SHORTEST_PAUSE } else { (self.pause * 2).min(LONGEST_PAUSE) };
        self.next = now + self.pause;
    }
}

/// Watches as long as it is kept.
pub(crate) struct Watch {
    watcher: RecommendedWatcher,
    places: Places,
    points: Arc<Mutex<Points>>,
    watched: BTreeSet<PathBuf>,
    /// Files of mail programs, which are replaced rather than written to.
    files: BTreeMap<Scope, Vec<PathBuf>>,
}

/// What tells of a change, and where that would be.
type Points = BTreeMap<PathBuf, Scope>;

impl Watch {
    pub(crate) fn new(places: &Places, touched: Touched) -> Result<Self> {
        let points: Arc<Mutex<Points>> = Arc::default();
        let known = points.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let points = known.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                Ok(event) if event.kind.is_access() => {}
                Ok(event) if !event.need_rescan() => {
                    event.paths.iter().flat_map(|path| touched_by(&points, path)).for_each(|scope| touched.add(scope));
                }
                // Events were lost: anything may have changed.
                Ok(_) | Err(_) => points.values().for_each(|scope| touched.add(*scope)),
            }
        })?;
        let mut watch =
            Self { watcher, places: places.clone(), points, watched: BTreeSet::new(), files: BTreeMap::new() };
        watch.renew();
        Ok(watch)
    }

    /// From now on these files of these homes are watched too.
    pub(crate) fn set_files(&mut self, files: BTreeMap<Scope, Vec<PathBuf>>) {
        self.files.extend(files);
        self.renew();
    }

    /// Watches what has come into being since the last time.
    pub(crate) fn renew(&mut self) {
        let of = |scope| watch_points(&self.places, scope).into_iter().map(move |point| (point, scope));
        let files = self.files.iter().flat_map(|(scope, files)| files.iter().map(move |file| (file.clone(), *scope)));
        let files: Points = files.collect();
        let mut points: Points = scopes(&self.places).flat_map(of).collect();
        let folders = files.keys().filter_map(|file| file.parent());
        for point in points.keys().map(PathBuf::as_path).chain(files.keys().map(PathBuf::as_path)).chain(folders) {
            let Some(point) = existing(point, &self.places.root).filter(|point| !self.watched.contains(*point)) else {
                continue;
            };
            match self.watcher.watch(point, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.watched.insert(point.to_owned())),
                Err(error) => tracing::warn!("{} can't be watched: {error}", point.display()),
            }
        }
        points.extend(files);
        *self.points.lock().unwrap_or_else(PoisonError::into_inner) = points;
    }
}

/// The scopes of the points that a changed path is, is directly in, or is on the way to. Much else changes in the folders
/// where a point is only waited for.
fn touched_by(points: &Points, path: &Path) -> BTreeSet<Scope> {
    let is_meant = |point: &Path| point.starts_with(path) || path.parent() == Some(point);
    points.iter().filter(|(point, _)| is_meant(point)).map(|(_, scope)| *scope).collect()
}

/// The path itself, or the nearest folder above it that is there: in it, the path would appear. Not the root, which is
/// above everything that this device does not have.
fn existing<'p>(path: &'p Path, root: &Path) -> Option<&'p Path> {
    path.ancestors().find(|folder| folder.exists()).filter(|folder| *folder != root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, touched: &[Scope]) {
        let alice = Scope::Person(forewarn_proto::inventory::Person(1000));
        let points = [("/var/lib/dpkg/status", Scope::System), ("/home/alice/.vscode/extensions", alice)];
        let points = points.map(|(point, scope)| (PathBuf::from(point), scope)).into();
        assert_eq!(touched_by(&points, Path::new(path)), touched.iter().copied().collect(), "{path}");
    }

    #[test]
    fn only_what_concerns_a_point_is_a_hint() {
        let alice = Scope::Person(forewarn_proto::inventory::Person(1000));
        check("/var/lib/dpkg/status", &[Scope::System]);
        check("/var/lib/dpkg/lock", &[]);
        check("/home/alice/.bash_history", &[]);
        check("/home/alice/.vscode", &[alice]);
        check("/home/alice/.vscode/extensions/a.b-1", &[alice]);
        check("/home/alice/.vscode/extensions/a.b-1/package.json", &[]);
        check("/home", &[alice]);
    }

    #[test]
    fn looks_follow_each_other_at_once_and_then_ever_more_seldom() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let now = pace.next;
            pace.step(now);
            pauses.push((pace.next - now).as_millis());
        }
        assert_eq!(pauses, [40, 80, 160, 320, 640, 1280, 2560, 5000]);
        let later = pace.next + LONGEST_PAUSE;
        pace.step(later);
        assert_eq!(pace.next - later, SHORTEST_PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hint_that_comes_while_another_wait_is_broken_off_is_not_lost() {
        let (touched, start) = (Touched::default(), Instant::now());
        let mut pace = Pace::new(start);
        touched.add(Scope::System);
        touched.wait(&pace).await;
        assert_eq!((Instant::now(), touched.take().len()), (start, 1));
        pace.step(start);
        touched.add(Scope::System);
        let broken_off = tokio::time::timeout(SHORTEST_PAUSE / 2, touched.wait(&pace)).await;
        assert!(broken_off.is_err());
        touched.wait(&pace).await;
        assert_eq!((Instant::now(), touched.take().len()), (pace.next, 1));
    }
}
