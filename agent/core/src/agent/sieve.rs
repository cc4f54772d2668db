//! What people, and what attends to them, say as often as they like. Each of a person's words about a thing is heard at once, if there
//! was none for a second; of those that come sooner the last is heard when that is over. What is stored of it costs a disk.

use std::{collections::BTreeMap, time::Duration};

use forewarn_engine::{Input, Subject};
use forewarn_proto::inventory::Person;
use tokio::time::Instant;

use crate::notice::News;

/// How long one person's words wait after the former ones.
const PAUSE: Duration = Duration::from_secs(1);

/// What a word is about: of those about the same, the last counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    Presence,
    Read(Subject),
    Later(Subject),
}

/// One person's words.
#[derive(Debug)]
struct Said {
    next: Instant,
    waiting: BTreeMap<About, News>,
}

/// Everybody's words.
#[derive(Debug, Default)]
pub(super) struct Sieve(BTreeMap<Person, Said>);

impl Sieve {
    /// Something is said. Gives it back if it is heard at once.
    pub(super) fn pass(&mut self, news: News, now: Instant) -> Option<News> {
        // A receipt answers what was handed out, and so comes no more often.
        let Some((person, about)) = about(&news) else { return Some(news) };
        let said = self.0.entry(person).or_insert_with(|| Said { next: now, waiting: BTreeMap::new() });
        if now >= said.next && said.waiting.is_empty() {
            said.next = now + PAUSE;
            return Some(news);
        }
        said.waiting.insert(about, news);
        None
    }

    /// When something that waits is to be heard.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0.values().filter(|said| !said.waiting.is_empty()).map(|said| said.next).min()
    }

    /// What is to be heard now.
    pub(super) fn take(&mut self, now: Instant) -> Vec<News> {
        let mut heard = Vec::new();
        for said in self.0.values_mut().filter(|said| now >= said.next && !said.waiting.is_empty()) {
            heard.extend(std::mem::take(&mut said.waiting).into_values());
            said.next = now + PAUSE;
        }
        self.0.retain(|_, said| now < said.next);
        heard
    }
}

fn about(news: &News) -> Option<(Person, About)> {
    let about = match news {
        News::Attended(person) | News::Input(Input::PersonReachable(person) | Input::PersonUnattended(person)) => {
            return Some((*person, About::Presence));
        }
        News::Input(Input::NoticeAcknowledged(subject)) => About::Read(subject.clone()),
        News::Input(Input::NoticeSnoozed(subject, _)) => About::Later(subject.clone()),
        News::Input(_) => return None,
    };
    let (About::Read(subject) | About::Later(subject)) = &about else { return None };
    Some((subject.person(), about))
}

#[cfg(test)]
mod tests {
    use forewarn_engine::{NoticeId, ProfileId};
    use forewarn_proto::report::Medium;
    use jiff::SignedDuration;

    use super::*;

    const ANN: Person = Person::from_bits(1);
    const BEN: Person = Person::from_bits(2);

    fn snoozed(person: Person, domain: &str, minutes: i64) -> News {
        let subject = Subject::Profile(ProfileId { domain: domain.parse().unwrap(), person });
        News::Input(Input::NoticeSnoozed(subject, SignedDuration::from_mins(minutes)))
    }

    #[test]
    fn a_hundred_thousand_words_are_heard_once_a_second_and_the_last_counts() {
        let (mut sieve, start) = (Sieve::default(), Instant::now());
        let mut heard = Vec::new();
        for word in 0..100_000_u32 {
            let now = start + Duration::from_millis(word.into()) / 10;
            heard.extend(sieve.take(now));
            heard.extend(sieve.pass(snoozed(BEN, "a.example", word.into()), now));
        }
        assert_eq!(heard.len(), 10, "in ten seconds");
        assert_eq!(sieve.due(), Some(start + PAUSE * 10));
        let last = sieve.take(start + PAUSE * 10);
        assert!(matches!(&last[..], [News::Input(Input::NoticeSnoozed(_, length))] if length.as_mins() == 99_999));
        assert_eq!(sieve.due(), None);
        sieve.take(start + PAUSE * 11);
        assert!(sieve.0.is_empty(), "nothing is remembered of it");
    }

    #[test]
    fn nobody_s_words_wait_for_another_s_and_a_receipt_for_none() {
        let (mut sieve, now) = (Sieve::default(), Instant::now());
        assert!(sieve.pass(snoozed(BEN, "a.example", 1), now).is_some());
        assert!(sieve.pass(snoozed(BEN, "a.example", 2), now).is_none());
        assert!(sieve.pass(snoozed(ANN, "a.example", 1), now).is_some());
        let receipt = || News::Input(Input::NoticeShown(NoticeId(1), Medium::Desktop));
        assert!(sieve.pass(receipt(), now).is_some() && sieve.pass(receipt(), now).is_some());
        for news in [News::Attended(BEN), News::Input(Input::PersonUnattended(BEN)), snoozed(BEN, "b.example", 1)] {
            assert!(sieve.pass(news, now).is_none());
        }
        assert_eq!(sieve.take(now + PAUSE).len(), 3, "of those about the same the last");
    }
}
