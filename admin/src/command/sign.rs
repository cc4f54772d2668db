//! `sign` and `publish`: an open draft.

use std::io::Write;

use anyhow::{Context, Result, bail};
use clap::Args;
use forewarn_proto::api::{Draft, DraftStatus};
use forewarn_trust::{SigningKey, metadata, review, review_founding};

use crate::{
    home::Home,
    server::{Credential, Server},
    show,
};

/// Which draft.
#[derive(Args)]
pub(crate) struct Number {
    /// The draft's number; needed only when several are open.
    number: Option<i64>,
    /// The founding code, for the founding draft alone.
    #[arg(long)]
    code: Option<String>,
}

/// Options of `sign`.
#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    number: Number,
    /// Sign without asking.
    #[arg(long)]
    yes: bool,
}

impl Number {
    fn connect(&self, home: &Home) -> Result<Server> {
        match &self.code {
            Some(code) => Server::connect(home, Credential::FoundingCode(code.clone())),
            None => Server::signed_in(home),
        }
    }

    async fn find(&self, server: &Server) -> Result<DraftStatus> {
        let mut open = server.drafts().await?;
        match self.number {
            Some(number) => {
                open.into_iter().find(|d| d.number == number).with_context(|| format!("draft {number} is not open"))
            }
            None if open.len() > 1 => {
                let numbers: Vec<String> = open.iter().map(|d| d.number.to_string()).collect();
                bail!("several drafts are open: {}; say which", numbers.join(", "))
            }
            None => open.pop().context("no draft is open"),
        }
    }
}

pub(crate) async fn sign(home: &Home, options: &Options) -> Result<()> {
    let server = options.number.connect(home)?;
    let status = options.number.find(&server).await?;
    show::progress(&status);
    match &options.number.code {
        Some(_) => show::founders(&review_founding(&status.draft)?, &status.draft)?,
        None => show::changes(&review(&status.draft, &server.in_force(home).await?)?)?,
    }
    if !options.yes && !confirmed()? {
        bail!("nothing was signed");
    }
    let key = match &options.number.code {
        Some(_) => &home.key()?,
        None => server.key()?,
    };
    let signed = server.propose(&sign_all(status.draft, key)?).await?;
    for (role, (have, need)) in &signed.signatures {
        anstream::println!("{role}: {have} of {need} signatures");
    }
    if signed.is_signed() {
        let code = if options.number.code.is_some() { " --code CODE" } else { "" };
        anstream::println!("Ready: forewarn-admin publish {}{code}", signed.number);
    }
    Ok(())
}

pub(crate) async fn publish(home: &Home, number: &Number) -> Result<()> {
    let server = number.connect(home)?;
    let draft = number.find(&server).await?;
    server.publish(draft.number).await?;
    anstream::println!("Published draft {}.", draft.number);
    if number.code.is_some() {
        Server::signed_in(home)?.in_force(home).await?;
        anstream::println!("Give {} to every device: `forewarn enroll --root`.", home.file("root.json").display());
    }
    Ok(())
}

/// Signs every role of a draft.
pub(crate) fn sign_all(mut draft: Draft, key: &SigningKey) -> Result<Draft> {
    for (role, text) in &mut draft.roles {
        *text = metadata::sign(role, text, key)?;
    }
    Ok(draft)
}

fn confirmed() -> Result<bool> {
    anstream::print!("Sign this? [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}
