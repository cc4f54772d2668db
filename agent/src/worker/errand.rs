//! Takes mail accounts out of a home, or gives them back. What is taken goes over the pipe to the daemon, which keeps the
//! vault and understands none of it.

use std::{
    collections::BTreeSet,
    io::{self, BufReader},
    os::fd::AsFd as _,
    path::PathBuf,
};

use anyhow::{Context, Result};
use forewarn_mail::{Client, Folders, Holding, Home, Pipe, Restoration, Revocation, Vault};
use forewarn_proto::policy::Domain;
use serde::{Deserialize, Serialize};

use super::{Rights, open, shut_in};

/// What a worker is asked to do to mail accounts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MailRequest {
    pub(crate) home: PathBuf,
    pub(crate) errand: Errand,
    /// The mail programs that run, as far as their processes tell.
    pub(crate) running: BTreeSet<Client>,
    /// Whether stored mail of what is taken is locked in its place.
    pub(crate) locks: bool,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Errand {
    /// Settle what a crash left half done.
    Recover,
    /// Take the accounts of a domain.
    Revoke(Domain),
    /// Give the accounts of a domain back.
    Restore(Domain),
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Recovered,
    /// Nothing could be settled, because the home is not open.
    NotOpen,
    /// And what the vault holds now.
    Revoked(Revocation, Vec<Holding>),
    Restored(Restoration),
    /// Why it could not be done, in words.
    Failed(String),
}

pub(super) fn run(request: MailRequest) -> Result<()> {
    shut_in(&[request.home.as_path()].into(), Rights::Change)?;
    let folders = Folders::new(io::stdin().as_fd().try_clone_to_owned()?);
    // The request's line was read by the same buffer: nothing was said after it before we asked.
    let pipe = Pipe::new(BufReader::new(io::stdin().lock()), io::stdout().lock()).with_folders(folders);
    let vault = Vault::new(pipe).locking(request.locks);
    let outcome = work(&vault, request).unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
    Ok(vault.store().finish(&serde_json::to_vec(&outcome)?)?)
}

fn work<S: forewarn_mail::Store>(vault: &Vault<S>, request: MailRequest) -> Result<Outcome> {
    if let Err(error) = open::ensure_open(&request.home) {
        return match request.errand {
            Errand::Recover => Ok(Outcome::NotOpen),
            Errand::Revoke(_) | Errand::Restore(_) => Err(error),
        };
    }
    let home = Home::open(&request.home).context("mail profiles can't be looked for")?.with_running(request.running);
    Ok(match request.errand {
        Errand::Recover => {
            vault.recover(&home).context("the vault could not be brought in order")?;
            Outcome::Recovered
        }
        Errand::Revoke(domain) => Outcome::Revoked(vault.revoke(&home, domain.as_str())?, vault.holdings()?),
        Errand::Restore(domain) => Outcome::Restored(vault.restore(&home, domain.as_str())?),
    })
}
