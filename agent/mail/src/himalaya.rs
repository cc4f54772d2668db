//! himalaya: `~/.config/himalaya/config.toml` and `~/.himalayarc`.
//!
//! Source of the format: `config.sample.toml` of himalaya 1: a table `[accounts.NAME]` for each account, with `email` and, at any depth, `login`. Tables are cut out as they are written, and the rest has to mean what it meant; an account that is written otherwise (in an inline table, say) is left alone.

use toml::{Table, Value};

use crate::account::{Client, SkipReason};
use crate::lines::Part;
use crate::plan::Syntax;
use crate::sections::without;
use crate::setup::{self, Entry, own_parts};

pub(crate) struct Format;

impl setup::Format for Format {
    const CLIENT: Client = Client::Himalaya;
    const SYNTAX: Syntax = Syntax::Ini;
    const FILES: &'static [&'static str] = &[".config/himalaya/config.toml", ".config/himalaya.toml", ".himalayarc"];

    fn entries(parts: &[Part<'_>]) -> Vec<Entry> {
        let text: Vec<u8> = parts.iter().flat_map(|part| part.raw).copied().collect();
        let Some(accounts) = accounts(&text) else { return Vec::new() };
        let entry = |(name, account): (&String, &Value)| {
            let mut texts = Vec::new();
            addresses(account, &mut texts);
            let tables = parts.iter().filter_map(|part| part.name.clone()).filter(|header| is_of(header, name));
            Entry::new(name, texts, tables.collect())
        };
        accounts.iter().map(entry).collect()
    }

    fn cut(bytes: &[u8], ours: &[Entry], others: &[Entry]) -> Result<Vec<u8>, SkipReason> {
        let after = without(Self::SYNTAX, bytes, &own_parts(ours, others));
        let expected = accounts(bytes).map(|mut accounts| {
            accounts.retain(|name, _| ours.iter().all(|entry| entry.key != *name));
            accounts
        });
        if accounts(&after) == expected {
            Ok(after)
        } else {
            Err(SkipReason::Malformed { path: Self::FILES[0].to_owned() })
        }
    }
}

fn accounts(bytes: &[u8]) -> Option<Table> {
    let root: Table = toml::from_str(std::str::from_utf8(bytes).ok()?).ok()?;
    match root.get("accounts") {
        Some(accounts) => accounts.as_table().cloned(),
        None => Some(Table::new()),
    }
}

/// The value of every `email` and `login`.
fn addresses(value: &Value, found: &mut Vec<String>) {
    for (key, value) in value.as_table().into_iter().flatten() {
        let named = value.as_str().filter(|_| matches!(key.as_str(), "email" | "login"));
        found.extend(named.map(str::to_owned));
        addresses(value, found);
    }
}

/// Whether a header is of an account's table or one in it: `accounts.work.backend` of `work`.
fn is_of(header: &str, account: &str) -> bool {
    let header: String = header.split_whitespace().collect();
    let names = [account.to_owned(), format!("\"{account}\""), format!("'{account}'")];
    names.iter().any(|name| {
        let rest = header.strip_prefix("accounts.").and_then(|rest| rest.strip_prefix(name.as_str()));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}
