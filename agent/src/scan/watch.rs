//! Hints that something has changed where packages are recorded. A hint says where to look again, and nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Result;
use forewarn_inventory::{Places, scopes, watch_points};
use forewarn_proto::inventory::Scope;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher, event::ModifyKind};
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
    /// Something in this scope may have changed.
    fn add(&self, scope: Scope) {
        lock(&self.scopes).insert(scope);
        self.notify.notify_one();
    }

    /// Waits until something was touched and the next look may come. Nothing is lost if the wait is broken off.
    pub(crate) async fn wait(&self, pace: &Pace) {
        while lock(&self.scopes).is_empty() {
            self.notify.notified().await;
        }
        tokio::time::sleep_until(pace.next).await;
    }

    /// The touched scopes, which from now on are untouched.
    pub(crate) fn take(&self) -> BTreeSet<Scope> {
        std::mem::take(&mut *lock(&self.scopes))
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

/// Watches as long as it is kept. What there is to watch is looked for on another thread: a home may lie on a server that does
/// not answer.
pub(crate) struct Watch {
    asked: Arc<Mutex<Asked>>,
    watching: Arc<Mutex<Watching>>,
}

/// What is still to be done.
#[derive(Debug, Default)]
struct Asked {
    /// Whether somebody is at it.
    attended: bool,
    /// Whether what has come into being is to be watched.
    renew: bool,
    /// The scopes of which all is to be watched anew.
    anew: BTreeSet<Scope>,
    /// Files of these homes that are to be watched too.
    files: BTreeMap<Scope, Vec<PathBuf>>,
}

impl Watch {
    pub(crate) fn new(places: &Places, touched: Touched) -> Result<Self> {
        let shared: Arc<Mutex<Shared>> = Arc::default();
        let (known, hints) = (shared.clone(), touched.clone());
        let watcher = notify::recommended_watcher(move |event| take(&known, &hints, event))?;
        let (places, files) = (places.clone(), BTreeMap::new());
        let watching = Watching { watcher, places, shared, touched, watched: BTreeMap::new(), files };
        let watch = Self { asked: Arc::default(), watching: Arc::new(Mutex::new(watching)) };
        watch.renew();
        Ok(watch)
    }

    /// From now on these files of these homes are watched too.
    pub(crate) fn set_files(&self, files: BTreeMap<Scope, Vec<PathBuf>>) {
        self.ask(|asked| asked.files.extend(files));
    }

    /// Watches all of a scope anew, and has it looked at: it may have been unmounted, which ends watches without a word.
    pub(crate) fn anew(&self, scope: Scope) {
        self.ask(|asked| asked.anew.extend([scope]));
    }

    /// Watches what has come into being since the last time. What changes before that is a hint too.
    pub(crate) fn renew(&self) {
        self.ask(|_| {});
    }

    fn ask(&self, what: impl FnOnce(&mut Asked)) {
        let mut asked = lock(&self.asked);
        what(&mut asked);
        asked.renew = true;
        if !std::mem::replace(&mut asked.attended, true) {
            let (asked, watching) = (self.asked.clone(), self.watching.clone());
            tokio::task::spawn_blocking(move || lock(&watching).attend(&asked));
        }
    }
}

/// What tells of a change, and where that would be.
type Points = BTreeMap<PathBuf, Scope>;

/// What that thread and the watcher share.
#[derive(Debug, Default)]
struct Shared {
    points: Points,
    /// Paths on the way to a point that were removed or replaced. A watch on them may have ended with what was there.
    gone: BTreeSet<PathBuf>,
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes an event: from it come the scopes that were touched, and the paths whose watch has to be renewed.
fn take(shared: &Mutex<Shared>, touched: &Touched, event: notify::Result<Event>) {
    let mut shared = lock(shared);
    match event {
        Ok(event) if event.kind.is_access() => {}
        Ok(event) if !event.need_rescan() => {
            let is_gone = event.kind.is_remove() || matches!(event.kind, EventKind::Modify(ModifyKind::Name(_)));
            for path in event.paths {
                touched_by(&shared.points, &path).into_iter().for_each(|scope| touched.add(scope));
                if is_gone && shared.points.keys().any(|point| point.starts_with(&path)) {
                    shared.gone.insert(path);
                }
            }
        }
        // Events were lost: anything may have changed.
        Ok(_) | Err(_) => {
            let Shared { points, gone } = &mut *shared;
            gone.extend(points.keys().flat_map(|point| point.ancestors()).map(Path::to_owned));
            points.values().for_each(|scope| touched.add(*scope));
        }
    }
}

/// Looks for what there is to watch.
struct Watching {
    watcher: RecommendedWatcher,
    places: Places,
    shared: Arc<Mutex<Shared>>,
    touched: Touched,
    /// And what was there when the watch on it began: its file system, and the file in it.
    watched: BTreeMap<PathBuf, (u64, u64)>,
    /// Files of mail programs, which are replaced rather than written to.
    files: BTreeMap<Scope, Vec<PathBuf>>,
}

impl Watching {
    /// Does what is asked, until nothing is.
    fn attend(&mut self, asked: &Mutex<Asked>) {
        loop {
            let (anew, files) = {
                let mut asked = lock(asked);
                if !std::mem::take(&mut asked.renew) {
                    asked.attended = false;
                    return;
                }
                (std::mem::take(&mut asked.anew), std::mem::take(&mut asked.files))
            };
            self.files.extend(files);
            anew.iter().for_each(|scope| self.forget(*scope));
            self.renew();
            anew.into_iter().for_each(|scope| self.touched.add(scope));
        }
    }

    fn renew(&mut self) {
        let of = |scope| watch_points(&self.places, scope).into_iter().map(move |point| (point, scope));
        let files = self.files.iter().flat_map(|(scope, files)| files.iter().map(move |file| (file.clone(), *scope)));
        let files: Points = files.collect();
        let mut points: Points = scopes(&self.places).flat_map(of).collect();
        points.extend(files.clone());
        let gone = {
            let mut shared = lock(&self.shared);
            shared.points.clone_from(&points);
            std::mem::take(&mut shared.gone)
        };
        gone.iter().for_each(|path| self.unwatch(path));
        let folders = files.iter().filter_map(|(file, scope)| Some((file.parent()?, scope)));
        let points = points.iter().map(|(point, scope)| (point.as_path(), scope));
        let there =
            points.chain(folders).filter_map(|(point, scope)| Some((existing(point, &self.places.root)?, *scope)));
        let there: BTreeMap<&Path, Scope> = there.collect();
        let left: Vec<PathBuf> =
            self.watched.keys().filter(|path| !there.contains_key(path.as_path())).cloned().collect();
        left.iter().for_each(|path| self.unwatch(path));
        there.into_iter().for_each(|(path, scope)| self.watch(path, scope));
    }

    /// Ends the watches in a home.
    fn forget(&mut self, scope: Scope) {
        let home = self.places.homes.iter().find(|(person, _)| scope == Scope::Person(*person));
        let in_it = |path: &&PathBuf| home.is_some_and(|(_, home)| path.starts_with(home));
        let watched: Vec<PathBuf> = self.watched.keys().filter(in_it).cloned().collect();
        watched.iter().for_each(|path| self.unwatch(path));
    }

    /// Watches a path, and has its scope looked at again: it may have changed before.
    fn watch(&mut self, path: &Path, scope: Scope) {
        let Ok(metadata) = fs_err::metadata(path) else { return };
        let identity = (metadata.dev(), metadata.ino());
        if self.watched.get(path) == Some(&identity) {
            return;
        }
        // Something else has taken its place without a word: a file system was mounted there.
        self.unwatch(path);
        match self.watcher.watch(path, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.watched.insert(path.to_owned(), identity);
                self.touched.add(scope);
            }
            Err(error) => tracing::warn!("{} can't be watched: {error}", path.display()),
        }
    }

    fn unwatch(&mut self, path: &Path) {
        if self.watched.remove(path).is_some() {
            // It has ended by itself if what was there was removed, and not if it was moved.
            let _ = self.watcher.unwatch(path);
        }
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

    /// Whether something in the person's home is hinted at, soon; what else is hinted at by then is done with.
    async fn is_hinted(touched: &Touched) -> bool {
        let mut hinted = false;
        let pause = |hinted| Duration::from_millis(if hinted { 200 } else { 2_000 });
        while tokio::time::timeout(pause(hinted), touched.wait(&Pace::new(Instant::now()))).await.is_ok() {
            hinted |= touched.take().iter().any(|scope| *scope != Scope::System);
        }
        hinted
    }

    #[tokio::test]
    async fn what_is_replaced_and_what_is_made_again_goes_on_being_watched() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home/alice");
        let profile = home.join(".mozilla/firefox/a.default");
        let entries = home.join(".local/share/applications");
        fs_err::create_dir_all(&profile).unwrap();
        fs_err::create_dir_all(&entries).unwrap();
        fs_err::write(profile.join("extensions.json"), "{}").unwrap();
        let alice = forewarn_proto::inventory::Person(1000);
        let places = Places { root: folder.path().to_owned(), homes: vec![(alice, home.clone())] };
        let touched = Touched::default();
        let watch = Watch::new(&places, touched.clone()).unwrap();
        assert!(is_hinted(&touched).await, "what is new is looked at");
        for round in 0..3 {
            fs_err::write(profile.join("new"), "{}").unwrap();
            fs_err::rename(profile.join("new"), profile.join("extensions.json")).unwrap();
            assert!(is_hinted(&touched).await, "replaced, {round}");
            watch.renew();
            is_hinted(&touched).await;
        }
        for round in 0..2 {
            fs_err::remove_dir_all(&entries).unwrap();
            assert!(is_hinted(&touched).await, "removed, {round}");
            watch.renew();
            is_hinted(&touched).await;
            fs_err::create_dir_all(&entries).unwrap();
            assert!(is_hinted(&touched).await, "made again, {round}");
            watch.renew();
            is_hinted(&touched).await;
            fs_err::write(entries.join("app.desktop"), "[Desktop Entry]").unwrap();
            assert!(is_hinted(&touched).await, "filled again, {round}");
        }
    }

    /// As when a file system is mounted over a home: nothing tells of that.
    #[tokio::test]
    async fn what_takes_the_place_of_a_home_without_a_word_is_watched_from_the_next_look_on() {
        let folder = tempfile::tempdir().unwrap();
        let (disk, people) = (folder.path().join("disk"), folder.path().join("people"));
        for name in ["mountpoint", "disk"] {
            fs_err::create_dir_all(folder.path().join(name).join("alice/.local/share/applications")).unwrap();
        }
        std::os::unix::fs::symlink(folder.path().join("mountpoint"), &people).unwrap();
        let alice = forewarn_proto::inventory::Person(1000);
        let places = Places { root: folder.path().to_owned(), homes: vec![(alice, people.join("alice"))] };
        let touched = Touched::default();
        let watch = Watch::new(&places, touched.clone()).unwrap();
        is_hinted(&touched).await;
        fs_err::remove_file(&people).unwrap();
        std::os::unix::fs::symlink(&disk, &people).unwrap();
        is_hinted(&touched).await;
        watch.renew();
        assert!(is_hinted(&touched).await, "what is new is looked at");
        let write =
            |name: &str| fs_err::write(disk.join("alice/.local/share/applications").join(name), "[Desktop Entry]");
        write("app.desktop").unwrap();
        assert!(is_hinted(&touched).await);
        // Whoever comes is looked at in any case, and goes on being watched.
        watch.anew(Scope::Person(alice));
        assert!(is_hinted(&touched).await);
        write("other.desktop").unwrap();
        assert!(is_hinted(&touched).await);
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
