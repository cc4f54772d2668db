//! `mail plan`: what a revoke would take from this home now. It looks and touches nothing.

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use clap::{Args, Subcommand};
use forewarn_host::user;
use forewarn_mail::{Account, Found, Home, Plan};
use forewarn_proto::{foreign::line, policy::Domain};
use forewarn_terminal::{say, say_lines};

use crate::{
    config::Config,
    people,
    rights::{self, Numbers},
};

const BOLD: Style = Style::new().bold();
const WARN: Style = AnsiColor::Yellow.on_default();

/// Options of `mail`.
#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    question: Question,
}

#[derive(Subcommand)]
enum Question {
    /// What would be taken, account by account, if the mail of a domain were revoked now. Nothing is touched.
    Plan {
        /// The mail domain: corp.example.
        domain: Domain,
        /// Also every piece of every file that would go, with secrets masked.
        #[arg(long)]
        pieces: bool,
    },
}

pub(crate) fn run(config: &Config, options: &Options) -> Result<()> {
    let Question::Plan { domain, pieces } = &options.question;
    let account = people::asked_about(config)?;
    become_owner(&account)?;
    let home = Home::open(&account.home)?;
    let Found { accounts, skipped } = forewarn_mail::find(&home, domain.as_str());
    for Account { client, address, touches, .. } in &accounts {
        say!("{BOLD}{client}{BOLD:#} {}, from {}", line(address), line(&touches.join(", ")));
    }
    for skipped in &skipped {
        say!("{WARN}left{WARN:#} {} {}: {}", skipped.client, line(&skipped.profile), line(&skipped.reason.to_string()));
    }
    if accounts.is_empty() {
        say!("There is no account of {domain} here.");
    }
    if *pieces {
        say_lines(forewarn_mail::plan(&home, domain.as_str())?.iter().flat_map(pieces_of));
    }
    say!("This only looked; nothing was touched. A revoke moves these pieces into the vault, and mail stays.");
    Ok(())
}

fn pieces_of(plan: &Plan) -> Vec<String> {
    let addresses: Vec<_> = plan.accounts.iter().map(|account| line(&account.address)).collect();
    let mut lines = vec![String::new(), format!("{} {}: {}", plan.client, line(&plan.profile), addresses.join(", "))];
    for file in &plan.files {
        lines.push(format!("  {}", line(&file.path)));
        lines.extend(file.removed.iter().map(|piece| format!("  - {}", line(piece))));
    }
    lines
}

/// What is in a home is read with its owner's rights, also where root asks.
fn become_owner(account: &people::Account) -> Result<()> {
    if !user::is_root() || account.user == user::ROOT {
        return Ok(());
    }
    rights::become_user(Numbers { user: account.user, group: account.group }, &[])
}
