//! What is installed on a device, as the listings that its agent would make.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use forewarn_engine::{Listing, Package};
use forewarn_proto::{
    catalogue,
    inventory::{Person, Scope, Source},
    policy::{Pattern, Policy, Rule},
    purl::Purl,
};

use super::fleet::{App, Entry, Installed, Platform};

/// Packages, each with whom it is installed for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Apps {
    installed: BTreeSet<(Scope, Purl)>,
    sources: &'static [Source],
}

/// An entry's first person has number 0.
pub(super) fn person(index: u32) -> Person {
    Person::from_bits(index.into())
}

impl Apps {
    /// What an entry's devices have.
    ///
    /// # Errors
    /// The field that names something unknown, and what to write instead.
    pub(super) fn of(entry: &Entry, policy: &Policy) -> Result<Self, String> {
        let mut apps = Self { installed: BTreeSet::new(), sources: sources_of(entry.platform) };
        for (index, installed) in entry.apps.iter().enumerate() {
            let (scope, app) = match installed {
                Installed::System(app) => (Scope::System, app),
                Installed::Home(home) => (Scope::Person(person(home.person - 1)), &home.app),
            };
            let purl = package_of(app, entry.platform).map_err(|problem| format!("apps[{index}]: {problem}"))?;
            apps.installed.insert((scope, purl));
        }
        for id in &entry.not_met {
            let rule = policy.rules.iter().find(|rule| rule.id == *id);
            let known = || policy.rules.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>().join(", ");
            let rule = rule.ok_or_else(|| format!("not_met: the policy has no rule `{id}`; it has {}", known()))?;
            let purl = stand_in(rule, apps.sources);
            let purl = purl.ok_or_else(|| {
                format!(
                    "not_met: no agent of this platform finds rule `{id}`, as it names no package that is listed there"
                )
            })?;
            apps.installed.insert((Scope::System, purl));
        }
        Ok(apps)
    }

    /// What the agent lists: each source once for the system, and for each of so many people.
    pub(super) fn listings(&self, people: u32) -> BTreeMap<Scope, Arc<[Listing]>> {
        let scopes = (0..people).map(|index| Scope::Person(person(index))).chain([Scope::System]);
        let of = |scope| self.sources.iter().map(|source| self.listing(*source, scope)).collect();
        scopes.map(|scope| (scope, of(scope))).collect()
    }

    fn listing(&self, source: Source, scope: Scope) -> Listing {
        let there =
            self.installed.iter().filter(|(of, purl)| *of == scope && source.purl_kinds().contains(&purl.kind()));
        let packages: Vec<Package> = there.map(|(_, purl)| package(purl)).collect();
        Listing { source, scope, count: packages.len(), packages, gaps: Vec::new() }
    }

    /// Whether some rule names a package that `person` has, and whether such a one is in their home.
    pub(super) fn banned_for(&self, policy: &Policy, person: Person) -> Option<Banned> {
        let reached = self.installed.iter().filter(|(scope, _)| scope.reaches(person));
        let banned = reached.filter(|(_, purl)| policy.rules.iter().any(|rule| rule.recognise(purl, None).is_some()));
        banned.map(|(scope, _)| if *scope == Scope::System { Banned::OnDevice } else { Banned::AtHome }).max()
    }

    /// What `person` can remove is removed.
    pub(super) fn remove_all(&mut self, person: Person) {
        self.installed.retain(|(scope, _)| !scope.reaches(person));
    }

    /// Whether this version's agents list packages on this platform.
    pub(super) fn is_listed(&self) -> bool {
        !self.sources.is_empty()
    }
}

/// Where a banned app is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Banned {
    /// For everyone on the device.
    OnDevice,
    /// In a person's own home.
    AtHome,
}

fn package(purl: &Purl) -> Package {
    Package { purl: purl.clone(), display_name: None, found_in: "simulated".to_owned(), state: None }
}

fn sources_of(platform: Platform) -> &'static [Source] {
    match platform {
        Platform::Linux => &Source::ALL,
        Platform::Windows | Platform::Macos | Platform::Android => &[],
    }
}

/// The types of packages that a platform has, whether or not this version's agents list them.
fn kinds_of(platform: Platform) -> Vec<&'static str> {
    match platform {
        Platform::Linux => Source::ALL.iter().flat_map(|source| source.purl_kinds()).copied().collect(),
        Platform::Windows => vec!["windows", "msix", "chrome-extension", "firefox-extension", "vscode-extension"],
        Platform::Macos => vec!["macos", "brew", "chrome-extension", "firefox-extension", "vscode-extension"],
        Platform::Android => vec!["android"],
    }
}

/// The package that an app is on this platform. Of several, one that a match is certain of comes first.
fn package_of(app: &App, platform: Platform) -> Result<Purl, String> {
    let name = match app {
        App::Package(purl) => return Ok(purl.clone()),
        App::Named(name) if name.starts_with("pkg:") => return name.parse().map_err(|e| format!("{e}")),
        App::Named(name) => name,
    };
    let app = catalogue::find(name).ok_or_else(|| {
        format!("no app of the catalogue is called `{name}`; write its purl, or look with `forewarn-admin app search`")
    })?;
    let kinds = kinds_of(platform);
    let here = app.identities.iter().filter(|identity| kinds.contains(&identity.purl.kind()));
    let best = here.min_by_key(|identity| identity.confirmed.is_none());
    best.map(|identity| identity.purl.clone()).ok_or_else(|| {
        format!("the catalogue knows no package of `{name}` on this platform; write its purl, such as pkg:snap/{name}")
    })
}

/// A package that a rule names, for a device of which only the rule's result is known.
fn stand_in(rule: &Rule, sources: &[Source]) -> Option<Purl> {
    let kinds: Vec<&str> = sources.iter().flat_map(|source| source.purl_kinds()).copied().collect();
    let here = rule.purls.iter().filter(|pattern| kinds.contains(&pattern.purl.kind()));
    let mut best: Vec<&Pattern> = here.collect();
    best.sort_by_key(|pattern| !pattern.is_certain());
    best.into_iter().find_map(in_range)
}

/// A package of a version that a pattern names: one of those that its range speaks of, or one beside it.
fn in_range(pattern: &Pattern) -> Option<Purl> {
    let Some(vers) = &pattern.vers else { return Some(pattern.purl.clone()) };
    let text = vers.to_string();
    let spoken = text.split(['/', '|', ',']).map(|part| part.trim_start_matches(['<', '>', '=', '!', ' ']));
    let versions = ["0", "1", "999999"].into_iter().chain(spoken).filter(|version| !version.is_empty());
    let purls = versions.filter_map(|version| format!("{}@{version}", pattern.purl).parse::<Purl>().ok());
    purls.into_iter().find(|purl| pattern.names(purl))
}
