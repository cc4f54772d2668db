//! What is on people's screens, as long as they have done nothing with it.

use std::{collections::BTreeMap, time::Duration};

use forewarn_engine::{NoticeId, Subject};
use forewarn_proto::inventory::Person;
use tokio::time::Instant;

/// A notice that was in sight for a shorter time nobody can be said to have read.
pub(super) const READABLE: Duration = Duration::from_secs(30);

/// A notice on a screen.
#[derive(Debug, Clone, Copy)]
struct Sight {
    id: NoticeId,
    /// The companion that shows it; None once that is gone.
    companion: Option<u64>,
    since: Instant,
}

/// At most one notice about each subject is on a screen.
#[derive(Debug, Default)]
pub(super) struct Sights(BTreeMap<Subject, Sight>);

impl Sights {
    /// A companion has put this before its person.
    pub(super) fn begin(&mut self, subject: Subject, id: NoticeId, companion: u64, now: Instant) {
        self.0.insert(subject, Sight { id, companion: Some(companion), since: now });
    }

    /// It was withdrawn, or its person has done something with it.
    pub(super) fn end(&mut self, subject: &Subject) {
        self.0.remove(subject);
    }

    /// A companion says that it is gone. Gives it back if nobody can have read it.
    pub(super) fn vanished(&mut self, id: NoticeId, companion: u64, now: Instant) -> Option<NoticeId> {
        let is_it = |sight: &Sight| sight.id == id && sight.companion == Some(companion);
        let subject = self.0.iter().find(|(_, sight)| is_it(sight))?.0.clone();
        let sight = self.0.remove(&subject)?;
        (now.duration_since(sight.since) < READABLE).then_some(id)
    }

    /// A companion is gone, and with it what it showed. Gives what nobody can have read; the rest waits for the next companion.
    pub(super) fn lose(&mut self, companion: u64, now: Instant) -> Vec<NoticeId> {
        let is_unread = |sight: &Sight| now.duration_since(sight.since) < READABLE;
        let lost = self.0.extract_if(.., |_, sight| sight.companion == Some(companion) && is_unread(sight));
        let unread = lost.map(|(_, sight)| sight.id).collect();
        self.0.values_mut().filter(|sight| sight.companion == Some(companion)).for_each(|sight| sight.companion = None);
        unread
    }

    /// Somebody attends to this person anew: what was on their screen and could be read is to be there again.
    pub(super) fn left_behind(&mut self, person: Person) -> Vec<NoticeId> {
        let left = self.0.extract_if(.., |subject, sight| subject.person() == person && sight.companion.is_none());
        left.map(|(_, sight)| sight.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: Person = Person::from_bits(1);
    const BEN: Person = Person::from_bits(2);
    const A_MOMENT: Duration = Duration::from_secs(29);

    fn subject(domain: &str, person: Person) -> Subject {
        Subject::Profile(forewarn_engine::ProfileId { domain: domain.parse().unwrap(), person })
    }

    #[test]
    fn promise_1_what_vanishes_before_it_could_be_read_was_not_shown() {
        let (mut sights, start) = (Sights::default(), Instant::now());
        let [first, second, third] = [1, 2, 3].map(NoticeId);
        sights.begin(subject("a.example", ANN), first, 7, start);
        sights.begin(subject("b.example", ANN), second, 7, start + A_MOMENT);
        sights.begin(subject("a.example", BEN), third, 8, start);
        assert_eq!(sights.vanished(first, 8, start), None, "another's companion knows nothing of it");
        assert_eq!(sights.lose(7, start + READABLE), [second]);
        assert_eq!(sights.left_behind(BEN), []);
        assert_eq!(sights.left_behind(ANN), [first]);
        assert_eq!(sights.left_behind(ANN), []);
        assert_eq!(sights.vanished(third, 8, start + A_MOMENT), Some(third));
    }

    #[test]
    fn whatever_its_person_has_dealt_with_is_not_lost() {
        let (mut sights, start) = (Sights::default(), Instant::now());
        sights.begin(subject("a.example", ANN), NoticeId(1), 7, start);
        sights.end(&subject("a.example", ANN));
        assert_eq!((sights.lose(7, start), sights.left_behind(ANN)), (Vec::new(), Vec::new()));
        sights.begin(subject("a.example", ANN), NoticeId(2), 7, start);
        assert_eq!(sights.vanished(NoticeId(2), 7, start + READABLE), None, "it could be read");
    }
}
