//! Does what the engine asks of mail profiles, one thing at a time, and says what came of it.

use std::path::PathBuf;

use anyhow::{Context, Result};
use forewarn_engine::{Input, ProfileId};
use forewarn_mail::{Account, Home, Vault};

/// What to do to a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errand {
    Revoke,
    Restore,
}

impl Errand {
    /// What the engine hears when the errand fails.
    pub(crate) fn failed(self, id: &ProfileId) -> Input {
        match self {
            Self::Revoke => Input::RevokeFailed(id.clone()),
            Self::Restore => Input::RestoreFailed(id.clone()),
        }
    }
}

/// Where profiles live.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(crate) home: PathBuf,
    pub(crate) vault: PathBuf,
}

impl Mail {
    /// First thing at start: settles what a crash left half done. Gives the domains that are in the vault.
    pub(crate) fn recover(&self) -> Result<Vec<String>> {
        let vault = self.open_vault()?;
        vault.recover(&Home::open(&self.home)?).context("the vault could not be brought in order")?;
        Ok(vault.holdings()?.into_iter().map(|holding| holding.domain).collect())
    }

    /// Runs an errand. Blocks while it reads and writes.
    pub(crate) fn run(&self, errand: Errand, id: &ProfileId) -> Input {
        let result = match errand {
            Errand::Revoke => self.revoke(id),
            Errand::Restore => self.restore(id),
        };
        result.unwrap_or_else(|error| {
            tracing::error!("{errand:?} of {}: {error:#}", id.domain);
            errand.failed(id)
        })
    }

    fn revoke(&self, id: &ProfileId) -> Result<Input> {
        let done = self.open_vault()?.revoke(&Home::open(&self.home)?, id.domain.as_str())?;
        for skipped in &done.skipped {
            tracing::warn!("{}: {}", skipped.client, skipped.reason);
        }
        if !done.waiting.is_empty() {
            return Ok(Input::RevokeWaits(id.clone(), clients(&done.waiting)));
        }
        tracing::info!("revoked {}: {}", id.domain, clients(&done.taken).join(", "));
        Ok(Input::Revoked(id.clone()))
    }

    fn restore(&self, id: &ProfileId) -> Result<Input> {
        let done = self.open_vault()?.restore(&Home::open(&self.home)?, id.domain.as_str())?;
        for conflict in &done.conflicts {
            tracing::warn!("not restored: {}: {}", conflict.path, conflict.reason);
        }
        if !done.waiting.is_empty() || !done.conflicts.is_empty() {
            return Ok(Input::RestoreFailed(id.clone()));
        }
        tracing::info!("restored {}: {} exactly, {} merged", id.domain, done.exact.len(), done.merged.len());
        Ok(Input::Restored(id.clone()))
    }

    fn open_vault(&self) -> Result<Vault> {
        Vault::open(&self.vault).with_context(|| format!("the vault {} can't be opened", self.vault.display()))
    }
}

fn clients(accounts: &[Account]) -> Vec<String> {
    let mut names: Vec<String> = accounts.iter().map(|account| account.client.to_string()).collect();
    names.sort();
    names.dedup();
    names
}
