//! Geary: `~/.config/geary/account_NN/geary.ini`. The messages, also those that wait to be sent, are in a database that stays where it is.
//!
//! Source of the format: what Geary 43 wrote.

use crate::account::{Client, SkipReason, Skipped};
use crate::error::Error;
use crate::home::{Content, Home};
use crate::plan::Syntax;
use crate::sections::value;
use crate::setup::{Cut, Entry, Setup, whole};

/// Debian's and flatpak's folders.
const ROOTS: [&str; 2] = [".config/geary", ".var/app/org.gnome.Geary/config/geary"];
const FILE: &str = "geary.ini";

/// One account's folder.
pub(crate) struct Account {
    path: String,
    content: Content,
}

impl Setup for Account {
    const CLIENT: Client = Client::Geary;
    const WATCHED: &'static [&'static str] = &[FILE];

    fn profiles(home: &Home, skipped: &mut Vec<Skipped>) -> Vec<String> {
        let mut found = Vec::new();
        for root in ROOTS {
            match home.names(root) {
                Ok(names) => found.extend(
                    names.iter().filter(|name| name.starts_with("account_")).map(|name| format!("{root}/{name}")),
                ),
                Err(error) => {
                    let reason = error.into_reason(root);
                    skipped.push(Skipped { client: Self::CLIENT, profile: root.to_owned(), reason });
                }
            }
        }
        found
    }

    fn read(home: &Home, profile: &str) -> Result<Option<Self>, Error> {
        let path = format!("{profile}/{FILE}");
        let content = home.read(&path)?;
        Ok(content.map(|content| Self { path, content }))
    }

    fn entries(&self) -> Vec<Entry> {
        let parts = Syntax::Ini.parse(&self.content.bytes);
        let of = |section: &str, key: &str| {
            let part = parts.iter().find(|part| part.name.as_deref() == Some(section));
            part.and_then(|part| value(part.raw, key))
        };
        let senders = of("Account", "sender_mailboxes").unwrap_or_default();
        let senders: Vec<String> = senders.split(';').map(str::to_owned).collect();
        let logins = ["Incoming", "Outgoing"].into_iter().filter_map(|section| of(section, "login"));
        vec![Entry::new(FILE, senders.into_iter().chain(logins), [].into())]
    }

    fn cut(&self, _: &Home, _: &[Entry], _: &[Entry]) -> Result<Cut, SkipReason> {
        // Its database is in the data folder that belongs to the same installation.
        let folder = self.path.trim_end_matches(FILE).trim_end_matches('/');
        let store = match folder.strip_prefix(".config/") {
            Some(below) => format!(".local/share/{below}"),
            None => folder.replace("/config/", "/data/"),
        };
        Ok(Cut { files: vec![whole(self.path.clone(), self.content.clone())], stores: vec![store], ..Cut::default() })
    }
}
