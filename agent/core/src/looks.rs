//! Which scopes are looked at now, which after that, and when those that did not answer are looked at again.

use std::{collections::BTreeMap, time::Duration};

use forewarn_engine::Settings;
use forewarn_proto::inventory::Scope;

/// One scope's looks: one at a time. One that begins while another runs would see an older device than it claims.
#[derive(Debug, Default)]
struct Look {
    under_way: bool,
    again: bool,
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
    pub(crate) fn begin(&mut self, scope: Scope) -> bool {
        let Some(look) = self.0.get_mut(&scope) else { return false };
        look.again = look.under_way;
        !std::mem::replace(&mut look.under_way, true)
    }

    /// A look has ended. Says whether another is due now, and after which pause one has to come where this one failed.
    pub(crate) fn end(&mut self, scope: Scope, failed: bool) -> (bool, Option<Duration>) {
        let Some(look) = self.0.get_mut(&scope) else { return (false, None) };
        look.under_way = false;
        let pause = Settings::retry_pause(look.failures).unsigned_abs();
        look.failures = if failed { look.failures.saturating_add(1) } else { 0 };
        (std::mem::take(&mut look.again), failed.then_some(pause))
    }
}

#[cfg(test)]
mod tests {
    use forewarn_proto::inventory::Person;

    use super::*;

    const ANN: Scope = Scope::Person(Person::from_bits(1));

    #[test]
    fn a_look_that_is_asked_for_during_another_comes_once_after_it() {
        let mut looks = Looks::new([Scope::System, ANN].into_iter());
        assert!(looks.begin(ANN));
        assert!(looks.begin(Scope::System), "nobody waits for another");
        assert!(!looks.begin(ANN) && !looks.begin(ANN));
        assert_eq!(looks.end(ANN, false), (true, None));
        assert!(looks.begin(ANN));
        assert_eq!((looks.end(ANN, false), looks.end(Scope::System, false)), ((false, None), (false, None)));
        assert!(!looks.begin(Scope::Person(Person::from_bits(9))), "nobody looks after them");
    }

    #[test]
    fn what_did_not_answer_is_looked_at_again_ever_more_seldom() {
        let mut looks = Looks::new([ANN].into_iter());
        let mut pauses = Vec::new();
        for _ in 0..8 {
            looks.begin(ANN);
            pauses.extend(looks.end(ANN, true).1.map(|pause| pause.as_secs()));
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1800, 1800]);
        looks.end(ANN, false);
        assert_eq!(looks.end(ANN, true).1, Some(Settings::FIRST_RETRY.unsigned_abs()));
    }
}
