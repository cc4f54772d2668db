//! Claws Mail: `accountrc`, `passwordstorerc` and `folderlist.xml` in `~/.claws-mail`. It keeps all of them in its memory while it runs.
//!
//! Source of the format: Claws Mail's `account.c`, `password_gtk.c`, `passwordstore.c` and `folder.c`, and what Claws Mail 4.1.1 wrote. What waits to be sent is an MH folder that all accounts share; a message says whose it is in `AID:`, and without that account Claws sends none of it.

use std::collections::BTreeSet;

use crate::account::{Client, SkipReason, Skipped};
use crate::error::Error;
use crate::home::{Content, Home};
use crate::plan::Syntax;
use crate::sections::{values, without};
use crate::setup::{Cut, Entry, Setup, lessened, own_parts, present};

const PROFILE: &str = ".claws-mail";
const ACCOUNTS: &str = "accountrc";

/// The files, each with its syntax; the accounts' own comes last.
/// At every save the former file stays as a backup.
const FILES: [(&str, Syntax); 6] = [
    ("folderlist.xml.bak", Syntax::FolderList),
    ("passwordstorerc.bak", Syntax::Ini),
    ("accountrc.bak", Syntax::Ini),
    ("folderlist.xml", Syntax::FolderList),
    ("passwordstorerc", Syntax::Ini),
    (ACCOUNTS, Syntax::Ini),
];

/// The files that are there.
pub(crate) struct Profile {
    files: Vec<(&'static str, Syntax, Content)>,
}

impl Setup for Profile {
    const CLIENT: Client = Client::Claws;
    const WATCHED: &'static [&'static str] = &[ACCOUNTS];

    fn profiles(home: &Home, skipped: &mut Vec<Skipped>) -> Vec<String> {
        present(home, Self::CLIENT, &[PROFILE], skipped)
    }

    fn read(home: &Home, profile: &str) -> Result<Option<Self>, Error> {
        let mut files = Vec::new();
        for (name, syntax) in FILES {
            files.extend(home.read(&format!("{profile}/{name}"))?.map(|content| (name, syntax, content)));
        }
        Ok(Some(Self { files }))
    }

    fn entries(&self) -> Vec<Entry> {
        let accounts = self.files.iter().filter(|(name, ..)| *name == ACCOUNTS);
        let parts = accounts.flat_map(|(_, syntax, content)| syntax.parse(&content.bytes));
        let entry = |name: &String, raw| {
            let number = name.strip_prefix("Account: ")?;
            let parts = BTreeSet::from([name.clone(), format!("account:{number}"), format!("folder {number}")]);
            Some(Entry::new(number, values(raw, &["address", "user_id", "smtp_user_id"]), parts))
        };
        parts.filter_map(|part| entry(part.name.as_ref()?, part.raw)).collect()
    }

    fn cut(&self, _: &Home, ours: &[Entry], others: &[Entry]) -> Result<Cut, SkipReason> {
        let names = own_parts(ours, others);
        let file = |(name, syntax, content): &(&str, Syntax, Content)| {
            let after = without(*syntax, &content.bytes, &names);
            lessened(*syntax, format!("{PROFILE}/{name}"), content.clone(), after)
        };
        Ok(Cut { files: self.files.iter().filter_map(file).collect(), ..Cut::default() })
    }
}
