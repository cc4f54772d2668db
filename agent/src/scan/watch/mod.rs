//! Hints that something has changed where packages are recorded. A hint says where to look again, and nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Result;
use forewarn_inventory::{HomeFolder, Places, watch_points};
use forewarn_mail::FolderId;
use forewarn_proto::inventory::{Person, Scope};
use tokio::{sync::Notify, time::Instant};

use super::inotify::{Event, Opened, Watches};
use crate::people::People;

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

/// What is worth watching in a home, as paths from it. Its worker says so: nobody else looks into it for that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HomePoints {
    /// Where packages are recorded.
    pub(crate) folders: Vec<String>,
    /// Files of mail programs, which are replaced rather than written to.
    pub(crate) files: Vec<String>,
}

impl HomePoints {
    fn all(&self) -> impl Iterator<Item = &String> {
        self.folders.iter().chain(&self.files)
    }
}

/// What is still to be done.
#[derive(Debug, Default)]
struct Asked {
    /// Whether somebody is at it.
    attended: bool,
    /// Whether what has come into being is to be watched.
    renew: bool,
    /// Those in whose homes all is to be watched anew.
    anew: BTreeSet<Person>,
    /// What is to be watched in these homes from now on.
    homes: BTreeMap<Person, HomePoints>,
}

impl Watch {
    pub(crate) fn new(root: &Path, people: &People, touched: Touched) -> Result<Self> {
        let (shared, watches): (Arc<Mutex<Shared>>, _) = (Arc::default(), Watches::new()?);
        let (known, hints, told) = (shared.clone(), touched.clone(), watches.clone());
        tokio::spawn(async move {
            if let Err(error) = told.attend(|event| take(&known, &hints, event)).await {
                tracing::error!("nothing is watched any more: {error:#}");
            }
        });
        let places = people.places(root);
        let watching = Watching { watches, places, shared, touched, watched: BTreeMap::new(), homes: BTreeMap::new() };
        let watch = Self { asked: Arc::default(), watching: Arc::new(Mutex::new(watching)) };
        watch.renew();
        Ok(watch)
    }

    /// From now on this is watched in these homes.
    pub(crate) fn set_homes(&self, homes: BTreeMap<Person, HomePoints>) {
        self.ask(|asked| asked.homes.extend(homes));
    }

    /// Watches all of a home anew, and has it looked at: it may have been unmounted, which ends watches without a word.
    pub(crate) fn anew(&self, person: Person) {
        self.ask(|asked| asked.anew.extend([person]));
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

/// What that thread and the task that hears the kernel share.
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
fn take(shared: &Mutex<Shared>, touched: &Touched, event: Event) {
    let mut shared = lock(shared);
    match event {
        Event::Changed { path, gone } => {
            touched_by(&shared.points, &path).into_iter().for_each(|scope| touched.add(scope));
            if gone && shared.points.keys().any(|point| point.starts_with(&path)) {
                shared.gone.insert(path);
            }
        }
        Event::Lost => {
            let Shared { points, gone } = &mut *shared;
            gone.extend(points.keys().flat_map(|point| point.ancestors()).map(Path::to_owned));
            points.values().for_each(|scope| touched.add(*scope));
        }
    }
}

/// Looks for what there is to watch.
struct Watching {
    watches: Watches,
    places: Places,
    shared: Arc<Mutex<Shared>>,
    touched: Touched,
    /// The kernel's number of each watch, and what was there when it began.
    watched: BTreeMap<PathBuf, (i32, FolderId)>,
    homes: BTreeMap<Person, HomePoints>,
}

impl Watching {
    /// Does what is asked, until nothing is.
    fn attend(&mut self, asked: &Mutex<Asked>) {
        loop {
            let (anew, homes) = {
                let mut asked = lock(asked);
                if !std::mem::take(&mut asked.renew) {
                    asked.attended = false;
                    return;
                }
                (std::mem::take(&mut asked.anew), std::mem::take(&mut asked.homes))
            };
            self.homes.extend(homes);
            anew.iter().for_each(|person| self.forget(*person));
            self.renew();
            anew.into_iter().for_each(|person| self.touched.add(Scope::Person(person)));
        }
    }

    fn renew(&mut self) {
        let gone = {
            let points = self.points();
            let mut shared = lock(&self.shared);
            shared.points = points;
            std::mem::take(&mut shared.gone)
        };
        gone.iter().for_each(|path| self.unwatch(path));
        let mut kept = BTreeSet::new();
        for point in watch_points(&self.places, Scope::System) {
            kept.extend(existing(&point, &self.places.root).map(|found| self.watch(found, Scope::System)));
        }
        for home in self.places.homes.clone() {
            kept.extend(self.watch_home(&home));
        }
        kept.extend(self.watch_shared());
        let left: Vec<PathBuf> = self.watched.keys().filter(|path| !kept.contains(*path)).cloned().collect();
        left.iter().for_each(|path| self.unwatch(path));
    }

    /// Every path whose change means something. A home that is not there is waited for.
    fn points(&self) -> Points {
        let mut points: Points =
            watch_points(&self.places, Scope::System).into_iter().map(|point| (point, Scope::System)).collect();
        for home in &self.places.homes {
            let scope = Scope::Person(home.person);
            points.extend(open_home(home).is_none().then(|| (home.path.clone(), scope)));
            let known = self.homes.get(&home.person).into_iter().flat_map(HomePoints::all);
            points.extend(known.map(|point| (home.path.join(point), scope)));
        }
        let (folder, below) = forewarn_inventory::shared(&self.places);
        let theirs = below.into_iter().filter_map(|point| Some((folder.join(&point), self.owner_of_shared(&point)?)));
        points.extend(theirs);
        points
    }

    /// Watches a home's points, where they are or would come into being.
    fn watch_home(&mut self, home: &HomeFolder) -> Vec<PathBuf> {
        let scope = Scope::Person(home.person);
        let Some(opened) = open_home(home) else {
            return existing(&home.path, &self.places.root).map(|found| self.watch(found, scope)).into_iter().collect();
        };
        let wanted = self.homes.get(&home.person).cloned().unwrap_or_default();
        let folders = wanted.files.iter().filter_map(|file| Path::new(file).parent());
        let found = wanted.all().map(Path::new).chain(folders).filter_map(|point| {
            let (path, found) = nearest(&opened, point)?;
            Some(self.watch((home.path.join(path), found), scope))
        });
        found.collect()
    }

    /// Watches a folder outside every home, in which a person may have packages.
    fn watch_shared(&mut self) -> Vec<PathBuf> {
        let (folder, below) = forewarn_inventory::shared(&self.places);
        let theirs: Vec<_> = below.into_iter().filter_map(|at| Some((self.owner_of_shared(&at)?, at))).collect();
        let opened = Opened::at(&folder).ok();
        let found = theirs
            .into_iter()
            .filter_map(|(scope, at)| Some((folder.join(&at), opened.as_ref()?.below(&at).ok()?, scope)));
        found.collect::<Vec<_>>().into_iter().map(|(path, found, scope)| self.watch((path, found), scope)).collect()
    }

    /// Whose something in the shared folder is, if it is one of those who are looked after.
    fn owner_of_shared(&self, point: &Path) -> Option<Scope> {
        let (folder, _) = forewarn_inventory::shared(&self.places);
        let owner = Opened::at(&folder).ok()?.below(point).ok()?.owner().ok()?;
        self.places.homes.iter().find(|home| home.user == owner).map(|home| Scope::Person(home.person))
    }

    /// Ends the watches in a home.
    fn forget(&mut self, person: Person) {
        let home = self.places.homes.iter().find(|home| home.person == person);
        let in_it = |path: &&PathBuf| home.is_some_and(|home| path.starts_with(&home.path));
        let watched: Vec<PathBuf> = self.watched.keys().filter(in_it).cloned().collect();
        watched.iter().for_each(|path| self.unwatch(path));
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
            self.watches.remove(number);
        }
    }
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

/// The scopes of the points that a changed path is, is directly in, or is on the way to. Much else changes in the folders
/// where a point is only waited for.
fn touched_by(points: &Points, path: &Path) -> BTreeSet<Scope> {
    let is_meant = |point: &Path| point.starts_with(path) || path.parent() == Some(point);
    points.iter().filter(|(point, _)| is_meant(point)).map(|(_, scope)| *scope).collect()
}

/// What is at a path of the system's, or in the nearest folder above it that is there: in it, the path would appear. Not the
/// root, which is above everything that this device does not have.
fn existing(path: &Path, root: &Path) -> Option<(PathBuf, Opened)> {
    let found = path.ancestors().find_map(|path| Some((path, Opened::at(path).ok()?)));
    found.filter(|(path, _)| *path != root).map(|(path, opened)| (path.to_owned(), opened))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, touched: &[Scope]) {
        let alice = Scope::Person(Person::from_bits(1000));
        let points = [("/var/lib/dpkg/status", Scope::System), ("/home/alice/.vscode/extensions", alice)];
        let points = points.map(|(point, scope)| (PathBuf::from(point), scope)).into();
        assert_eq!(touched_by(&points, Path::new(path)), touched.iter().copied().collect(), "{path}");
    }

    #[test]
    fn only_what_concerns_a_point_is_a_hint() {
        let alice = Scope::Person(Person::from_bits(1000));
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

    /// Watches a home of ours as its worker says.
    fn watch(root: &Path, alice: Person, home: &Path, touched: &Touched) -> Watch {
        let people = People::of([(alice, rustix::process::geteuid().as_raw(), home)]);
        let watch = Watch::new(root, &people, touched.clone()).unwrap();
        let folders = [".local/share/applications", ".mozilla/firefox/a.default/extensions.json"];
        let folders = folders.map(str::to_owned).into();
        watch.set_homes([(alice, HomePoints { folders, files: Vec::new() })].into());
        watch
    }

    /// Root's watch on a folder of root's would tell the person when something changes there.
    #[tokio::test]
    async fn promise_7_a_link_out_of_a_home_is_not_followed_to_be_watched() {
        let folder = tempfile::tempdir().unwrap();
        let (home, secret) = (folder.path().join("home/alice"), folder.path().join("root/secret"));
        fs_err::create_dir_all(home.join(".local/share")).unwrap();
        fs_err::create_dir_all(&secret).unwrap();
        std::os::unix::fs::symlink(&secret, home.join(".local/share/applications")).unwrap();
        let touched = Touched::default();
        let watch = watch(folder.path(), Person::from_bits(1000), &home, &touched);
        is_hinted(&touched).await;
        fs_err::write(secret.join("new"), "").unwrap();
        assert!(!is_hinted(&touched).await, "what is behind the link is not theirs");
        let watched: Vec<PathBuf> = lock(&watch.watching).watched.keys().cloned().collect();
        assert!(watched.contains(&home.join(".local/share")), "{watched:?}");
        assert!(!watched.iter().any(|path| path.starts_with(&secret) || path.ends_with("applications")), "{watched:?}");
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
        let alice = Person::from_bits(1000);
        let touched = Touched::default();
        let watch = watch(folder.path(), alice, &home, &touched);
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
        let alice = Person::from_bits(1000);
        let touched = Touched::default();
        let watch = watch(folder.path(), alice, &people.join("alice"), &touched);
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
        watch.anew(alice);
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
