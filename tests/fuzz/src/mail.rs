//! Files of mail programs: a revoke takes what it understands, a restore gives exactly that back.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use forewarn_mail::{Error, Guard, Home, Label, Store, Vault, find, plan};

const DOMAIN: &str = "corp.example";

/// What stands in an input between a file and what it is rewritten to while the account is revoked.
const THEN: &[u8] = b"\0\0";

/// Where Thunderbird's only profile is.
pub(crate) const PROFILES: &[(&str, &str)] = &[(".thunderbird/profiles.ini", "[Profile0]\nIsRelative=1\nPath=p\n")];

/// A Thunderbird profile, without the file that is fuzzed.
pub(crate) const THUNDERBIRD: &[(&str, &str)] = &[
    PROFILES[0],
    (
        ".thunderbird/p/prefs.js",
        include_str!("../../../agent/mail/tests/data/thunderbird-two-accounts/5ee0q7cw.default-default/prefs.js"),
    ),
];

/// Lays `input` at a path in a home, beside other files, and takes and gives back the company's account.
pub(crate) fn check(path: &str, beside: &[(&str, &str)], input: &[u8], folder: &Path) {
    let (first, then) = match input.windows(THEN.len()).position(|window| window == THEN) {
        Some(at) => (&input[..at], Some(&input[at + THEN.len()..])),
        None => (input, None),
    };
    let dir = folder.join("me");
    let _ = fs_err::remove_dir_all(&dir);
    for (path, contents) in beside {
        write(&dir.join(path), contents.as_bytes());
    }
    let file = dir.join(path);
    write(&file, first);
    let home = Home::open(&dir).unwrap();
    let before = find(&home, DOMAIN);
    let plans = plan(&home, DOMAIN).unwrap();
    let vault = Vault::new(Shelf::default());
    let revoked = vault.revoke(&home, DOMAIN).unwrap();
    assert_eq!(
        revoked.taken.len(),
        plans.iter().map(|plan| plan.accounts.len()).sum::<usize>(),
        "what was planned is taken"
    );
    let left = plan(&home, DOMAIN).unwrap();
    assert!(left.is_empty(), "something is left to take: {left:?}");
    let Some(then) = then else {
        let restored = vault.restore(&home, DOMAIN).unwrap();
        assert!(restored.conflicts.is_empty() && restored.merged.is_empty(), "{restored:?}");
        assert!(fs_err::read(&file).unwrap() == first, "it is not what it was");
        assert_eq!(find(&home, DOMAIN), before);
        return;
    };
    write(&file, then);
    let restored = vault.restore(&home, DOMAIN).unwrap();
    if !restored.conflicts.is_empty() {
        assert!(fs_err::read(&file).unwrap() == then, "what the person wrote is overwritten");
    }
}

fn write(path: &Path, contents: &[u8]) {
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, contents).unwrap();
}

/// Entries of a vault in memory: a disk would make each input take a hundredth of a second.
#[derive(Default)]
struct Shelf {
    entries: RefCell<BTreeMap<u32, BTreeMap<PathBuf, Vec<u8>>>>,
}

impl Shelf {
    fn keep(&self, entry: u32, name: &str, bytes: &[u8]) {
        self.entries.borrow_mut().entry(entry).or_default().insert(name.into(), bytes.to_vec());
    }

    fn name(label: &Label) -> String {
        format!("{label:?}")
    }
}

impl Store for Shelf {
    fn lock(&self) -> Result<Option<Guard>, Error> {
        Ok(None)
    }

    fn entries(&self) -> Result<Vec<u32>, Error> {
        Ok(self.entries.borrow().keys().copied().collect())
    }

    fn journal(&self, entry: u32) -> Result<Vec<u8>, Error> {
        Ok(self.entries.borrow()[&entry][Path::new("journal")].clone())
    }

    fn create(&self, journal: &[u8], contents: &[(Label, &[u8])]) -> Result<u32, Error> {
        let number = self.entries.borrow().len() as u32 + 1;
        self.keep(number, "journal", journal);
        contents.iter().for_each(|(label, bytes)| self.keep(number, &Self::name(label), bytes));
        Ok(number)
    }

    fn save(&self, entry: u32, journal: &[u8], _: bool) -> Result<(), Error> {
        self.keep(entry, "journal", journal);
        Ok(())
    }

    fn put(&self, entry: u32, label: &Label, bytes: &[u8]) -> Result<(), Error> {
        self.keep(entry, &Self::name(label), bytes);
        Ok(())
    }

    fn discard(&self, entry: u32) -> Result<(), Error> {
        self.entries.borrow_mut().remove(&entry);
        Ok(())
    }

    fn close_folder(&self, _: std::os::fd::BorrowedFd<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn open_folder(&self, _: std::os::fd::BorrowedFd<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn get(&self, entry: u32, label: &Label) -> Result<Vec<u8>, Error> {
        let kept = self.entries.borrow()[&entry].get(Path::new(&Self::name(label))).cloned();
        kept.ok_or(Error::AskVault { reason: "it was not kept".to_owned() })
    }
}
