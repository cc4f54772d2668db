//! Which keys of a `prefs.js` belong to the company's accounts and to nobody else.

use std::collections::{BTreeMap, BTreeSet};

use super::prefs::{DEFAULTS, Kind, LISTS, Prefs};
use crate::account::{SkipReason, domain_of, is_of};

/// The keys to take: `server2` of kind server, and so on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Keys(BTreeMap<Kind, BTreeSet<String>>);

impl Keys {
    pub(crate) fn has(&self, kind: Kind, id: &str) -> bool {
        self.0.get(&kind).is_some_and(|ids| ids.contains(id))
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &String> {
        self.0.get(&kind).into_iter().flatten()
    }

    fn add(&mut self, kind: Kind, id: &str) {
        self.0.entry(kind).or_default().insert(id.to_owned());
    }
}

/// What is the company's in one profile.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// One address for each account.
    pub(crate) addresses: Vec<String>,
    pub(crate) keys: Keys,
    /// The hosts whose saved logins are the company's alone, in lower case.
    pub(crate) hosts: BTreeSet<String>,
    /// The hosts that other accounts use too.
    pub(crate) shared_hosts: BTreeSet<String>,
    /// The names with which the company's accounts log in, in lower case.
    pub(crate) logins: BTreeSet<String>,
    pub(crate) skipped: Vec<SkipReason>,
}

/// One account of the profile.
struct Entry {
    key: String,
    server: String,
    identities: Vec<String>,
    /// Of its identities, and its login if that is an address.
    addresses: Vec<String>,
}

/// Selects what belongs to `domain`.
pub(crate) fn select(prefs: &Prefs<'_>, domain: &str) -> Selection {
    let mut selection = Selection::default();
    let (ours, others): (Vec<_>, Vec<_>) =
        entries(prefs).into_iter().partition(|entry| entry.is_of(domain, &mut selection.skipped));
    for entry in &ours {
        selection.keys.add(Kind::Account, &entry.key);
        selection.addresses.extend(entry.addresses.first().cloned());
    }
    let kept = |list: fn(&Entry) -> Vec<String>| others.iter().flat_map(list).collect::<BTreeSet<_>>();
    let (kept_servers, kept_identities) =
        (kept(|entry| vec![entry.server.clone()]), kept(|entry| entry.identities.clone()));
    for entry in &ours {
        if !kept_servers.contains(&entry.server) {
            selection.keys.add(Kind::Server, &entry.server);
        }
        for identity in entry.identities.iter().filter(|id| !kept_identities.contains(*id)) {
            selection.keys.add(Kind::Identity, identity);
        }
    }
    if !ours.is_empty() {
        select_outgoing(prefs, domain, &kept_identities, &mut selection);
        select_hosts(prefs, &mut selection);
    }
    selection
}

impl Entry {
    fn is_of(&self, domain: &str, skipped: &mut Vec<SkipReason>) -> bool {
        let ours = self.addresses.iter().filter(|address| is_of(address, domain)).count();
        if ours > 0 && ours < self.addresses.len() {
            skipped.push(SkipReason::MixedIdentities { account: self.key.clone(), addresses: self.addresses.clone() });
        }
        ours > 0 && ours == self.addresses.len()
    }
}

fn entries(prefs: &Prefs<'_>) -> Vec<Entry> {
    prefs.ids(Kind::Account).into_iter().filter_map(|key| entry(prefs, key)).collect()
}

/// `None` for an account without a server, and for the Local Folders and feeds, which are nobody's mail.
fn entry(prefs: &Prefs<'_>, key: String) -> Option<Entry> {
    let server = prefs.part(Kind::Account, &key, "server")?;
    let kind = prefs.part(Kind::Server, &server, "type").unwrap_or_default();
    let identities = prefs.list(&format!("mail.account.{key}.identities"));
    let of_identities = identities.iter().filter_map(|id| prefs.part(Kind::Identity, id, "useremail"));
    let login = prefs.part(Kind::Server, &server, "userName").filter(|name| domain_of(name).is_some());
    let mut addresses: Vec<String> =
        of_identities.filter(|address| domain_of(address).is_some()).chain(login).collect();
    let mut seen = BTreeSet::new();
    addresses.retain(|address| seen.insert(address.to_ascii_lowercase()));
    (!matches!(kind.as_str(), "none" | "rss" | "nntp")).then_some(Entry { key, server, identities, addresses })
}

/// An outgoing server is the company's when its login is, or when a company identity sends through it under no other domain's login; and no other identity does.
fn select_outgoing(prefs: &Prefs<'_>, domain: &str, kept: &BTreeSet<String>, selection: &mut Selection) {
    let default = prefs.text(DEFAULTS[1].0);
    let sends_through = |id: &String| {
        prefs.part(Kind::Identity, id, "smtpServer").filter(|key| !key.is_empty()).or_else(|| default.clone())
    };
    let ours: BTreeSet<_> = selection.keys.of(Kind::Identity).filter_map(sends_through).collect();
    let others: BTreeSet<_> = kept.iter().filter_map(sends_through).collect();
    for smtp in prefs.ids(Kind::Smtp) {
        let login = prefs.part(Kind::Smtp, &smtp, "username").unwrap_or_default();
        let is_company = is_of(&login, domain) || (ours.contains(&smtp) && domain_of(&login).is_none());
        if is_company && others.contains(&smtp) {
            selection.skipped.push(SkipReason::SharedOutgoing { server: smtp });
        } else if is_company {
            selection.keys.add(Kind::Smtp, &smtp);
        }
    }
}

/// Where the selected servers keep their mail, as paths from the profile; not where another server does too, nor anywhere else.
pub(crate) fn stores(prefs: &Prefs<'_>, keys: &Keys) -> BTreeSet<String> {
    let (mut ours, mut others) = (BTreeSet::new(), BTreeSet::new());
    for id in prefs.ids(Kind::Server) {
        let Some(folder) = prefs.part(Kind::Server, &id, "directory-rel") else { continue };
        let Some(below) = folder.strip_prefix("[ProfD]").filter(|below| is_below(below)) else { continue };
        let side = if keys.has(Kind::Server, &id) { &mut ours } else { &mut others };
        side.insert(below.to_owned());
    }
    &ours - &others
}

fn is_below(path: &str) -> bool {
    !path.is_empty() && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

fn select_hosts(prefs: &Prefs<'_>, selection: &mut Selection) {
    let (mut ours, mut others) = (BTreeSet::new(), BTreeSet::new());
    for kind in [Kind::Server, Kind::Smtp] {
        for id in prefs.ids(kind) {
            let Some(host) = prefs.part(kind, &id, "hostname") else {
                continue;
            };
            let side = if selection.keys.has(kind, &id) { &mut ours } else { &mut others };
            side.insert(host.to_ascii_lowercase());
        }
    }
    selection.shared_hosts = &ours & &others;
    selection.hosts = &ours - &others;
    let names = [(Kind::Server, "userName"), (Kind::Smtp, "username")].into_iter().flat_map(|(kind, part)| {
        selection.keys.of(kind).filter_map(move |id| prefs.part(kind, id, part)).collect::<Vec<_>>()
    });
    selection.logins = names.map(|name| name.to_ascii_lowercase()).collect();
}

/// The bytes without the selected keys. Every other byte stays, in order.
pub(crate) fn without(prefs: &Prefs<'_>, keys: &Keys) -> Vec<u8> {
    let mut out = Vec::new();
    for line in &prefs.lines {
        let Some(key) = line.key() else {
            out.extend_from_slice(line.raw);
            continue;
        };
        let is_ours = super::prefs::owner(key).is_some_and(|(kind, id)| keys.has(kind, id));
        let list = LISTS.iter().find(|(name, _)| *name == key);
        let names_ours =
            DEFAULTS.iter().any(|(name, kind)| *name == key && line.text().is_some_and(|id| keys.has(*kind, &id)));
        match (list, line.text()) {
            (Some((_, kind)), Some(text)) if text.split(',').any(|id| keys.has(*kind, id.trim())) => {
                let kept: Vec<_> = text.split(',').filter(|id| !keys.has(*kind, id.trim())).collect();
                out.extend_from_slice(&line.rewritten(key, &kept.join(",")));
            }
            _ if is_ours || names_ours => {}
            _ => out.extend_from_slice(line.raw),
        }
    }
    out
}
