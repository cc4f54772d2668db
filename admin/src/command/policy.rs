//! `check` and `propose`: a policy file, before anyone but its author has signed.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use forewarn_proto::{
    api::{Draft, DraftStatus},
    policy::Policy,
};
use forewarn_terminal::{say, say_lines};
use forewarn_trust::metadata;
use jiff::Timestamp;

use crate::{fill, home::Home, server::Server, show};

/// A policy file.
#[derive(Args)]
pub(crate) struct File {
    /// The policy, in TOML.
    #[arg(value_name = "POLICY.toml")]
    file: PathBuf,
}

impl File {
    /// Reads, fills in and checks the policy as it would be published now.
    pub(crate) fn read(&self, now: Timestamp) -> Result<(Policy, String)> {
        let text = fs_err::read_to_string(&self.file)?;
        let place = || format!("{} is refused", self.file.display());
        let (policy, text) = fill::read(&text).with_context(place)?;
        policy.check_ahead(now).with_context(place)?;
        Ok((policy, text))
    }
}

pub(crate) fn check(home: &Home, file: &File) -> Result<()> {
    // A policy can be checked on a machine without a key, such as a CI runner; there the real clock counts.
    let clock = home.clock().unwrap_or(forewarn_host::Clock::Real);
    let (policy, _) = file.read(clock.wall())?;
    say_lines(show::policy(&policy));
    Ok(())
}

pub(crate) async fn propose(home: &Home, file: &File) -> Result<()> {
    let now = home.clock()?.wall();
    let (policy, text) = file.read(now)?;
    let server = Server::acting(home)?;
    let in_force = server.in_force(home).await?;
    let name = Policy::target_name(&policy.id);
    if let Some(former) = in_force.documents.get(&name) {
        let former = Policy::parse(&former.bytes)?;
        if former.version >= policy.version {
            bail!(
                "{}: version {} is in force; write version = {}",
                policy.id,
                former.version,
                former.version.saturating_add(1)
            );
        }
    }
    let current = in_force.roles.get("policies").context("the server has no policies role")?;
    let targets = BTreeMap::from([(name, text)]);
    let next = metadata::next_targets("policies", current, &targets, &[], now)?;
    let roles = BTreeMap::from([("policies".to_owned(), next)]);
    let replaces = overtaken(&server.drafts().await?, &targets);
    let draft = Draft { roles, targets, replaces, ..Draft::default() };
    let status = server.propose(&server.signed(draft)?).await?;
    say_lines(show::progress(&status));
    say_lines(show::policy(&policy));
    say!("The last admin who signs publishes it: forewarn-admin sign {}", status.number);
    Ok(())
}

/// The number of a stale draft about the same policies, in whose place this one comes.
fn overtaken(open: &[DraftStatus], targets: &BTreeMap<String, String>) -> Option<i64> {
    let is_same = |draft: &&DraftStatus| {
        draft.stale && draft.draft.removes.is_empty() && draft.draft.targets.keys().eq(targets.keys())
    };
    open.iter().find(is_same).map(|draft| draft.number)
}
