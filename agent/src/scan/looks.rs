//! Which scopes are looked at now, which after that, and when those that did not answer are looked at again.

use std::{collections::BTreeMap, time::Duration};

use forewarn_engine::Settings;
use forewarn_proto::inventory::Scope;

/// How much of a scope is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Extent {
    /// What differs from the last look.
    Changes,
    /// Everything, because rules have changed.
    Whole,
}

/// One scope's looks: one at a time. One that begins while another runs would see an older device than it claims.
#[derive(Debug, Default)]
struct Look {
    under_way: bool,
    again: Option<Extent>,
    ended: bool,
    failures: u32,
}

/// Each scope's looks, which wait for no other's.
#[derive(Debug)]
pub(crate) struct Looks(BTreeMap<Scope, Look>);

impl Looks {
    pub(crate) fn new(scopes: impl Iterator<Item = Scope>) -> Self {
        Self(scopes.map(|scope| (scope, Look::default())).collect())
    }

    pub(crate) fn scopes(&self) -> Vec<Scope> {
        self.0.keys().copied().collect()
    }

    /// Whether a look may begin now. Else it is due when the present one has ended.
    pub(crate) fn begin(&mut self, scope: Scope, extent: Extent) -> bool {
        let Some(look) = self.0.get_mut(&scope) else { return false };
        if look.under_way {
            look.again = look.again.max(Some(extent));
            return false;
        }
        look.under_way = true;
        true
    }

    /// What is there now was looked for in this scope.
    pub(crate) fn note(&mut self, scope: Scope) {
        self.0.get_mut(&scope).into_iter().for_each(|look| look.ended = true);
    }

    /// A look has ended. Gives the one that is due now; and after which pause another has to come, where this one failed.
    pub(crate) fn end(&mut self, scope: Scope, failed: bool) -> (Option<Extent>, Option<Duration>) {
        let Some(look) = self.0.get_mut(&scope) else { return (None, None) };
        look.under_way = false;
        let pause = Settings::retry_pause(look.failures).unsigned_abs();
        look.failures = if failed { look.failures.saturating_add(1) } else { 0 };
        (look.again.take(), failed.then_some(pause))
    }

    /// Whether every scope was looked at once. Before that the device is not known.
    pub(crate) fn are_complete(&self) -> bool {
        self.0.values().all(|look| look.ended)
    }
}

#[cfg(test)]
mod tests {
    use forewarn_proto::inventory::Person;

    use super::*;

    const ANN: Scope = Scope::Person(Person::from_bits(1));

    #[test]
    fn a_look_that_is_asked_for_during_another_comes_after_it_and_sees_the_most_that_was_asked() {
        let mut looks = Looks::new([Scope::System, ANN].into_iter());
        assert!(looks.begin(ANN, Extent::Changes));
        assert!(looks.begin(Scope::System, Extent::Changes), "nobody waits for another");
        assert!(!looks.begin(ANN, Extent::Whole) && !looks.begin(ANN, Extent::Changes));
        assert_eq!(looks.end(ANN, false), (Some(Extent::Whole), None));
        looks.note(ANN);
        assert!(!looks.are_complete());
        assert_eq!(looks.end(Scope::System, false), (None, None));
        looks.note(Scope::System);
        assert!(looks.are_complete());
    }

    #[test]
    fn what_did_not_answer_is_looked_at_again_ever_more_seldom() {
        let mut looks = Looks::new([ANN].into_iter());
        let mut pauses = Vec::new();
        for _ in 0..8 {
            looks.begin(ANN, Extent::Changes);
            pauses.extend(looks.end(ANN, true).1.map(|pause| pause.as_secs()));
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1800, 1800]);
        looks.end(ANN, false);
        assert_eq!(looks.end(ANN, true).1, Some(Settings::FIRST_RETRY.unsigned_abs()));
    }
}
