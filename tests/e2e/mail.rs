//! The company's mail account in the real agent: set up again by hand, held by a program that runs, in a home of somebody else's than the daemon's.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Child, Command, Stdio};

use forewarn_proto::{
    inventory::Source,
    ipc::Isolation,
    report::{Doubt, Stage as ObligationStage},
};
use forewarn_tests::{Company, home};
use tempfile::TempDir;

use crate::{HOUR, Stage, device};

/// Until the company's account is in the vault.
fn revoked(stage: &Stage) {
    home::TIKTOK.install(&stage.device.home).unwrap();
    stage.company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"24h\"")).unwrap();
    stage.device.wait_for_first_notice().unwrap();
    stage.pass(HOUR * 24);
    stage.device.wait_for_last_call().unwrap();
    stage.pass(HOUR);
}

fn wait_for_revoke(stage: &Stage) {
    let is_so = |status: &forewarn_proto::ipc::Status| status.obligations[0].stage == ObligationStage::Revoked;
    stage.device.wait_for("revoked", is_so).unwrap();
}

#[test]
fn promise_1_an_account_that_is_set_up_again_is_told_of_and_then_taken_too() {
    let stage = Stage::set();
    let device = &stage.device;
    let (rc, before) = (device.home.join(".mbsyncrc"), home::mail_files(&device.home).unwrap());
    revoked(&stage);
    wait_for_revoke(&stage);
    let text = fs_err::read_to_string(&rc).unwrap();
    let own = "\nIMAPAccount mine\nHost mail.corp.example\nUser me@corp.example\n";
    fs_err::write(&rc, format!("{text}{own}")).unwrap();
    let terminal = device.wait_for_notice("(corp.example) was set up again").unwrap();
    assert!(terminal.contains("this mail account is moved into the vault as well"), "{terminal}");
    stage.pass(HOUR * 23);
    device.wait_for("time has passed", |status| status.isolation.is_some()).unwrap();
    assert!(fs_err::read_to_string(&rc).unwrap().ends_with(own), "nothing is taken before its own deadline");
    // The text is on the screen a moment before the receipt, which may have come after those hours had passed.
    stage.pass(HOUR * 25);
    forewarn_tests::wait_until("it is taken too", || {
        anyhow::ensure!(home::mentions(&device.home, "@corp.example")? == 0);
        Ok(())
    })
    .unwrap();
    home::TIKTOK.remove(&device.home).unwrap();
    device.wait_for_notice("(corp.example) is back").unwrap();
    let with_both = fs_err::read_to_string(&rc).unwrap();
    assert!(with_both.contains("IMAPAccount work\n") && with_both.contains("IMAPAccount mine\n"), "{with_both}");
    let mut now = home::mail_files(&device.home).unwrap();
    now.insert(".mbsyncrc".into(), before[std::path::Path::new(".mbsyncrc")].clone());
    assert_eq!(now, before);
}

/// Another process with Thunderbird's name and the lock that it holds while it runs.
fn run_thunderbird(home: &std::path::Path) -> Child {
    let script = "import ctypes,fcntl,sys,time\nctypes.CDLL(None).prctl(15,b'thunderbird',0,0,0)\n\
                  f=open(sys.argv[1],'w')\nfcntl.lockf(f,fcntl.LOCK_EX|fcntl.LOCK_NB)\nprint('locked',flush=True)\ntime.sleep(600)";
    let profile = fs_err::read_dir(home.join(".thunderbird")).unwrap().map(|entry| entry.unwrap().path());
    let profile = profile.into_iter().find(|path| path.join("prefs.js").exists()).unwrap();
    let mut command = Command::new("python3");
    command.args(["-c", script]).arg(profile.join(".parentlock")).stdout(Stdio::piped());
    let mut child = command.spawn().expect("this test needs python3: apt-get install python3");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "locked\n");
    child
}

#[test]
fn promise_4_a_mail_program_that_runs_is_waited_for_and_never_closed() {
    let stage = Stage::set();
    let device = &stage.device;
    let before = home::mail_files(&device.home).unwrap();
    let mut thunderbird = run_thunderbird(&device.home);
    revoked(&stage);
    let terminal = device.wait_for_notice("(corp.example) leaves when you close your mail program").unwrap();
    assert!(terminal.contains("it will not be closed for you"), "{terminal}");
    let waits = |status: &forewarn_proto::ipc::Status| status.obligations[0].waiting_for == ["Thunderbird"];
    device.wait_for("it waits for Thunderbird", waits).unwrap();
    let shown = device.run(&["status"]).unwrap().ok().unwrap();
    assert!(shown.contains("waiting for Thunderbird to close"), "{shown}");
    forewarn_tests::wait_until("the admins see it too", || {
        let status = stage.company.admin("alice", &["status"])?.ok()?;
        anyhow::ensure!(status.contains("waiting"), "{status}");
        Ok(())
    })
    .unwrap();
    let changed: Vec<_> =
        home::mail_files(&device.home).unwrap().into_iter().filter(|(p, h)| before.get(p) != Some(h)).collect();
    assert!(changed.iter().all(|(path, _)| path.ends_with(".mbsyncrc")), "{changed:?}");
    assert!(thunderbird.try_wait().unwrap().is_none(), "it was closed");
    thunderbird.kill().unwrap();
    thunderbird.wait().unwrap();
    // It is tried every half minute anyway; at once is sooner.
    let closed = std::time::Instant::now();
    wait_for_revoke(&stage);
    assert!(closed.elapsed() < std::time::Duration::from_secs(15), "{:?}", closed.elapsed());
    assert_eq!(home::mentions(&device.home, "@corp.example").unwrap(), 0);
}

#[test]
fn promise_4_a_daemon_of_root_s_works_in_a_home_with_its_owner_s_rights_alone() {
    let folder = tempfile::tempdir().unwrap();
    let stage = set_for_another(folder);
    let device = &stage.device;
    let before = home::mail_files(&device.home).unwrap();
    let owner = fs_err::metadata(&device.home).unwrap().uid();
    revoked(&stage);
    wait_for_revoke(&stage);
    assert_eq!(home::mentions(&device.home, "@corp.example").unwrap(), 0);
    let status = device.status().unwrap();
    assert!(status.isolation.is_some_and(|isolation| isolation != Isolation::None), "this kernel has no Landlock");
    let vault_folder = device.folder.join("agent/vault").join(status.obligations[0].person.to_string());
    let vault = fs_err::metadata(&vault_folder).unwrap();
    assert_eq!((vault.uid(), vault.permissions().mode() & 0o777), (my_uid(), 0o700));
    // What is in the vault can't be read by who copies it.
    for entry in fs_err::read_dir(vault_folder.join("entries")).unwrap() {
        for file in fs_err::read_dir(entry.unwrap().path()).unwrap() {
            let bytes = fs_err::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(12).any(|window| window == b"corp.example"));
        }
    }
    home::TIKTOK.remove(&device.home).unwrap();
    device.wait_for_notice("(corp.example) is back").unwrap();
    assert_eq!(home::mail_files(&device.home).unwrap(), before);
    let owners = home::mail_files(&device.home)
        .unwrap()
        .into_keys()
        .map(|path| fs_err::metadata(device.home.join(path)).unwrap().uid());
    assert!(owners.into_iter().all(|uid| uid == owner), "a file of the person's is somebody else's now");
}

/// A device whose home is nobody's, where we are root. Else it is our own, as in every other test.
fn set_for_another(folder: TempDir) -> Stage {
    let company = Company::found(forewarn_tests::Binaries::beside_test().unwrap(), folder.path()).unwrap();
    let mut device = device(&folder, &company, "notices = \"terminal\"");
    if my_uid() == 0 {
        for open in [folder.path(), &device.folder] {
            fs_err::set_permissions(open, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        own(&device.home);
    }
    device.enroll(&company.token().unwrap(), &company.path("bob/root.json")).unwrap();
    device.start().unwrap();
    device.wait_for("the device is connected", |status| status.confirmed_at.is_some()).unwrap();
    Stage { company, device, _folder: folder }
}

fn my_uid() -> u32 {
    fs_err::metadata("/proc/self").unwrap().uid()
}

fn own(path: &std::path::Path) {
    std::os::unix::fs::chown(path, Some(65534), Some(65534)).unwrap();
    if path.is_dir() {
        fs_err::read_dir(path).unwrap().for_each(|entry| own(&entry.unwrap().path()));
    }
}

/// As a home on a disk of its own is, until its person comes.
#[test]
fn promise_3_a_home_that_is_not_open_proves_nothing_and_has_its_mail_back_once_it_is() {
    let mut stage = Stage::set();
    let before = home::mail_files(&stage.device.home).unwrap();
    revoked(&stage);
    wait_for_revoke(&stage);
    stage.device.kill();
    let (home, disk) = (stage.device.home.clone(), stage.device.folder.join("disk"));
    fs_err::rename(&home, &disk).unwrap();
    fs_err::create_dir(&home).unwrap();
    stage.device.start().unwrap();
    let unread = |status: &forewarn_proto::ipc::Status| {
        status.rules.iter().any(|rule| rule.doubts == [Doubt::Partial(Source::Desktop)])
    };
    let status = stage.device.wait_for("nothing is known of the home", unread).unwrap();
    assert_eq!((status.obligations.len(), status.revoked.len()), (1, 1), "{status:#?}");
    stage.company.admin("alice", &["retract", "no-tiktok", "--reason", "sent in error"]).unwrap().ok().unwrap();
    let status = stage.device.wait_for("retracted", |status| status.obligations.is_empty()).unwrap();
    assert_eq!(status.revoked.len(), 1, "its mail waits: {status:#?}");
    assert!(fs_err::read_dir(&home).unwrap().next().is_none());
    fs_err::remove_dir(&home).unwrap();
    fs_err::rename(&disk, &home).unwrap();
    stage.pass(HOUR);
    stage.device.wait_for("it is back", |status| status.revoked.is_empty()).unwrap();
    assert_eq!(home::mail_files(&home).unwrap(), before);
}
