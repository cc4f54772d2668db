//! Putting an account's lines back into a `prefs.js` that was rewritten since.
//!
//! Thunderbird gives a freed number (`server2`, `id1`, `smtp1`) to the next new account. Our lines then get free numbers; the new account's lines are never touched.

use super::prefs::{DEFAULTS, Kind, LAST_ACCOUNT, LISTS, Line, Prefs, new_line, owner};
use crate::lines::{push_line, put_back_in_order};
use crate::rewritten::Renames;

/// The same mailbox is set up a second time, by the person: two of it would disturb each other.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ThereAgain;

/// `current` with the lines and list members that `original` has and `after` lacks. What is there already stays as it is.
///
/// `renames` holds the new numbers of an interrupted merge, and receives those of this one.
pub(crate) fn merge(
    original: &[u8],
    after: &[u8],
    current: &[u8],
    renames: &mut Renames,
) -> Result<Vec<u8>, ThereAgain> {
    let (original, after, current) = (Prefs::parse(original), Prefs::parse(after), Prefs::parse(current));
    let gone = |key: &str| !after.has(key);
    check_not_there_again(&original, &gone, &current, renames)?;
    renumber(&original, &gone, &current, renames);
    let mut out: Vec<Vec<u8>> = current.lines.iter().map(|line| line.raw.to_vec()).collect();
    let mut keys: Vec<Option<String>> = current.lines.iter().map(|line| line.key().map(str::to_owned)).collect();
    for line in &original.lines {
        let Some(key) = line.key().filter(|key| gone(key)) else {
            continue;
        };
        let (key, raw) = rename(line, key, renames);
        if !current.has(&key) {
            insert(&mut out, &mut keys, key, raw);
        }
    }
    for (name, _) in LISTS {
        restore_list(&mut out, &mut keys, (&original, &after, &current), name, renames);
    }
    raise_last_account(&mut out, &keys, &current, renames);
    Ok(joined(&out))
}

/// The removed things of a kind, as they are called in `original`.
fn removed(original: &Prefs<'_>, gone: &impl Fn(&str) -> bool, kind: Kind) -> Vec<String> {
    let is_gone = |id: &String| {
        original.lines.iter().filter_map(Line::key).any(|key| gone(key) && owner(key) == Some((kind, id)))
    };
    original.ids(kind).into_iter().filter(is_gone).collect()
}

/// Host and login of a server.
fn mailbox(prefs: &Prefs<'_>, server: &str) -> Option<(String, String)> {
    let part = |name| prefs.part(Kind::Server, server, name);
    Some((part("hostname")?.to_ascii_lowercase(), part("userName")?.to_ascii_lowercase()))
}

fn check_not_there_again(
    original: &Prefs<'_>,
    gone: &impl Fn(&str) -> bool,
    current: &Prefs<'_>,
    renames: &Renames,
) -> Result<(), ThereAgain> {
    for account in removed(original, gone, Kind::Account) {
        let Some(server) = original.part(Kind::Account, &account, "server") else {
            continue;
        };
        let ours = mailbox(original, &server);
        let is_another = |other: &String| {
            let theirs = current.part(Kind::Account, other, "server").and_then(|server| mailbox(current, &server));
            other != renames.get(&account) && ours.is_some() && theirs == ours
        };
        if current.ids(Kind::Account).iter().any(is_another) {
            return Err(ThereAgain);
        }
    }
    Ok(())
}

/// What makes two things that have the same key the same thing.
fn identifying(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Account => &["server"],
        Kind::Server => &["hostname", "userName"],
        Kind::Identity => &["useremail"],
        Kind::Smtp => &["hostname", "username"],
    }
}

/// Finds free numbers for our keys that now belong to something else.
fn renumber(original: &Prefs<'_>, gone: &impl Fn(&str) -> bool, current: &Prefs<'_>, renames: &mut Renames) {
    // Servers first: an account is told by its server's key.
    for kind in [Kind::Server, Kind::Identity, Kind::Smtp, Kind::Account] {
        for id in removed(original, gone, kind) {
            let now = renames.get(&id).to_owned();
            let is_taken = current.ids(kind).contains(&now);
            let differs = |name: &&str| {
                let ours = original.part(kind, &id, name);
                let ours =
                    if kind == Kind::Account { ours.map(|server| renames.get(&server).to_owned()) } else { ours };
                current.part(kind, &now, name) != ours
            };
            if is_taken && identifying(kind).iter().any(differs) {
                let free = free_number(kind, original, current, renames);
                renames.add(&id, &format!("{}{free}", kind.stem()));
            }
        }
    }
}

fn free_number(kind: Kind, original: &Prefs<'_>, current: &Prefs<'_>, renames: &Renames) -> u64 {
    let number = |id: &String| id.strip_prefix(kind.stem()).and_then(|number| number.parse::<u64>().ok());
    let used = original.ids(kind).iter().chain(&current.ids(kind)).chain(renames.names()).filter_map(number).max();
    let last = if kind == Kind::Account { current.number(LAST_ACCOUNT) } else { None };
    used.max(last).unwrap_or(0).saturating_add(1)
}

/// A removed line, under the numbers that its keys have now.
fn rename(line: &Line<'_>, key: &str, renames: &Renames) -> (String, Vec<u8>) {
    let new_key = match owner(key) {
        Some((_, id)) => key.replacen(id, renames.get(id), 1),
        None => key.to_owned(),
    };
    let Some(text) = line.text().filter(|_| names_keys(key)) else {
        let raw = if new_key == key { line.raw.to_vec() } else { line.renamed(&new_key) };
        return (new_key, raw);
    };
    let named: Vec<_> = text.split(',').map(|id| renames.get(id)).collect();
    let named = named.join(",");
    let raw = if new_key == key && named == text { line.raw.to_vec() } else { line.rewritten(&new_key, &named) };
    (new_key, raw)
}

/// Whether a value names keys.
fn names_keys(key: &str) -> bool {
    let names = |suffix: &str, of| {
        owner(key).is_some_and(|(kind, id)| kind == of && key == format!("{}{id}.{suffix}", of.prefix()))
    };
    let listed = LISTS.iter().chain(&DEFAULTS).any(|(name, _)| *name == key);
    listed
        || names("server", Kind::Account)
        || names("identities", Kind::Account)
        || names("smtpServer", Kind::Identity)
}

/// Inserts a line before the first one with a greater key.
fn insert(out: &mut Vec<Vec<u8>>, keys: &mut Vec<Option<String>>, key: String, raw: Vec<u8>) {
    let greater = keys.iter().position(|there| there.as_ref().is_some_and(|there| *there > key));
    let last = || keys.iter().rposition(Option::is_some).map_or(keys.len(), |at| at + 1);
    let at = greater.unwrap_or_else(last);
    out.insert(at, raw);
    keys.insert(at, Some(key));
}

fn restore_list(
    out: &mut Vec<Vec<u8>>,
    keys: &mut Vec<Option<String>>,
    (original, after, current): (&Prefs<'_>, &Prefs<'_>, &Prefs<'_>),
    name: &str,
    renames: &Renames,
) {
    let was = after.list(name);
    let all: Vec<String> = original.list(name).iter().map(|id| renames.get(id).to_owned()).collect();
    let removed: Vec<String> =
        original.list(name).iter().filter(|id| !was.contains(id)).map(|id| renames.get(id).to_owned()).collect();
    let there = current.list(name);
    let wanted = put_back_in_order(&all, &there, |id| removed.iter().any(|ours| ours == id));
    if removed.is_empty() || wanted == there {
        return;
    }
    match (
        current.lines.iter().find(|line| line.key() == Some(name)),
        keys.iter().position(|key| key.as_deref() == Some(name)),
    ) {
        (Some(line), Some(at)) => out[at] = line.rewritten(name, &wanted.join(",")),
        _ => insert(out, keys, name.to_owned(), new_line(name, &super::prefs::quote(&wanted.join(",")))),
    }
}

/// Keeps Thunderbird from giving a number that we took.
fn raise_last_account(out: &mut [Vec<u8>], keys: &[Option<String>], current: &Prefs<'_>, renames: &Renames) {
    let highest = renames.names().filter_map(|id| id.strip_prefix("account")?.parse::<u64>().ok()).max();
    let at = keys.iter().position(|key| key.as_deref() == Some(LAST_ACCOUNT));
    if let (Some(highest), Some(at)) = (highest, at)
        && current.number(LAST_ACCOUNT).is_some_and(|last| last < highest)
    {
        out[at] = new_line(LAST_ACCOUNT, &highest.to_string());
    }
}

fn joined(lines: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        push_line(&mut out, line);
    }
    out
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
