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
use forewarn_clock::Clock;
use forewarn_proto::{
    bundle::Bundle,
    push::{EVENT, Frame, MAX_INLINE_BYTES},
};
use forewarn_trust::digest;
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

/// Who has a stream open, by device and number. Dropping a bell closes the stream.
#[derive(Debug, Default)]
struct Streams {
    open: Mutex<Bells>,
    next: AtomicU64,
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
    fn new(bundle: Bytes, clock: &Clock, closing: bool) -> Self {
        let mut current = Self {
            digest: digest(&bundle),
            bundle,
            event: Bytes::new(),
            made: Instant::now(),
            clock: clock.clone(),
            closing,
        };
        current.event = current.event_for("").into();
        current
    }

    /// The event for a device whose stream was open when this became current.
    pub(crate) fn event(&self) -> Bytes {
        if self.made.elapsed() < FRESH { self.event.clone() } else { self.event_for("").into() }
    }

    /// The event for a device that has the bundle of the digest `known`, with the time as it is now.
    pub(crate) fn event_for(&self, known: &str) -> Vec<u8> {
        let (is_known, is_small) = (self.digest == known, self.bundle.len() <= MAX_INLINE_BYTES);
        let text = || String::from_utf8_lossy(&self.bundle).into_owned();
        let frame = Frame {
            time: self.clock.wall(),
            digest: self.digest.clone(),
            bundle: (!is_known && is_small).then(text),
            size: (!is_known && !is_small).then_some(self.bundle.len() as u64),
        };
        let data = serde_json::to_string(&frame).unwrap_or_default();
        format!("event: {EVENT}\nid: {}\ndata: {data}\n\n", self.digest).into_bytes()
    }
}

impl Feed {
    pub(crate) fn new(bundle: &Bundle, clock: &Clock) -> Self {
        let current = Current::new(bundle.to_bytes().into(), clock, false);
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

    fn set(&self, bundle: Bytes) {
        let next = |current: &mut Arc<Current>| *current = Arc::new(Current::new(bundle, &self.clock, current.closing));
        self.current.send_modify(next);
    }

    /// Ends every open stream in good order, and every one that opens from now on.
    pub fn close(&self) {
        self.current.send_modify(|current| {
            *current = Arc::new(Current::new(current.bundle.clone(), &self.clock, true));
        });
    }

    /// How many streams are open.
    pub fn connected(&self) -> u64 {
        self.streams.open().len() as u64
    }

    /// Ends the streams of these devices, which may no longer listen. Whether they may come back is asked of the store.
    pub fn drop_devices(&self, names: &[String]) {
        let mut open = self.streams.open();
        for name in names {
            let numbers: Vec<u64> = open.range(of(name)).map(|((_, number), _)| *number).collect();
            for number in numbers {
                open.remove(&(name.as_str().into(), number));
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
        if open.range(of(device)).count() >= MAX_STREAMS_PER_DEVICE
            && let Some(oldest) = open.range(of(device)).next().map(|((_, number), _)| *number)
        {
            open.remove(&(device.into(), oldest));
        }
        open.insert((device.into(), number), sender);
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
    fn open(&self) -> MutexGuard<'_, Bells> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let key = (std::mem::take(&mut self.device), self.number);
        self.streams.open().remove(&key);
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
        let (first, again) = (frame(&current.event()), frame(&current.event_for(&current.digest)));
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
        assert_eq!(feed.connected(), 1 + MAX_STREAMS_PER_DEVICE as u64);
        feed.drop_devices(&["device-a".to_owned()]);
        for mut stream in more {
            assert!(stream.bell.try_recv() == Err(oneshot::error::TryRecvError::Closed));
        }
        assert!(other.bell.try_recv() == Err(oneshot::error::TryRecvError::Empty));
        drop((first, other));
        assert_eq!(feed.connected(), 0);
    }
}
