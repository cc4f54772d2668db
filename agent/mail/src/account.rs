//! What is found in a home: accounts, and places that were left alone.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Refusal;

/// A mail program whose accounts can be taken and given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Client {
    /// Mozilla Thunderbird, from Debian, snap or flatpak.
    Thunderbird,
    /// GNOME Online Accounts, and what Evolution's data server makes of them.
    OnlineAccounts,
    /// Evolution and its data server, from Debian or flatpak.
    Evolution,
    /// Geary, from Debian or flatpak.
    Geary,
    /// Claws Mail.
    Claws,
    /// KMail and Akonadi.
    KMail,
    /// isync, whose program is called mbsync.
    Isync,
    /// offlineimap.
    OfflineImap,
    /// msmtp.
    Msmtp,
    /// neomutt or mutt.
    Neomutt,
    /// aerc.
    Aerc,
    /// himalaya.
    Himalaya,
}

impl Client {
    /// Every program, in the order in which their accounts are taken. What makes sources of its own accounts comes before those sources' program.
    pub const ALL: [Self; 12] = [
        Self::Thunderbird,
        Self::OnlineAccounts,
        Self::Evolution,
        Self::Geary,
        Self::Claws,
        Self::KMail,
        Self::Isync,
        Self::OfflineImap,
        Self::Msmtp,
        Self::Neomutt,
        Self::Aerc,
        Self::Himalaya,
    ];
}

impl fmt::Display for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Thunderbird => "Thunderbird",
            Self::OnlineAccounts => "GNOME Online Accounts",
            Self::Evolution => "Evolution",
            Self::Geary => "Geary",
            Self::Claws => "Claws Mail",
            Self::KMail => "KMail",
            Self::Isync => "isync",
            Self::OfflineImap => "offlineimap",
            Self::Msmtp => "msmtp",
            Self::Neomutt => "neomutt",
            Self::Aerc => "aerc",
            Self::Himalaya => "himalaya",
        })
    }
}

/// One mail account of a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Account {
    /// The program that it is set up in.
    pub client: Client,
    /// The profile, as a path from the home: `.thunderbird/abcd.default`, `.mbsyncrc`.
    pub profile: String,
    /// `me@corp.example`, as it is written there.
    pub address: String,
    /// The files that taking it changes, as paths from the home, in the order in which they are changed.
    pub touches: Vec<String>,
}

/// Something that was left alone, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The program.
    pub client: Client,
    /// The profile, as a path from the home.
    pub profile: String,
    /// Why.
    pub reason: SkipReason,
}

/// Why something was left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The account is the company's and the person's own at once.
    #[error("the account {account} has addresses of other domains too ({}): it was left in place", addresses.join(", "))]
    MixedIdentities {
        /// The account's key: `account2`.
        account: String,
        /// Every address of it.
        addresses: Vec<String>,
    },
    /// Whose login it is can't be told without decrypting its name.
    #[error("the saved logins for {host} were left in place: another account uses that host too")]
    SharedHost {
        /// `mail.example.com`.
        host: String,
    },
    /// Another account sends through the company's server.
    #[error("the outgoing server {server} was left in place: another account sends through it too")]
    SharedOutgoing {
        /// The server's key: `smtp1`.
        server: String,
    },
    /// Another account is built on this one.
    #[error("the account {account} was left in place: another account uses it")]
    SharedAccount {
        /// The account's key.
        account: String,
    },
    /// The account was taken, and its stored mail can still be read.
    #[error("the stored mail in {path} could not be locked, and can still be read: {error}")]
    StillOpen {
        /// Path from the home.
        path: String,
        /// Why.
        error: String,
    },
    /// A file that isn't a plain file of the person's.
    #[error("{path} was left alone: {refusal}")]
    Refused {
        /// Path from the home.
        path: String,
        /// What is wrong with it.
        refusal: Refusal,
    },
    /// A file that couldn't be read.
    #[error("{path} was left alone, it can't be read: {error}")]
    Unreadable {
        /// Path from the home.
        path: String,
        /// The operating system's text.
        error: String,
    },
    /// A file whose format isn't understood.
    #[error("{path} was left alone, it isn't well-formed")]
    Malformed {
        /// Path from the home.
        path: String,
    },
    /// A profile that `profiles.ini` places outside the home.
    #[error("the profile lies outside the home, at {path}")]
    Outside {
        /// As written in `profiles.ini`.
        path: String,
    },
}

impl SkipReason {
    /// Whether stored mail that was to be locked can still be read.
    pub fn is_still_open(&self) -> bool {
        matches!(self, Self::StillOpen { .. })
    }
}

/// What [`crate::find`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The accounts of the domain, sorted.
    pub accounts: Vec<Account>,
    /// What was left alone.
    pub skipped: Vec<Skipped>,
}

/// The domain of an address, in lower case: `corp.example` of `Me@Corp.Example`. `None` when it has no `@`.
pub(crate) fn domain_of(address: &str) -> Option<String> {
    let (local, domain) = address.trim().rsplit_once('@')?;
    (!local.is_empty() && !domain.is_empty()).then(|| domain.to_ascii_lowercase())
}

/// Whether the address ends in exactly `@domain`; a subdomain is another domain.
pub(crate) fn is_of(address: &str, domain: &str) -> bool {
    domain_of(address).is_some_and(|found| found == domain.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::is_of;

    #[test]
    fn only_exactly_the_domain_counts() {
        for ours in ["me@corp.example", "Me@CORP.example", " me@corp.example "] {
            assert!(is_of(ours, "Corp.Example"), "{ours}");
        }
        for other in
            ["me@eu.corp.example", "me@notcorp.example", "corp.example", "@corp.example", "me@corp.example.org", "me"]
        {
            assert!(!is_of(other, "corp.example"), "{other}");
        }
    }
}
