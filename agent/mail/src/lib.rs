//! Takes the company's mail account out of the mail clients in a person's home, keeps it in a vault, gives it back.
//!
//! Nothing is ever deleted: what leaves the home is in the vault first, and stays there after it was given back. The mail itself is never touched; only the account's definition, its saved logins and its waiting messages are, and what a program would delete is put aside.
//!
//! *Home side*: [`Home`], [`find`], [`plan`], [`Vault`], and the clients' formats, which are pure functions over bytes, in the table of `client.rs`. It runs as the person. *Vault side*: [`Folder`], which keeps sealed bytes and understands none of them. Between the two is a [`Pipe`], or nothing where one process does both.
//!
//! It needs Linux 5.6 or newer (`openat2`).
//!
//! What it does not do: it leaves saved logins on a host that another account uses too where a primary password hides whose they are, and it doesn't touch OAuth tokens, calendars, address books, the keyring, `user.js`, profiles outside the home, or a program that is running.

mod account;
mod aerc;
mod claws;
mod client;
#[cfg(test)]
mod crash;
mod digest;
mod error;
mod evolution;
mod find;
mod geary;
mod himalaya;
mod home;
mod isync;
mod kmail;
mod limits;
mod lines;
mod merge;
mod msmtp;
mod neomutt;
mod offlineimap;
mod online_accounts;
mod plan;
mod rewritten;
mod sections;
mod setup;
mod thunderbird;
mod vault;

pub use account::{Account, Client, Found, SkipReason, Skipped};
pub use client::processes;
pub use digest::Digest;
pub use error::{Error, Refusal};
pub use find::{find, plan, watched};
pub use home::{Birth, FolderId, Home};
pub use limits::{MAX_FILE_BYTES, MAX_HELD_DOMAINS};
pub use plan::{FilePlan, Plan};
pub use vault::{
    Conflict, ConflictReason, Folder, Folders, Guard, Holding, KEPT_AFTER_RESTORE, KEY_BYTES, Keys, Label, Pipe,
    Restoration, Revocation, Stage, Store, Vault, serve,
};

/// Where a crash is simulated in tests; nothing in the product.
#[cfg(not(test))]
pub(crate) mod crash {
    /// Called before every change to a disk.
    #[inline]
    pub(crate) fn step() {}
}
