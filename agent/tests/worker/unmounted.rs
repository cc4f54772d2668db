//! A home that is not there while its mail is to be taken or given back: on a disk that is mounted when its person comes.

use std::path::Path;
use std::process::Command;

use crate::DOMAIN;
use crate::lab::{Lab, own};

/// Where nobody else sees what is mounted.
pub(crate) fn within(scratch: &Path) {
    let lab = Lab::new(scratch);
    let (home, disk) = (scratch.join("me"), scratch.join("disk"));
    fs_err::rename(&home, &disk).unwrap();
    fs_err::create_dir(&home).unwrap();
    if forewarn_host::user::is_root() {
        own(&home);
    }
    let mount = || done(Command::new("mount").arg("--bind").args([&disk, &home]));
    let unmount = || done(Command::new("umount").arg(&home));
    mount();
    let whole = lab.state();
    unmount();
    waits(&lab, "revoke");
    mount();
    lab.done("revoke");
    let revoked = lab.state();
    assert!(revoked != whole);
    unmount();
    waits(&lab, "restore");
    assert_eq!(lab.done("recover"), "not_open");
    assert_eq!(lab.held(), [DOMAIN], "what is in the vault is known without the home");
    mount();
    assert!(lab.state() == revoked, "nothing was given back to nowhere");
    lab.done("restore");
    assert!(lab.state() == whole);
}

fn waits(lab: &Lab, errand: &str) {
    let said = lab.run(errand).unwrap_or_default();
    let failed = said.get("failed").map(ToString::to_string);
    assert!(failed.is_some_and(|why| why.contains("the home folder is not open")), "{errand}: {said}");
    assert!(fs_err::read_dir(&lab.home).unwrap().next().is_none(), "{errand} leaves nothing where the home will be");
}

fn done(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}
