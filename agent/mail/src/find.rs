//! Finding accounts in a home, in every client.

use crate::account::{Client, Found, Skipped};
use crate::client::mailer;
use crate::error::Error;
use crate::home::Home;
use crate::limits::MAX_NAMES;
use crate::plan::{Draft, Plan};

/// The accounts of `domain` in this home, and what was left alone. A home that can't be read has no accounts, and says so in `skipped`.
pub fn find(home: &Home, domain: &str) -> Found {
    let Ok(domain) = checked(domain) else {
        return Found::default();
    };
    let (drafts, skipped) = drafts(home, &domain);
    let mut accounts: Vec<_> = drafts.into_iter().flat_map(|draft| draft.plan.accounts).collect();
    accounts.sort();
    Found { accounts, skipped }
}

/// The files and folders in a home whose change can mean that an account was set up, as paths from the home. A folder stands for the files in it. At most [`MAX_NAMES`](crate::limits::MAX_NAMES).
pub fn watched(home: &Home) -> Vec<String> {
    let of = |client| {
        let profiles = (mailer(client).profiles)(home, &mut Vec::new()).into_iter();
        profiles.flat_map(move |profile| match mailer(client).files {
            [] => vec![profile],
            files => files.iter().map(|file| format!("{profile}/{file}")).collect(),
        })
    };
    Client::ALL.into_iter().flat_map(of).take(MAX_NAMES).collect()
}

/// What revoking `domain` would change now, one plan for each profile.
///
/// # Errors
/// [`Error::CheckDomain`] when `domain` isn't a mail domain.
pub fn plan(home: &Home, domain: &str) -> Result<Vec<Plan>, Error> {
    let (drafts, _) = drafts(home, &checked(domain)?);
    Ok(drafts.into_iter().map(|draft| draft.plan).collect())
}

/// All drafts, with the bytes that they are about.
pub(crate) fn drafts(home: &Home, domain: &str) -> (Vec<Draft>, Vec<Skipped>) {
    let mut skipped = Vec::new();
    let mut drafts = Vec::new();
    for client in Client::ALL {
        for profile in (mailer(client).profiles)(home, &mut skipped) {
            drafts.extend((mailer(client).draft)(home, &profile, domain, &mut skipped));
        }
    }
    (drafts, skipped)
}

/// The draft of one profile, as it is at this moment.
pub(crate) fn draft(home: &Home, client: Client, profile: &str, domain: &str) -> (Option<Draft>, Vec<Skipped>) {
    let mut skipped = Vec::new();
    let draft = (mailer(client).draft)(home, profile, domain, &mut skipped);
    (draft, skipped)
}

/// The domain in lower case. An empty one, or a whole address, would match what it must not.
pub(crate) fn checked(domain: &str) -> Result<String, Error> {
    let is_domain = domain.split('.').all(|label| !label.is_empty())
        && !domain.contains(|c: char| c == '@' || c.is_whitespace() || c.is_control());
    if is_domain { Ok(domain.to_ascii_lowercase()) } else { Err(Error::CheckDomain { domain: domain.to_owned() }) }
}
