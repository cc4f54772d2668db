//! Evolution, by its data server: `~/.config/evolution/sources/UID.source`, several for each account. A running Evolution follows them.
//!
//! Source of the format: evolution-data-server's `e-source-*.c` (the extensions' names and keys), and what Evolution 3.46 wrote. Its cache reaper deletes what it has of an account that is gone after some days, so that is put aside first.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::{Client, SkipReason, Skipped};
use crate::error::Error;
use crate::home::{Content, Home};
use crate::lines::Part;
use crate::plan::Move;
use crate::plan::Syntax;
use crate::sections::value;
use crate::setup::{Cut, Entry, Setup, present, whole};

/// The folders of sources, and where the same installation has its cache and data: Debian's and flatpak's.
const PLACES: [(&str, [&str; 2]); 2] = [
    (".config/evolution/sources", [".cache/evolution", ".local/share/evolution"]),
    (
        ".var/app/org.gnome.Evolution/config/evolution/sources",
        [".var/app/org.gnome.Evolution/cache/evolution", ".var/app/org.gnome.Evolution/data/evolution"],
    ),
];

const SUFFIX: &str = ".source";

/// The folders of sources.
pub(crate) fn folders() -> Vec<&'static str> {
    PLACES.iter().map(|(folder, _)| *folder).collect()
}

/// Every source of one folder.
pub(crate) struct Sources {
    folder: String,
    by_uid: BTreeMap<String, Content>,
}

impl Sources {
    fn path(&self, uid: &str) -> String {
        format!("{}/{uid}{SUFFIX}", self.folder)
    }

    /// The files of those sources that were made for an account of GNOME Online Accounts, and of all that belong to them.
    pub(crate) fn made_for(&self, account: &str) -> Vec<(String, Content)> {
        let is_its =
            |uids: &BTreeSet<String>| uids.iter().any(|uid| self.online_account(uid).as_deref() == Some(account));
        let groups = self.groups().into_iter().filter(is_its);
        groups.flatten().filter_map(|uid| Some((self.path(&uid), self.by_uid.get(&uid)?.clone()))).collect()
    }

    fn online_account(&self, uid: &str) -> Option<String> {
        self.part(uid, "GNOME Online Accounts", "AccountId")
    }

    fn part(&self, uid: &str, section: &str, key: &str) -> Option<String> {
        let parts = Syntax::Ini.parse(&self.by_uid.get(uid)?.bytes);
        let part = parts.iter().find(|part: &&Part<'_>| part.name.as_deref() == Some(section))?;
        value(part.raw, key).filter(|text| !text.is_empty())
    }

    /// The sources that belong together: by parent, identity or transport. What is built into the program isn't here, so that it connects nothing.
    fn groups(&self) -> Vec<BTreeSet<String>> {
        const LINKS: [(&str, &str); 3] =
            [("Data Source", "Parent"), ("Mail Account", "IdentityUid"), ("Mail Submission", "TransportUid")];
        let mut groups: Vec<BTreeSet<String>> = Vec::new();
        for uid in self.by_uid.keys() {
            let linked = LINKS.iter().filter_map(|(section, key)| self.part(uid, section, key));
            let mut group: BTreeSet<String> = linked.filter(|other| self.by_uid.contains_key(other)).collect();
            group.insert(uid.clone());
            let (touching, apart): (Vec<_>, Vec<_>) = groups.into_iter().partition(|other| !other.is_disjoint(&group));
            group.extend(touching.into_iter().flatten());
            groups = apart;
            groups.push(group);
        }
        groups
    }

    fn entry(&self, group: BTreeSet<String>) -> Option<Entry> {
        const ADDRESSES: [(&str, &str); 3] =
            [("Mail Identity", "Address"), ("Authentication", "User"), ("Collection", "Identity")];
        let is_mail = |uid: &String| {
            ["Mail Account", "Mail Identity", "Mail Transport"].iter().any(|section| {
                Syntax::Ini.parse(&self.by_uid[uid].bytes).iter().any(|p| p.name.as_deref() == Some(section))
            })
        };
        let is_online = group.iter().any(|uid| self.online_account(uid).is_some());
        if is_online || !group.iter().any(is_mail) {
            return None;
        }
        let texts: Vec<String> = group
            .iter()
            .flat_map(|uid| ADDRESSES.iter().filter_map(|(section, key)| self.part(uid, section, key)))
            .collect();
        let key = group.first().cloned().unwrap_or_default();
        Some(Entry::new(&key, texts, group))
    }

    /// What the program would delete, out of its reach.
    fn aside(&self, home: &Home, uid: &str) -> Result<Vec<Move>, Error> {
        let places = PLACES.iter().find(|(folder, _)| *folder == self.folder).map(|(_, places)| places);
        let mut moves = Vec::new();
        for place in places.into_iter().flatten() {
            let from = format!("{place}/mail/{uid}");
            let Some(folder) = home.folder_id(&from)? else { continue };
            let mut to = format!("{place}/.kept-mail-{uid}");
            while home.resolve(&to)?.is_some() {
                to.push('-');
            }
            moves.push(Move { from, to, folder });
        }
        Ok(moves)
    }
}

impl Setup for Sources {
    const CLIENT: Client = Client::Evolution;

    fn profiles(home: &Home, skipped: &mut Vec<Skipped>) -> Vec<String> {
        present(home, Self::CLIENT, &folders(), skipped)
    }

    fn read(home: &Home, profile: &str) -> Result<Option<Self>, Error> {
        let mut by_uid = BTreeMap::new();
        for name in home.names(profile)? {
            let Some(uid) = name.strip_suffix(SUFFIX) else { continue };
            if let Some(content) = home.read(&format!("{profile}/{name}"))? {
                by_uid.insert(uid.to_owned(), content);
            }
        }
        Ok(Some(Self { folder: profile.to_owned(), by_uid }))
    }

    fn entries(&self) -> Vec<Entry> {
        self.groups().into_iter().filter_map(|group| self.entry(group)).collect()
    }

    fn cut(&self, home: &Home, ours: &[Entry], _: &[Entry]) -> Result<Cut, SkipReason> {
        let mut cut = Cut::default();
        for uid in ours.iter().flat_map(|entry| &entry.parts) {
            let Some(content) = self.by_uid.get(uid) else { continue };
            cut.files.push(whole(self.path(uid), content.clone()));
            cut.moves.extend(self.aside(home, uid).map_err(|error| error.into_reason(&self.path(uid)))?);
        }
        cut.stores = cut.moves.iter().map(|aside| aside.to.clone()).collect();
        Ok(cut)
    }
}
