//! `pause`: a rollout stands still, by one admin's word.

use anyhow::{Context, Result};
use clap::Args;
use forewarn_proto::policy::{Exemptions, Pause, Policy, PolicyId};

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
    let document = in_force.documents.get(&Policy::target_name(policy));
    let document = document.with_context(|| format!("no policy `{policy}` is in force"))?;
    let version = Policy::parse(&document.bytes)?.version;
    let name = Exemptions::target_name(policy);
    let mut exemptions = match in_force.documents.get(&name) {
        Some(document) => Exemptions::parse(&document.bytes)?,
        None => Exemptions { policy: policy.clone(), pauses: Vec::new(), exemptions: Vec::new() },
    };
    exemptions.pause(Pause { at: now, through_version: version });
    server.put_alone(&in_force, "exemptions", name, exemptions.to_toml()?).await?;
    anstream::println!(
        "The rollout of {policy} stands still: it reaches no further device. It goes on with version {}.",
        version + 1
    );
    Ok(())
}
