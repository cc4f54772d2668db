//! Whose turn it is. What works for one person may never come back: a home whose file system does not answer, a worker that
//! was stopped. It keeps a thread and a place of that person's, and nothing of anybody else's.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use forewarn_proto::inventory::Person;
use tokio::{
    sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, oneshot},
    time::Instant,
};

/// How many people are worked for at once, who were quick the last time.
const QUICK: usize = 8;
/// And how many who were not. They wait for each other, and hold up nobody who is quick.
const SLOW: usize = 2;
/// Whoever took longer was slow.
const QUICKLY: Duration = Duration::from_secs(5);
/// So many quick turns make up for a slow one; for another one twice as many as are left, and so on up to [`MOST`]. Stops: those who
/// are slow every other time.
const LEAST: u32 = 8;
/// See [`LEAST`].
const MOST: u32 = 1024;

/// One thread at a time, which may be kept for ever by what it is given to do.
#[derive(Debug, Clone)]
pub struct Lane(Arc<Semaphore>);

impl Default for Lane {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Lane {
    /// Does this on a thread of its own, after what is under way. Whoever waits has a deadline; what is done goes on
    /// without them.
    ///
    /// # Errors
    /// When there is no thread, or the work breaks off.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let place = self.0.clone().acquire_owned().await?;
        let (sender, done) = oneshot::channel();
        let work = move || {
            let _place = place;
            // Nobody waits for it any more where their time is over.
            let _ = sender.send(work());
        };
        std::thread::Builder::new().spawn(work).context("there is no thread for it")?;
        done.await.context("it broke off; this is a defect")
    }

    /// Whether something is under way.
    pub fn is_taken(&self) -> bool {
        self.0.available_permits() == 0
    }
}

/// Turns by person: each has one piece of work done at a time, and nobody waits long for another.
#[derive(Debug, Clone)]
pub(crate) struct Turns {
    quick: Arc<Semaphore>,
    slow: Arc<Semaphore>,
    people: Arc<BTreeMap<Person, Queue>>,
}

/// One person's own queue.
#[derive(Debug, Default)]
struct Queue {
    turn: Arc<Mutex<()>>,
    slowness: Arc<AtomicU32>,
}

/// The right to be worked for, for as long as it is kept.
#[derive(Debug)]
pub(crate) struct Turn {
    _own: OwnedMutexGuard<()>,
    _place: OwnedSemaphorePermit,
    begun: Instant,
    slowness: Arc<AtomicU32>,
}

impl Turns {
    pub(crate) fn new(people: impl Iterator<Item = Person>) -> Self {
        let people = people.map(|person| (person, Queue::default())).collect();
        let places = |count| Arc::new(Semaphore::new(count));
        Self { quick: places(QUICK), slow: places(SLOW), people: Arc::new(people) }
    }

    /// Waits until this person is to be worked for. None for somebody who is not looked after.
    pub(crate) async fn of(&self, person: Person) -> Option<Turn> {
        let Queue { turn, slowness } = self.people.get(&person)?;
        let own = turn.clone().lock_owned().await;
        let places = if slowness.load(Ordering::Relaxed) > 0 { &self.slow } else { &self.quick };
        let place = places.clone().acquire_owned().await.ok()?;
        Some(Turn { _own: own, _place: place, begun: Instant::now(), slowness: slowness.clone() })
    }
}

impl Drop for Turn {
    /// The next turns of whoever was slow are among the slow.
    fn drop(&mut self) {
        let was_slow = self.begun.elapsed() > QUICKLY;
        let left = self.slowness.load(Ordering::Relaxed);
        let next = if was_slow { left.saturating_mul(2).clamp(LEAST, MOST) } else { left.saturating_sub(1) };
        self.slowness.store(next, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::time::timeout;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(100);

    fn people(count: u64) -> Vec<Person> {
        (0..count).map(Person::from_bits).collect()
    }

    #[tokio::test]
    async fn work_that_never_ends_keeps_one_thread() {
        let (lane, other) = (Lane::default(), Lane::default());
        let (end, is_over) = mpsc::channel::<()>();
        let stuck = lane.run(move || is_over.recv());
        assert!(timeout(MOMENT, stuck).await.is_err());
        let threads = || fs_err::read_dir("/proc/self/task").unwrap().count();
        let before = threads();
        for _ in 0..20 {
            assert!(timeout(MOMENT / 10, lane.run(|| ())).await.is_err(), "nothing passes what is under way");
        }
        assert!(threads() <= before, "and nothing waits on a thread");
        assert!(lane.is_taken() && other.run(|| 7).await.unwrap() == 7);
        end.send(()).unwrap();
        assert_eq!(lane.run(|| 8).await.unwrap(), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_slow_holds_up_the_slow_alone() {
        let all = people(40);
        let turns = Turns::new(all.iter().copied());
        for person in &all[1..] {
            let turn = turns.of(*person).await.unwrap();
            tokio::time::advance(QUICKLY * 2).await;
            drop(turn);
        }
        let mut held = Vec::new();
        for person in &all[1..] {
            held.extend(timeout(MOMENT / 10, turns.of(*person)).await);
        }
        assert_eq!(held.len(), SLOW);
        let quick = timeout(MOMENT, turns.of(all[0])).await;
        assert!(quick.is_ok_and(|turn| turn.is_some()));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_slow_every_other_time_stays_among_the_slow() {
        let turns = Turns::new(people(1).into_iter());
        let [person] = [0].map(Person::from_bits);
        let slowness = || turns.people[&person].slowness.load(Ordering::Relaxed);
        for _ in 0..20 {
            let turn = turns.of(person).await.unwrap();
            tokio::time::advance(QUICKLY * 2).await;
            drop(turn);
            drop(turns.of(person).await);
            assert!(slowness() > 0);
        }
        assert_eq!(slowness(), MOST - 1);
        for _ in 0..MOST {
            drop(turns.of(person).await);
        }
        assert_eq!(slowness(), 0, "it is made up for");
    }

    #[tokio::test]
    async fn one_person_has_one_turn_at_a_time_and_a_stranger_none() {
        let turns = Turns::new(people(2).into_iter());
        let [one, other] = [0, 1].map(Person::from_bits);
        let first = turns.of(one).await.unwrap();
        assert!(timeout(MOMENT, turns.of(one)).await.is_err());
        assert!(timeout(MOMENT, turns.of(other)).await.unwrap().is_some());
        drop(first);
        assert!(timeout(MOMENT, turns.of(one)).await.unwrap().is_some());
        assert!(turns.of(Person::from_bits(9)).await.is_none());
    }
}
