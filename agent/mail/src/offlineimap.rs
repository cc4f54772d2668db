//! offlineimap: `~/.offlineimaprc` and `~/.config/offlineimap/config`.
//!
//! Source of the format: `offlineimap.conf` of offlineimap3, which Python's `configparser` reads. `accounts` in `[general]` lists the accounts; `[Account a]` names two repositories; `[Repository r]` holds the login.

use std::collections::BTreeSet;

use crate::account::{Client, SkipReason};
use crate::lines::Part;
use crate::plan::Syntax;
use crate::sections::{relisted, value, values, without};
use crate::setup::{self, Entry, own_parts};

pub(crate) struct Format;

impl setup::Format for Format {
    const CLIENT: Client = Client::OfflineImap;
    const SYNTAX: Syntax = Syntax::Ini;
    const FILES: &'static [&'static str] = &[".offlineimaprc", ".config/offlineimap/config"];

    fn entries(parts: &[Part<'_>]) -> Vec<Entry> {
        let section = |name: &str| parts.iter().find(|part| part.name.as_deref() == Some(name));
        let entry = |part: &Part<'_>| {
            let name = part.name.as_deref()?;
            let key = name.strip_prefix("Account ")?;
            let repositories = values(part.raw, &["localrepository", "remoterepository"]);
            let names: BTreeSet<String> = repositories.iter().map(|name| format!("Repository {name}")).collect();
            let logins = names.iter().filter_map(|name| value(section(name)?.raw, "remoteuser"));
            Some(Entry::new(key, logins.collect::<Vec<_>>(), names.iter().cloned().chain([name.to_owned()]).collect()))
        };
        parts.iter().filter_map(entry).collect()
    }

    fn cut(bytes: &[u8], ours: &[Entry], others: &[Entry]) -> Result<Vec<u8>, SkipReason> {
        let keys: BTreeSet<&str> = ours.iter().map(|entry| entry.key.as_str()).collect();
        let rest = without(Self::SYNTAX, bytes, &own_parts(ours, others));
        let unlisted = |part: &Part<'_>| {
            let listed = value(part.raw, "accounts").filter(|_| part.name.as_deref() == Some("general"));
            let Some(listed) = listed else { return part.raw.to_vec() };
            let members: Vec<String> = listed.split(',').map(|member| member.trim().to_owned()).collect();
            let kept: Vec<String> = members.iter().filter(|member| !keys.contains(member.as_str())).cloned().collect();
            if kept.len() == members.len() { part.raw.to_vec() } else { relisted(part.raw, "accounts", &kept) }
        };
        let after: Vec<u8> = Syntax::Ini.parse(&rest).iter().flat_map(unlisted).collect();
        // A list may go on in further lines, which are not read here.
        let parts = Syntax::Ini.parse(&after);
        let general = parts.iter().filter(|part| part.name.as_deref() == Some("general"));
        let words =
            general.flat_map(|part| part.raw.split(|byte| !byte.is_ascii_alphanumeric() && !b"-_.".contains(byte)));
        if words.into_iter().any(|word| keys.iter().any(|key| key.as_bytes() == word)) {
            return Err(SkipReason::Malformed { path: Self::FILES[0].to_owned() });
        }
        Ok(after)
    }
}
