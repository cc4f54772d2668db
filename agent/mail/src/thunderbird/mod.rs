//! Thunderbird: `prefs.js`, `logins.json` and the outbox of each profile.

mod login_key;
mod logins;
mod merge;
mod outbox;
mod prefs;
mod profiles;
mod select;

use std::collections::BTreeSet;

use self::login_key::LoginKey;
use self::prefs::Prefs;
pub(crate) use self::profiles::profiles;
use self::select::Selection;
use crate::account::{Client, SkipReason, Skipped};
use crate::home::{Content, Home};
use crate::plan::{Draft, DraftFile, Role};
use crate::rewritten::{Obstacle, Renames, Three};

const OUTBOX: &str = "Mail/Local Folders/Unsent Messages";

/// What taking the domain's accounts would change in a profile. `None` when it has none.
pub(crate) fn draft(home: &Home, profile: &str, domain: &str, skipped: &mut Vec<Skipped>) -> Option<Draft> {
    let mut reasons = Vec::new();
    let draft = Drafting { home, profile, domain, reasons: &mut reasons }.draft();
    skipped.extend(reasons.into_iter().map(|reason| Skipped {
        client: Client::Thunderbird,
        profile: profile.to_owned(),
        reason,
    }));
    draft
}

struct Drafting<'a> {
    home: &'a Home,
    profile: &'a str,
    domain: &'a str,
    reasons: &'a mut Vec<SkipReason>,
}

impl Drafting<'_> {
    fn draft(&mut self) -> Option<Draft> {
        let (path, original) = self.read("prefs.js")?;
        let prefs = Prefs::parse(&original.bytes);
        let mut selection = select::select(&prefs, self.domain);
        self.reasons.append(&mut selection.skipped);
        if selection.addresses.is_empty() {
            return None;
        }
        let after = select::without(&prefs, &selection.keys);
        let removed = removed_lines(&prefs, &Prefs::parse(&after));
        let stores = select::stores(&prefs, &selection.keys);
        // The outbox first: its messages must not be there when the account isn't.
        let mut files = self.outbox(&selection)?;
        files.push(DraftFile { role: Role::Prefs, path, original, after: Some(after), removed });
        files
            .extend(["logins.json", "logins-backup.json"].into_iter().filter_map(|name| self.logins(name, &selection)));
        let draft = Draft::new(Client::Thunderbird, self.profile, self.domain, selection.addresses, files);
        Some(Draft { stores: stores.into_iter().map(|store| format!("{}/{store}", self.profile)).collect(), ..draft })
    }

    /// Reads a file of the profile; what can't be read is noted.
    fn read(&mut self, name: &str) -> Option<(String, Content)> {
        let path = format!("{}/{name}", self.profile);
        match self.home.read(&path) {
            Ok(content) => content.map(|content| (path, content)),
            Err(error) => {
                self.reasons.push(error.into_reason(&path));
                None
            }
        }
    }

    /// `None` when what waits can't be told apart: without its account it would leave through another.
    fn outbox(&mut self, selection: &Selection) -> Option<Vec<DraftFile>> {
        let noted = self.reasons.len();
        let Some((path, original)) = self.read(OUTBOX) else {
            return (self.reasons.len() == noted).then(Vec::new);
        };
        let (after, count) = outbox::without(&original.bytes, &selection.keys, self.domain);
        if count == 0 {
            return Some(Vec::new());
        }
        let removed = vec![format!("{count} waiting message(s)")];
        let mut files = vec![DraftFile { role: Role::Outbox, path, original, after: Some(after), removed }];
        if let Some((path, original)) = self.read(&format!("{OUTBOX}.msf")) {
            let removed = vec!["(the index of the waiting messages, which Thunderbird makes anew)".to_owned()];
            files.push(DraftFile { role: Role::OutboxIndex, path, original, after: None, removed });
        }
        Some(files)
    }

    fn logins(&mut self, name: &str, selection: &Selection) -> Option<DraftFile> {
        let (path, original) = self.read(name)?;
        let key = if selection.shared_hosts.is_empty() { None } else { self.login_key() };
        let mut untold = BTreeSet::new();
        let mut is_ours = |login: &logins::Login| {
            let host = login.host()?;
            if selection.hosts.contains(&host) {
                return Some(());
            }
            selection.shared_hosts.get(&host)?;
            match key.as_ref().and_then(|key| key.open(&login.encrypted_name)) {
                Some(name) => selection.logins.get(&name.to_ascii_lowercase()).map(|_| ()),
                None => {
                    untold.insert(host);
                    None
                }
            }
        };
        let Ok((after, removed)) = logins::without(&original.bytes, |login| is_ours(login).is_some()) else {
            self.reasons.push(SkipReason::Malformed { path });
            return None;
        };
        self.reasons.extend(untold.into_iter().map(|host| SkipReason::SharedHost { host }));
        let removed: Vec<_> = removed.into_iter().map(|host| format!("login for {host}")).collect();
        (!removed.is_empty()).then_some(DraftFile { role: Role::Logins, path, original, after: Some(after), removed })
    }

    /// `None` where a primary password closes it.
    fn login_key(&mut self) -> Option<LoginKey> {
        LoginKey::read(&self.read("key4.db")?.1.bytes)
    }
}

/// The lines that go or change, with secrets masked.
fn removed_lines(before: &Prefs<'_>, after: &Prefs<'_>) -> Vec<String> {
    let kept: BTreeSet<&[u8]> = after.lines.iter().map(|line| line.raw).collect();
    let gone = before.lines.iter().filter(|line| !kept.contains(line.raw));
    gone.map(|line| match line.key() {
        Some(key) if ["password", "token", "secret"].iter().any(|word| key.to_ascii_lowercase().contains(word)) => {
            format!("{key}: ***")
        }
        _ => String::from_utf8_lossy(line.raw).trim_end().to_owned(),
    })
    .collect()
}

/// What a file has to be, so that what was taken is in it again. `Ok(None)`: the file has to go.
pub(crate) fn merge(role: Role, file: &Three<'_>, renames: &mut Renames) -> Result<Option<Vec<u8>>, Obstacle> {
    let after = file.after.unwrap_or_default();
    match (role, file.current) {
        (Role::Prefs, Some(current)) => merge::merge(file.original, after, current, renames)
            .map(Some)
            .map_err(|merge::ThereAgain| Obstacle::ThereAgain),
        (Role::Logins, Some(current)) => {
            logins::merge(file.original, after, current).map(Some).map_err(|logins::Malformed| Obstacle::Malformed)
        }
        (Role::Outbox, current) => Ok(Some(outbox::merge(file.original, after, current.unwrap_or_default(), renames))),
        (Role::OutboxIndex, _) => Ok(None),
        (Role::Prefs | Role::Logins | Role::Sections(_) | Role::Whole, _) => Err(Obstacle::Malformed),
    }
}
