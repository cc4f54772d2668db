//! What was offered and is not judged yet. It is verified beside the loop, one after the other.

use std::time::Duration;

use crate::trust::Offer;

/// The pause after which something is offered again that this device could not read or keep; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 60);

/// At most one offer of a kind waits: the newest. A server may make as many as it likes.
#[derive(Debug, Default)]
pub(super) struct Offers {
    under_way: bool,
    undo: Option<Offer>,
    bundle: Option<Offer>,
    failures: u32,
}

impl Offers {
    /// Something was offered.
    pub(super) fn add(&mut self, offer: Offer) {
        match &offer {
            Offer::Undo(_) => self.undo = Some(offer),
            Offer::Bundle(_) => self.bundle = Some(offer),
            // What the server sends is newer.
            Offer::Stored(..) => self.bundle = self.bundle.take().or(Some(offer)),
        }
    }

    /// What is to be verified now, if nothing is; what undoes comes first.
    pub(super) fn next(&mut self) -> Option<Offer> {
        let next = if self.under_way { None } else { self.undo.take().or_else(|| self.bundle.take()) };
        self.under_way |= next.is_some();
        next
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.under_way
    }

    /// What was under way is judged. Where it is to be offered again, after which pause.
    pub(super) fn judged(&mut self, postponed: bool) -> Option<Duration> {
        self.under_way = false;
        self.failures = if postponed { self.failures.saturating_add(1) } else { 0 };
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.failures.saturating_sub(1).min(10));
        postponed.then_some(doubled.min(LONGEST_PAUSE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_kind_the_newest_waits_and_what_undoes_is_first() {
        let mut offers = Offers::default();
        let bundle = |text: &str| Offer::Bundle(text.as_bytes().to_vec());
        offers.add(bundle("1"));
        assert_eq!(offers.next(), Some(bundle("1")));
        for text in ["2", "3"] {
            offers.add(bundle(text));
            offers.add(Offer::Undo(text.to_owned()));
        }
        offers.add(Offer::Stored(Vec::new(), String::new()));
        assert_eq!(offers.next(), None, "one is under way");
        let mut heard = Vec::new();
        while offers.judged(false).is_none() {
            let Some(offer) = offers.next() else { break };
            heard.push(offer);
        }
        assert_eq!(heard, [Offer::Undo("3".to_owned()), bundle("3")]);
    }

    #[test]
    fn what_could_not_be_read_is_offered_again_ever_more_seldom() {
        let mut offers = Offers::default();
        let pauses: Vec<u64> = (0..8).filter_map(|_| offers.judged(true)).map(|pause| pause.as_secs()).collect();
        assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1800, 1800]);
    }
}
