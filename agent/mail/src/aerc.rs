//! aerc: `~/.config/aerc/accounts.conf`.
//!
//! Source of the format: `aerc-accounts(5)` of aerc 0.14. The user name in `source` and `outgoing` is percent-encoded.

use crate::account::Client;
use crate::lines::Part;
use crate::plan::Syntax;
use crate::sections::values;
use crate::setup::{self, Entry};

pub(crate) struct Format;

impl setup::Format for Format {
    const CLIENT: Client = Client::Aerc;
    const SYNTAX: Syntax = Syntax::Ini;
    const FILES: &'static [&'static str] = &[".config/aerc/accounts.conf"];

    fn entries(parts: &[Part<'_>]) -> Vec<Entry> {
        let entry = |part: &Part<'_>| {
            let name = part.name.clone()?;
            let urls = values(part.raw, &["source", "outgoing"]);
            let texts = values(part.raw, &["from"]).into_iter().chain(urls.iter().filter_map(|url| user(url)));
            Some(Entry::new(&name, texts, [name.clone()].into()))
        };
        parts.iter().filter_map(entry).collect()
    }
}

/// `me@corp.example` of `imaps://me%40corp.example:secret@mail.corp.example`.
fn user(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let (login, _) = rest.rsplit_once('@')?;
    let user = login.split(':').next().unwrap_or(login);
    Some(user.replace("%40", "@"))
}
