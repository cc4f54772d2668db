//! `mail plan`: what a revoke would take from this home now. It looks and touches nothing.

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use clap::{Args, Subcommand};
use forewarn_mail::{Account, Found, Home, Plan};
use forewarn_proto::policy::Domain;

use crate::{config::Config, people};

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
    let home = Home::open(&people::asked_about(config)?.home)?;
    let Found { accounts, skipped } = forewarn_mail::find(&home, domain.as_str());
    for Account { client, address, touches, .. } in &accounts {
        anstream::println!("{BOLD}{client}{BOLD:#} {address}, from {}", touches.join(", "));
    }
    for skipped in &skipped {
        anstream::println!("{WARN}left{WARN:#} {} {}: {}", skipped.client, skipped.profile, skipped.reason);
    }
    if accounts.is_empty() {
        anstream::println!("There is no account of {domain} here.");
    }
    if *pieces {
        forewarn_mail::plan(&home, domain.as_str())?.iter().for_each(print_pieces);
    }
    anstream::println!(
        "This only looked; nothing was touched. A revoke moves these pieces into the vault, and mail stays."
    );
    Ok(())
}

fn print_pieces(plan: &Plan) {
    anstream::print!("\n{plan}");
}
