//! Whose homes are looked after.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use forewarn_proto::inventory::Person;

/// Who has an account on this device (passwd(5)).
const PASSWD: &str = "/etc/passwd";
/// The user numbers of people, as systemd and Debian have them (systemd, `docs/UIDS-GIDS.md`).
const PEOPLE: std::ops::RangeInclusive<u32> = 1000..=60000;

/// Shells of accounts with which nobody logs in.
const NO_SHELLS: [&str; 2] = ["nologin", "false"];

/// An account of a person's, as passwd(5) has it.
#[derive(Debug, PartialEq, Eq)]
struct Account {
    person: Person,
    home: PathBuf,
    logs_in: bool,
}

/// The homes that are named; else everyone's, where this is root; else `own`. Who is not root looks after their own alone.
/// `vault`: the folder with the vaults of those who were looked after before.
pub(super) fn homes(named: Option<Vec<PathBuf>>, own: Option<PathBuf>, vault: &Path) -> Vec<(Person, PathBuf)> {
    let me = rustix::process::geteuid();
    let accounts = accounts(&fs_err::read_to_string(PASSWD).unwrap_or_default());
    let whose = |home: PathBuf| Some((person_of(&home, &accounts)?, home));
    let homes: Vec<(Person, PathBuf)> = match named {
        None if me.is_root() => everyone(&accounts, vault),
        None => own.into_iter().filter_map(whose).collect(),
        Some(named) => named.into_iter().filter_map(whose).collect(),
    };
    homes.into_iter().filter(|(person, _)| me.is_root() || person.0 == me.as_raw()).collect()
}

/// Who has a home, or had one when they were last looked after: it may not be mounted now.
fn everyone(accounts: &[Account], vault: &Path) -> Vec<(Person, PathBuf)> {
    let is_known = |account: &&Account| vault.join(account.person.0.to_string()).is_dir();
    let theirs = accounts.iter().filter(|account| has_home(account, accounts) || is_known(account));
    theirs.map(|account| (account.person, account.home.clone())).collect()
}

/// Whose a home is: where nothing is mounted yet, the folder may be anybody's.
fn person_of(home: &Path, accounts: &[Account]) -> Option<Person> {
    let account = accounts.iter().find(|account| account.home == home);
    account.map(|account| account.person).or_else(|| owner(home))
}

fn owner(home: &Path) -> Option<Person> {
    let metadata = fs_err::symlink_metadata(home).ok()?;
    metadata.is_dir().then(|| Person(metadata.uid()))
}

/// Whether an account's folder is its own, or is empty: then its own will be mounted there. Accounts of services are in
/// others' folders, or share one.
fn has_home(account: &Account, accounts: &[Account]) -> bool {
    let Account { person, home, logs_in } = account;
    let is_empty = || fs_err::read_dir(home).is_ok_and(|mut names| names.next().is_none());
    let is_alone = || accounts.iter().filter(|other| other.home == *home).count() == 1;
    // To look into it may have it mounted.
    let is_theirs = || owner(home) == Some(*person);
    owner(home).is_some() && (is_theirs() || (*logs_in && is_alone() && (is_empty() || is_theirs())))
}

/// People in passwd(5): `name:x:1000:1000:Name:/home/name:/bin/bash`.
fn accounts(passwd: &str) -> Vec<Account> {
    let account = |line: &str| {
        let fields: Vec<&str> = line.split(':').collect();
        let [_, _, number, _, _, home, shell] = fields.try_into().ok()?;
        let number = number.parse().ok().filter(|number| PEOPLE.contains(number))?;
        let logs_in = !NO_SHELLS.iter().any(|none| shell.ends_with(none));
        Some(Account { person: Person(number), home: home.into(), logs_in })
    };
    passwd.lines().filter_map(account).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: u32, home: impl Into<PathBuf>, logs_in: bool) -> Account {
        Account { person: Person(number), home: home.into(), logs_in }
    }

    #[test]
    fn people_are_told_from_services() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000:Ann,,,:/home/ann:/bin/bash\n\
                      broken line\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n\
                      ben:x:1001:1001::/home/ben:/usr/sbin/nologin\n";
        assert_eq!(accounts(passwd), [account(1000, "/home/ann", true), account(1001, "/home/ben", false)]);
    }

    #[test]
    fn a_home_is_one_s_own_or_waits_to_be_mounted() {
        let folder = tempfile::tempdir().unwrap();
        let [own, empty, gone, vault] = ["own", "empty", "gone", "vault"].map(|name| folder.path().join(name));
        fs_err::create_dir_all(own.join(".config")).unwrap();
        fs_err::create_dir(&empty).unwrap();
        fs_err::create_dir_all(vault.join("2004")).unwrap();
        let me = owner(&own).unwrap().0;
        let accounts = [
            account(me, &own, false),
            account(2001, &own, true),
            account(2002, &empty, true),
            account(2003, &gone, true),
            account(2004, &gone, true),
        ];
        let people = |accounts: &[Account]| everyone(accounts, &vault).iter().map(|(p, _)| p.0).collect::<Vec<_>>();
        assert_eq!(people(&accounts), [me, 2002, 2004]);
        assert_eq!(people(&[account(2002, &empty, false)]), [0_u32; 0], "nobody logs in there");
        assert_eq!(people(&[account(2002, &empty, true), account(2003, &empty, true)]), [0_u32; 0], "it is shared");
        assert_eq!(person_of(&gone, &accounts), Some(Person(2003)));
        assert_eq!(person_of(&folder.path().join("else"), &accounts), None);
        assert_eq!(person_of(folder.path(), &accounts), Some(Person(me)));
    }

    #[test]
    fn a_home_that_is_not_there_is_nobody_s() {
        let folder = tempfile::tempdir().unwrap();
        let (home, file) = (folder.path().join("home"), folder.path().join("file"));
        fs_err::create_dir(&home).unwrap();
        fs_err::write(&file, "").unwrap();
        let found = homes(Some(vec![home.clone(), file, folder.path().join("gone")]), None, folder.path());
        assert_eq!(found, [(Person(rustix::process::geteuid().as_raw()), home)]);
    }
}
