//! What was offered and is not judged yet. It is verified beside the loop, one after the other.

use std::time::Duration;

use forewarn_engine::Settings;

use crate::trust::Offer;

/// At most one offer of a kind waits: the newest. A server may make as many as it likes.
#[derive(Debug, Default)]
pub(super) struct Offers {
    under_way: bool,
    undo: Option<Offer>,
    bundle: Option<Offer>,
    /// What is to be offered again: the newest, as long as nothing newer is accepted.
    postponed: Option<Offer>,
    /// Whether somebody waits to offer it.
    is_awaited: bool,
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

    /// What was under way is judged, and is in force, or is not what it has to be.
    pub(super) fn judged(&mut self) {
        self.under_way = false;
        self.failures = 0;
        self.postponed = None;
    }

    /// What was under way could not be read or kept. Gives the pause after which to [`Self::resume`], unless somebody waits already.
    pub(super) fn postpone(&mut self, offer: Option<Offer>) -> Option<Duration> {
        self.under_way = false;
        self.postponed = offer.or(self.postponed.take());
        if std::mem::replace(&mut self.is_awaited, true) {
            return None;
        }
        let pause = Settings::retry_pause(self.failures);
        self.failures = self.failures.saturating_add(1);
        Some(pause.unsigned_abs())
    }

    /// The pause is over. What was postponed waits again, behind nothing newer; false where nothing was.
    pub(super) fn resume(&mut self) -> bool {
        self.is_awaited = false;
        let postponed = self.postponed.take();
        let was_there = postponed.is_some();
        self.bundle = self.bundle.take().or(postponed);
        was_there
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
        offers.judged();
        while let Some(offer) = offers.next() {
            heard.push(offer);
            offers.judged();
        }
        assert_eq!(heard, [Offer::Undo("3".to_owned()), bundle("3")]);
    }

    #[test]
    fn what_could_not_be_read_is_offered_again_ever_more_seldom_and_there_is_one_of_it() {
        let mut offers = Offers::default();
        let bundle = |text: &str| Offer::Bundle(text.as_bytes().to_vec());
        let mut pauses = Vec::new();
        for round in 0..8 {
            // However often it is offered meanwhile.
            for again in 0..100 {
                offers.add(bundle(&format!("{round}-{again}")));
                let offer = offers.next();
                pauses.extend(offers.postpone(offer).map(|pause| pause.as_secs()));
            }
            assert!(offers.resume());
            assert_eq!(offers.next(), Some(bundle(&format!("{round}-99"))));
            offers.under_way = false;
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1800, 1800]);
        // What waits is newer.
        offers.postpone(Some(bundle("old")));
        offers.add(bundle("new"));
        assert!(offers.resume());
        assert_eq!(offers.next(), Some(bundle("new")));
        offers.judged();
        assert!(!offers.resume() && offers.next().is_none());
    }
}
