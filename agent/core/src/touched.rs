//! The scopes in which something was touched, and when each is to be looked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use forewarn_proto::inventory::Scope;
use tokio::{sync::Notify, time::Instant};

/// How long after a look the next one may follow. A package manager writes its database several times.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);

/// While the hints go on, each pause is twice as long as the former, up to this. Stops: a large upgrade, or a person's
/// script, that has the agent look all the time.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The scopes in which something was touched since the last look.
#[derive(Debug, Clone, Default)]
pub struct Touched {
    scopes: Arc<Mutex<Scopes>>,
    notify: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Scopes {
    touched: BTreeSet<Scope>,
    paces: BTreeMap<Scope, Pace>,
}

/// How soon after one look at a scope the next may follow: the first hint is followed at once, those after it ever more seldom.
/// Each scope has its own, so that nobody's hints make another wait.
#[derive(Debug)]
struct Pace {
    next: Instant,
    pause: Duration,
}

impl Touched {
    /// Something in this scope may have changed.
    pub fn add(&self, scope: Scope) {
        self.lock().touched.insert(scope);
        self.notify.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Scopes> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a touched scope may be looked at; gives all those, which from now on are untouched. Nothing is lost if the
    /// wait is broken off.
    pub async fn next(&self) -> BTreeSet<Scope> {
        loop {
            let (due, next) = self.lock().take_due(Instant::now());
            match next {
                _ if !due.is_empty() => return due,
                Some(next) => drop(tokio::time::timeout_at(next, self.notify.notified()).await),
                None => self.notify.notified().await,
            }
        }
    }
}

impl Scopes {
    /// The touched scopes whose time has come; and when that of the next one comes.
    fn take_due(&mut self, now: Instant) -> (BTreeSet<Scope>, Option<Instant>) {
        let paces = &self.paces;
        let due: BTreeSet<Scope> =
            self.touched.extract_if(.., |scope| paces.get(scope).is_none_or(|pace| pace.next <= now)).collect();
        for scope in &due {
            self.paces.entry(*scope).or_insert_with(|| Pace::new(now)).step(now);
        }
        (due, self.touched.iter().filter_map(|scope| Some(self.paces.get(scope)?.next)).min())
    }
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self { next: now, pause: SHORTEST_PAUSE }
    }

    /// A look begins.
    fn step(&mut self, now: Instant) {
        let quiet = now.saturating_duration_since(self.next) >= LONGEST_PAUSE;
        self.pause = if quiet { SHORTEST_PAUSE } else { (self.pause * 2).min(LONGEST_PAUSE) };
        self.next = now + self.pause;
    }
}

#[cfg(test)]
mod tests {
    use forewarn_proto::inventory::Person;

    use super::*;

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
        touched.add(Scope::System);
        assert_eq!((touched.next().await.len(), Instant::now()), (1, start));
        touched.add(Scope::System);
        let broken_off = tokio::time::timeout(SHORTEST_PAUSE / 2, touched.next()).await;
        assert!(broken_off.is_err());
        assert_eq!(touched.next().await.len(), 1);
        assert_eq!(Instant::now() - start, SHORTEST_PAUSE * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn promise_7_nobody_s_hints_make_another_wait() {
        let (touched, [ann, ben]) = (Touched::default(), [1, 2].map(|bits| Scope::Person(Person::from_bits(bits))));
        for _ in 0..20 {
            touched.add(ben);
            assert_eq!(touched.next().await, [ben].into());
        }
        touched.add(ben);
        touched.add(ann);
        let start = Instant::now();
        assert_eq!((touched.next().await, Instant::now()), ([ann].into(), start));
        assert_eq!(touched.next().await, [ben].into());
        assert!(Instant::now() - start > LONGEST_PAUSE / 2);
    }
}
