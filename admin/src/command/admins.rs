//! `admins`: who they are, and every way in which that changes. Each change is a draft that the others read and sign.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use forewarn_proto::api::Draft;
use forewarn_terminal::{say, say_lines, warn};
use forewarn_trust::{Admins, DELEGATED, Signer, Verified, Wanted, change_admins, metadata::Online, review};

use super::sign::report;
use crate::{
    home::{Home, read_public},
    keys::{Place, Source},
    server::{Credential, Server, sign_all},
    show,
};

/// Options of `admins`.
#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    change: Option<Change>,
}

#[derive(Subcommand)]
enum Change {
    /// Propose one more admin, by the `.pub` file that their `init` made.
    Add {
        /// The public key. Compare its fingerprint with its owner, in person or by phone.
        #[arg(value_name = "FILE.pub")]
        file: PathBuf,
    },
    /// Propose that an admin goes: one who has left, or whose key is lost or stolen.
    Remove {
        /// Their name, as `forewarn-admin admins` shows it.
        name: String,
    },
    /// Make a new key of your own beside the old one and propose the exchange. The old key signs until that is published.
    Rotate {
        /// Take a key that your ssh-agent holds, as `init --ssh-agent` does.
        #[arg(long, value_name = "FINGERPRINT|COMMENT", num_args = 0..=1, default_missing_value = "")]
        ssh_agent: Option<String>,
    },
    /// Propose how many admins a policy, and a change of the admins, needs. Never under two.
    Threshold {
        /// How many.
        number: usize,
    },
    /// Propose the server's newest keys, which it made with `forewarn-server online-keys --new`, for what it signs itself.
    OnlineKeys,
    /// Propose the same for longer: everything that admins sign is signed anew, and is good for another 366 days.
    Renew,
}

pub(crate) async fn run(home: &Home, options: &Options) -> Result<()> {
    let server = Server::signed_in(home)?;
    let in_force = server.in_force(home).await?;
    let Some(change) = &options.change else { return list(home, &in_force) };
    let mut wanted = Wanted::of_root(&in_force.root)?;
    let mut next_key = None;
    let admins = &mut wanted.admins;
    match change {
        Change::Add { file } => admins.keys.push(read_public(file)?),
        Change::Remove { name } => drop(admins.keys.remove(admins.position(name)?)),
        Change::Rotate { ssh_agent } => next_key = Some(rotate(home, admins, ssh_agent.as_deref())?),
        Change::Threshold { number } => admins.threshold = *number,
        Change::OnlineKeys => wanted.online = server.online_keys().await?,
        Change::Renew => wanted.renewed.extend(DELEGATED),
    }
    ensure!(wanted != Wanted::of_root(&in_force.root)?, "that is how it is already");
    let draft = change_admins(&in_force, &wanted, home.clock()?.wall())?;
    propose(&server, &in_force, draft, next_key.as_deref()).await
}

fn list(home: &Home, in_force: &Verified) -> Result<()> {
    let (admins, mine) = (Admins::of_root(&in_force.root)?, home.public()?);
    for admin in &admins.keys {
        let you = if admin.is_same_key(&mine) { " (you)" } else { "" };
        say!("{}  {}{you}", admin.fingerprint()?, admin.name);
    }
    let Online { snapshot, timestamp } = Online::of_root(&in_force.root)?;
    for (role, key) in [("snapshot", snapshot), ("timestamp", timestamp)] {
        say!("{}  the server, for its {role}", key.fingerprint()?);
    }
    let Admins { keys, threshold } = &admins;
    say!("{threshold} of {} start a policy or change this list; any one stops a policy.", keys.len());
    say!("What they signed is good until {}; `forewarn-admin admins renew` before.", in_force.admins_until);
    Ok(())
}

/// Puts a new key of this admin in the place of the one in use.
fn rotate(home: &Home, wanted: &mut Admins, ssh_agent: Option<&str>) -> Result<Box<dyn Signer>> {
    let (mine, next) = (home.public()?, home.make_next_key(&Source::of(ssh_agent))?);
    let place = wanted.keys.iter_mut().find(|key| key.is_same_key(&mine));
    *place.context("your key is not an admin's; only another admin can change that")? = next;
    home.key_at(Place::Next)
}

/// Signs the draft with the key in use, and with the one that comes in its place, and puts it before the others.
async fn propose(server: &Server, in_force: &Verified, draft: Draft, next_key: Option<&dyn Signer>) -> Result<()> {
    say_lines(show::changes(&review(&draft, in_force)?, in_force)?);
    let mut draft = sign_all(draft, server.key()?)?;
    if let Some(key) = next_key {
        draft = sign_all(draft, key)?;
    }
    let status = server.propose(&draft).await?;
    report(&status);
    if next_key.is_some() {
        say!("Your old key is in use until that is published, and is put away then.");
    }
    Ok(())
}

/// If this admin has a next key and it is published, takes it into use, before any command: with it the server answers from then
/// on. Where the server can't be reached, the command says so itself.
pub(crate) async fn finish_rotation(home: &Home) -> Result<()> {
    let Some(next) = home.next_public() else { return Ok(()) };
    let credential = Credential::Key(home.key_at(Place::Next)?);
    let Ok(in_force) = Server::connect(home, credential)?.in_force(home).await else { return Ok(()) };
    if Admins::of_root(&in_force.root)?.keys.contains(&next) {
        home.exchange_keys(&next)?;
        warn!("Your new key is published and in use: {}. The old one is put away.", next.fingerprint()?);
    }
    Ok(())
}
