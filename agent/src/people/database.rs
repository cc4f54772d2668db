//! The user database: passwd(5), and whatever else the system's name service asks.

use std::{
    ffi::CString,
    ops::RangeInclusive,
    path::PathBuf,
    sync::{Mutex, PoisonError, mpsc},
    time::Duration,
};

use anyhow::{Context, Result};
use nix::unistd::{Gid, Uid, User, getgrouplist};

use super::Account;

/// Who has an account on this device (passwd(5)).
const PASSWD: &str = "/etc/passwd";
/// The user numbers of people, as systemd and Debian have them (systemd, `docs/UIDS-GIDS.md`).
const PEOPLE: RangeInclusive<u32> = 1000..=60000;
/// Shells of accounts with which nobody logs in.
const NO_SHELLS: [&str; 2] = ["nologin", "false"];
/// The group of whoever the user database does not know (Debian's and systemd's `nogroup`). The group of a file of theirs
/// says nothing: they choose it, also a group that they have left.
const NO_GROUP: u32 = 65534;
/// How long a directory service may take to say who somebody is.
const PATIENCE: Duration = Duration::from_secs(5);

/// An account, as the user database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) user: u32,
    pub(super) group: u32,
    /// None where the database does not know this number.
    pub(super) name: Option<String>,
    pub(super) home: PathBuf,
    pub(super) logs_in: bool,
    pub(super) listed: Option<Listed>,
}

/// What passwd(5) said of a number. Whoever gets the number after them has another name or another home there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    name: String,
    home: PathBuf,
}

impl Listed {
    /// Where the account's home is.
    pub(super) fn home(&self) -> &std::path::Path {
        &self.home
    }
}

impl From<&Account> for Entry {
    fn from(account: &Account) -> Self {
        let Account { user, group, name, home, listed, .. } = account.clone();
        Self { user, group, name, home, logs_in: true, listed }
    }
}

/// Everyone in passwd(5) who is a person, by their number.
pub(super) fn everyone() -> Vec<Entry> {
    entries(&passwd()).into_iter().filter(|entry| PEOPLE.contains(&entry.user)).collect()
}

/// What passwd(5) says of a number now.
pub(super) fn listed(user: u32) -> Option<Listed> {
    entries(&passwd()).into_iter().find(|entry| entry.user == user)?.listed
}

/// Whoever has this number, by passwd(5) or the name service. The home is empty where neither knows them.
pub(super) fn entry(user: u32) -> Entry {
    let local = entries(&passwd()).into_iter().find(|entry| entry.user == user);
    let unknown = || Entry { user, group: NO_GROUP, name: None, home: PathBuf::new(), logs_in: true, listed: None };
    local.or_else(|| of_name_service(user)).unwrap_or_else(unknown)
}

/// A directory service that does not answer keeps a thread, and knows nobody.
fn of_name_service(user: u32) -> Option<Entry> {
    let (sender, answer) = mpsc::channel();
    let asking = std::thread::spawn(move || sender.send(User::from_uid(Uid::from_raw(user))));
    let answer = answer.recv_timeout(PATIENCE).ok()?;
    // Whoever becomes somebody else has no other thread.
    let _ = asking.join();
    let User { name, gid, dir, .. } = answer.ok()??;
    Some(Entry { user, group: gid.as_raw(), name: Some(name), home: dir, logs_in: true, listed: None })
}

/// The number of an account, by its name or as it is.
pub(super) fn number_of(account: &str) -> Option<u32> {
    account.parse().ok().or_else(|| User::from_name(account).ok()?.map(|user| user.uid.as_raw()))
}

/// Whether there is an account of this name, or may be: a directory service that fails says of nobody that they have left.
pub(super) fn has(name: &str) -> bool {
    User::from_name(name).map_or(true, |user| user.is_some())
}

/// An account's own group, as the database has it now.
pub(crate) fn group_of(user: u32) -> u32 {
    entry(user).group
}

/// All groups of an account, by the name service. Blocks for as long as that takes.
///
/// # Errors
/// When it can't be asked.
pub(crate) fn groups_of(user: u32, group: u32) -> Result<Vec<u32>> {
    let Some(User { name, .. }) = User::from_uid(Uid::from_raw(user))? else { return Ok(vec![group]) };
    let name = CString::new(name).context("its name can't be spoken")?;
    Ok(getgrouplist(&name, Gid::from_raw(group))?.into_iter().map(Gid::as_raw).collect())
}

/// What passwd(5) said when it was read last. One that can't be read now says of nobody that they have left.
fn passwd() -> Vec<u8> {
    static LAST: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match fs_err::read(PASSWD) {
        Ok(bytes) => *last = bytes,
        Err(error) => tracing::warn!("who has an account can't be read now, and is taken to be who had: {error}"),
    }
    last.clone()
}

/// Accounts in passwd(5): `name:x:1000:1000:Name:/home/name:/bin/bash`. People choose what they are called themselves (chfn(1)),
/// in any bytes; that is not looked at. A line that names an account or a home in bytes that are no text is nobody's.
fn entries(passwd: &[u8]) -> Vec<Entry> {
    let entry = |line: &[u8]| {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
        let [name, _, user, group, _, home, shell] = fields.try_into().ok()?;
        let [name, user, group, home, shell] = [name, user, group, home, shell].map(std::str::from_utf8);
        let (name, user, group, home, shell) = (name.ok()?, user.ok()?, group.ok()?, home.ok()?, shell.ok()?);
        let logs_in = !NO_SHELLS.iter().any(|none| shell.ends_with(none));
        let listed = Listed { name: name.to_owned(), home: home.into() };
        let (user, group) = (user.parse().ok()?, group.parse().ok()?);
        Some(Entry { user, group, name: Some(name.to_owned()), home: home.into(), logs_in, listed: Some(listed) })
    };
    passwd.split(|byte| *byte == b'\n').filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_from_services() {
        let passwd = b"root:x:0:0:root:/root:/bin/bash\nann:x:1000:100:Ann,,,:/home/ann:/bin/bash\n\
                      broken line\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n\
                      ben:x:1001:1001::/home/ben:/usr/sbin/nologin\n";
        let all = entries(passwd);
        let people = all.iter().filter(|entry| PEOPLE.contains(&entry.user));
        let read = |e: &Entry| (e.user, e.group, e.name.clone().unwrap(), e.home.display().to_string(), e.logs_in);
        let expected = [
            (1000, 100, "ann".to_owned(), "/home/ann".to_owned(), true),
            (1001, 1001, "ben".to_owned(), "/home/ben".to_owned(), false),
        ];
        assert_eq!(people.map(read).collect::<Vec<_>>(), expected);
    }

    /// chfn(1) lets everybody have such a name.
    #[test]
    fn promise_7_nobody_s_own_name_keeps_others_from_being_known() {
        let names = |passwd: &[u8]| entries(passwd).into_iter().filter_map(|entry| entry.name).collect::<Vec<_>>();
        let ben = b"ben:x:1001:1001:Ben,r\xe9t\xe9,,:/home/ben:/bin/bash\nann:x:1000:100:Ann,,,:/home/ann:/bin/bash\n";
        assert_eq!(names(ben), ["ben", "ann"]);
        // No two names are taken for one.
        assert_eq!(names(b"b\xe9n:x:1001:1001::/home/ben:/bin/sh\nb\xe8n:x:1002:1002::/home/ben:/bin/sh\n"), [""; 0]);
    }

    #[test]
    fn whoever_the_database_does_not_know_has_no_group() {
        let stranger = entry(61_999);
        assert_eq!((stranger.name, stranger.group), (None, NO_GROUP));
        assert_eq!(groups_of(61_999, NO_GROUP).unwrap(), [NO_GROUP]);
        assert_eq!(entry(0).name.as_deref(), Some("root"));
    }
}
