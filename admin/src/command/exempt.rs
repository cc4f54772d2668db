use anyhow::{Context, Result, ensure};
use clap::Args;
use forewarn_proto::policy::{Exemption, Exemptions, Policy, PolicyId, RuleId};
use forewarn_terminal::say;
use forewarn_trust::Verified;
use jiff::{Timestamp, ZonedDateTime};

use crate::{home::Home, server::Server};

/// Options of `exempt`.
#[derive(Args)]
pub(crate) struct Options {
    /// The device, as `forewarn-admin appeals` names it.
    device: String,
    /// The policy's id.
    #[arg(value_parser = |text: &str| text.parse::<PolicyId>())]
    policy: PolicyId,
    /// The rule's id.
    #[arg(value_parser = |text: &str| text.parse::<RuleId>())]
    rule: RuleId,
    /// Until when, with a zone: 2027-01-31T17:00[Europe/Berlin] or 2027-01-31T16:00Z. It can be made longer later, never
    /// shorter.
    #[arg(long, value_parser = moment)]
    until: Timestamp,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    let zoned = text.parse::<ZonedDateTime>().map(|zoned| zoned.timestamp());
    zoned.or_else(|_| text.parse()).map_err(|error| format!("{error}; write 2027-01-31T17:00[Europe/Berlin]"))
}

pub(crate) async fn run(home: &Home, options: &Options) -> Result<()> {
    let Options { device, policy, rule, until } = options;
    let now = home.clock()?.wall();
    ensure!(*until > now, "{until} is in the past");
    let server = Server::signed_in(home)?;
    let in_force = server.in_force(home).await?;
    let (signed, mut exemptions) = found(&in_force, policy)?;
    ensure!(signed.rules.iter().any(|candidate| candidate.id == *rule), "{policy} has no rule `{rule}`");
    exemptions.add(Exemption { device: device.clone(), rule: rule.clone(), until: *until });
    let text = exemptions.to_toml()?;
    Exemptions::parse(text.as_bytes())?;
    server.put_alone(&in_force, "exemptions", Exemptions::target_name(policy), text).await?;
    say!("{device} is spared {rule} of {policy} until {until}.");
    Ok(())
}

/// A policy in force, and all that stands in its way.
pub(crate) fn found(in_force: &Verified, policy: &PolicyId) -> Result<(Policy, Exemptions)> {
    let document = in_force.documents.get(&Policy::target_name(policy));
    let document = document.with_context(|| format!("no policy `{policy}` is in force"))?;
    let exemptions = match in_force.documents.get(&Exemptions::target_name(policy)) {
        Some(document) => Exemptions::parse(&document.bytes)?,
        None => Exemptions::none(policy.clone()),
    };
    Ok((Policy::parse(&document.bytes)?, exemptions))
}
