//! From listings to findings: which rule is met, not met or unknown, for whom.
//!
//! Packages are not kept. When a listing comes, what rules name is picked out of it. A rule that is new has to wait for the
//! next listing that was made for it.

use std::collections::{BTreeMap, BTreeSet};

use forewarn_proto::{
    inventory::{Person, Scope, Source},
    ipc::SourceStatus,
    policy::{How, Pattern, Policy, PolicyId, Rule, RuleId, display_name_key},
    purl::Purl,
    report::{Doubt, Finding},
};
use jiff::{SignedDuration, Timestamp};

use crate::{Gap, Listing, ObligationId, Package, Token, Wanted, state::Match, time::Correction};

/// One rule of one policy or preview.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RuleKey {
    pub(crate) preview: bool,
    pub(crate) policy: PolicyId,
    pub(crate) rule: RuleId,
}

impl RuleKey {
    pub(crate) fn new(preview: bool, policy: &PolicyId, rule: &RuleId) -> Self {
        Self { preview, policy: policy.clone(), rule: rule.clone() }
    }

    /// Under which the findings of an obligation's rule are kept.
    pub(crate) fn of(id: &ObligationId) -> Self {
        Self::new(false, &id.policy, &id.rule)
    }
}

/// What the newest listings say of the rules in force.
#[derive(Debug, Default)]
pub(crate) struct Listings {
    /// Grows with each change of the rules.
    generation: u64,
    /// Grows with each change of the packages that listings have to name.
    token: u64,
    rules: BTreeMap<RuleKey, Watched>,
    /// Which rules may name a package, by the package's purl type and name.
    index: BTreeMap<String, BTreeMap<String, BTreeSet<RuleKey>>>,
    /// Which rules name a package by its display name.
    called: BTreeMap<String, BTreeSet<RuleKey>>,
    taken: BTreeMap<(Source, Scope), Taken>,
}

/// A rule that listings are searched for.
#[derive(Debug)]
struct Watched {
    rule: Rule,
    sources: Vec<Source>,
    /// The generation in which it came.
    since: u64,
}

/// What is kept of a listing.
#[derive(Debug)]
struct Taken {
    at: Timestamp,
    /// How many packages there are, whatever rules name.
    count: usize,
    gaps: Vec<Gap>,
    /// The rules of this generation, and of former ones, were looked for.
    generation: u64,
    matches: BTreeMap<RuleKey, BTreeSet<Match>>,
    /// Packages that would match in some versions, and whose version is not known: their purl, and where they were found.
    unversioned: BTreeMap<RuleKey, BTreeSet<(Purl, String)>>,
}

impl Taken {
    fn is_complete(&self) -> bool {
        self.gaps.is_empty()
    }

    fn forget(&mut self, key: &RuleKey) {
        self.matches.remove(key);
        self.unversioned.remove(key);
    }
}

/// What the listings say of one rule for one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) finding: Finding,
    /// What matched, if the rule is not met.
    pub(crate) matched: Vec<Match>,
    /// Whether something that matched is installed for this person alone.
    pub(crate) personal: bool,
    /// What keeps the result from being certain.
    pub(crate) doubts: BTreeSet<Doubt>,
}

impl Listings {
    /// Sets the rules that listings are searched for. One that stays as it was keeps what was found.
    pub(crate) fn set_rules<'r>(&mut self, rules: impl Iterator<Item = (RuleKey, &'r Rule)>) {
        let former = self.wanted();
        self.replace_rules(rules);
        self.token += u64::from(self.wanted() != former);
    }

    fn replace_rules<'r>(&mut self, rules: impl Iterator<Item = (RuleKey, &'r Rule)>) {
        self.generation += 1;
        let mut former = std::mem::take(&mut self.rules);
        self.index.clear();
        self.called.clear();
        for (key, rule) in rules {
            let same = former
                .remove(&key)
                .filter(|watched| watched.rule.purls == rule.purls && watched.rule.display_names == rule.display_names);
            let watched = same.unwrap_or_else(|| {
                self.taken.values_mut().for_each(|taken| taken.forget(&key));
                Watched { rule: rule.clone(), sources: sources_of(rule), since: self.generation }
            });
            for Pattern { purl, .. } in &rule.purls {
                let names = self.index.entry(purl.kind().to_owned()).or_default();
                names.entry(purl.name().to_owned()).or_default().insert(key.clone());
            }
            for name in &rule.display_names {
                self.called.entry(display_name_key(name)).or_default().insert(key.clone());
            }
            self.rules.insert(key, watched);
        }
        for dropped in former.keys() {
            self.taken.values_mut().for_each(|taken| taken.forget(dropped));
        }
    }

    /// Under which a look has to have begun to say something of the rules in force.
    pub(crate) fn token(&self) -> Token {
        Token(self.token)
    }

    /// Which packages listings have to name.
    pub(crate) fn wanted(&self) -> Wanted {
        let of = |(kind, names): (&String, &BTreeMap<String, _>)| (kind.clone(), names.keys().cloned().collect());
        Wanted::Named {
            names: self.index.iter().map(of).collect(),
            display_names: self.called.keys().cloned().collect(),
        }
    }

    /// Takes whole listings, each in the place of the former one of its source and scope.
    pub(crate) fn take(&mut self, listings: &[Listing], at: Timestamp) {
        for listing in listings {
            let mut taken = Taken {
                at,
                count: listing.count,
                gaps: listing.gaps.clone(),
                generation: self.generation,
                matches: BTreeMap::new(),
                unversioned: BTreeMap::new(),
            };
            listing.packages.iter().for_each(|package| self.add(&mut taken, listing.source, package));
            self.taken.insert((listing.source, listing.scope), taken);
        }
    }

    fn add(&self, taken: &mut Taken, source: Source, package: &Package) {
        let names = self.index.get(package.purl.kind());
        let named = names.and_then(|names| names.get(package.purl.name()));
        let shown = package.display_name.as_deref().filter(|_| !self.called.is_empty()).map(display_name_key);
        let called = shown.and_then(|shown| self.called.get(&shown));
        for key in named.into_iter().chain(called).flatten() {
            let Some(Watched { rule, .. }) = self.rules.get(key) else { continue };
            if let Some(how) = rule.recognise(&package.purl, package.display_name.as_deref()) {
                taken.matches.entry(key.clone()).or_default().insert(Match::of(source, package, how));
            }
            if rule.needs_version_of(&package.purl) {
                let packages = taken.unversioned.entry(key.clone()).or_default();
                packages.insert((package.purl.clone(), package.found_in.clone()));
            }
        }
    }

    /// What each source lists for this person.
    pub(crate) fn sums(&self, person: Person) -> Vec<SourceStatus> {
        let of = |source: Source| {
            let for_them = move |(of, scope): &(Source, Scope)| *of == source && scope.reaches(person);
            self.taken.iter().filter(move |(place, _)| for_them(place)).map(|(_, taken)| taken)
        };
        let sum = |source: Source| SourceStatus {
            source,
            packages: of(source).map(|taken| taken.count).sum(),
            gaps: of(source).flat_map(|taken| &taken.gaps).map(|gap| gap.to_string().into()).collect(),
        };
        Source::ALL.into_iter().map(sum).collect()
    }

    /// Moves the times at which listings were taken along with a corrected clock.
    pub(crate) fn correct(&mut self, correction: Correction) {
        self.taken.values_mut().for_each(|taken| correction.apply(&mut taken.at));
    }

    /// The rules of policies that act and that match something, each with whom it is installed for.
    pub(crate) fn matching(&self) -> BTreeSet<(RuleKey, Scope)> {
        let keys =
            self.taken.iter().flat_map(|((_, scope), taken)| taken.matches.keys().map(|key| (key.clone(), *scope)));
        keys.filter(|(key, _)| !key.preview).collect()
    }

    /// Whom what matches a rule is installed for.
    pub(crate) fn scopes_of(&self, key: &RuleKey) -> BTreeSet<Scope> {
        self.taken.iter().filter(|(_, taken)| taken.matches.contains_key(key)).map(|((_, scope), _)| *scope).collect()
    }

    /// A rule's result for a person. What a partial listing shows is most likely there, and is warned of; what it lacks may be
    /// there too.
    pub(crate) fn find(&self, key: &RuleKey, person: Person) -> Found {
        let mut doubts = self.unlisted(key, [Scope::System, Scope::Person(person)].into_iter());
        let mut matched = Vec::new();
        let mut personal = false;
        for ((source, scope), taken) in self.taken.iter().filter(|((_, scope), _)| scope.reaches(person)) {
            doubts.extend(self.doubt(key, *source, taken));
            if let Some(matches) = taken.matches.get(key) {
                personal |= *scope != Scope::System;
                matched.extend(matches.iter().cloned());
            }
        }
        let finding = finding(!matched.is_empty(), &doubts);
        Found { finding, matched, personal, doubts }
    }

    /// A rule's result for the device: not met if it is not met for anyone, else unknown if it is unknown for anyone.
    pub(crate) fn of_device(&self, key: &RuleKey) -> (Finding, BTreeSet<Doubt>) {
        let known: BTreeSet<Scope> = self.taken.keys().map(|(_, scope)| *scope).chain([Scope::System]).collect();
        let mut doubts = self.unlisted(key, known.iter().copied());
        let mut matches = false;
        for ((source, _), taken) in &self.taken {
            doubts.extend(self.doubt(key, *source, taken));
            matches |= taken.matches.contains_key(key);
        }
        (finding(matches, &doubts), doubts)
    }

    /// What a listing leaves unsaid of a rule.
    fn doubt(&self, key: &RuleKey, source: Source, taken: &Taken) -> Option<Doubt> {
        if !taken.is_complete() {
            return self.sources(key).contains(&source).then_some(Doubt::Partial(source));
        }
        taken.unversioned.contains_key(key).then_some(Doubt::NoVersion(source))
    }

    fn sources(&self, key: &RuleKey) -> &[Source] {
        self.rules.get(key).map(|watched| watched.sources.as_slice()).unwrap_or_default()
    }

    /// The sources that were not yet searched for a rule in each of these scopes, or that there is none.
    fn unlisted(&self, key: &RuleKey, scopes: impl Iterator<Item = Scope> + Clone) -> BTreeSet<Doubt> {
        let sources = self.sources(key);
        if sources.is_empty() {
            return BTreeSet::from([Doubt::NoSource]);
        }
        let searched = |source: Source| {
            let mut listed = scopes.clone().filter(|scope| source.lists(*scope));
            listed.all(|scope| self.searched(key, source, scope).is_some())
        };
        sources.iter().filter(|source| !searched(**source)).map(|source| Doubt::NotListed(*source)).collect()
    }

    /// A listing, if it was taken since the rule came.
    fn searched(&self, key: &RuleKey, source: Source, scope: Scope) -> Option<&Taken> {
        let since = self.rules.get(key)?.since;
        self.taken.get(&(source, scope)).filter(|taken| taken.generation >= since)
    }

    /// Whether what certainly breaks a rule for a person is shown by a source all of whose listings are complete and at most
    /// `max_age` old.
    pub(crate) fn is_fresh(&self, key: &RuleKey, person: Person, now: Timestamp, max_age: SignedDuration) -> bool {
        let vouches = |taken: &Taken| taken.is_complete() && now.duration_since(taken.at) <= max_age;
        let shows = |taken: &Taken| taken.matches.get(key).is_some_and(is_certain);
        self.sources(key).iter().any(|source| {
            let scopes = [Scope::System, Scope::Person(person)].into_iter().filter(|scope| source.lists(*scope));
            let mut listings = scopes.map(|scope| self.searched(key, *source, scope));
            listings.clone().flatten().any(shows) && listings.all(|taken| taken.is_some_and(vouches))
        })
    }
}

/// Whether something that is certainly the app is among what matched.
pub(crate) fn is_certain<'m>(matched: impl IntoIterator<Item = &'m Match>) -> bool {
    matched.into_iter().any(|matched| matched.how.is_certain())
}

fn finding(matches: bool, doubts: &BTreeSet<Doubt>) -> Finding {
    match (matches, doubts.is_empty()) {
        (true, _) => Finding::NotMet,
        (false, true) => Finding::Met,
        (false, false) => Finding::Unknown,
    }
}

impl Match {
    fn of(source: Source, package: &Package, how: How) -> Self {
        Self { source, purl: package.purl.clone(), found_in: package.found_in.clone(), how }
    }
}

/// Whether a policy's consequence can reach this person's mail at all, for a match in `found`.
///
/// A system-wide app obliges those who have company mail; one in a home obliges that person.
pub(crate) fn obliges(policy: &Policy, found: &Found, has_mail: bool) -> bool {
    found.finding == Finding::NotMet && (found.personal || has_mail || policy.consequence.mail.is_empty())
}

/// The sources that can say whether a rule is met: those of its certain purls. What only warns does not keep anybody's mail
/// from returning, so it counts only where there is nothing else.
fn sources_of(rule: &Rule) -> Vec<Source> {
    let kinds_of = |certain: bool| -> BTreeSet<&str> {
        rule.purls.iter().filter(|p| p.is_certain() == certain).map(|p| p.purl.kind()).collect()
    };
    let of = |kinds: &BTreeSet<&str>| -> Vec<Source> {
        Source::ALL.into_iter().filter(|source| source.purl_kinds().iter().any(|kind| kinds.contains(kind))).collect()
    };
    let named = if rule.display_names.is_empty() { &[][..] } else { &Source::WITH_DISPLAY_NAMES };
    [of(&kinds_of(true)), of(&kinds_of(false)), named.to_vec()].into_iter().find(|s| !s.is_empty()).unwrap_or_default()
}
