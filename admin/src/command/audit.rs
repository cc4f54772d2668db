//! `audit`: the record of decisions, and whether it is whole.

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use forewarn_proto::audit::{Decision, Entry, SignedRole};
use forewarn_terminal::say;
use forewarn_trust::check_chain;
use serde::{Deserialize, Serialize};

use crate::{home::Home, server::Server};

/// Where this admin remembers how far the record went, in their folder.
const SEEN: &str = "audit.json";

/// Options of `audit`.
#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    question: Question,
}

#[derive(Subcommand)]
enum Question {
    /// Print every decision.
    Show,
    /// Check that none was changed or taken out, also not since this machine last looked.
    Verify,
}

/// The last entry that this machine has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    number: u64,
    hash: String,
}

pub(crate) async fn run(home: &Home, options: &Options) -> Result<()> {
    let (entries, last) = read(home, &Server::looking(home)?).await?;
    match options.question {
        Question::Show => entries.iter().for_each(|entry| say!("{}", line(entry))),
        Question::Verify => say!("The record is whole: {} decisions, up to {}.", last.number, last.hash),
    }
    home.write(SEEN, &serde_json::to_string(&last)?)
}

/// The whole record, checked, from its first entry to its last.
async fn read(home: &Home, server: &Server) -> Result<(Vec<Entry>, Seen)> {
    let seen = seen(home)?;
    let (mut last, mut entries) = (Seen::default(), Vec::new());
    loop {
        let page = server.audit_after(last.number).await?;
        let Some(newest) = page.last() else { break };
        let hash = newest.hash.clone();
        let read = check_chain(last.number, &last.hash, &page).context("the record is NOT whole")?;
        check_seen(&seen, last.number, &page.iter().map(|chained| chained.hash.as_str()).collect::<Vec<_>>())?;
        last = Seen { number: last.number + read.len() as u64, hash };
        entries.extend(read);
    }
    if last.number < seen.number {
        bail!("the record is NOT whole: it ends with entry {}, and this machine has seen {}", last.number, seen.number);
    }
    Ok((entries, last))
}

/// What this machine has seen has to be there still.
fn check_seen(seen: &Seen, before: u64, hashes: &[&str]) -> Result<()> {
    let Some(place) = seen.number.checked_sub(before + 1) else { return Ok(()) };
    let there = usize::try_from(place).ok().and_then(|place| hashes.get(place));
    if there.is_some_and(|hash| *hash != seen.hash) {
        bail!("the record is NOT whole: entry {} is another than this machine has seen", seen.number);
    }
    Ok(())
}

fn seen(home: &Home) -> Result<Seen> {
    let path = home.file(SEEN);
    if !path.exists() {
        return Ok(Seen::default());
    }
    let damaged = || format!("{} is damaged; with it goes the proof of what was seen: find out why", path.display());
    serde_json::from_str(&fs_err::read_to_string(&path)?).with_context(damaged)
}

fn line(Entry { number, at, decision }: &Entry) -> String {
    let what = match decision {
        Decision::Proposed { draft, by, roles } => {
            format!("draft {draft} sent by {by}: {}", signed(roles.iter()))
        }
        Decision::Published { draft, by, roles, bundle } => {
            format!("draft {draft} IN FORCE, by {by}: {}; bundle {bundle}", signed(roles.iter()))
        }
        Decision::BroughtBack { by, bundle } => format!("brought back by {by} after a restore; bundle {bundle}"),
        Decision::DeviceRevoked { device, by } => format!("{device} revoked by {by}"),
        Decision::DeviceForgotten { by } => format!("a device forgotten by {by}"),
        Decision::TokenMade { name, role, by } => format!("token of {name} made by {by}, as {role:?}"),
        Decision::Withdrawn { draft, by } => format!("draft {draft} withdrawn by {by}"),
        Decision::SignedIn { name, role } => format!("{name} signed in, as {role:?}"),
        Decision::TokenEnded { name, by } => format!("token of {name} ended by {by}"),
    };
    format!("{number} {at:.0} {what}")
}

fn signed<'r>(roles: impl Iterator<Item = (&'r String, &'r SignedRole)>) -> String {
    let one = |(role, SignedRole { version, signed_by, .. }): (&String, &SignedRole)| {
        let names = if signed_by.is_empty() { "nobody".to_owned() } else { signed_by.join(" and ") };
        format!("{role} {version} signed by {names}")
    };
    roles.map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_has_to_be_there_still() {
        let seen = Seen { number: 3, hash: "c".to_owned() };
        assert!(check_seen(&seen, 0, &["a", "b", "c", "d"]).is_ok());
        assert!(check_seen(&seen, 0, &["a", "b", "x"]).is_err());
        assert!(check_seen(&seen, 2, &["c"]).is_ok() && check_seen(&seen, 2, &["x"]).is_err());
        assert!(check_seen(&seen, 3, &["x"]).is_ok(), "that page is after what was seen");
        assert!(check_seen(&Seen::default(), 0, &["x"]).is_ok(), "nothing was seen yet");
    }
}
