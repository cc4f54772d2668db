//! Takes the company's mail account out of the mail clients in a person's home, keeps it in a vault, gives it back.
//!
//! Nothing is ever deleted: what leaves the home is in the vault first, and stays there after it was given back. The mail itself (`ImapMail/`, maildirs) is never touched; only the account's definition, its saved logins and its waiting messages are.
//!
//! *Home side*: [`Home`], [`find`], [`plan`], and the clients' formats, which are pure functions over bytes. *Vault side*: [`Vault`], its entries and their journals. A later version runs the home side in a process of its own.
//!
//! This version runs as the person themself, on Linux 5.6 or newer (`openat2`).
//!
//! What it does not do: it doesn't decrypt the login names in `logins.json` (logins are matched by host, and left where they are on a host that another account uses too), and it doesn't touch OAuth tokens, calendars, address books, the keyring, `user.js`, profiles outside the home, or a program that is running.

mod account;
#[cfg(test)]
mod crash;
mod digest;
mod error;
mod find;
mod home;
mod isync;
mod limits;
mod lines;
mod plan;
mod thunderbird;
mod vault;

pub use account::{Account, Client, Found, SkipReason, Skipped};
pub use digest::Digest;
pub use error::{Error, Refusal};
pub use find::{domains, find, plan};
pub use home::Home;
pub use limits::MAX_FILE_BYTES;
pub use plan::{FilePlan, Plan};
pub use vault::{Conflict, ConflictReason, Holding, Restoration, Revocation, Stage, Vault};

/// Where a crash is simulated in tests; nothing in the product.
#[cfg(not(test))]
pub(crate) mod crash {
    /// Called before every change to a disk.
    #[inline]
    pub(crate) fn step() {}
}
