//! `pause`: a rollout stands still, by one admin's word.

use anyhow::{Result, ensure};
use clap::Args;
use forewarn_proto::policy::{Exemptions, Pause, Policy, PolicyId};
use forewarn_terminal::say;

use super::exempt::found;
use crate::{home::Home, server::Server};

/// Options of `pause`.
#[derive(Args)]
pub(crate) struct Options {
    /// The policy's id.
    #[arg(value_parser = |text: &str| text.parse::<PolicyId>())]
    policy: PolicyId,
}

pub(crate) async fn run(home: &Home, Options { policy }: &Options) -> Result<()> {
    let now = home.clock()?.wall();
    let server = Server::signed_in(home)?;
    let in_force = server.in_force(home).await?;
    let (Policy { version, rollout, .. }, mut exemptions) = found(&in_force, policy)?;
    ensure!(
        !rollout.is_at_once(),
        "{policy} has reached everyone whom it is for; `forewarn-admin retract` takes it back"
    );
    exemptions.pause(Pause { at: now, through_version: version });
    server.put_alone(&in_force, "exemptions", Exemptions::target_name(policy), exemptions.to_toml()?).await?;
    say!(
        "The rollout of {policy} stands still: it reaches no further device. It goes on with version {}.",
        version + 1
    );
    Ok(())
}
