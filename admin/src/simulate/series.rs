//! Counts over time, in spans of one length.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::scene::Period;

/// The lengths that a span can have: those that people count in. In minutes.
const LENGTHS: [i64; 15] = [5, 15, 30, 60, 120, 180, 240, 360, 480, 720, 1440, 2880, 10_080, 20_160, 43_200];

/// People by the time at which something happens to them. Every list has one count for each span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Series {
    /// When the first span begins.
    pub(crate) from: Timestamp,
    /// How long each span is, in minutes.
    pub(crate) minutes: i64,
    /// People who are first told.
    pub(crate) told: Vec<u64>,
    /// People whose deadline comes, as they were told it, with the app still there.
    pub(crate) deadline: Vec<u64>,
    /// People whose mail leaves.
    pub(crate) revoked: Vec<u64>,
}

impl Series {
    /// Spans for a period: the shortest length of which no more than `most` fit in.
    pub(super) fn empty(period: Period, most: usize) -> Self {
        let whole = period.until.duration_since(period.from).as_mins();
        let number = |minutes: i64| usize::try_from((whole + minutes - 1) / minutes).unwrap_or(usize::MAX);
        let fits = LENGTHS.into_iter().find(|minutes| number(*minutes) <= most.max(1));
        let minutes = fits.unwrap_or(LENGTHS[LENGTHS.len() - 1]);
        let none = vec![0; number(minutes).max(1)];
        Self { from: period.from, minutes, told: none.clone(), deadline: none.clone(), revoked: none }
    }

    /// How many spans there are.
    pub(super) fn len(&self) -> usize {
        self.told.len()
    }

    /// When a span begins.
    pub(super) fn start(&self, index: usize) -> Timestamp {
        let minutes = self.minutes.saturating_mul(i64::try_from(index).unwrap_or(i64::MAX));
        self.from.saturating_add(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MAX)
    }

    /// The span in which a moment is, if there is one.
    pub(super) fn index(&self, at: Timestamp) -> Option<usize> {
        let minutes = at.duration_since(self.from).as_mins();
        let before = at < self.from;
        usize::try_from(minutes / self.minutes).ok().filter(|index| !before && *index < self.len())
    }

    /// Counts `people` at `at`.
    pub(super) fn count(&self, list: &mut [u64], at: Timestamp, people: u64) {
        if let Some(count) = self.index(at).and_then(|index| list.get_mut(index)) {
            *count += people;
        }
    }
}

/// Each count with all before it.
pub(super) fn running(counts: &[u64]) -> Vec<u64> {
    let sum = |sum: &mut u64, count: &u64| {
        *sum += count;
        Some(*sum)
    };
    counts.iter().scan(0, sum).collect()
}
