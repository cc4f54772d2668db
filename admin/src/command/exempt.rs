use anyhow::{Context, Result, ensure};
use clap::Args;
use forewarn_proto::policy::{Exemption, Exemptions, Policy, PolicyId, RuleId};
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
    let document = in_force.documents.get(&Policy::target_name(policy));
    let document = document.with_context(|| format!("no policy `{policy}` is in force"))?;
    let has_rule = Policy::parse(&document.bytes)?.rules.iter().any(|candidate| candidate.id == *rule);
    ensure!(has_rule, "{policy} has no rule `{rule}`");
    let name = Exemptions::target_name(policy);
    let mut exemptions = match in_force.documents.get(&name) {
        Some(document) => Exemptions::parse(&document.bytes)?,
        None => Exemptions { policy: policy.clone(), pauses: Vec::new(), exemptions: Vec::new() },
    };
    exemptions.add(Exemption { device: device.clone(), rule: rule.clone(), until: *until });
    let text = exemptions.to_toml()?;
    Exemptions::parse(text.as_bytes())?;
    server.put_alone(&in_force, "exemptions", name, text).await?;
    anstream::println!("{device} is spared {rule} of {policy} until {until}.");
    Ok(())
}
