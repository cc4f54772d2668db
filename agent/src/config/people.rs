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

/// The homes that are named; else everyone's, where this is root; else `own`. Who is not root looks after their own alone.
pub(super) fn homes(named: Option<Vec<PathBuf>>, own: Option<PathBuf>) -> Vec<(Person, PathBuf)> {
    let me = rustix::process::geteuid();
    let homes = match named {
        Some(named) => named,
        None if me.is_root() => return everyone(),
        None => own.into_iter().collect(),
    };
    let owned = homes.into_iter().filter_map(|home| Some((owner(&home)?, home)));
    owned.filter(|(person, _)| me.is_root() || person.0 == me.as_raw()).collect()
}

fn everyone() -> Vec<(Person, PathBuf)> {
    let people = of_people(&fs_err::read_to_string(PASSWD).unwrap_or_default());
    people.into_iter().filter(|(person, home)| has_home(*person, home)).collect()
}

fn owner(home: &Path) -> Option<Person> {
    let metadata = fs_err::symlink_metadata(home).ok()?;
    metadata.is_dir().then(|| Person(metadata.uid()))
}

/// Whether a folder is this person's, or is empty: then theirs will be mounted there. Accounts of services are in others'.
fn has_home(person: Person, home: &Path) -> bool {
    let is_empty = || fs_err::read_dir(home).is_ok_and(|mut names| names.next().is_none());
    owner(home).is_some_and(|owner| owner == person || is_empty())
}

/// People in passwd(5), and their home folders: `name:x:1000:1000:Name:/home/name:/bin/bash`.
fn of_people(passwd: &str) -> Vec<(Person, PathBuf)> {
    let home = |line: &str| {
        let fields: Vec<&str> = line.split(':').collect();
        let [_, _, number, _, _, home, _] = fields.try_into().ok()?;
        let number = number.parse().ok().filter(|number| PEOPLE.contains(number))?;
        Some((Person(number), PathBuf::from(home)))
    };
    passwd.lines().filter_map(home).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_from_services() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000:Ann,,,:/home/ann:/bin/bash\n\
                      broken line\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n\
                      ben:x:1001:1001::/home/ben:/bin/zsh\n";
        assert_eq!(of_people(passwd), [(Person(1000), "/home/ann".into()), (Person(1001), "/home/ben".into())]);
    }

    #[test]
    fn a_home_is_one_s_own_or_waits_to_be_mounted() {
        let folder = tempfile::tempdir().unwrap();
        let [own, empty, gone] = ["own", "empty", "gone"].map(|name| folder.path().join(name));
        fs_err::create_dir_all(own.join(".config")).unwrap();
        fs_err::create_dir(&empty).unwrap();
        let me = owner(&own).unwrap();
        let check = |person| [&own, &empty, &gone].map(|home| has_home(person, home));
        assert_eq!(check(me), [true, true, false]);
        assert_eq!(check(Person(me.0 + 1)), [false, true, false]);
    }

    #[test]
    fn a_home_that_is_not_there_is_nobody_s() {
        let folder = tempfile::tempdir().unwrap();
        let (home, file) = (folder.path().join("home"), folder.path().join("file"));
        fs_err::create_dir(&home).unwrap();
        fs_err::write(&file, "").unwrap();
        let found = homes(Some(vec![home.clone(), file, folder.path().join("gone")]), None);
        assert_eq!(found, [(Person(rustix::process::geteuid().as_raw()), home)]);
    }
}
