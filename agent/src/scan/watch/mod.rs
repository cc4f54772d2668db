//! Hints that something has changed where packages are recorded. A hint says where to look again, and nothing else.
//!
//! Each home is watched by itself, and what root alone writes is too: a home may lie on a server that does not answer, and then
//! holds up nothing but its own watch.

mod watching;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Result;
use forewarn_core::{touched::Touched, turns::Lane};
use forewarn_proto::inventory::{Person, Scope};

use self::watching::{Kind, Watching};
use super::inotify::{Event, Watches};
use crate::people::People;

/// Watches as long as it is kept.
pub(crate) struct Watch {
    scopes: BTreeMap<Scope, Scoped>,
}

/// One scope's watch. What there is to watch is looked for in its own lane.
#[derive(Clone)]
struct Scoped {
    lane: Lane,
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
    /// Whether all is to be watched anew.
    anew: bool,
    /// What is to be watched in the home from now on.
    home: Option<HomePoints>,
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
        let homes = places.homes.clone().into_iter().map(|home| (Scope::Person(home.person), Kind::Home(home)));
        let scoped = |(scope, kind): (Scope, Kind)| {
            let lane = match scope {
                Scope::System => Lane::default(),
                Scope::Person(person) => people.lane(person),
            };
            let watching = Watching::new(kind, places.root.clone(), watches.clone(), shared.clone(), touched.clone());
            (scope, Scoped { lane, asked: Arc::default(), watching: Arc::new(Mutex::new(watching)) })
        };
        let system = (Scope::System, Kind::System(places.clone()));
        let watch = Self { scopes: homes.chain([system]).map(scoped).collect() };
        watch.scopes.keys().for_each(|scope| watch.renew_in(*scope));
        Ok(watch)
    }

    /// From now on this is watched in this home.
    pub(crate) fn set_home(&self, person: Person, points: HomePoints) {
        self.ask(Scope::Person(person), |asked| asked.home = Some(points));
    }

    /// Watches all of a home anew, and has it looked at: it may have been unmounted, which ends watches without a word.
    pub(crate) fn anew(&self, person: Person) {
        self.ask(Scope::Person(person), |asked| asked.anew = true);
    }

    /// Watches what has come into being in a scope since the last time. What changes before that is a hint too.
    pub(crate) fn renew_in(&self, scope: Scope) {
        self.ask(scope, |_| {});
    }

    fn ask(&self, scope: Scope, what: impl FnOnce(&mut Asked)) {
        let Some(scoped) = self.scopes.get(&scope) else { return };
        let mut asked = lock(&scoped.asked);
        what(&mut asked);
        asked.renew = true;
        if !std::mem::replace(&mut asked.attended, true) {
            let Scoped { lane, asked, watching } = scoped.clone();
            tokio::spawn(async move { lane.run(move || lock(&watching).attend(&asked)).await });
        }
    }
}

/// What tells of a change, and where that would be.
type Points = BTreeMap<PathBuf, Scope>;

/// What those who look for points and the task that hears the kernel share. Each part belongs to one of the former, by the
/// scope that it watches.
#[derive(Debug, Default)]
struct Shared {
    points: BTreeMap<Scope, Points>,
    /// Paths on the way to a point that were removed or replaced. A watch on them may have ended with what was there.
    gone: BTreeMap<Scope, BTreeSet<PathBuf>>,
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes an event: from it come the scopes that were touched, and the paths whose watch has to be renewed.
fn take(shared: &Mutex<Shared>, touched: &Touched, event: Event) {
    let Shared { points, gone } = &mut *lock(shared);
    for (watched, points) in points {
        match &event {
            Event::Changed { path, gone: is_gone } => {
                touched_by(points, path).into_iter().for_each(|scope| touched.add(scope));
                if *is_gone && points.keys().any(|point| point.starts_with(path)) {
                    gone.entry(*watched).or_default().insert(path.clone());
                }
            }
            Event::Lost => {
                let ways = points.keys().flat_map(|point| point.ancestors()).map(Path::to_owned);
                gone.entry(*watched).or_default().extend(ways);
                points.values().for_each(|scope| touched.add(*scope));
            }
        }
    }
}

/// The scopes of the points that a changed path is, is directly in, or is on the way to. Much else changes in the folders
/// where a point is only waited for.
fn touched_by(points: &Points, path: &Path) -> BTreeSet<Scope> {
    let is_meant = |point: &Path| point.starts_with(path) || path.parent() == Some(point);
    points.iter().filter(|(point, _)| is_meant(point)).map(|(_, scope)| *scope).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
        let pause = |hinted| Duration::from_millis(if hinted { 400 } else { 8_000 });
        while let Ok(scopes) = tokio::time::timeout(pause(hinted), touched.next()).await {
            hinted |= scopes.iter().any(|scope| *scope != Scope::System);
        }
        hinted
    }

    /// Watches a home of ours as its worker says.
    fn watch(root: &Path, alice: Person, home: &Path, touched: &Touched) -> Watch {
        let people = People::of([(alice, forewarn_host::user::current(), home)]);
        let watch = Watch::new(root, &people, touched.clone()).unwrap();
        let folders = [".local/share/applications", ".mozilla/firefox/a.default/extensions.json"];
        let folders = folders.map(str::to_owned).into();
        watch.set_home(alice, HomePoints { folders, files: Vec::new() });
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
        let watched = lock(&watch.scopes[&Scope::Person(Person::from_bits(1000))].watching).watched();
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
            watch.renew_in(Scope::Person(alice));
            is_hinted(&touched).await;
        }
        for round in 0..2 {
            fs_err::remove_dir_all(&entries).unwrap();
            assert!(is_hinted(&touched).await, "removed, {round}");
            watch.renew_in(Scope::Person(alice));
            is_hinted(&touched).await;
            fs_err::create_dir_all(&entries).unwrap();
            assert!(is_hinted(&touched).await, "made again, {round}");
            watch.renew_in(Scope::Person(alice));
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
        watch.renew_in(Scope::Person(alice));
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
}
