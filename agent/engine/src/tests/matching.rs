//! What listings say of rules, taken whole and by their changes.

use std::collections::BTreeSet;

use crate::{Gap, Listing};
use forewarn_proto::{
    inventory::{Scope, Source},
    policy::{Policy, PolicyId},
    report::{Doubt, Finding},
};
use jiff::{SignedDuration, Timestamp};

use super::world::{ANN, BEN, package, policy};
use crate::finding::{Listings, RuleKey};

fn listing(scope: Scope, apps: &BTreeSet<String>, complete: bool) -> Listing {
    let gap = Gap { path: "/broken".into(), offset: None, reason: "broken".into() };
    let mut packages: Vec<_> = apps.iter().map(|app| package(app)).collect();
    packages.sort();
    Listing {
        source: Source::Desktop,
        scope,
        count: packages.len(),
        packages,
        gaps: if complete { vec![] } else { vec![gap] },
    }
}

/// Listings of the system, as given, and of homes in which nothing is.
fn listed(listings: &mut Listings, system: Listing, at: Timestamp) {
    let homes = [ANN, BEN].map(|person| listing(Scope::Person(person), &BTreeSet::new(), true));
    listings.take(&[vec![system], homes.to_vec()].concat(), at);
}

fn key() -> RuleKey {
    RuleKey::new(false, &"ban".parse::<PolicyId>().unwrap(), &"tiktok".parse().unwrap())
}

fn set(listings: &mut Listings, policy: &Policy) {
    listings.set_rules(policy.rules.iter().map(|rule| (RuleKey::new(false, &policy.id, &rule.id), rule)));
}

fn apps(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_rule_is_unknown_until_its_source_was_listed_since_it_came() {
    let (mut listings, at) = (Listings::default(), Timestamp::UNIX_EPOCH);
    let doubt = Doubt::NotListed(Source::Desktop);
    listed(&mut listings, listing(Scope::System, &apps(&["tiktok"]), true), at);
    set(&mut listings, &policy("ban", 1, ""));
    assert_eq!(listings.find(&key(), ANN).doubts, BTreeSet::from([doubt]));
    assert_eq!(listings.of_device(&key()), (Finding::Unknown, BTreeSet::from([doubt])));
    listings.take(&[listing(Scope::System, &apps(&[]), true)], at);
    assert_eq!(listings.find(&key(), ANN).finding, Finding::Unknown, "ANN's home may have it");
    assert_eq!(listings.of_device(&key()), (Finding::Unknown, BTreeSet::from([doubt])));
    listed(&mut listings, listing(Scope::System, &apps(&[]), true), at);
    assert_eq!((listings.find(&key(), ANN).finding, listings.of_device(&key()).0), (Finding::Met, Finding::Met));
    listings.take(&[listing(Scope::System, &apps(&["tiktok"]), true)], at);
    assert_eq!(listings.find(&key(), ANN).finding, Finding::NotMet);
    // Another rule beside it changes nothing.
    set(&mut listings, &policy("ban", 2, ""));
    assert_eq!(listings.find(&key(), ANN).finding, Finding::NotMet);
}

#[test]
fn what_a_partial_listing_shows_is_there_and_what_it_lacks_is_unknown() {
    let (mut listings, at) = (Listings::default(), Timestamp::UNIX_EPOCH);
    let five = SignedDuration::from_mins(5);
    set(&mut listings, &policy("ban", 1, ""));
    listed(&mut listings, listing(Scope::System, &apps(&["tiktok"]), false), at);
    let found = listings.find(&key(), ANN);
    assert_eq!((found.finding, found.doubts), (Finding::NotMet, BTreeSet::from([Doubt::Partial(Source::Desktop)])));
    assert_eq!(listings.of_device(&key()).0, Finding::NotMet);
    assert_eq!(listings.matching(), BTreeSet::from([(key(), Scope::System)]));
    assert_eq!(listings.scopes_of(&key()), BTreeSet::from([Scope::System]));
    assert!(!listings.is_fresh(&key(), ANN, at, five), "it takes nothing");
    listings.take(&[listing(Scope::System, &apps(&[]), false)], at);
    assert_eq!(
        (listings.find(&key(), ANN).finding, listings.of_device(&key()).0),
        (Finding::Unknown, Finding::Unknown)
    );
}

#[test]
fn a_source_vouches_only_if_all_its_listings_for_a_person_are_complete() {
    let (mut listings, at) = (Listings::default(), Timestamp::UNIX_EPOCH);
    let five = SignedDuration::from_mins(5);
    set(&mut listings, &policy("ban", 1, ""));
    let partial = listing(Scope::Person(BEN), &apps(&["tiktok"]), false);
    listed(&mut listings, listing(Scope::System, &apps(&["tiktok"]), true), at);
    listings.take(std::slice::from_ref(&partial), at);
    let fresh = |listings: &Listings| [ANN, BEN].map(|person| listings.is_fresh(&key(), person, at, five));
    assert_eq!(fresh(&listings), [true, false]);
    // Another source, that is complete, shows it too: by its name alone, and then for certain.
    let flatpak = |listings: &mut Listings, some: &Policy| {
        set(listings, some);
        let mut other = listing(Scope::System, &apps(&["tiktok"]), true);
        other.source = Source::Flatpak;
        other.packages[0].purl = "pkg:flatpak/com.tiktok.App".parse().unwrap();
        let homes = [ANN, BEN]
            .map(|person| Listing { source: Source::Flatpak, ..listing(Scope::Person(person), &apps(&[]), true) });
        listings.take(&homes, at);
        listings.take(&[other, listing(Scope::System, &apps(&[]), true), partial.clone()], at);
    };
    let mut some = policy("ban", 2, "");
    some.rules[0].display_names.push("TikTok".to_owned());
    flatpak(&mut listings, &some);
    assert_eq!(listings.find(&key(), BEN).matched.len(), 2);
    assert_eq!(fresh(&listings), [false, false]);
    let mut pattern = some.rules[0].purls[0].clone();
    pattern.purl = "pkg:flatpak/com.tiktok.App".parse().unwrap();
    some.rules[0].purls.push(pattern);
    flatpak(&mut listings, &some);
    assert_eq!(fresh(&listings), [true, true]);
}

#[test]
fn a_package_whose_version_is_not_known_leaves_a_rule_about_versions_unknown() {
    let (mut listings, at) = (Listings::default(), Timestamp::UNIX_EPOCH);
    let mut some = policy("ban", 1, "");
    for pattern in some.rules.iter_mut().flat_map(|rule| &mut rule.purls) {
        pattern.vers = Some("vers:generic/<7".parse().unwrap());
    }
    set(&mut listings, &some);
    let doubts = |listings: &Listings| (listings.find(&key(), ANN).finding, listings.of_device(&key()));
    let complete = |apps: &[&str]| listing(Scope::System, &self::apps(apps), true);
    listed(&mut listings, complete(&["tiktok"]), at);
    let doubt = BTreeSet::from([Doubt::NoVersion(Source::Desktop)]);
    assert_eq!(doubts(&listings), (Finding::Unknown, (Finding::Unknown, doubt)));
    listings.take(&[complete(&[])], at);
    assert_eq!(doubts(&listings), (Finding::Met, (Finding::Met, BTreeSet::new())));
    // Any version of it is banned.
    listings.take(&[complete(&["tiktok"])], at);
    set(&mut listings, &policy("ban", 2, ""));
    listed(&mut listings, complete(&["tiktok"]), at);
    assert_eq!(doubts(&listings), (Finding::NotMet, (Finding::NotMet, BTreeSet::new())));
}

#[test]
fn what_is_in_one_home_is_found_for_that_person_alone() {
    let (mut listings, at) = (Listings::default(), Timestamp::UNIX_EPOCH);
    set(&mut listings, &policy("ban", 1, ""));
    let none = BTreeSet::new();
    let (ann, ben) = (Scope::Person(ANN), Scope::Person(BEN));
    let of = |scope: Scope| if scope == ann { apps(&["tiktok"]) } else { none.clone() };
    listings.take(&[ann, ben, Scope::System].map(|scope| listing(scope, &of(scope), true)), at);
    assert_eq!((listings.find(&key(), ANN).finding, listings.find(&key(), ANN).personal), (Finding::NotMet, true));
    assert_eq!(listings.find(&key(), BEN).finding, Finding::Met);
    assert_eq!(listings.of_device(&key()).0, Finding::NotMet);
}

#[test]
fn a_listing_is_fresh_for_five_minutes_and_no_longer() {
    let (mut listings, at) = (Listings::default(), Timestamp::UNIX_EPOCH);
    let five = SignedDuration::from_mins(5);
    set(&mut listings, &policy("ban", 1, ""));
    listed(&mut listings, listing(Scope::System, &apps(&["tiktok"]), true), at);
    assert!(listings.is_fresh(&key(), ANN, at + five, five));
    assert!(!listings.is_fresh(&key(), ANN, at + five + SignedDuration::from_nanos(1), five));
    listings.take(&[listing(Scope::System, &apps(&[]), true)], at);
    assert!(!listings.is_fresh(&key(), ANN, at, five), "what is not there justifies nothing");
}
