//! Does what the engine asks of mail profiles, one thing at a time, and says what came of it.
//!
//! What is done in a home is done by a worker with its person's rights. The vault is kept here: what the worker says is
//! bytes to be kept, and its account of how it went is taken as somebody else's words.

use std::{collections::BTreeSet, io::Write as _, os::fd::OwnedFd, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow, ensure};
use forewarn_core::ports::{Handled, Held, Profiles};
use forewarn_engine::{Input, ProfileId};
use forewarn_mail::{Folder, Folders, Holding, KEY_BYTES, Keys, Restoration, Revocation, serve};
use forewarn_proto::{inventory::Person, policy::Domain};

use futures_util::future::BoxFuture;

use crate::{
    people::{Account, People},
    program, running,
    worker::{self, Errand, MailRequest, Outcome, Request, Worker},
};

/// How long an errand may take. Stops: a home on a file system that does not answer.
const DEADLINE: Duration = Duration::from_secs(120);

/// How much of what an errand could not do is kept. Stops: a worker that was taken over, and says ever more.
const MAX_NOTES: usize = 64;
/// See [`MAX_NOTES`].
const MAX_NOTE_CHARS: usize = 500;

/// Where profiles live.
#[derive(Clone)]
pub(crate) struct Mail {
    program: PathBuf,
    people: People,
    vault: PathBuf,
    keys: Arc<Vec<[u8; KEY_BYTES]>>,
    /// The time since 1970, by which old entries of the vault go.
    now: fn() -> Duration,
}

impl Mail {
    /// `keys`: the vault's, the one that seals first.
    pub(crate) fn new(people: People, vault: PathBuf, keys: Vec<[u8; KEY_BYTES]>) -> Self {
        Self { program: program::own(), people, vault, keys: Arc::new(keys), now: crate::scan::now }
    }

    /// First thing at start: what is in the vaults, by their own journals. No home is touched for that, and one person's trouble
    /// does not keep another's mail.
    pub(crate) fn held(&self) -> Held {
        let mut all = Held::default();
        for person in self.people.persons() {
            match self.open_vault(person).and_then(|vault| Ok(vault.held()?)) {
                Ok(domains) => {
                    all.held.extend(domains.iter().filter_map(|domain| Some((person, domain.parse().ok()?))))
                }
                Err(error) => all.failed.push((person, error)),
            }
        }
        all
    }

    async fn settle(&self, person: Person) -> bool {
        let outcome = self.send(person, Errand::Recover, false).await;
        let reason = match outcome {
            Ok(Outcome::Recovered) => return true,
            Ok(Outcome::NotOpen) => return false,
            Ok(Outcome::Failed(reason)) => reason,
            Ok(_) => "the worker did what it was not asked".to_owned(),
            Err(error) => format!("{error:#}"),
        };
        tracing::error!("the mail profiles of {person} could not be looked after: {reason}");
        false
    }

    async fn revoke(&self, id: ProfileId, locks: bool) -> Handled {
        if self.people.is_to_be_told(id.person) {
            return failed(id, Input::RevokeFailed, Err(anyhow!("its person is to be told anew first")));
        }
        let outcome = self.send(id.person, Errand::Revoke(id.domain.clone()), locks).await;
        match outcome {
            Ok(Outcome::Revoked(done, held)) => revoked(id, done, &held),
            other => failed(id, Input::RevokeFailed, other),
        }
    }

    async fn restore(&self, id: ProfileId) -> Handled {
        let outcome = self.send(id.person, Errand::Restore(id.domain.clone()), false).await;
        match outcome {
            Ok(Outcome::Restored(done)) => restored(id, done),
            other => failed(id, Input::RestoreFailed, other),
        }
    }

    async fn send(&self, person: Person, errand: Errand, locks: bool) -> Result<Outcome> {
        let account = self.people.account(person).with_context(|| format!("{person} has no home here any more"))?;
        let running = running::programs(account.user).into_keys().collect();
        let request = MailRequest { home: account.home.clone(), errand, running, locks };
        let work = async {
            let worker = worker::start(&self.program, &self.people, account).await?;
            self.attend(worker, account, request).await
        };
        let outcome = tokio::time::timeout(DEADLINE, work).await;
        let outcome = outcome.context("the worker in the home did not come back in time")??;
        serde_json::from_slice(&outcome).context("the worker in the home says what can't be understood")
    }

    /// Keeps the vault for a worker until it is done; gives what it says at the end.
    async fn attend(&self, worker: Worker, account: &Account, request: MailRequest) -> Result<Vec<u8>> {
        let Worker { mut child, mut hears, speaks } = worker;
        let (home, user) = (request.home.clone(), account.user);
        let (line, speaks) = (worker::line(&Request::Mail(request))?, blocking(speaks.into_owned_fd()?)?);
        let folder = self.open_vault(account.person)?;
        // Blocks for as long as the worker lives, which is as long as `child` does; or as a home that does not answer.
        let work = move || {
            let folder = folder.for_home(&home, user)?;
            hears.write_all(&line).context("the worker in the home broke off")?;
            let folders = Folders::new(hears.try_clone()?.into());
            Ok::<_, anyhow::Error>(serve(&folder, speaks, hears, &folders)?)
        };
        let outcome = self.people.lane(account.person).run(work).await??;
        ensure!(child.wait().await?.success(), "the worker in the home failed");
        Ok(outcome)
    }

    fn open_vault(&self, person: Person) -> Result<Folder> {
        let (current, former) = self.keys.split_first().context("the vault has no key")?;
        let name = person.to_string();
        Ok(Folder::open(&self.vault.join(&name), &name, Keys::new(current, former), (self.now)())?)
    }
}

impl Profiles for Mail {
    fn settle(&self, person: Person) -> BoxFuture<'static, bool> {
        let mail = self.clone();
        Box::pin(async move { mail.settle(person).await })
    }

    fn revoke(&self, id: ProfileId, locks: bool) -> BoxFuture<'static, Handled> {
        let mail = self.clone();
        Box::pin(async move { mail.revoke(id, locks).await })
    }

    fn restore(&self, id: ProfileId) -> BoxFuture<'static, Handled> {
        let mail = self.clone();
        Box::pin(async move { mail.restore(id).await })
    }
}

/// A pipe for a thread that may wait.
fn blocking(pipe: OwnedFd) -> Result<std::fs::File> {
    rustix::io::ioctl_fionbio(&pipe, false)?;
    Ok(pipe.into())
}

fn domains(holdings: &[Holding]) -> impl Iterator<Item = Domain> {
    let awaited = holdings.iter().filter(|holding| holding.stage.is_awaited());
    let domains: BTreeSet<Domain> = awaited.filter_map(|holding| holding.domain.parse().ok()).collect();
    domains.into_iter()
}

/// What a worker says of an errand, as far as it is kept.
fn kept(notes: impl Iterator<Item = String>) -> Vec<String> {
    notes.take(MAX_NOTES).map(|note| note.chars().take(MAX_NOTE_CHARS).collect()).collect()
}

fn failed(id: ProfileId, input: fn(ProfileId) -> Input, outcome: Result<Outcome>) -> Handled {
    let reason = match outcome {
        Err(error) => format!("{error:#}"),
        Ok(Outcome::Failed(reason)) => reason,
        Ok(_) => "the worker did what it was not asked".to_owned(),
    };
    tracing::error!("the mail profile of {}: {reason}", id.domain);
    Handled {
        input: input(id.clone()),
        id,
        notes: kept([reason].into_iter()),
        waiting: BTreeSet::new(),
        store_open: false,
    }
}

/// Where nothing could be taken, and nothing is in the vault, nothing is revoked.
fn revoked(id: ProfileId, done: Revocation, held: &[Holding]) -> Handled {
    let left = done.skipped.iter().chain(&done.failed);
    let notes = kept(left.map(|skipped| format!("{}: {}", skipped.client, skipped.reason)));
    let (waiting, store_open) =
        (names(&done.waiting), done.skipped.iter().any(|skipped| skipped.reason.is_still_open()));
    let holds = domains(held).any(|domain| domain == id.domain);
    let input = if !waiting.is_empty() {
        Input::RevokeWaits(id.clone(), waiting.iter().cloned().collect())
    } else if !done.failed.is_empty() || (!holds && !done.skipped.is_empty()) {
        Input::RevokeFailed(id.clone())
    } else {
        tracing::info!("revoked {}: {}", id.domain, Vec::from_iter(names(&done.taken)).join(", "));
        Input::Revoked(id.clone())
    };
    Handled { id, input, notes, waiting, store_open }
}

fn restored(id: ProfileId, done: Restoration) -> Handled {
    let conflicts = done.conflicts.iter().map(|conflict| {
        let place = conflict.beside.as_ref().map_or("the vault".to_owned(), |path| format!("{path} and the vault"));
        format!("not given back: {}: {}; what was there is in {place}", conflict.path, conflict.reason)
    });
    let failed = done.failed.iter().map(|failed| format!("not given back yet: {}: {}", failed.client, failed.reason));
    let notes = kept(conflicts.chain(failed));
    let waiting = names(&done.waiting);
    let given = done.failed.is_empty() && done.conflicts.iter().all(|conflict| conflict.reason.is_over());
    let input = if waiting.is_empty() && given {
        tracing::info!("restored {}: {} exactly, {} merged", id.domain, done.exact.len(), done.merged.len());
        Input::Restored(id.clone())
    } else {
        Input::RestoreFailed(id.clone())
    };
    Handled { id, input, notes, waiting, store_open: false }
}

/// The programs of these accounts.
fn names(accounts: &[forewarn_mail::Account]) -> BTreeSet<String> {
    accounts.iter().map(|account| account.client.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt as _, path::Path};

    use super::*;

    /// What a worker says at the end of its errand, as it goes over the pipe.
    fn said(outcome: &serde_json::Value) -> Vec<u8> {
        let part = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
        [part(b"\"done\""), 1_u32.to_be_bytes().to_vec(), part(outcome.to_string().as_bytes())].concat()
    }

    /// A script in the worker's place, in whose vault there is an account.
    fn program(folder: &Path, outcome: &str) -> PathBuf {
        let (program, answer) = (folder.join("worker"), folder.join("answer"));
        let account =
            serde_json::json!({ "client": "isync", "profile": "p", "address": "me@corp.example", "touches": [] });
        let holding = |domain: String| serde_json::json!({ "number": 1, "domain": domain, "account": account, "stage": "revoked" });
        let held: Vec<_> = (0..50_000).map(|number| holding(format!("claim-{number}.example"))).collect();
        fs_err::write(&answer, said(&serde_json::json!({ outcome: held }))).unwrap();
        fs_err::write(&program, format!("#!/bin/sh\necho\nread -r _\nexec cat '{}'\n", answer.display())).unwrap();
        fs_err::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        program
    }

    fn mail(folder: &Path, outcome: &str, people: People) -> Mail {
        Mail {
            program: program(folder, outcome),
            people,
            vault: folder.join("vault"),
            keys: Arc::new(vec![[7; KEY_BYTES]]),
            now: || Duration::ZERO,
        }
    }

    #[tokio::test]
    async fn promise_7_a_worker_s_claims_are_nobody_s_mail() {
        let folder = tempfile::tempdir().unwrap();
        let (me, own) = (Person::from_bits(1), forewarn_host::user::current());
        // It claims an account of each of these, in a vault that has none.
        let mail = mail(folder.path(), "recovered", People::of([(me, own, folder.path())]));
        assert!(!mail.settle(me).await, "that is not what it was asked for");
        let held = mail.held();
        assert!(held.held.is_empty() && held.failed.is_empty(), "{held:?}");
    }

    #[tokio::test]
    async fn a_vault_that_can_t_be_read_is_no_empty_one_and_keeps_no_other_from_being_read() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = Path::new("/nowhere");
        let [damaged, good] = [1, 2].map(Person::from_bits);
        let mail = mail(folder.path(), "recovered", People::of([(damaged, 65_534, nowhere), (good, 65_534, nowhere)]));
        let entry = folder.path().join(format!("vault/{damaged}/entries/0001"));
        fs_err::create_dir_all(&entry).unwrap();
        fs_err::write(entry.join("journal"), "not sealed").unwrap();
        let held = mail.held();
        assert_eq!(held.failed.iter().map(|(person, _)| *person).collect::<Vec<_>>(), [damaged]);
        assert_eq!(held.held, []);
    }
}
