//! Which sections are the company's: an account whose `User` is of the domain, the stores that use it, the channels that use those, and their names in groups. Maildir stores, and so the mail, stay.

use std::collections::BTreeSet;

use super::rc::{Item, Kind, member_name, member_words, parse};
use crate::account::is_of;
use crate::lines::{lines, masked};

/// What taking a domain's accounts changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) addresses: Vec<String>,
    pub(crate) after: Vec<u8>,
    /// With secrets masked.
    pub(crate) removed: Vec<String>,
}

/// The file without the accounts of `domain`.
pub(crate) fn select(bytes: &[u8], domain: &str) -> Selection {
    let items = parse(bytes);
    let ours = |item: &&Item<'_>| logins(item).iter().any(|login| is_of(login, domain));
    let named = |kind, is_ours: &dyn Fn(&Item<'_>) -> bool| {
        let names = items.iter().filter(|item| item.is(kind) && is_ours(item)).filter_map(Item::name);
        names.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let accounts = named(Kind::Account, &|item| ours(&item));
    let stores = named(Kind::ImapStore, &|item| {
        ours(&item) || item.values(&["account"]).iter().any(|name| accounts.contains(name))
    });
    let channels = named(Kind::Channel, &|item| sides(item).iter().any(|name| stores.contains(name)));
    let mut selection =
        Selection { addresses: items.iter().filter(ours).flat_map(logins).collect(), ..Selection::default() };
    for item in &items {
        let goes = match &item.section {
            Some((Kind::Account, name)) => accounts.contains(name),
            Some((Kind::ImapStore, name)) => stores.contains(name),
            Some((Kind::Channel, name)) => channels.contains(name),
            Some((Kind::Group, _)) => {
                selection.group(item, &channels);
                continue;
            }
            Some((Kind::MaildirStore, _)) | None => false,
        };
        selection.item(item.raw, goes);
    }
    selection
}

impl Selection {
    fn item(&mut self, raw: &[u8], goes: bool) {
        if goes {
            self.removed.extend(lines(raw).map(masked).filter(|line| !line.is_empty()));
        } else {
            self.after.extend_from_slice(raw);
        }
    }

    /// A group loses its company channels; one that has no other goes as a whole.
    fn group(&mut self, item: &Item<'_>, channels: &BTreeSet<String>) {
        let members = item.members();
        if !members.is_empty() && members.iter().all(|member| channels.contains(member_name(member))) {
            return self.item(item.raw, true);
        }
        for line in lines(item.raw) {
            let words = member_words(line);
            let gone: Vec<_> = words.iter().filter(|word| channels.contains(member_name(&word.text))).collect();
            if gone.is_empty() {
                self.item(line, false);
                continue;
            }
            self.removed.push(masked(line));
            let is_first_line = super::rc::words(line).len() - words.len() == 2;
            if gone.len() < words.len() || is_first_line {
                let mut at = 0;
                for word in gone {
                    let blank =
                        line[..word.at.start].iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
                    self.after.extend_from_slice(&line[at..word.at.start - blank]);
                    at = word.at.end;
                }
                self.after.extend_from_slice(&line[at..]);
            }
        }
    }
}

/// The login names that a section gives.
fn logins(item: &Item<'_>) -> Vec<String> {
    if item.is(Kind::Account) || item.is(Kind::ImapStore) { item.values(&["user"]) } else { Vec::new() }
}

/// The stores that a channel connects: `Far :store:mailbox`. Before isync 1.4, `Master` and `Slave`.
fn sides(channel: &Item<'_>) -> Vec<String> {
    let ends = channel.values(&["far", "near", "master", "slave"]);
    ends.iter().filter_map(|end| end.strip_prefix(':')?.split(':').next()).map(str::to_owned).collect()
}
