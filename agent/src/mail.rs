//! Does what the engine asks of mail profiles, one thing at a time, and says what came of it.
//!
//! What is done in a home is done by a worker with its person's rights. The vault is kept here: what the worker says is
//! bytes to be kept, and its account of how it went is taken as somebody else's words.

use std::{collections::BTreeSet, io::Write as _, os::fd::OwnedFd, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow, bail, ensure};
use forewarn_engine::{Input, ProfileId};
use forewarn_mail::{Client, Folder, Folders, Holding, KEY_BYTES, Keys, Restoration, Revocation, serve};
use forewarn_proto::{inventory::Person, policy::Domain};

use crate::{
    people::{Account, People},
    program, running,
    worker::{self, Errand, MailRequest, Outcome, Request, Worker},
};

/// How long an errand may take. Stops: a home on a file system that does not answer.
const DEADLINE: Duration = Duration::from_secs(120);

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

/// How an errand went.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) id: ProfileId,
    /// What the engine hears.
    pub(crate) input: Input,
    /// What kept an account from being taken or given back, in words.
    pub(crate) notes: Vec<String>,
    /// The programs that have to close first.
    pub(crate) waiting: BTreeSet<Client>,
    /// Whether stored mail that was to be locked can still be read.
    pub(crate) store_open: bool,
}

/// What is known of the vaults at start.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    /// Whose mail of which domains is in the vault.
    pub(crate) held: Vec<(Person, Domain)>,
    /// Whose vault or home could not be brought in order, and why. What they have in the vault is not known.
    pub(crate) failed: Vec<(Person, anyhow::Error)>,
    /// Whose home was not open. What a crash left half done there is still to be settled.
    pub(crate) unsettled: BTreeSet<Person>,
}

impl Mail {
    /// `keys`: the vault's, the one that seals first.
    pub(crate) fn new(people: People, vault: PathBuf, keys: Vec<[u8; KEY_BYTES]>) -> Self {
        Self { program: program::own(), people, vault, keys: Arc::new(keys), now: crate::scan::now }
    }

    /// First thing at start: settles what a crash left half done. One person's trouble must not keep another's mail.
    pub(crate) async fn recover(&self) -> Recovered {
        let mut recovered = Recovered::default();
        for person in self.people.persons() {
            let (holdings, settled) = match self.recover_one(person).await {
                Ok(found) => found,
                Err(error) => {
                    recovered.failed.push((person, error));
                    (Vec::new(), false)
                }
            };
            recovered.held.extend(domains(&holdings).map(|domain| (person, domain)));
            recovered.unsettled.extend((!settled).then_some(person));
        }
        recovered
    }

    /// Settles what was left half done in a home that was not open at start; says whether that is done now.
    pub(crate) async fn settle(&self, person: Person) -> bool {
        match self.recover_one(person).await {
            Ok((_, settled)) => settled,
            Err(error) => {
                tracing::error!("the mail profiles of {person} could not be looked after: {error:#}");
                false
            }
        }
    }

    /// What the vault holds, and whether all is settled.
    async fn recover_one(&self, person: Person) -> Result<(Vec<Holding>, bool)> {
        match self.send(person, Errand::Recover, false).await? {
            Outcome::Recovered(holdings) => Ok((holdings, true)),
            Outcome::NotOpen(holdings) => Ok((holdings, false)),
            Outcome::Failed(reason) => bail!(reason),
            Outcome::Revoked(..) | Outcome::Restored(_) => bail!("the worker did what it was not asked"),
        }
    }

    /// Takes a profile; `locks`: its stored mail is locked too. Not of who is still to be told anew.
    pub(crate) async fn revoke(&self, id: ProfileId, locks: bool) -> Done {
        if self.people.is_to_be_told(id.person) {
            return failed(id, Input::RevokeFailed, Err(anyhow!("its person is to be told anew first")));
        }
        let outcome = self.send(id.person, Errand::Revoke(id.domain.clone()), locks).await;
        match outcome {
            Ok(Outcome::Revoked(done, held)) => revoked(id, done, &held),
            other => failed(id, Input::RevokeFailed, other),
        }
    }

    /// Gives a profile back.
    pub(crate) async fn restore(&self, id: ProfileId) -> Done {
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
        let outcome = tokio::task::spawn_blocking(work).await??;
        ensure!(child.wait().await?.success(), "the worker in the home failed");
        Ok(outcome)
    }

    fn open_vault(&self, person: Person) -> Result<Folder> {
        let (current, former) = self.keys.split_first().context("the vault has no key")?;
        let name = person.to_string();
        Ok(Folder::open(&self.vault.join(&name), &name, Keys::new(current, former), (self.now)())?)
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

fn failed(id: ProfileId, input: fn(ProfileId) -> Input, outcome: Result<Outcome>) -> Done {
    let reason = match outcome {
        Err(error) => format!("{error:#}"),
        Ok(Outcome::Failed(reason)) => reason,
        Ok(_) => "the worker did what it was not asked".to_owned(),
    };
    tracing::error!("the mail profile of {}: {reason}", id.domain);
    Done { input: input(id.clone()), id, notes: vec![reason], waiting: BTreeSet::new(), store_open: false }
}

/// Where nothing could be taken, and nothing is in the vault, nothing is revoked.
fn revoked(id: ProfileId, done: Revocation, held: &[Holding]) -> Done {
    let left = done.skipped.iter().chain(&done.failed);
    let notes: Vec<String> = left.map(|skipped| format!("{}: {}", skipped.client, skipped.reason)).collect();
    let (waiting, store_open) =
        (clients(&done.waiting), done.skipped.iter().any(|skipped| skipped.reason.is_still_open()));
    let holds = domains(held).any(|domain| domain == id.domain);
    let input = if !waiting.is_empty() {
        Input::RevokeWaits(id.clone(), names(&waiting))
    } else if !done.failed.is_empty() || (!holds && !done.skipped.is_empty()) {
        Input::RevokeFailed(id.clone())
    } else {
        tracing::info!("revoked {}: {}", id.domain, names(&clients(&done.taken)).join(", "));
        Input::Revoked(id.clone())
    };
    Done { id, input, notes, waiting, store_open }
}

fn restored(id: ProfileId, done: Restoration) -> Done {
    let conflicts = done.conflicts.iter().map(|conflict| {
        let place = conflict.beside.as_ref().map_or("the vault".to_owned(), |path| format!("{path} and the vault"));
        format!("not given back: {}: {}; what was there is in {place}", conflict.path, conflict.reason)
    });
    let failed = done.failed.iter().map(|failed| format!("not given back yet: {}: {}", failed.client, failed.reason));
    let notes: Vec<String> = conflicts.chain(failed).collect();
    let waiting = clients(&done.waiting);
    let given = done.failed.is_empty() && done.conflicts.iter().all(|conflict| conflict.reason.is_over());
    let input = if waiting.is_empty() && given {
        tracing::info!("restored {}: {} exactly, {} merged", id.domain, done.exact.len(), done.merged.len());
        Input::Restored(id.clone())
    } else {
        Input::RestoreFailed(id.clone())
    };
    Done { id, input, notes, waiting, store_open: false }
}

fn clients(accounts: &[forewarn_mail::Account]) -> BTreeSet<Client> {
    accounts.iter().map(|account| account.client).collect()
}

fn names(clients: &BTreeSet<Client>) -> Vec<String> {
    clients.iter().map(ToString::to_string).collect()
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
        let holding = |domain: &str, stage: &str| serde_json::json!({ "number": 1, "domain": domain, "account": account, "stage": stage });
        let held = [holding("corp.example", "revoked"), holding("gone.example", "profile_gone")];
        fs_err::write(&answer, said(&serde_json::json!({ outcome: held }))).unwrap();
        fs_err::write(&program, format!("#!/bin/sh\necho\nread -r _\nexec cat '{}'\n", answer.display())).unwrap();
        fs_err::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        program
    }

    #[tokio::test]
    async fn one_home_that_can_t_be_looked_after_keeps_no_other_from_it() {
        let folder = tempfile::tempdir().unwrap();
        let own = rustix::process::geteuid().as_raw();
        let [me, gone, other] = [1, 2, 3].map(Person::from_bits);
        let nowhere = Path::new("/nowhere");
        let people = People::of([(gone, 65_534, nowhere), (me, own, folder.path()), (other, 65_534, nowhere)]);
        let mail = Mail {
            program: program(folder.path(), "recovered"),
            people,
            vault: folder.path().join("vault"),
            keys: Arc::new(vec![[7; KEY_BYTES]]),
            now: || Duration::ZERO,
        };
        let recovered = mail.recover().await;
        assert_eq!(recovered.held, [(me, "corp.example".parse().unwrap())], "{recovered:?}");
        assert_eq!(recovered.failed.iter().map(|(person, _)| *person).collect::<Vec<_>>(), [gone, other]);
    }

    #[tokio::test]
    async fn what_is_held_for_somebody_whose_home_is_not_open_is_known_and_the_rest_is_settled_later() {
        let folder = tempfile::tempdir().unwrap();
        let me = Person::from_bits(1);
        let mail = Mail {
            program: program(folder.path(), "not_open"),
            people: People::of([(me, rustix::process::geteuid().as_raw(), folder.path())]),
            vault: folder.path().join("vault"),
            keys: Arc::new(vec![[7; KEY_BYTES]]),
            now: || Duration::ZERO,
        };
        let recovered = mail.recover().await;
        assert_eq!(recovered.held, [(me, "corp.example".parse().unwrap())], "{recovered:?}");
        assert_eq!((recovered.failed.len(), recovered.unsettled), (0, [me].into()));
        assert!(!mail.settle(me).await);
        program(folder.path(), "recovered");
        assert!(mail.settle(me).await);
    }
}
