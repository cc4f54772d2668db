//! What is pushed: the current bundle, and a bell that rings when it changes.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::body::Bytes;
use forewarn_host::Clock;
use forewarn_proto::{
    bundle::Bundle,
    push::{EVENT, Frame, MAX_INLINE_BYTES},
};
use forewarn_trust::{digest, newest_undo};
use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};

/// How many streams one device may have open; another closes its oldest. More than one, because a device that changed
/// its network is back before the server knows that its former connection is dead.
const MAX_STREAMS_PER_DEVICE: usize = 4;
/// The longest time between making the frame that all get and sending it, because it tells the time. Whoever is sent one
/// later, after a slow write, gets one of their own.
const FRESH: Duration = Duration::from_secs(1);

/// The current bundle as it goes out.
#[derive(Debug)]
pub(crate) struct Current {
    /// SHA-256 of `bundle`, in hexadecimal.
    pub(crate) digest: String,
    /// The bundle's bytes.
    pub(crate) bundle: Bytes,
    /// The newest of what undoes, where the bundle does not go along.
    undo: Option<String>,
    /// The event for everyone whose stream is open, made once.
    event: Bytes,
    made: Instant,
    clock: Clock,
    /// The server goes: streams end in good order.
    pub(crate) closing: bool,
}

/// Shared by everyone who publishes and every open stream.
#[derive(Debug, Clone)]
pub struct Feed {
    current: watch::Sender<Arc<Current>>,
    clock: Clock,
    streams: Arc<Streams>,
}

/// The bell of each open stream, by device and number.
type Bells = BTreeMap<(Box<str>, u64), oneshot::Sender<()>>;

/// Who has a stream open. Dropping a bell closes the stream.
#[derive(Debug, Default)]
struct Streams {
    open: Mutex<Open>,
    next: AtomicU64,
}

/// The open streams, and how many devices have one.
#[derive(Debug, Default)]
struct Open {
    bells: Bells,
    devices: u64,
}

impl Open {
    fn numbers_of(&self, device: &str) -> Vec<u64> {
        self.bells.range(of(device)).map(|((_, number), _)| *number).collect()
    }

    fn insert(&mut self, device: &str, number: u64, bell: oneshot::Sender<()>) {
        self.devices += u64::from(self.numbers_of(device).is_empty());
        self.bells.insert((device.into(), number), bell);
    }

    fn remove(&mut self, device: &str, number: u64) {
        let was_there = self.bells.remove(&(device.into(), number)).is_some();
        self.devices -= u64::from(was_there && self.numbers_of(device).is_empty());
    }
}

/// An open stream; counted while it lives.
pub(crate) struct Stream {
    pub(crate) current: watch::Receiver<Arc<Current>>,
    /// Ends when the device may no longer listen.
    pub(crate) bell: oneshot::Receiver<()>,
    device: Box<str>,
    number: u64,
    streams: Arc<Streams>,
}

impl Current {
    fn new(bundle: Bytes, undo: Option<String>, clock: &Clock, closing: bool) -> Self {
        let mut current = Self {
            digest: digest(&bundle),
            bundle,
            undo,
            event: Bytes::new(),
            made: Instant::now(),
            clock: clock.clone(),
            closing,
        };
        current.event = current.frame_for("", None).into();
        current
    }

    /// The event for a device whose stream was open when this became current.
    pub(crate) fn event(&self) -> Bytes {
        if self.made.elapsed() < FRESH { self.event.clone() } else { self.frame_for("", None).into() }
    }

    /// The first event of a stream, for a device that has the bundle of the digest `known`, with the time as it is now.
    pub(crate) fn event_for(&self, known: &str, sign_of_life: Duration) -> Vec<u8> {
        self.frame_for(known, Some(sign_of_life.as_secs()))
    }

    fn frame_for(&self, known: &str, alive_s: Option<u64>) -> Vec<u8> {
        let (is_known, is_small) = (self.digest == known, self.bundle.len() <= MAX_INLINE_BYTES);
        let text = || String::from_utf8_lossy(&self.bundle).into_owned();
        let frame = Frame {
            time: self.clock.wall(),
            digest: self.digest.clone(),
            bundle: (!is_known && is_small).then(text),
            size: (!is_known && !is_small).then_some(self.bundle.len() as u64),
            undo: self.undo.clone().filter(|_| !is_known && !is_small),
            alive_s,
        };
        let data = serde_json::to_string(&frame).unwrap_or_default();
        format!("event: {EVENT}\nid: {}\ndata: {data}\n\n", self.digest).into_bytes()
    }
}

/// The newest of what undoes, once this bundle is current. What was the newest stays so until there is something newer: bundles
/// are made anew for their time's sake too.
fn undo_after(former: &Current, bundle: &[u8]) -> Option<String> {
    if bundle.len() <= MAX_INLINE_BYTES {
        return None;
    }
    let (before, now) = (Bundle::parse(&former.bundle).ok()?, Bundle::parse(bundle).ok()?);
    newest_undo(&before, &now).or_else(|| former.undo.clone())
}

impl Feed {
    pub(crate) fn new(bundle: &Bundle, clock: &Clock) -> Self {
        let undo = newest_undo(&Bundle::default(), bundle);
        let current = Current::new(bundle.to_bytes().into(), undo, clock, false);
        Self { current: watch::Sender::new(Arc::new(current)), clock: clock.clone(), streams: Arc::default() }
    }

    /// Pushes a bundle to every open stream, and to every one that opens from now on.
    pub fn push(&self, bundle: &Bundle) {
        self.set(bundle.to_bytes().into());
    }

    /// Pushes any text in a bundle's place: how a hostile server would be played.
    pub fn push_bytes(&self, bytes: &str) {
        self.set(bytes.to_owned().into());
    }

    fn set(&self, bytes: Bytes) {
        let undo = undo_after(&self.current(), &bytes);
        self.current.send_modify(|current| {
            *current = Arc::new(Current::new(bytes, undo, &self.clock, current.closing));
        });
    }

    /// Ends every open stream in good order, and every one that opens from now on.
    pub fn close(&self) {
        self.current.send_modify(|current| {
            *current = Arc::new(Current::new(current.bundle.clone(), current.undo.clone(), &self.clock, true));
        });
    }

    /// How many devices have a stream open. One that has changed its network may have several for a while.
    pub fn connected(&self) -> u64 {
        self.streams.open().devices
    }

    /// How many streams are open.
    pub fn streams(&self) -> u64 {
        self.streams.open().bells.len() as u64
    }

    /// Ends the streams of these devices, which may no longer listen. Whether they may come back is asked of the store.
    pub fn drop_devices(&self, names: &[String]) {
        let mut open = self.streams.open();
        for name in names {
            for number in open.numbers_of(name) {
                open.remove(name, number);
            }
        }
    }

    pub(crate) fn current(&self) -> Arc<Current> {
        self.current.borrow().clone()
    }

    /// Opens a device's stream.
    pub(crate) fn listen(&self, device: &str) -> Stream {
        let number = self.streams.next.fetch_add(1, Ordering::Relaxed);
        let (sender, bell) = oneshot::channel();
        let mut open = self.streams.open();
        let others = open.numbers_of(device);
        if others.len() >= MAX_STREAMS_PER_DEVICE
            && let Some(oldest) = others.first()
        {
            open.remove(device, *oldest);
        }
        open.insert(device, number, sender);
        drop(open);
        let (current, streams) = (self.current.subscribe(), self.streams.clone());
        Stream { current, bell, device: device.into(), number, streams }
    }
}

/// All numbers of a device.
fn of(device: &str) -> std::ops::RangeInclusive<(Box<str>, u64)> {
    (device.into(), 0)..=(device.into(), u64::MAX)
}

impl Streams {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.streams.open().remove(&self.device, self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed() -> Feed {
        Feed::new(&Bundle::default(), &Clock::Real)
    }

    fn frame(event: &[u8]) -> Frame {
        let text = std::str::from_utf8(event).unwrap();
        serde_json::from_str(text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_bundle_goes_along_if_it_is_small_and_not_known() {
        let feed = feed();
        feed.push_bytes("{\"a\":\"b\"}");
        let current = feed.current();
        let (first, again) = (frame(&current.event()), frame(&current.event_for(&current.digest, FRESH)));
        assert_eq!((first.bundle.as_deref(), first.size), (Some("{\"a\":\"b\"}"), None));
        assert_eq!((again.bundle, again.size, again.digest), (None, None, first.digest));
        feed.push_bytes(&"x".repeat(MAX_INLINE_BYTES + 1));
        let large = frame(&feed.current().event());
        assert_eq!((large.bundle, large.size), (None, Some(MAX_INLINE_BYTES as u64 + 1)));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_late_is_told_the_time_as_it_is_then() {
        let current = feed().current();
        assert_eq!(current.event(), current.event());
        let before = frame(&current.event()).time;
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(frame(&current.event()).time, before);
        tokio::time::advance(FRESH * 2).await;
        assert!(frame(&current.event()).time > before);
    }

    #[tokio::test]
    async fn a_device_that_is_dropped_and_the_oldest_of_too_many_streams_are_ended() {
        let feed = feed();
        let (mut first, mut other) = (feed.listen("device-a"), feed.listen("device-ab"));
        let more: Vec<Stream> = (0..MAX_STREAMS_PER_DEVICE).map(|_| feed.listen("device-a")).collect();
        assert!(first.bell.try_recv() == Err(oneshot::error::TryRecvError::Closed));
        assert_eq!(feed.connected(), 2, "devices are counted, and not streams");
        feed.drop_devices(&["device-a".to_owned()]);
        for mut stream in more {
            assert!(stream.bell.try_recv() == Err(oneshot::error::TryRecvError::Closed));
        }
        assert!(other.bell.try_recv() == Err(oneshot::error::TryRecvError::Empty));
        drop((first, other));
        assert_eq!(feed.connected(), 0);
    }
}
