use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result};
use clap::Args;
use forewarn_proto::{
    api::Undone,
    policy::{FORMAT, Header, Language, Policy, PolicyId, Retraction},
};
use forewarn_terminal::say;

use crate::{home::Home, server::Server};

/// What people are told unless the admin writes something else.
const DEFAULT_MESSAGE: &str = "The notice about an app on this device was sent in error. \
                               Whatever was taken away is back.";

/// Options of `retract`.
#[derive(Args)]
pub(crate) struct Options {
    /// The policy's id.
    #[arg(value_parser = |text: &str| text.parse::<PolicyId>())]
    policy: PolicyId,
    /// Why, for the record.
    #[arg(long)]
    reason: String,
    /// What those who saw a notice are told, in English.
    #[arg(long, default_value = DEFAULT_MESSAGE)]
    message: String,
    /// Go on printing how far it has come, until every connected device has it and everyone there was corrected.
    #[arg(long)]
    watch: bool,
}

/// How often the server is asked how far a retraction has come; more seldom where it takes long to answer, so that what asks
/// takes no more than half of what there is for those who are corrected.
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(crate) async fn run(home: &Home, options: &Options) -> Result<()> {
    let server = Server::signed_in(home)?;
    let in_force = server.in_force(home).await?;
    let document = in_force.documents.get(&Policy::target_name(&options.policy));
    let document = document.with_context(|| format!("no policy `{}` is in force", options.policy))?;
    let retraction = Retraction {
        format: FORMAT,
        policy: options.policy.clone(),
        through_version: version_of(&document.bytes)?,
        reason: options.reason.clone(),
        message: BTreeMap::from([(Language::english(), options.message.clone())]),
    };
    let text = retraction.to_toml()?;
    Retraction::parse(text.as_bytes())?;
    server.put_alone(&in_force, "retractions", Retraction::target_name(&options.policy), text).await?;
    say!("Withdrawn: {} up to version {}.", options.policy, retraction.through_version);
    if options.watch {
        let since = server.in_force(home).await?.version;
        return watch(&server, &options.policy, since).await;
    }
    say!("See `forewarn-admin status`, or the next time `--watch`.");
    Ok(())
}

/// The policy's version, whatever its format: what stops a policy must not wait for an update.
fn version_of(policy: &[u8]) -> Result<u64> {
    Header::read(policy)?.version.context("the policy does not say which version it has")
}

/// Prints each change, until what is connected has it. Others hear of it when they connect.
async fn watch(server: &Server, policy: &PolicyId, since: u64) -> Result<()> {
    let started = tokio::time::Instant::now();
    let mut before = None;
    loop {
        let asked = tokio::time::Instant::now();
        let undone = server.undone(policy, since).await?;
        let took = asked.elapsed();
        if before.as_ref() != Some(&undone) {
            say!("{:>6.1} s  {}", started.elapsed().as_secs_f32(), line(&undone));
        }
        let Undone { connected, reached, owed, corrected, returning, .. } = undone;
        if reached >= connected && owed == corrected && returning == 0 {
            return Ok(());
        }
        before = Some(undone);
        tokio::time::sleep(LOOK_EVERY.max(took)).await;
    }
}

fn line(undone: &Undone) -> String {
    let Undone { devices, connected: _, reached, owed, corrected, returning } = undone;
    format!(
        "reached {reached} of {devices} devices, {} not yet heard from; corrected {corrected} of {owed} people there who \
         saw a notice; {returning} mail profiles on their way back",
        devices.saturating_sub(*reached)
    )
}
