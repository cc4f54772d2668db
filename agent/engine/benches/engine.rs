//! What a decision costs, beside a plain comparison of every rule with every package: `cargo xtask bench engine`.
//!
//! 1,000 rules and 10 persons throughout; the inventory grows. All figures of a row are from one run, and only the
//! ratios mean something on another machine.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
#![expect(clippy::expect_used, reason = "a benchmark may stop")]

use std::{collections::BTreeMap, hint::black_box, sync::Arc, time::Duration, time::Instant};

use forewarn_engine::{
    Engine, Input, Listing, Look, MailOf, Now, Package, PolicySet, Search, Settings, SignedPolicy, State,
};
use forewarn_proto::{
    inventory::{Person, Scope, Source},
    policy::{Domain, Pattern, Policy},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

const RULES: usize = 1000;
const PERSONS: u64 = 10;
/// How many rules match something.
const MATCHING: usize = 10;
const INVENTORIES: [usize; 3] = [2_000, 20_000, 200_000];
/// Each figure is the median of so many runs.
const RUNS: usize = 5;

fn main() {
    println!("{RULES} rules, {PERSONS} persons, {MATCHING} rules not met; medians of {RUNS} runs");
    println!(
        "{:>9} {:>12} {:>12} {:>8} {:>12} {:>8}",
        "packages", "naive", "from nothing", "ratio", "one change", "ratio"
    );
    for packages in INVENTORIES {
        let device = Device::with(packages);
        let naive = median(|| timed(|| device.compare_all()));
        let whole = median(|| timed(|| device.decide()));
        let mut engine = device.decide();
        let step = median(|| device.change_one(&mut engine));
        println!(
            "{packages:>9} {naive:>12?} {whole:>12?} {:>8.4} {step:>12?} {:>8.5}",
            whole.as_secs_f64() / naive.as_secs_f64(),
            step.as_secs_f64() / naive.as_secs_f64(),
        );
    }
}

/// What a device has, and what it is told.
struct Device {
    policy: Arc<Policy>,
    looks: Vec<(Scope, Arc<[Listing]>)>,
}

impl Device {
    fn with(packages: usize) -> Self {
        let policy = Policy::parse(policy_text().as_bytes()).expect("the policy reads").into();
        let each = packages / 10;
        let system = listing(Source::Dpkg, Scope::System, "deb/debian", packages - each);
        let homes = (1..=PERSONS).map(|id| {
            listing(Source::Flatpak, Scope::Person(Person::from_bits(id)), "flatpak", each / PERSONS as usize)
        });
        let looks = std::iter::once(system).chain(homes);
        Self { policy, looks: looks.map(|listing| (listing.scope, [listing].into())).collect() }
    }

    /// Every purl of every rule against every package.
    fn compare_all(&self) -> usize {
        let packages =
            || self.looks.iter().flat_map(|(_, listings)| listings.iter()).flat_map(|listing| &listing.packages);
        let named = |purl: &Pattern| packages().filter(|package| purl.names(&package.purl)).count();
        self.policy.rules.iter().flat_map(|rule| &rule.purls).map(named).sum()
    }

    /// A policy, people and listings come to an engine that knows nothing.
    fn decide(&self) -> Engine {
        let mut engine = Engine::new(Settings::default(), State::default());
        let signed =
            SignedPolicy { policy: Arc::clone(&self.policy), signed_by: vec!["ann".into()], expires: Timestamp::MAX };
        let policies = BTreeMap::from([(signed.policy.id.clone(), signed)]);
        let domain: Domain = "corp.example".parse().expect("a domain");
        let mail = MailOf { looked_for: [domain.clone()].into(), has: [domain].into() };
        let set = PolicySet { bundle: 1, policies, ..PolicySet::default() };
        let mut told = engine.handle(Input::PoliciesVerified(set), &now()).len();
        let token = engine.search().token;
        for (scope, listings) in &self.looks {
            let mail = if *scope == Scope::System { None } else { Some(mail.clone()) };
            let look = Look { token, scope: *scope, listings: Arc::clone(listings), mail };
            told += engine.handle(Input::Looked(look), &now()).len();
        }
        told += engine.handle(Input::Persisted(3), &now()).len();
        assert!(told > 0, "the engine decided something");
        engine
    }

    /// How long the step takes after one package came, and after it went. Listings name what rules name, and nothing else.
    fn change_one(&self, engine: &mut Engine) -> Duration {
        let Search { token, wanted, .. } = engine.search();
        let (scope, listings) = &self.looks[0];
        let is_wanted = |package: &Package| wanted.asks_for("deb", package.purl.name(), None);
        let mut listing = listings[0].clone();
        listing.packages.retain(is_wanted);
        let look = |listing: &Listing| {
            Input::Looked(Look { token, scope: *scope, listings: [listing.clone()].into(), mail: None })
        };
        let mut with_another = listing.clone();
        with_another.packages.push(package(Source::Dpkg, "deb/debian", "banned-999"));
        timed(|| {
            engine.handle(look(&with_another), &now());
            engine.handle(look(&listing), &now())
        }) / 2
    }
}

fn policy_text() -> String {
    let rules = (0..RULES).map(|rule| {
        // The first few are installed: they stand in the lists under these names.
        let name = if rule < MATCHING { format!("package-{rule:06}") } else { format!("banned-{rule}") };
        format!("[[rule]]\nid = \"r{rule}\"\napp = \"App {rule}\"\npurls = [\"pkg:deb/debian/{name}\", \"pkg:flatpak/org.{name}\"]\n")
    });
    let head = "id = \"ban\"\nversion = 1\ntitle = \"t\"\nmessage = { en = \"m\" }\nconsequence = { mail = [\"corp.example\"] }\n";
    std::iter::once(head.to_owned()).chain(rules).collect()
}

fn listing(source: Source, scope: Scope, kind: &str, packages: usize) -> Listing {
    let packages: Vec<_> = (0..packages).map(|n| package(source, kind, &format!("package-{n:06}"))).collect();
    Listing { source, scope, count: packages.len(), packages, gaps: Vec::new() }
}

fn package(source: Source, kind: &str, name: &str) -> Package {
    let purl = format!("pkg:{kind}/{name}@1.0").parse().expect("a purl");
    Package { purl, display_name: None, found_in: format!("the list of {}", source.name()), state: None }
}

fn now() -> Now {
    let wall = "2026-12-01T09:00Z".parse().expect("a time");
    Now { wall, boot: SignedDuration::from_secs(60), boot_id: Some("boot".into()), zone: TimeZone::UTC }
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let begun = Instant::now();
    black_box(work());
    begun.elapsed()
}

fn median(mut run: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS).map(|_| run()).collect();
    times.sort();
    times[RUNS / 2]
}
