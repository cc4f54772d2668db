//! msmtp: `~/.msmtprc` and `~/.config/msmtp/config`.
//!
//! Source of the format: `msmtp(1)`, CONFIGURATION FILES, of msmtp 1.8. An account can inherit from others (`account b : a`), and `account default : a` names the one that is used when none is named. Without it msmtp ends with EX_CONFIG (78); it is never pointed at another account, whose server would then send the company's mail.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::Client;
use crate::lines::Part;
use crate::lines::lines;
use crate::plan::Syntax;
use crate::setup::{self, Entry};

pub(crate) struct Format;

impl setup::Format for Format {
    const CLIENT: Client = Client::Msmtp;
    const SYNTAX: Syntax = Syntax::Msmtp;
    const FILES: &'static [&'static str] = &[".msmtprc", ".config/msmtp/config"];

    fn entries(parts: &[Part<'_>]) -> Vec<Entry> {
        let accounts: BTreeMap<&str, &Part<'_>> =
            parts.iter().filter_map(|part| Some((part.name.as_deref()?.strip_prefix("account ")?, part))).collect();
        accounts.keys().map(|name| entry(name, &accounts)).collect()
    }
}

/// An account with the addresses that it sets, or inherits. Those from which it inherits are its parts too, so that they stay as long as it does.
fn entry(name: &str, accounts: &BTreeMap<&str, &Part<'_>>) -> Entry {
    let (mut seen, mut waiting) = (BTreeSet::new(), vec![name.to_owned()]);
    let mut texts = Vec::new();
    while let Some(name) = waiting.pop() {
        let Some(part) = accounts.get(name.as_str()).filter(|_| seen.insert(name.clone())) else { continue };
        texts.extend(["from", "user"].into_iter().filter_map(|command| argument(part.raw, command)));
        waiting.extend(bases(part.raw));
    }
    Entry::new(name, texts, seen.into_iter().map(|name| format!("account {name}")).collect())
}

/// `a` and `b` of `account c : a, b`.
fn bases(section: &[u8]) -> Vec<String> {
    let first = lines(section).next().map(String::from_utf8_lossy).unwrap_or_default();
    let bases = first.split_once(':').map(|(_, bases)| bases).unwrap_or_default();
    bases.split(',').map(|base| base.trim().to_owned()).filter(|base| !base.is_empty()).collect()
}

/// The argument of a command, without its quotes.
fn argument(section: &[u8], command: &str) -> Option<String> {
    lines(section).find_map(|line| {
        let line = String::from_utf8_lossy(line);
        let (word, rest) = line.trim().split_once(char::is_whitespace)?;
        (word == command).then(|| rest.trim().trim_matches('"').to_owned())
    })
}
