//! The real mbsync reads what a revoke and a merge leave behind.
#![expect(clippy::disallowed_methods, reason = "the real program is what is tested against")]

use std::process::Command;

use crate::person::{Person, edit};

/// What mbsync says about a channel that isn't there, after it has read its whole configuration without complaint.
const READ: &str = "No channel or group named 'nothing' defined.\nNo channel specified. Try 'mbsync -h'\n";

fn mbsync(me: &Person, arguments: &[&str]) -> String {
    let mut command = Command::new("mbsync");
    command.env("HOME", &me.dir).arg("-c").arg(me.dir.join(".mbsyncrc")).args(arguments);
    let out = command.output().expect("this test needs mbsync: apt-get install isync");
    String::from_utf8(out.stderr).unwrap()
}

#[test]
fn mbsync_accepts_what_is_left_and_what_returns() {
    let me = Person::new();
    fs_err::create_dir_all(me.dir.join("Mail/private")).unwrap();
    fs_err::create_dir_all(me.dir.join("Mail/work")).unwrap();
    assert_eq!(mbsync(&me, &["-l", "nothing"]), READ);
    me.vault.revoke(&me.home, "corp.example").unwrap();
    assert_eq!(mbsync(&me, &["-l", "nothing"]), READ);
    assert!(mbsync(&me, &["-l", "work"]).contains("No channel or group named 'work'"));
    edit(&me.dir.join(".mbsyncrc"), |text| text.replace("Group quick\n", "Group quick\nChannels private\n") + "# end");
    assert_eq!(me.vault.restore(&me.home, "corp.example").unwrap().merged.len(), 1);
    assert_eq!(mbsync(&me, &["-l", "nothing"]), READ);
    assert!(!mbsync(&me, &["-l", "work"]).contains("No channel or group"));
}
