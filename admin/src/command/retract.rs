use std::collections::BTreeMap;

use anyhow::{Context, Result};
use clap::Args;
use forewarn_proto::{
    api::Draft,
    policy::{Language, Policy, PolicyId, Retraction},
};
use forewarn_trust::metadata;

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
}

pub(crate) async fn run(home: &Home, options: &Options) -> Result<()> {
    let server = Server::signed_in(home)?;
    let in_force = server.in_force(home).await?;
    let document = in_force.documents.get(&Policy::target_name(&options.policy));
    let document = document.with_context(|| format!("no policy `{}` is in force", options.policy))?;
    let retraction = Retraction {
        policy: options.policy.clone(),
        through_version: Policy::parse(&document.bytes)?.version,
        reason: options.reason.clone(),
        message: BTreeMap::from([(Language::english(), options.message.clone())]),
    };
    let text = retraction.to_toml()?;
    Retraction::parse(text.as_bytes())?;
    let current = in_force.roles.get("retractions").context("the server has no retractions role")?;
    let targets = BTreeMap::from([(Retraction::target_name(&options.policy), text)]);
    let next = metadata::next_targets("retractions", current, &targets, &[], home.clock()?.wall())?;
    let roles = BTreeMap::from([("retractions".to_owned(), next)]);
    server.put_in_force(Draft { roles, targets, ..Draft::default() }).await?;
    anstream::println!(
        "Withdrawn: {} up to version {}. See `forewarn-admin status`.",
        options.policy,
        retraction.through_version
    );
    Ok(())
}
