//! `vault`: who is known on this device, what is kept for them, and to give that to somebody else. For root, with the daemon
//! stopped.

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use forewarn_clock::Clock;
use forewarn_proto::{
    inventory::Person,
    ipc::{Entry, Event},
};
use forewarn_terminal::say;

use crate::{config::Config, people, store::Store};

/// Options of `vault`.
#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everyone who is or was known here, and how many revoked mail profiles are kept for them.
    List,
    /// Give what is kept for somebody whose account is gone to another account: that one is them from now on, and is told
    /// everything anew. It is noted in their log.
    Give {
        /// The person's name here, from `forewarn vault list`.
        person: Person,
        /// The account's name or number.
        #[arg(long, value_name = "USER")]
        to: String,
    },
}

pub(crate) fn run(config: &Config, options: &Options) -> Result<()> {
    // Nobody else may change who is who meanwhile.
    let store = Store::open(&config.state)?;
    match &options.command {
        Command::List => list(config),
        Command::Give { person, to } => give(config, &store, *person, to),
    }
}

fn list(config: &Config) -> Result<()> {
    for known in people::known(config)? {
        let account = known.name.unwrap_or_else(|| format!("user {}", known.user));
        say!("{}  {account}: {} kept", known.person, people::kept(config, known.person)?);
    }
    Ok(())
}

fn give(config: &Config, store: &Store, person: Person, to: &str) -> Result<()> {
    let former = people::give(config, person, to)?;
    let event = Event::VaultGiven { to: to.to_owned() };
    let at = Clock::new(config.simulated_clock.as_deref()).wall();
    let about = former.name.unwrap_or_else(|| format!("user {}", former.user));
    store
        .add_entries(&[(person, Entry { at, about, event })], &store.history())
        .context("it is given, but that can't be noted in the log")?;
    say!("{to} is {person} from now on. Start the daemon: it tells them anew, and gives back what is due.");
    Ok(())
}
