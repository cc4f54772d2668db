use anyhow::Result;
use clap::Args;
use forewarn_proto::{api::AgentCount, foreign::line};
use forewarn_terminal::{say, say_json, say_lines};

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
        say_json(&fleet)?;
        return Ok(());
    }
    say!("{} devices enrolled, {} connected", fleet.devices, fleet.connected);
    for AgentCount { version, platform, format, devices } in &fleet.agents {
        let (version, platform) = (line(version), line(platform));
        say!("  {devices} devices have agent {version} on {platform}, which reads formats up to {format}");
    }
    for (name, count) in &fleet.policies {
        say_lines(show::count(name, count));
    }
    if fleet.unattended > 0 {
        say!("{} people of whom something is asked have nothing that shows them notices", fleet.unattended);
    }
    for (setting, devices) in &fleet.weakened {
        say!("{devices} devices promise less than others, by their setting `{}`", line(setting));
    }
    for (policy, count) in &fleet.corrections {
        say!("{policy} was retracted: {} of {} people who saw a notice were corrected", count.shown, count.owed);
    }
    for (refusal, devices) in &fleet.refusals {
        say!("{devices} devices refused a bundle: {}", refusal.line());
    }
    for draft in server.drafts().await? {
        say_lines(show::progress(&draft));
    }
    Ok(())
}
