//! From listings to findings: which rule is met, not met or unknown, for whom.

use std::collections::BTreeMap;

use forewarn_proto::{
    inventory::{Listing, Person, Scope, Source},
    policy::{Policy, Rule},
    report::Finding,
};
use jiff::Timestamp;

use crate::{state::Match, time::Correction};

/// The newest listings, each with the trusted time at which it was taken.
#[derive(Debug, Default)]
pub(crate) struct Listings {
    by_source: BTreeMap<(Source, Scope), (Timestamp, Listing)>,
}

/// What the listings say of one rule for one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) finding: Finding,
    /// What matched, if the rule is not met.
    pub(crate) matched: Vec<Match>,
    /// Whether something that matched is installed for this person alone.
    pub(crate) personal: bool,
}

impl Listings {
    pub(crate) fn take(&mut self, listings: Vec<Listing>, at: Timestamp) {
        for listing in listings {
            self.by_source.insert((listing.source, listing.scope), (at, listing));
        }
    }

    /// Moves the times at which listings were taken along with a corrected clock.
    pub(crate) fn correct(&mut self, correction: Correction) {
        self.by_source.values_mut().for_each(|(taken, _)| correction.apply(taken));
    }

    /// A partial listing counts neither way: what it lists may be old, what it lacks may be there.
    pub(crate) fn find(&self, rule: &Rule, person: Person) -> Found {
        let sources = sources_of(rule);
        let mut matched = Vec::new();
        let mut personal = false;
        let mut certain = !sources.is_empty() && sources.iter().all(|s| self.has(*s));
        for ((source, scope), (_, listing)) in &self.by_source {
            if !sources.contains(source) || !scope.reaches(person) {
                continue;
            }
            if !listing.is_complete() {
                certain = false;
                continue;
            }
            let before = matched.len();
            matched.extend(matches(rule, listing));
            personal |= matched.len() > before && *scope != Scope::System;
        }
        let finding = match (matched.is_empty(), certain) {
            (false, _) => Finding::NotMet,
            (true, true) => Finding::Met,
            (true, false) => Finding::Unknown,
        };
        Found { finding, matched, personal }
    }

    /// Whether every source that matched has a complete listing that is at most `max_age` old.
    pub(crate) fn are_fresh(
        &self,
        matched: &[Match],
        person: Person,
        now: Timestamp,
        max_age: jiff::SignedDuration,
    ) -> bool {
        let fresh =
            |(taken, listing): &(Timestamp, Listing)| listing.is_complete() && now.duration_since(*taken) <= max_age;
        !matched.is_empty()
            && matched.iter().all(|m| {
                self.by_source
                    .iter()
                    .filter(|((source, scope), _)| *source == m.source && scope.reaches(person))
                    .all(|(_, entry)| fresh(entry))
            })
    }

    fn has(&self, source: Source) -> bool {
        self.by_source.contains_key(&(source, Scope::System))
    }
}

/// Whether a policy's consequence can reach this person's mail at all, for a match in `found`.
///
/// A system-wide app obliges those who have company mail; one in a home obliges that person.
pub(crate) fn obliges(policy: &Policy, found: &Found, has_mail: bool) -> bool {
    found.finding == Finding::NotMet && (found.personal || has_mail || policy.consequence.mail.is_empty())
}

fn sources_of(rule: &Rule) -> Vec<Source> {
    let lists = |source: &Source| rule.purls.iter().any(|purl| source.purl_kinds().contains(&purl.kind()));
    Source::ALL.into_iter().filter(lists).collect()
}

fn matches(rule: &Rule, listing: &Listing) -> Vec<Match> {
    listing
        .packages
        .iter()
        .filter(|package| rule.purls.iter().any(|purl| purl.names(&package.purl)))
        .map(|package| Match { source: listing.source, purl: package.purl.clone(), found_in: package.found_in.clone() })
        .collect()
}
