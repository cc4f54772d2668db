//! The process that reads a home: a short life with that person's rights and no others.
//!
//! What it is asked comes in as JSON, what it finds goes out as lines of JSON. Before it opens anything it gives up what
//! it does not need: it can't write, can't reach a network, can't start anything, and sees only the home and the Nix
//! store. Whoever takes it over by a file of their own gains what they had.

use std::{
    collections::BTreeSet,
    io::{self, Write as _},
    path::Path,
};

use anyhow::{Context, Result};
use forewarn_inventory::{Places, list};
use forewarn_mail::Home;
use forewarn_proto::{
    inventory::{Listing, Person, Scope, Source, Wanted},
    policy::Domain,
};
use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, path_beneath_rules};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use serde::{Deserialize, Serialize};

/// The newest Landlock that is asked for. An older kernel gives what it has.
const LANDLOCK: ABI = ABI::V5;

/// What one worker may use at most. Stops: a file that makes its reader fill the memory, or compute for ever.
const LIMITS: [(Resource, u64); 5] =
    [(Resource::As, 1 << 30), (Resource::Cpu, 30), (Resource::Nofile, 64), (Resource::Fsize, 0), (Resource::Core, 0)];

/// What a worker is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
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
    /// A source was listed.
    Listing(Listing),
    /// Of these domains there is mail.
    Mail(BTreeSet<Domain>),
}

/// Reads a request, shuts itself in, and answers.
///
/// # Errors
/// When the request can't be read, or the sandbox can't be made.
pub(crate) fn run() -> Result<()> {
    for (resource, most) in LIMITS {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let request: Request = serde_json::from_reader(io::stdin().lock()).context("the request can't be read")?;
    shut_in(&request.places).context("the sandbox can't be made")?;
    let scope = Scope::Person(request.person);
    for source in request.sources {
        answer(&Answer::Listing(list(&request.places, source, scope, &request.wanted)))?;
    }
    let home = request.places.homes.first().map(|(_, home)| home).context("the request names no home")?;
    answer(&Answer::Mail(domains_with_mail(home, &request.domains)?))
}

fn answer(answer: &Answer) -> Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, answer)?;
    out.write_all(b"\n")?;
    Ok(())
}

/// From here on only these folders are seen, and nothing is written, run or called.
fn shut_in(places: &Places) -> Result<()> {
    let homes = places.homes.iter().map(|(_, home)| home.clone());
    let seen: Vec<_> = homes.chain([places.root.join("nix")]).collect();
    Ruleset::default()
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .create()?
        .add_rules(path_beneath_rules(seen, AccessFs::from_read(LANDLOCK) & !AccessFs::Execute))?
        .restrict_self()?;
    Ok(())
}

/// The domains among `domains` of which this home has a mail profile.
fn domains_with_mail(home: &Path, domains: &BTreeSet<Domain>) -> Result<BTreeSet<Domain>> {
    let home = Home::open(home).context("mail profiles can't be looked for")?;
    let present = forewarn_mail::domains(&home);
    Ok(domains.iter().filter(|domain| present.contains(domain.as_str())).cloned().collect())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn is_denied<T>(result: io::Result<T>) -> bool {
        result.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "that a program can't be started is what is shown")]
    fn whoever_is_shut_in_sees_the_home_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (home, secret) = (folder.path().join("home"), folder.path().join("secret"));
        fs_err::create_dir(&home).unwrap();
        fs_err::write(home.join("file"), "seen").unwrap();
        fs_err::write(&secret, "not seen").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let places = Places { root: folder.path().to_owned(), homes: vec![(Person(1000), home.clone())] };
        // The rules are a thread's.
        let shut_in = move || {
            shut_in(&places).unwrap();
            assert_eq!(fs_err::read_to_string(home.join("file")).unwrap(), "seen");
            assert!(is_denied(fs_err::read(&secret)), "a file outside");
            assert!(is_denied(fs_err::read_dir(secret.parent().unwrap())), "a folder outside");
            assert!(is_denied(fs_err::write(home.join("file"), "x")), "writing");
            assert!(is_denied(fs_err::write(home.join("new"), "x")), "making a file");
            assert!(is_denied(fs_err::remove_file(home.join("file"))), "removing");
            assert!(is_denied(TcpStream::connect(address)), "the network");
            assert!(is_denied(std::process::Command::new("/bin/true").status()), "another program");
        };
        std::thread::spawn(shut_in).join().unwrap();
    }
}
