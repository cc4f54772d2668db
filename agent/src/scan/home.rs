//! Has a home looked at by a worker, and takes its answers as what they are: somebody else's words.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use forewarn_engine::Listing;
use forewarn_proto::{
    inventory::{Person, Scope, Source},
    ipc::Isolation,
    policy::Domain,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::UnixStream,
};

use super::{NO_ANSWER, unread, watch::HomePoints};
use crate::{
    people::{Account, People},
    program,
    worker::{self, Answer, LookRequest, Request, Worker},
};

/// The most that a worker may say, in bytes. Stops: one that was taken over, and fills the daemon's memory.
const MAX_ANSWER_BYTES: u64 = 8 * 1024 * 1024;

/// The most files of mail programs, and other places, that are watched in a home. Stops: a worker that was taken over, and uses
/// up the watches.
const MAX_MAIL_FILES: usize = 64;
/// See [`MAX_MAIL_FILES`].
const MAX_POINTS: usize = 512;

/// What is known of a home.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) listings: Vec<Listing>,
    /// None if that could not be found out.
    pub(crate) mail: Option<BTreeSet<Domain>>,
    /// What is to be watched in the home. None if that could not be found out: then it is what it was.
    pub(crate) watch: Option<HomePoints>,
    /// How far the worker was shut in.
    pub(crate) isolation: Option<Isolation>,
    /// Whether the worker broke off, or did not come back in time. A home that is not open is heard of when it opens.
    pub(crate) failed: bool,
}

/// Whom to ask.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    program: PathBuf,
    /// How long a worker may take. Stops: a FUSE mount that does not answer, or millions of small files.
    deadline: Duration,
}

/// What a worker has said so far.
#[derive(Debug, Default)]
struct Heard {
    listings: BTreeMap<Source, Listing>,
    mail: Option<BTreeSet<Domain>>,
    watch: Option<HomePoints>,
    isolation: Option<Isolation>,
    not_open: bool,
}

impl Default for Reader {
    fn default() -> Self {
        Self { program: program::own(), deadline: Duration::from_secs(20) }
    }
}

impl Reader {
    /// Looks at a home. What the worker does not say in time is a gap.
    pub(crate) async fn look(&self, people: &People, account: &Account, request: LookRequest) -> Found {
        let (mut heard, person, sources) = (Heard::default(), request.person, request.sources.clone());
        let folder = account.home.display().to_string();
        let worker = worker::start(&self.program, people, account);
        let asked = tokio::time::timeout(self.deadline, ask(worker, request, &mut heard)).await;
        let failed = !matches!(asked, Ok(Ok(())));
        let broken = match asked {
            Ok(Ok(())) if heard.not_open => worker::NOT_OPEN.to_owned(),
            Ok(Ok(())) => "its worker left it out".to_owned(),
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => NO_ANSWER.to_owned(),
        };
        let missing = |source| unread(source, Scope::Person(person), &folder, &broken);
        let mut listing = |source: &Source| heard.listings.remove(source).unwrap_or_else(|| missing(*source));
        let listings = sources.iter().map(&mut listing).collect();
        Found { listings, mail: heard.mail, watch: heard.watch, isolation: heard.isolation, failed }
    }
}

async fn ask(worker: impl Future<Output = Result<Worker>>, request: LookRequest, heard: &mut Heard) -> Result<()> {
    let Worker { mut child, hears, speaks } = worker.await?;
    hears.set_nonblocking(true)?;
    let mut hears = UnixStream::from_std(hears)?;
    let (person, sources, domains) = (request.person, request.sources.clone(), request.domains.clone());
    // Who does not listen may have something to say all the same.
    let sent = hears.write_all(&worker::line(&Request::Look(request))?).await.context("its worker broke off");
    drop(hears);
    let mut lines = BufReader::new(speaks.take(MAX_ANSWER_BYTES)).lines();
    while let Some(line) = lines.next_line().await? {
        let answer = serde_json::from_str(&line).context("its worker says what can't be understood")?;
        heard.take(answer, person, &sources, &domains);
    }
    ensure!(child.wait().await?.success(), "its worker failed");
    sent
}

/// Whether a path stays below the home.
fn is_below(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

impl Heard {
    /// An answer to what was not asked counts for nothing.
    fn take(&mut self, answer: Answer, person: Person, sources: &[Source], domains: &BTreeSet<Domain>) {
        match answer {
            Answer::ShutIn(isolation) => self.isolation = Some(isolation),
            Answer::NotOpen => *self = Self { not_open: true, isolation: self.isolation, ..Self::default() },
            Answer::Listing(listing) => {
                if listing.scope == Scope::Person(person) && sources.contains(&listing.source) {
                    self.listings.insert(listing.source, listing);
                }
            }
            Answer::Mail(found, files) => {
                self.mail = Some(&found & domains);
                let watch = self.watch.get_or_insert_default();
                watch.files = files.into_iter().filter(|file| is_below(file)).take(MAX_MAIL_FILES).collect();
            }
            Answer::Watch(points) => {
                let watch = self.watch.get_or_insert_default();
                watch.folders = points.into_iter().filter(|point| is_below(point)).take(MAX_POINTS).collect();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use forewarn_engine::Wanted;

    use super::*;

    /// Has a script asked in the worker's place; gives how each source's listing reads, and the whole.
    async fn ask(folder: &Path, script: &str, user: u32) -> (Vec<String>, Found) {
        let program = folder.join("worker");
        fs_err::write(&program, format!("#!/bin/sh\necho\ncat > /dev/null\n{script}\n")).unwrap();
        fs_err::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let found = look(program, folder, user, Duration::from_secs(3)).await;
        let sources: Vec<Source> = found.listings.iter().map(|listing| listing.source).collect();
        assert_eq!(sources, [Source::Flatpak, Source::Desktop], "each source has its listing");
        let read = |listing: &Listing| {
            listing.gaps.first().map_or_else(|| format!("{} packages", listing.count), |gap| gap.reason.clone())
        };
        (found.listings.iter().map(read).collect(), found)
    }

    async fn look(program: PathBuf, home: &Path, user: u32, deadline: Duration) -> Found {
        let people = People::of([(ANN, user, home)]);
        let request = LookRequest {
            places: people.places(Path::new("/")),
            person: ANN,
            sources: vec![Source::Flatpak, Source::Desktop],
            wanted: Wanted::All,
            domains: ["corp.example".parse().unwrap()].into(),
        };
        Reader { program, deadline }.look(&people, &people.accounts()[0], request).await
    }

    const ANN: Person = Person::from_bits(7);

    fn me() -> u32 {
        forewarn_host::user::current()
    }

    async fn check(script: &str, expected: [&str; 2], mail: bool) {
        let folder = tempfile::tempdir().unwrap();
        let (listings, found) = ask(folder.path(), script, me()).await;
        let fits = listings.iter().zip(expected).all(|(listing, expected)| listing.starts_with(expected));
        assert!(fits, "{script}: {listings:?}");
        assert_eq!(found.mail.is_some(), mail, "{script}");
        let files = found.watch.as_ref().map(|watch| watch.files.as_slice());
        assert!(!mail || files == Some(&[".mbsyncrc".to_owned()]), "{:?}", found.watch);
    }

    fn listing(source: &str, person: Person) -> String {
        let line = serde_json::json!({ "listing": {
            "source": source, "scope": { "person": person }, "count": 3, "packages": [], "gaps": [],
        } });
        format!("echo '{line}'")
    }

    #[tokio::test]
    async fn what_a_worker_says_in_time_counts_and_the_rest_is_a_gap() {
        let (flatpak, desktop) = (listing("flatpak", ANN), listing("desktop", ANN));
        let mail = "echo '{\"mail\":[[\"corp.example\",\"private.example\"],[\"../x\",\".mbsyncrc\",\"/etc/x\"]]}'";
        check(&format!("{flatpak}\n{desktop}\n{mail}"), ["3 packages", "3 packages"], true).await;
        check(&format!("{flatpak}\nexec sleep 100"), ["3 packages", NO_ANSWER], false).await;
        check("exec sleep 100", [NO_ANSWER, NO_ANSWER], false).await;
        check(&format!("{flatpak}\nkill -9 $$"), ["3 packages", "its worker failed"], false).await;
        check(&format!("{desktop}\nexit 0"), ["its worker left it out", "3 packages"], false).await;
        // A home that was closed during the look.
        let not_open = "echo '\"not_open\"'";
        check(&format!("{flatpak}\n{mail}\n{not_open}"), [worker::NOT_OPEN, worker::NOT_OPEN], false).await;
    }

    #[tokio::test]
    async fn a_worker_that_was_taken_over_gains_nothing() {
        let nonsense = "its worker says what can't be understood";
        check("echo nonsense", [nonsense, nonsense], false).await;
        // Another person's list, and one that nobody asked for.
        let others = format!("{}\n{}", listing("flatpak", Person::from_bits(8)), listing("dpkg", ANN));
        check(&others, ["its worker left it out", "its worker left it out"], false).await;
        // A line without an end: as much as may be said, or as the time allows.
        check("exec cat /dev/zero", ["", ""], false).await;
    }

    #[tokio::test]
    async fn a_worker_that_can_t_be_started_is_a_gap() {
        let found = look("/nowhere".into(), Path::new("/nowhere"), me(), Duration::from_secs(5)).await;
        assert!(found.listings[0].gaps[0].reason.starts_with("its worker can't be started"), "{found:?}");
    }

    /// What a program that root starts must have given up is looked at from outside: its own word counts for nothing.
    #[tokio::test]
    async fn promise_7_a_worker_that_is_not_its_person_is_sent_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (read, _) = ask(folder.path(), &listing("flatpak", ANN), 65_534).await;
        let why = if me() == 0 { "its worker has not given up what it must: Uid" } else { "only root and its owner" };
        assert!(read.iter().all(|read| read.starts_with(why)), "{read:?}");
    }
}
