//! The mail programs, in one table: where each keeps its accounts, and how it is when it runs.

use std::collections::BTreeMap;

use crate::account::{Client, Skipped};
use crate::error::Error;
use crate::home::{Home, ProfileLock};
use crate::plan::Draft;
use crate::setup::{self, Setup};
use crate::{
    aerc, claws, evolution, geary, himalaya, isync, kmail, msmtp, neomutt, offlineimap, online_accounts, thunderbird,
};

/// What is done with one mail program.
pub(crate) struct Mailer {
    /// Its profiles in a home, as paths from the home; what can't be looked at is noted.
    pub(crate) profiles: fn(&Home, &mut Vec<Skipped>) -> Vec<String>,
    /// What taking a domain's accounts would change in a profile. `None` when it has none.
    pub(crate) draft: fn(&Home, &str, &str, &mut Vec<Skipped>) -> Option<Draft>,
    /// The files of a profile that say what accounts there are, as paths from the profile; empty where the profile is that file itself.
    pub(crate) files: &'static [&'static str],
    pub(crate) running: Running,
}

/// What a program does with a change of its files while it runs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Running {
    /// It follows, or never runs for long.
    Follows,
    /// It has everything in its memory, and writes it back. It is known by the name of its process.
    Remembers(&'static [&'static str]),
    /// The same, and it holds a lock in its profile, which we can hold in its stead.
    Locks(&'static [&'static str]),
}

/// The program's row.
pub(crate) const fn mailer(client: Client) -> Mailer {
    match client {
        Client::Thunderbird => Mailer {
            profiles: thunderbird::profiles,
            draft: thunderbird::draft,
            files: &["prefs.js"],
            running: Running::Locks(&["thunderbird", "thunderbird-bin", "thunderbird-esr"]),
        },
        Client::Isync => Mailer {
            profiles: |home, skipped| setup::present(home, Client::Isync, &isync::FILES, skipped),
            draft: isync::draft,
            files: &[],
            running: Running::Follows,
        },
        Client::OnlineAccounts => of::<online_accounts::Accounts>(Running::Follows),
        Client::Evolution => of::<evolution::Sources>(Running::Follows),
        Client::Geary => of::<geary::Account>(Running::Remembers(&["geary"])),
        Client::Claws => of::<claws::Profile>(Running::Remembers(&["claws-mail"])),
        Client::KMail => of::<kmail::Profile>(Running::Remembers(&["kmail", "akonadi_control", "kontact"])),
        Client::Msmtp => of::<setup::OneFile<msmtp::Format>>(Running::Follows),
        Client::Neomutt => of::<setup::OneFile<neomutt::Format>>(Running::Remembers(&["neomutt", "mutt"])),
        Client::Aerc => of::<setup::OneFile<aerc::Format>>(Running::Remembers(&["aerc"])),
        Client::OfflineImap => of::<setup::OneFile<offlineimap::Format>>(Running::Remembers(&["offlineimap"])),
        Client::Himalaya => of::<setup::OneFile<himalaya::Format>>(Running::Follows),
    }
}

const fn of<S: Setup>(running: Running) -> Mailer {
    Mailer { profiles: S::profiles, draft: setup::draft::<S>, files: S::WATCHED, running }
}

/// The lock of a program. `Some(None)` for a program that has none and doesn't run; `None` while it runs.
pub(crate) fn lock(home: &Home, client: Client, profile: &str) -> Result<Option<Option<ProfileLock>>, Error> {
    match mailer(client).running {
        Running::Follows => Ok(Some(None)),
        Running::Remembers(_) => Ok((!home.runs(client)).then_some(None)),
        Running::Locks(_) => Ok(home.lock_profile(profile)?.map(Some)),
    }
}

/// The mail programs by the names of their processes, as the kernel keeps them (15 bytes of `comm`): those that have to be closed before their accounts can be taken.
pub fn processes() -> BTreeMap<&'static str, Client> {
    let named = |client: Client| {
        let names: &[&str] = match mailer(client).running {
            Running::Follows => &[],
            Running::Remembers(names) | Running::Locks(names) => names,
        };
        names.iter().map(move |name| (*name, client))
    };
    Client::ALL.into_iter().flat_map(named).collect()
}
