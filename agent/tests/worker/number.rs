//! A folder of root's gets the number of one that was closed and removed.

use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use forewarn_mail::{Folder, Store as _};
use rustix::fs::{Mode, OFlags, open};

use crate::{keys, lab::own, tries};

/// How many folders root makes, until one has the number.
const MADE: u32 = 20;

pub(crate) fn given_again() {
    assert!(forewarn_host::user::is_root(), "this test is root's: run it through sudo");
    // Not in memory, where a number is given once.
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let home = scratch.path().join("me");
    fs_err::create_dir(&home).unwrap();
    own(&home);
    let vault = Folder::open(&scratch.path().join("vault"), "me", keys(), Duration::ZERO).unwrap();
    let vault = vault.for_home(&home, 65534).unwrap();
    let (mut given, mut away) = (0, 0);
    for round in 0..tries() {
        // Elsewhere, and in the home: root makes folders there too.
        let place = if round % 2 == 0 { scratch.path().join("root") } else { home.join("root") };
        let (again, lost) = one(&vault, &home, &place);
        given += u32::from(again);
        away += lost;
    }
    print!("{away} folders of root's given away; {given} of {} had the number ... ", tries());
    assert_eq!(away, 0);
    assert!(given > 0, "this file system gives no number again, so nothing is shown here");
}

/// The person has a folder closed, and removes it; root makes some. Whether one had its number, and how many are theirs now.
fn one(vault: &Folder, home: &Path, place: &Path) -> (bool, u32) {
    let mail = home.join("Mail");
    fs_err::create_dir(&mail).unwrap();
    own(&mail);
    vault.close_folder(fs_err::File::open(&mail).unwrap().as_fd()).unwrap();
    let closed = fs_err::metadata(&mail).unwrap();
    assert_eq!((closed.uid(), closed.permissions().mode() & 0o777), (0, 0o700));
    fs_err::remove_dir(&mail).unwrap();
    fs_err::create_dir(place).unwrap();
    let mut again = false;
    let mut lost = 0;
    for number in 0..MADE {
        let made = place.join(number.to_string());
        fs_err::create_dir(&made).unwrap();
        again |= fs_err::metadata(&made).unwrap().ino() == closed.ino();
        let file = open(&made, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let _ = vault.open_folder(file.as_fd());
        lost += u32::from(fs_err::metadata(&made).unwrap().uid() != 0);
    }
    again |= fs_err::metadata(place).unwrap().ino() == closed.ino();
    let file = open(place, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    let _ = vault.open_folder(file.as_fd());
    lost += u32::from(fs_err::metadata(place).unwrap().uid() != 0);
    fs_err::remove_dir_all(place).unwrap();
    (again, lost)
}
