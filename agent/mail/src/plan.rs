//! What taking an account will change: a value to read, compare and test before anything is done.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::account::{Account, Client};
use crate::digest::Digest;
use crate::home::{Content, FolderId};

/// What revoking a domain will change in one profile. It holds no secrets: the removed pieces are masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The program.
    pub client: Client,
    /// The profile, as a path from the home.
    pub profile: String,
    /// The domain, in lower case: `corp.example`.
    pub domain: String,
    /// The accounts that go.
    pub accounts: Vec<Account>,
    /// The files, in the order in which they are changed.
    pub files: Vec<FilePlan>,
}

/// What changes in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FilePlan {
    /// Path from the home.
    pub path: String,
    /// The file as it is now.
    pub before: Digest,
    /// The file as it will be. `None`: it goes, because the program makes it anew (an index).
    pub after: Option<Digest>,
    /// The pieces that go, one line each, with secrets masked.
    pub removed: Vec<String>,
}

impl fmt::Display for Plan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses: Vec<_> = self.accounts.iter().map(|account| account.address.as_str()).collect();
        writeln!(out, "{} {}: {}", self.client, self.profile, addresses.join(", "))?;
        for file in &self.files {
            writeln!(out, "  {}", file.path)?;
            for piece in &file.removed {
                writeln!(out, "  - {piece}")?;
            }
        }
        Ok(())
    }
}

/// What a file is to the program, and so how it is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Thunderbird's `prefs.js`.
    Prefs,
    /// Thunderbird's `logins.json` or its backup.
    Logins,
    /// Thunderbird's `Unsent Messages`.
    Outbox,
    /// The `.msf` of the outbox, which Thunderbird makes anew when it is missing.
    OutboxIndex,
    /// A text of sections, each an account's or a part of one.
    Sections(Syntax),
    /// A file that is an account's alone, and goes as a whole.
    Whole,
}

/// How a text is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Syntax {
    /// isync: sections from a keyword to an empty line.
    Isync,
    /// `[name]`, then `key = value` or `key: value`. Also TOML, as far as tables go.
    Ini,
    /// msmtp: sections from `account NAME`.
    Msmtp,
    /// neomutt: statements, one a line unless it ends in a backslash.
    Muttrc,
    /// Claws Mail's `folderlist.xml`: `<folder>` elements.
    FolderList,
}

/// A folder that is put aside within the home, on the same file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Move {
    /// Path from the home.
    pub(crate) from: String,
    /// Path from the home.
    pub(crate) to: String,
    /// Which folder it is, wherever it is.
    pub(crate) folder: FolderId,
}

/// A plan with the bytes that it is about. It holds secrets, and so has no `Debug`.
pub(crate) struct Draft {
    pub(crate) plan: Plan,
    /// In the order of `plan.files`.
    pub(crate) files: Vec<DraftFile>,
    /// Done before the files.
    pub(crate) moves: Vec<Move>,
    /// Where the program keeps the accounts' mail, as paths from the home.
    pub(crate) stores: Vec<String>,
}

/// One file of a draft.
pub(crate) struct DraftFile {
    pub(crate) role: Role,
    pub(crate) path: String,
    pub(crate) original: Content,
    /// `None`: the file goes.
    pub(crate) after: Option<Vec<u8>>,
    /// Masked.
    pub(crate) removed: Vec<String>,
}

impl Draft {
    pub(crate) fn new(
        client: Client,
        profile: &str,
        domain: &str,
        addresses: Vec<String>,
        files: Vec<DraftFile>,
    ) -> Self {
        let touches: Vec<_> = files.iter().map(|file| file.path.clone()).collect();
        let account = |address| Account { client, profile: profile.to_owned(), address, touches: touches.clone() };
        let mut accounts: Vec<_> = addresses.into_iter().map(account).collect();
        accounts.sort();
        let planned = files.iter().map(|file| FilePlan {
            path: file.path.clone(),
            before: file.original.shape.sha256,
            after: file.after.as_deref().map(Digest::of),
            removed: file.removed.clone(),
        });
        let plan =
            Plan { client, profile: profile.to_owned(), domain: domain.to_owned(), accounts, files: planned.collect() };
        Self { plan, files, moves: Vec::new(), stores: Vec::new() }
    }
}
