//! `tokens`: for programs, and people without an admin's key.

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use forewarn_proto::{
    api::{Role, Token, TokenRequest},
    policy::Name,
};
use forewarn_terminal::say;

use crate::{home::Home, server::Server};

/// Options of `tokens`.
#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    question: Option<Question>,
}

#[derive(Subcommand)]
enum Question {
    /// List them; the same as no subcommand.
    List,
    /// Make one, and print its secret, which is shown this once.
    Make {
        /// Whose it is: grafana.
        name: Name,
        /// What it may do.
        #[arg(long, value_enum)]
        role: RoleName,
        /// For how many days.
        #[arg(long, default_value_t = 90)]
        days: u16,
    },
    /// End one.
    End {
        /// Whose it is.
        name: String,
    },
}

/// What a token may do.
#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    /// Read what devices reported, what is in force, and the record.
    Viewer,
    /// Put drafts before the admins, too.
    Author,
    /// Publish what is signed, revoke and forget devices, too. It signs nothing.
    Approver,
}

pub(crate) async fn run(home: &Home, options: &Options) -> Result<()> {
    let server = Server::signed_in(home)?;
    match &options.question {
        None | Some(Question::List) => {
            for Token { name, role, ends } in server.tokens().await? {
                say!("{name}: {role:?}, ends {ends:.0}");
            }
        }
        Some(Question::Make { name, role, days }) => {
            let role = match role {
                RoleName::Viewer => Role::Viewer,
                RoleName::Author => Role::Author,
                RoleName::Approver => Role::Approver,
            };
            let secret = server.make_token(&TokenRequest { name: name.clone(), role, days: *days }).await?;
            say!("{secret}");
        }
        Some(Question::End { name }) => {
            server.end_token(name).await?;
            say!("The token of {name} is over.");
        }
    }
    Ok(())
}
