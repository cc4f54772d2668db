//! What is kept for people whose accounts are gone, and how it becomes somebody else's: by root's word alone.

use anyhow::{Context, Result, ensure};
use forewarn_proto::inventory::Person;

use super::{
    database, looked_after,
    register::{Known, Register},
    sighting,
};
use crate::config::Config;

/// Everyone who was ever met on this device.
///
/// # Errors
/// When that can't be read.
pub(crate) fn known(config: &Config) -> Result<Vec<Known>> {
    Ok(Register::load(&config.state)?.everyone().to_vec())
}

/// Whether somebody's account is gone; where it has no name, their home.
pub(crate) fn is_gone(known: &Known) -> bool {
    known.name.as_deref().map_or_else(|| !known.has_home(), |name| !database::has(name))
}

/// How many entries a person's vault has that are not over.
///
/// # Errors
/// When it can't be read.
pub(crate) fn kept(config: &Config, person: Person) -> Result<usize> {
    match fs_err::read_dir(config.vault().join(person.to_string()).join("entries")) {
        Ok(entries) => Ok(entries.flatten().filter(|entry| !entry.path().join("finished").exists()).count()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// Makes an account a person who was known before, with all that is kept for them. Gives who that was.
///
/// # Errors
/// When there is no such person or account, or something is kept for the account itself.
pub(crate) fn give(config: &Config, person: Person, to: &str) -> Result<Known> {
    let user = database::number_of(to).with_context(|| format!("there is no account `{to}`"))?;
    let entries = looked_after(config, |entry| entry.user == user);
    let entry = entries.into_iter().find(|entry| entry.user == user);
    let entry = entry.with_context(|| format!("no home of `{to}` is looked after here; see `homes` in agent.toml"))?;
    let mut register = Register::load(&config.state)?;
    let former = register.everyone().iter().find(|known| known.person == person);
    ensure!(former.is_none_or(is_gone), "the account of {person} is still there; what is kept for them stays theirs");
    if let Some(own) = register.who_is(&sighting(&entry)).filter(|own| *own != person) {
        ensure!(kept(config, own)? == 0, "mail of `{to}` is in a vault of their own ({own}); it has to be back first");
    }
    register.give(person, &sighting(&entry))
}
