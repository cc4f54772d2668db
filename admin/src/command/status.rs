use anyhow::Result;
use clap::Args;
use forewarn_proto::api::AgentCount;

use crate::{home::Home, server::Server, show};

/// Options of `status`.
#[derive(Args)]
pub(crate) struct Options {
    /// Print the server's answer as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(home: &Home, options: &Options) -> Result<()> {
    let server = Server::looking(home)?;
    let fleet = server.status().await?;
    if options.json {
        anstream::println!("{}", serde_json::to_string_pretty(&fleet)?);
        return Ok(());
    }
    anstream::println!("{} devices enrolled, {} connected", fleet.devices, fleet.connected);
    for AgentCount { version, platform, format, devices } in &fleet.agents {
        anstream::println!(
            "  {devices} devices have agent {version} on {platform}, which reads formats up to {format}"
        );
    }
    for (name, count) in &fleet.policies {
        show::count(name, count);
    }
    if fleet.unattended > 0 {
        anstream::println!(
            "{} people of whom something is asked have nothing that shows them notices",
            fleet.unattended
        );
    }
    for (policy, count) in &fleet.corrections {
        anstream::println!(
            "{policy} was retracted: {} of {} people who saw a notice were corrected",
            count.shown,
            count.owed
        );
    }
    for (refusal, devices) in &fleet.refusals {
        anstream::println!("{devices} devices refused a bundle: {refusal}");
    }
    for draft in server.drafts().await? {
        show::progress(&draft);
    }
    Ok(())
}
