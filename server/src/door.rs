//! Who comes in, where there is no room for everybody who would.
//!
//! Nobody who says nothing keeps others out: where all places are taken, those who have had their turn go, the oldest first. Of one
//! address only so many may have said nothing yet, and where many handshakes fail each from there waits a moment. Nothing else is
//! counted by address: a whole office comes from one.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use rustix::net::RecvFlags;
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::Instant,
};

/// How long somebody may keep their place when others wait for it. A device needs a fraction of it.
const TURN: Duration = Duration::from_secs(2);
/// How long whoever is told to go may take for that before the next one is.
const LEAVING: Duration = Duration::from_millis(2);
/// The most of one address who have said nothing yet. Another one ends the oldest. Whoever wants something says so at once.
const MAX_SILENT: usize = 64;
/// How many handshakes of one address may fail a second, in the long run, before others from there wait.
const FAILURES_A_SECOND: f64 = 20.0;
/// So many may fail at once.
const MAX_FAILURES: f64 = 200.0;
/// How long each from an address waits from which many fail.
const PENALTY: Duration = Duration::from_millis(50);
/// The most addresses that are remembered; beyond that, those about which there is nothing to remember are forgotten.
const MAX_ADDRESSES: usize = 10_000;

/// The places of one listener.
pub(crate) struct Door {
    places: Arc<Semaphore>,
    size: usize,
    /// Who has one, the oldest first. Dropping a sender ends them.
    inside: VecDeque<(Instant, oneshot::Sender<()>)>,
    /// When somebody was last told to go.
    told: Option<Instant>,
    silent: HashMap<IpAddr, VecDeque<oneshot::Sender<()>>>,
    failures: Arc<Failures>,
}

/// A place.
pub(crate) struct Place {
    _held: OwnedSemaphorePermit,
    /// Ends when others need it.
    pub(crate) turn: oneshot::Receiver<()>,
    /// Ends when too many of this address say nothing. Taken when this one does.
    silence: Option<oneshot::Receiver<()>>,
    address: IpAddr,
    failures: Arc<Failures>,
}

/// How many handshakes of an address have failed, less those for which time has passed; and when that was reckoned.
#[derive(Debug, Default)]
struct Failures(Mutex<HashMap<IpAddr, (f64, Instant)>>);

impl Door {
    pub(crate) fn new(size: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(size)),
            size,
            inside: VecDeque::new(),
            told: None,
            silent: HashMap::new(),
            failures: Arc::default(),
        }
    }

    /// A place for whoever has come from this address. Waits for one, for no longer than a turn or two.
    pub(crate) async fn let_in(&mut self, address: IpAddr) -> Option<Place> {
        let held = self.free().await?;
        let (inside, turn) = oneshot::channel();
        self.inside.push_back((Instant::now(), inside));
        let (silent, silence) = oneshot::channel();
        let address = network(address);
        self.begin(address, silent);
        Some(Place { _held: held, turn, silence: Some(silence), address, failures: self.failures.clone() })
    }

    async fn free(&mut self) -> Option<OwnedSemaphorePermit> {
        loop {
            if self.inside.len() > 2 * self.size {
                self.inside.retain(|(_, inside)| !inside.is_closed());
            }
            while self.inside.front().is_some_and(|(_, inside)| inside.is_closed()) {
                self.inside.pop_front();
            }
            let free = self.places.clone().acquire_owned();
            let Some((begun, _)) = self.inside.front() else { return free.await.ok() };
            // Whoever was told to go a moment ago is on their way.
            let told = self.told.map_or(*begun, |told| told + LEAVING);
            match tokio::time::timeout_at((*begun + TURN).max(told), free).await {
                Ok(place) => return place.ok(),
                Err(_) => {
                    self.inside.pop_front();
                    self.told = Some(Instant::now());
                }
            }
        }
    }

    fn begin(&mut self, address: IpAddr, silent: oneshot::Sender<()>) {
        if self.silent.len() > MAX_ADDRESSES {
            self.silent.retain(|_, all| all.iter().any(|one| !one.is_closed()));
        }
        let all = self.silent.entry(address).or_default();
        if all.len() >= MAX_SILENT {
            all.retain(|one| !one.is_closed());
        }
        if all.len() >= MAX_SILENT {
            all.pop_front();
        }
        all.push_back(silent);
    }

    /// Whether so many are inside that nobody should stay for longer than they need.
    pub(crate) fn is_busy(&self, inside: usize) -> bool {
        self.size - self.places.available_permits() > inside
    }

    /// Waits until everybody has left.
    pub(crate) async fn close(self) {
        let all = u32::try_from(self.size).unwrap_or(u32::MAX);
        let _ = self.places.acquire_many(all).await;
    }
}

impl Place {
    /// Waits until the other side says something.
    ///
    /// # Errors
    /// When it does not, and others do; or has gone.
    pub(crate) async fn hear(&mut self, socket: &TcpStream) -> Result<()> {
        if self.failures.are_many(self.address) {
            tokio::time::sleep(PENALTY).await;
        }
        let silence = self.silence.take().context("it was heard before")?;
        tokio::select! {
            spoken = socket.readable() => return Ok(spoken?),
            _ = silence => {}
            _ = &mut self.turn => {}
        }
        // Where much comes at once, it may have said something before anybody listened.
        let mut first = [0];
        let peeked = rustix::net::recv(socket, &mut first[..], RecvFlags::PEEK | RecvFlags::DONTWAIT);
        ensure!(peeked.is_ok_and(|(length, _)| length > 0), "it says nothing, while others wait");
        Ok(())
    }

    /// The handshake has failed.
    pub(crate) fn failed(&self) {
        self.failures.note(self.address);
    }
}

impl Failures {
    fn note(&self, address: IpAddr) {
        let (level, now) = (self.level(address), Instant::now());
        let mut all = self.all();
        if all.len() > MAX_ADDRESSES {
            all.retain(|_, (level, at)| left(*level, at.elapsed()) > 0.0);
        }
        all.insert(address, (level + 1.0, now));
    }

    fn are_many(&self, address: IpAddr) -> bool {
        self.level(address) > MAX_FAILURES
    }

    fn level(&self, address: IpAddr) -> f64 {
        self.all().get(&address).map_or(0.0, |(level, at)| left(*level, at.elapsed()))
    }

    fn all(&self) -> MutexGuard<'_, HashMap<IpAddr, (f64, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn left(level: f64, passed: Duration) -> f64 {
    (level - passed.as_secs_f64() * FAILURES_A_SECOND).max(0.0)
}

/// A person has a whole /64 of IPv6 addresses, so that such a network counts as one.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => (six.to_bits() & !u128::from(u64::MAX)).to_be_bytes().into(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const OFFICE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

    fn is_over(turn: &mut oneshot::Receiver<()>) -> bool {
        turn.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_had_their_turn_goes_when_others_wait() {
        let mut door = Door::new(3);
        let mut inside = Vec::new();
        for _ in 0..3 {
            inside.push(door.let_in(OFFICE).await.unwrap());
        }
        let begun = Instant::now();
        let next = tokio::spawn(async move {
            let place = door.let_in(ELSEWHERE).await;
            (door, place)
        });
        tokio::time::sleep(TURN + LEAVING / 2).await;
        assert_eq!(inside.iter_mut().map(|place| is_over(&mut place.turn)).collect::<Vec<_>>(), [true, false, false]);
        drop(inside.remove(0));
        let (door, place) = next.await.unwrap();
        assert!(place.is_some() && begun.elapsed() < TURN * 2);
        assert!(door.is_busy(2) && !door.is_busy(3));
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_has_so_many_who_say_nothing_and_as_many_others_as_it_likes() {
        let mut door = Door::new(1000);
        let mut places = Vec::new();
        for _ in 0..MAX_SILENT {
            places.push(door.let_in(OFFICE).await.unwrap());
        }
        // These have said something.
        places.iter_mut().for_each(|place| drop(place.silence.take()));
        for _ in 0..=MAX_SILENT {
            places.push(door.let_in(OFFICE).await.unwrap());
        }
        let mut ended = places.iter_mut().filter_map(|place| place.silence.as_mut().map(is_over));
        assert_eq!(ended.next(), Some(true), "the oldest goes");
        assert!(ended.all(|ended| !ended));
        assert!(places.iter_mut().all(|place| !is_over(&mut place.turn)));
    }

    #[tokio::test(start_paused = true)]
    async fn whose_handshakes_fail_waits_a_moment_and_others_do_not() {
        let failures = Failures::default();
        (0..1000).for_each(|_| failures.note(OFFICE));
        assert!(failures.are_many(OFFICE) && !failures.are_many(ELSEWHERE));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(!failures.are_many(OFFICE));
    }
}
