//! `devices`: what enrolled, and what may speak no longer.

use anyhow::Result;
use clap::{Args, Subcommand};
use forewarn_proto::{
    api::{Agent, Device},
    foreign,
    policy::Group,
};
use forewarn_terminal::say;

use crate::{home::Home, server::Server};

/// Options of `devices`.
#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    question: Option<Question>,
}

#[derive(Subcommand)]
enum Question {
    /// List them; the same as no subcommand.
    List,
    /// Have a device's certificate count no longer: it was lost, stolen or sold. It hears and reports nothing more.
    Revoke {
        /// Its name.
        device: String,
    },
    /// Delete all that the server knows of a device: its name, report and appeals. It may then speak no longer either.
    Forget {
        /// Its name.
        device: String,
    },
}

pub(crate) async fn run(home: &Home, options: &Options) -> Result<()> {
    match &options.question {
        None | Some(Question::List) => list(&Server::looking(home)?).await,
        Some(Question::Revoke { device }) => {
            Server::acting(home)?.revoke_device(device).await?;
            say!("{device} is revoked: it hears and reports nothing more.");
            Ok(())
        }
        Some(Question::Forget { device }) => {
            Server::acting(home)?.forget_device(device).await?;
            say!("{device} is forgotten: the server knows nothing of it any more.");
            Ok(())
        }
    }
}

async fn list(server: &Server) -> Result<()> {
    let mut after = String::new();
    loop {
        let page = server.devices_after(&after).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(&last.name);
        page.iter().for_each(|device| say!("{}", line(device)));
    }
}

fn line(Device { name, enrolled, groups, revoked, heard, weakened, agent }: &Device) -> String {
    let groups: Vec<&str> = groups.iter().map(Group::as_str).collect();
    let groups = if groups.is_empty() { String::new() } else { format!(", in {}", groups.join(" and ")) };
    let heard = heard.map_or("has reported nothing".to_owned(), |at| format!("last report {at:.0}"));
    let revoked = revoked.map(|at| format!(", REVOKED {at:.0}")).unwrap_or_default();
    let settings: Vec<&str> = weakened.iter().map(|setting| setting.name()).collect();
    let weakened = if settings.is_empty() { String::new() } else { format!(", weakened by {}", settings.join(", ")) };
    let agent = agent.as_ref().map(|agent| format!(", {}", in_words(agent))).unwrap_or_default();
    format!("{}{groups}: enrolled {enrolled:.0}, {heard}{agent}{weakened}{revoked}", foreign::line(name))
}

fn in_words(Agent { version, platform, format, unread }: &Agent) -> String {
    let line = |text: &str| foreign::line(text).into_owned();
    let unread: Vec<String> =
        unread.iter().map(|unread| format!("{} ({})", line(&unread.document), line(&unread.why.to_string()))).collect();
    let unread = if unread.is_empty() { String::new() } else { format!(", CAN'T READ {}", unread.join("; ")) };
    format!("agent {} on {}, format {format}{unread}", line(version), line(platform))
}
