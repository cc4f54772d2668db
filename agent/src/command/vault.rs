//! `vault`: who is known on this device, what is kept for them, and to give that to somebody else. For whoever owns the state,
//! with the daemon stopped.

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use forewarn_core::store::Store;
use forewarn_host::Clock;
use forewarn_proto::{
    foreign::line,
    inventory::Person,
    ipc::{Entry, Event},
};
use forewarn_terminal::say;

use crate::{config::Config, people};

/// Options of `vault`.
#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everyone who is or was known here, and how many mail profiles in their vault are not back.
    List,
    /// Give what is kept for somebody whose account is gone to another account, with the daemon stopped: that one is them from
    /// now on, and is told everything anew. Its log begins with that; what was decided about the other goes from it.
    Give {
        /// The person's name here, from `forewarn vault list`.
        #[arg(id = "known", value_name = "PERSON")]
        person: Person,
        /// The account's name or number.
        #[arg(long, value_name = "USER")]
        to: String,
    },
}

pub(crate) fn run(config: &Config, options: &Options) -> Result<()> {
    // Nobody else may change who is who meanwhile.
    let store = Store::open(&config.state).context("stop the daemon first; only whoever owns its state may do this")?;
    match &options.command {
        Command::List => list(config),
        Command::Give { person, to } => give(config, &store, *person, to),
    }
}

fn list(config: &Config) -> Result<()> {
    for known in people::known(config)? {
        let account = known.name.clone().unwrap_or_else(|| format!("user {}", known.user));
        let gone = if people::is_gone(&known) { ", whose account is gone" } else { "" };
        say!("{}  {}{gone}: {} kept", known.person, line(&account), people::kept(config, known.person)?);
    }
    Ok(())
}

fn give(config: &Config, store: &Store, person: Person, to: &str) -> Result<()> {
    let former = people::give(config, person, to)?;
    let event = Event::VaultGiven { to: to.to_owned() };
    let at = Clock::new(config.simulated_clock.as_deref()).wall();
    let about = former.name.unwrap_or_else(|| format!("user {}", former.user));
    // What was decided about the other is theirs alone.
    store.forget_entries(person)?;
    store.add_entry(person, Entry { at, about, event }).context("it is given, but that can't be noted in the log")?;
    say!("{to} is {person} from now on. Start the daemon: it tells them anew, and gives back what is due.");
    Ok(())
}
