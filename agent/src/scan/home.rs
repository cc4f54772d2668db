//! Has a home looked at by a worker, and takes its answers as what they are: somebody else's words.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::MetadataExt as _,
    path::Path,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use forewarn_proto::{
    inventory::{Listing, Person, Scope, Source},
    policy::Domain,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, Command},
};

use super::{
    NO_ANSWER, unread,
    worker::{Answer, Request},
};

/// How long a worker may take. Stops: a FUSE mount that does not answer, or millions of small files.
const DEADLINE: Duration = Duration::from_secs(20);

/// The most that a worker may say, in bytes. Stops: one that was taken over, and fills the daemon's memory.
const MAX_ANSWER_BYTES: u64 = 64 * 1024 * 1024;

/// What is known of a home.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) listings: Vec<Listing>,
    /// None if that could not be found out.
    pub(crate) mail: Option<BTreeSet<Domain>>,
}

/// What a worker has said so far.
#[derive(Debug, Default)]
struct Heard {
    listings: BTreeMap<Source, Listing>,
    mail: Option<BTreeSet<Domain>>,
}

/// Looks at a home. What the worker does not say in time is a gap.
pub(crate) async fn look(request: Request) -> Found {
    let mut heard = Heard::default();
    let broken = match tokio::time::timeout(DEADLINE, ask(&request, &mut heard)).await {
        Ok(Ok(())) => "its reader broke off".to_owned(),
        Ok(Err(error)) => format!("{error:#}"),
        Err(_) => NO_ANSWER.to_owned(),
    };
    let folder = request.places.homes.first().map(|(_, folder)| folder.display().to_string()).unwrap_or_default();
    let missing = |source| unread(source, Scope::Person(request.person), &folder, &broken);
    let mut listing = |source: &Source| heard.listings.remove(source).unwrap_or_else(|| missing(*source));
    let listings = request.sources.iter().map(&mut listing).collect();
    Found { listings, mail: heard.mail }
}

async fn ask(request: &Request, heard: &mut Heard) -> Result<()> {
    // The same program as this one, even if a newer one has taken its place on disk.
    let mut command = Command::new("/proc/self/exe");
    command.arg("worker").env_clear().kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let (_, folder) = request.places.homes.first().context("there is no home")?;
    become_person(&mut command, request.person, folder)?;
    let mut child = command.spawn().context("its reader can't be started")?;
    let answers = child.stdout.take().context("its reader says nothing")?;
    send(&mut child, request).await?;
    let mut lines = BufReader::new(answers.take(MAX_ANSWER_BYTES)).lines();
    while let Some(line) = lines.next_line().await? {
        heard.take(serde_json::from_str(&line).context("its reader says what can't be understood")?, request);
    }
    ensure!(child.wait().await?.success(), "its reader failed");
    Ok(())
}

async fn send(child: &mut Child, request: &Request) -> Result<()> {
    let mut stdin = child.stdin.take().context("its reader hears nothing")?;
    stdin.write_all(&serde_json::to_vec(request)?).await.context("its reader broke off")
}

/// Where the daemon is root, the worker is the person, in the group of their home and no other.
fn become_person(command: &mut Command, person: Person, folder: &Path) -> Result<()> {
    if !rustix::process::geteuid().is_root() || person.0 == 0 {
        return Ok(());
    }
    let owner = fs_err::symlink_metadata(folder)?;
    ensure!(owner.uid() == person.0, "the folder belongs to somebody else");
    command.uid(person.0).gid(owner.gid());
    Ok(())
}

impl Heard {
    /// An answer to what was not asked counts for nothing.
    fn take(&mut self, answer: Answer, request: &Request) {
        match answer {
            Answer::Listing(listing) => {
                if listing.scope == Scope::Person(request.person) && request.sources.contains(&listing.source) {
                    self.listings.insert(listing.source, listing);
                }
            }
            Answer::Mail(domains) => self.mail = Some(&domains & &request.domains),
        }
    }
}
