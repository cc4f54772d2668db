//! What was decided about each person, as it happened: the difference between what they were told they are asked before
//! something came in, and after.

use std::collections::{BTreeMap, BTreeSet};

use forewarn_engine::Engine;
use forewarn_proto::{
    inventory::Person,
    ipc::{Entry, Event, ObligationStatus},
    policy::{Domain, PolicyId, RuleId},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Moments that are nearer are the same.
const SAME: SignedDuration = SignedDuration::from_mins(1);

/// How a person stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    obligations: Vec<ObligationStatus>,
    /// Whose profiles are in the vault.
    revoked: BTreeSet<Domain>,
}

/// An obligation of one person.
type Key<'s> = (&'s PolicyId, &'s RuleId);

impl Standing {
    pub(crate) fn of(engine: &Engine, person: Person) -> Self {
        Self { obligations: engine.obligations_of(person), revoked: engine.revoked_of(person).into_iter().collect() }
    }

    /// What happened between `self` and `next`. `is_in_force` says whether a rule still is.
    pub(crate) fn until(&self, next: &Self, is_in_force: impl Fn(Key<'_>) -> bool) -> Vec<(String, Event)> {
        let (before, after) = (self.by_key(), next.by_key());
        let gone = before.iter().filter(|(key, _)| !after.contains_key(*key)).map(|(key, obligation)| {
            let event = if is_in_force(*key) { Event::AppGone } else { Event::PolicyGone };
            (obligation.app.clone(), event)
        });
        let changed = after.iter().flat_map(|(key, obligation)| {
            let events = changes(before.get(key).copied(), obligation);
            events.into_iter().map(|event| (obligation.app.clone(), event))
        });
        let about = |domains: &BTreeSet<Domain>, others: &BTreeSet<Domain>, event: Event| {
            let only = domains.difference(others).map(|domain| (domain.to_string(), event.clone()));
            only.collect::<Vec<_>>()
        };
        let taken = about(&next.revoked, &self.revoked, Event::MailTaken);
        let back = about(&self.revoked, &next.revoked, Event::MailBack);
        gone.chain(changed).chain(taken).chain(back).collect()
    }

    fn by_key(&self) -> BTreeMap<Key<'_>, &ObligationStatus> {
        self.obligations.iter().map(|obligation| ((&obligation.policy, &obligation.rule), obligation)).collect()
    }
}

/// What happened to one obligation.
fn changes(before: Option<&ObligationStatus>, after: &ObligationStatus) -> Vec<Event> {
    /// What is new of something that is there.
    fn new<T: PartialEq + Copy>(before: Option<Option<T>>, after: Option<T>) -> Option<T> {
        after.filter(|after| before.flatten() != Some(*after))
    }
    /// The same of a moment. A clock that was put right moves moments a little, and nothing has happened.
    fn moved(before: Option<Option<Timestamp>>, after: Option<Timestamp>) -> Option<Timestamp> {
        let near = |before: Timestamp, after: Timestamp| after.duration_since(before).abs() < SAME;
        after.filter(|after| before.flatten().is_none_or(|before| !near(before, *after)))
    }
    let shown = moved(before.map(|b| b.last_shown), after.last_shown).and(after.shown_on);
    let events = [
        shown.map(Event::Shown),
        new(before.map(|b| b.obstacle), after.obstacle).map(Event::NotShown),
        new(before.map(|b| Some(b.stage)), Some(after.stage)).map(Event::Came),
        moved(before.map(|b| b.deadline), after.deadline).map(Event::Deadline),
        moved(before.map(|b| b.acknowledged), after.acknowledged).map(|_| Event::Acknowledged),
        moved(before.map(|b| b.snoozed_until), after.snoozed_until).map(Event::Snoozed),
    ];
    events.into_iter().flatten().collect()
}

/// How each person stood last, so that what happens next is known as new, also after a start.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct History {
    last: BTreeMap<Person, Standing>,
}

impl History {
    /// What has happened to these people since the last call.
    pub(crate) fn go_on(&mut self, engine: &Engine, people: impl Iterator<Item = Person>) -> Vec<(Person, Entry)> {
        people.flat_map(|person| self.go_on_with(engine, person)).collect()
    }

    fn go_on_with(&mut self, engine: &Engine, person: Person) -> Vec<(Person, Entry)> {
        let next = Standing::of(engine, person);
        let last = self.last.entry(person).or_default();
        if *last == next {
            return Vec::new();
        }
        let rules = engine.rules_for(person);
        let is_in_force = |(policy, rule): Key<'_>| rules.iter().any(|r| (&r.policy, &r.rule) == (policy, rule));
        let events = last.until(&next, is_in_force);
        *last = next;
        let entry = |(about, event)| (person, Entry { at: engine.now(), about, event });
        events.into_iter().map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use forewarn_proto::report::{Medium, Obstacle, Stage};

    use super::*;

    /// An obligation that was found and not told of yet.
    fn found() -> ObligationStatus {
        let status = include_str!("../../src/command/status/page_status.json");
        let status: forewarn_proto::ipc::Status = serde_json::from_str(status).unwrap();
        let told = status.obligations.into_iter().next().unwrap();
        ObligationStatus {
            stage: Stage::Found,
            shown: None,
            shown_on: None,
            last_shown: None,
            acknowledged: None,
            deadline: None,
            ..told
        }
    }

    fn standing(obligation: ObligationStatus) -> Standing {
        Standing { obligations: vec![obligation], revoked: BTreeSet::new() }
    }

    fn events(before: &Standing, after: &Standing) -> Vec<Event> {
        before.until(after, |_| true).into_iter().map(|(_, event)| event).collect()
    }

    #[test]
    fn a_story_is_told_in_its_order_and_nothing_twice() {
        let deadline: Timestamp = "2026-12-03T09:00Z".parse().unwrap();
        let steps = [
            Standing::default(),
            standing(found()),
            standing(ObligationStatus { obstacle: Some(Obstacle::Locked), ..found() }),
            standing(ObligationStatus {
                stage: Stage::Warned,
                last_shown: Some("2026-11-30T09:00Z".parse().unwrap()),
                shown_on: Some(Medium::Desktop),
                deadline: Some(deadline),
                ..found()
            }),
            Standing { revoked: ["corp.example".parse().unwrap()].into(), ..standing(found()) },
            Standing::default(),
        ];
        let later = |by| Some(deadline.checked_add(SignedDuration::from_secs(by)).unwrap());
        let told = |by| standing(ObligationStatus { deadline: later(by), ..found() });
        assert_eq!(events(&told(0), &told(30)), [], "a clock was put right");
        assert_eq!(events(&told(0), &told(90)), [Event::Deadline(later(90).unwrap())]);
        let expected: [&[Event]; 5] = [
            &[Event::Came(Stage::Found)],
            &[Event::NotShown(Obstacle::Locked)],
            &[Event::Shown(Medium::Desktop), Event::Came(Stage::Warned), Event::Deadline(deadline)],
            &[Event::Came(Stage::Found), Event::MailTaken],
            &[Event::AppGone, Event::MailBack],
        ];
        for (pair, expected) in steps.windows(2).zip(expected) {
            assert_eq!(events(&pair[0], &pair[1]), expected);
            assert_eq!(events(&pair[1], &pair[1]), []);
        }
        let withdrawn = steps[1].until(&steps[0], |_| false);
        assert_eq!(withdrawn, [("TikTok".to_owned(), Event::PolicyGone)]);
    }
}
