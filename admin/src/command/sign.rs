//! `sign` and `publish`: an open draft.

use anyhow::{Context, Result, bail};
use clap::Args;
use forewarn_proto::{
    api::{Draft, DraftStatus},
    foreign::line,
};
use forewarn_terminal::{ask, say, say_lines};
use forewarn_trust::{Admins, Verified, rebase, review, review_founding, signers};

use crate::{
    facts,
    home::Home,
    server::{Credential, Server, sign_all},
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
    /// By the founding code, if there is one.
    fn connect(&self, home: &Home, otherwise: fn(&Home) -> Result<Server>) -> Result<Server> {
        match &self.code {
            Some(code) => Server::connect(home, Credential::FoundingCode(code.clone())),
            None => otherwise(home),
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
    let server = options.number.connect(home, Server::signed_in)?;
    let status = options.number.find(&server).await?;
    match &options.number.code {
        Some(_) => sign_founding(home, &server, status, options.yes).await,
        None => sign_open(home, &server, status, options.yes).await,
    }
}

async fn sign_founding(home: &Home, server: &Server, status: DraftStatus, yes: bool) -> Result<()> {
    let founders = review_founding(&status.draft)?;
    say_lines(show::progress(&status));
    say_lines(show::founders(&founders, &status.draft)?);
    say_lines(facts::of_founding(&founders, &status.draft)?);
    confirm(yes)?;
    let signed = server.propose(&sign_all(status.draft, home.key()?.as_ref())?).await?;
    report(&signed);
    if signed.published {
        return take_root(home).await;
    }
    say!("When everyone has signed it is published; sooner: forewarn-admin publish {} --code …", signed.number);
    Ok(())
}

async fn sign_open(home: &Home, server: &Server, status: DraftStatus, yes: bool) -> Result<()> {
    let in_force = server.in_force(home).await?;
    say_lines(show::progress(&status));
    let draft = if status.stale { made_anew(home, &status, &in_force)? } else { status.draft };
    let changes = review(&draft, &in_force)?;
    say_lines(show::before_signing(&changes, &in_force, &server.status().await?)?);
    confirm(yes)?;
    report(&server.propose(&sign_all(draft, server.key()?)?).await?);
    Ok(())
}

/// A stale draft's changes over what is in force now, to be signed by everyone again.
fn made_anew(home: &Home, status: &DraftStatus, in_force: &Verified) -> Result<Draft> {
    let remade = rebase(&status.draft, in_force, home.clock()?.wall())?;
    let admins = Admins::of_root(&in_force.root)?;
    let lost: Vec<&str> = signers(&status.draft, &admins.keys)?.iter().map(|key| key.name.as_str()).collect();
    say!("Something else was published since this was proposed, so it is made anew over what is in force.");
    if !lost.is_empty() {
        say!("The signatures of {} are lost with the old one and needed again.", lost.join(" and "));
    }
    Ok(Draft { replaces: Some(status.number), ..remade })
}

/// How far a draft is once it is signed.
pub(crate) fn report(signed: &DraftStatus) {
    for (role, (have, need)) in &signed.signatures {
        say!("{}: {have} of {need} signatures", line(role));
    }
    match &signed.waiting {
        _ if signed.published => say!("Published draft {}.", signed.number),
        Some(why) => say!("Draft {} is signed and waits: {}", signed.number, why.line()),
        None => say!("Draft {} waits for another admin: forewarn-admin sign {0}", signed.number),
    }
}

pub(crate) async fn publish(home: &Home, number: &Number) -> Result<()> {
    let server = number.connect(home, Server::acting)?;
    let draft = number.find(&server).await?;
    server.publish(draft.number).await?;
    say!("Published draft {}.", draft.number);
    if number.code.is_some() {
        take_root(home).await?;
    }
    Ok(())
}

pub(crate) async fn withdraw(home: &Home, number: i64) -> Result<()> {
    Server::acting(home)?.withdraw(number).await?;
    say!("Draft {number} is withdrawn.");
    Ok(())
}

/// After the founding: takes the root that this admin signed, which devices start from.
async fn take_root(home: &Home) -> Result<()> {
    Server::signed_in(home)?.in_force(home).await?;
    say!("Give {} to every device: `forewarn enroll --root`.", home.file("root.json").display());
    Ok(())
}

/// Asks whether to sign, unless that was answered on the command line.
pub(crate) fn confirm(yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    ask("Sign this? [y/N]");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if answer.trim().eq_ignore_ascii_case("y") {
        return Ok(());
    }
    bail!("nothing was signed")
}
