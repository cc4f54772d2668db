use std::time::Duration;

use anyhow::Result;
use clap::Args;
use forewarn_proto::policy::Policy;
use forewarn_terminal::{say, say_lines};

use super::policy::File;
use crate::{home::Home, server::Server, show};

/// Options of `preview`.
#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    file: File,
    /// How many seconds to wait for every connected device to answer.
    #[arg(long, default_value_t = 10)]
    wait: u64,
}

pub(crate) async fn run(home: &Home, options: &Options) -> Result<()> {
    let now = home.clock()?.wall();
    let (policy, text) = options.file.read(now)?;
    let server = Server::signed_in(home)?;
    let in_force = server.in_force(home).await?;
    server.put_alone(&in_force, "previews", Policy::preview_name(&policy.id), text).await?;
    say_lines(show::policy(&policy));
    wait_for_counts(&server, &policy, options.wait).await
}

async fn wait_for_counts(server: &Server, policy: &Policy, seconds: u64) -> Result<()> {
    let name = format!("preview/{}", policy.id);
    for look in 0..=seconds * 10 {
        let fleet = server.status().await?;
        let count = fleet.policies.get(&name).filter(|count| count.version == policy.version).cloned();
        let answered = count.as_ref().map_or(0, |count| count.met + count.not_met + count.unknown);
        // Devices say at once that they can't tell yet, and what they have found as soon as they have looked.
        let known = count.as_ref().is_some_and(|count| count.unknown == 0) && answered >= fleet.connected;
        if known || look == seconds * 10 {
            say_lines(show::count(&name, &count.unwrap_or_default()));
            say!(
                "{answered} of {} devices answered, {} are connected. Nobody was told anything.",
                fleet.devices,
                fleet.connected,
            );
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
