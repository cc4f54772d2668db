//! Looks at a home: lists what is installed in it, and of which domains it has mail. It changes nothing.

use std::{
    collections::BTreeSet,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use forewarn_engine::{Listing, Wanted};
use forewarn_inventory::{Places, list, watch_points};
use forewarn_mail::Home;
use forewarn_proto::{
    inventory::{Person, Scope, Source},
    ipc::Isolation,
    policy::Domain,
};
use serde::{Deserialize, Serialize};

use super::{Rights, open, shut_in};

/// What a worker is asked to look at.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LookRequest {
    /// One home, and the system that it is on.
    pub(crate) places: Places,
    /// Whose home it is.
    pub(crate) person: Person,
    /// The sources to list.
    pub(crate) sources: Vec<Source>,
    pub(crate) wanted: Wanted,
    /// The mail domains to look for.
    pub(crate) domains: BTreeSet<Domain>,
}

/// One line of what it answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// How far it is shut in.
    ShutIn(Isolation),
    /// The home is not open, whatever was said of it before.
    NotOpen,
    /// A source was listed.
    Listing(Listing),
    /// Of these domains there is mail, and these files, as paths from the home, say so.
    Mail(BTreeSet<Domain>, Vec<String>),
    /// Where something would change in the home, as paths from it.
    Watch(Vec<String>),
}

pub(super) fn run(request: LookRequest) -> Result<()> {
    let shared = ["nix", "home/linuxbrew"].map(|folder| request.places.root.join(folder));
    let homes = request.places.homes.iter().map(|home| home.path.as_path());
    let isolation = shut_in(&homes.chain(shared.iter().map(PathBuf::as_path)).collect(), Rights::Read)?;
    answer(&Answer::ShutIn(isolation))?;
    let home = request.places.homes.first().map(|home| &home.path).context("the request names no home")?;
    if open::ensure_open(home).is_err() {
        return answer(&Answer::NotOpen);
    }
    let scope = Scope::Person(request.person);
    answer(&Answer::Watch(points(&request.places, scope, home)))?;
    for source in request.sources {
        answer(&Answer::Listing(list(&request.places, source, scope, &request.wanted)))?;
    }
    // It may have been closed meanwhile: programs that end with a session give the hint to look.
    if open::ensure_open(home).is_err() {
        return answer(&Answer::NotOpen);
    }
    let home = Home::open(home).context("mail profiles can't be looked for")?;
    answer(&Answer::Mail(domains_with_mail(&home, &request.domains), forewarn_mail::watched(&home)))
}

/// Where the home's packages are watched: each place by the name that it has here, and where its links lead within the home.
fn points(places: &Places, scope: Scope, home: &Path) -> Vec<String> {
    let real = fs_err::canonicalize(home).unwrap_or_else(|_| home.to_owned());
    let points = watch_points(places, scope);
    let resolved = points.iter().filter_map(|point| fs_err::canonicalize(point).ok()).collect::<Vec<_>>();
    let below = |point: &PathBuf| {
        let path = point.strip_prefix(home).or_else(|_| point.strip_prefix(&real)).ok()?;
        path.to_str().map(str::to_owned)
    };
    let below: BTreeSet<String> = points.iter().chain(&resolved).filter_map(below).collect();
    below.into_iter().collect()
}

fn answer(answer: &Answer) -> Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, answer)?;
    out.write_all(b"\n")?;
    Ok(())
}

/// The domains among `domains` of which this home has a mail profile that could be taken. What is left in place, because it
/// is a private account too, obliges nobody.
fn domains_with_mail(home: &Home, domains: &BTreeSet<Domain>) -> BTreeSet<Domain> {
    let is_there = |domain: &&Domain| !forewarn_mail::find(home, domain.as_str()).accounts.is_empty();
    domains.iter().filter(is_there).cloned().collect()
}
