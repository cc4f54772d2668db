//! The push stream from server to device: Server-Sent Events (WHATWG HTML, section 9.2), one frame an event; and when a
//! device that lost it comes back.
//!
//! The event's `id` is the digest of the bundle that is current; a device that reconnects sends the id it knows as
//! `Last-Event-ID` and is spared the same bundle again.

use core::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The largest bundle that goes into a frame, in bytes. A larger one is fetched by each device that lacks it, from an
/// address that says what is in it (`/v1/bundles/DIGEST`), so that caches on the way can hold it.
pub const MAX_INLINE_BYTES: usize = 32 * 1024;

/// The largest frame that a device reads, in bytes: a bundle, escaped as a JSON text, and a few words more.
pub const MAX_FRAME_BYTES: usize = 2 * MAX_INLINE_BYTES + 4096;

/// The most of what undoes that goes into a frame though the bundle does not, in bytes: the newest documents that can only undo,
/// and the metadata of their roles.
pub const MAX_UNDO_BYTES: usize = 16 * 1024;

/// How often a server gives a sign of life unless it says otherwise.
pub const SIGN_OF_LIFE: Duration = Duration::from_secs(4 * 60);

/// The shortest and the longest time between two signs of life that a device believes. A server can neither keep its devices
/// awake nor have them wait for ever.
pub const SIGNS_OF_LIFE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(15 * 60));

/// How many signs of life may fail to come before a device gives a stream up.
pub const MISSED_SIGNS: u32 = 2;

/// The name of the event that carries a frame.
pub const EVENT: &str = "bundle";

/// The header of the stream's answer that says over how many seconds the server wants its devices to come back, should
/// it go: `forewarn-spread: 10`.
pub const SPREAD_HEADER: &str = "forewarn-spread";

/// The widest spread that a device follows. A server can't keep its devices away for longer.
pub const MAX_SPREAD: Duration = Duration::from_secs(60);

/// One push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The server's time.
    pub time: Timestamp,
    /// SHA-256 of the current bundle's bytes, in hexadecimal.
    pub digest: String,
    /// The bundle's bytes, unless the device said that it has them, or they are more than [`MAX_INLINE_BYTES`].
    pub bundle: Option<String>,
    /// How many bytes the bundle has, where it is to be fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The newest of what undoes, where the bundle is to be fetched: see `forewarn_trust::newest_undo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<String>,
    /// In a stream's first frame: how many seconds lie between two signs of life. A sign of life is a comment (a line that begins
    /// with a colon); so is every frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alive_s: Option<u64>,
}

impl Frame {
    /// How long a device waits for a sign of life before it gives the stream up, by what the server says in the first frame.
    pub fn patience(alive_s: Option<u64>) -> Duration {
        let (shortest, longest) = SIGNS_OF_LIFE;
        let interval = alive_s.map_or(SIGN_OF_LIFE, Duration::from_secs).clamp(shortest, longest);
        // A sign that is a little late is no missed one.
        interval * MISSED_SIGNS + interval / 4
    }
}

/// When a device tries again that lost its stream, or did not get one. Pure: what is random is given.
///
/// The first try after a stream that was up comes at any moment of the server's spread, so that a fleet that lost its
/// server does not come back all at once; each further pause doubles.
#[derive(Debug, Clone)]
pub struct Retry {
    pause: Duration,
}

/// A stream that was up.
#[derive(Debug, Clone, Copy)]
pub struct WasUp {
    /// For how long.
    pub lasted: Duration,
    /// What the server said in [`SPREAD_HEADER`].
    pub spread: Duration,
}

impl Retry {
    /// The shortest pause before another try.
    pub const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
    /// The longest. A stream that was up for longer than this makes the next pause the shortest again; one that broke
    /// sooner does not, or a server that takes and drops would be asked without pause.
    pub const LONGEST_PAUSE: Duration = Duration::from_secs(60);

    /// Before the first try.
    pub fn new() -> Self {
        Self { pause: Self::SHORTEST_PAUSE }
    }

    /// How long to wait now that the stream is not there. `random` is anywhere from 0 to 1, and another each time.
    pub fn pause(&mut self, was_up: Option<WasUp>, random: f64) -> Duration {
        let random = random.clamp(0.0, 1.0);
        let spread = was_up.map_or(Duration::ZERO, |up| up.spread.min(MAX_SPREAD).mul_f64(random));
        if was_up.is_some_and(|up| up.lasted > Self::LONGEST_PAUSE) {
            self.pause = Self::SHORTEST_PAUSE;
            return spread;
        }
        let jittered = self.pause.mul_f64(0.5 + random / 2.0);
        self.pause = (self.pause * 2).min(Self::LONGEST_PAUSE);
        spread.max(jittered)
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::new()
    }
}

/// The spread that a server asks for unless it was told one: a second for each thousand devices, from 1 to
/// [`MAX_SPREAD`].
pub fn default_spread(devices: u64) -> Duration {
    Duration::from_secs(devices.div_ceil(1000)).clamp(Duration::from_secs(1), MAX_SPREAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_fleet_comes_back_over_the_whole_spread_and_never_later() {
        let up = Some(WasUp { lasted: SECOND * 3600, spread: SECOND * 10 });
        let pauses: Vec<f64> = (0..=10).map(|n| Retry::new().pause(up, f64::from(n) / 10.0).as_secs_f64()).collect();
        assert_eq!(pauses, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
        let greedy = Some(WasUp { lasted: SECOND * 3600, spread: SECOND * 86_400 });
        assert_eq!(Retry::new().pause(greedy, 1.0), MAX_SPREAD);
    }

    #[test]
    fn further_pauses_double_up_to_the_longest() {
        let mut retry = Retry::new();
        let pauses: Vec<u128> = (0..10).map(|_| retry.pause(None, 1.0).as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000]);
    }

    #[test]
    fn a_server_that_takes_and_drops_is_asked_ever_more_seldom() {
        let (mut retry, dropped) = (Retry::new(), Some(WasUp { lasted: SECOND, spread: Duration::ZERO }));
        let pauses: Vec<u128> = (0..4).map(|_| retry.pause(dropped, 1.0).as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800, 1600]);
    }

    #[test]
    fn a_server_can_t_keep_devices_awake_nor_waiting() {
        let seconds =
            [None, Some(0), Some(10), Some(240), Some(900), Some(u64::MAX)].map(|s| Frame::patience(s).as_secs());
        assert_eq!(seconds, [540, 22, 22, 540, 2025, 2025]);
    }

    #[test]
    fn the_spread_grows_with_the_fleet() {
        assert_eq!([0, 1000, 1001, 10_000, 1_000_000].map(|n| default_spread(n).as_secs()), [1, 1, 2, 10, 60]);
    }
}
