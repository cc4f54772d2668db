//! Who the admins are changes, with the real commands, the real server and a real device.

use forewarn_tests::{Binaries, Company, SshAgent, home};

use crate::{HOUR, Stage};

/// What a command says that has to succeed.
#[track_caller]
fn ok(company: &Company, name: &str, arguments: &[&str]) -> String {
    company.admin(name, arguments).unwrap().ok().unwrap()
}

/// What a command says that has to fail.
#[track_caller]
fn refused(company: &Company, name: &str, arguments: &[&str]) -> String {
    let outcome = company.admin(name, arguments).unwrap();
    assert!(!outcome.success, "{name} {arguments:?}: {}", outcome.text);
    outcome.text
}

/// carol makes a key, and takes the root that bob trusts.
fn carol_comes(company: &Company) -> String {
    company.init_admin("carol").unwrap();
    fs_err::copy(company.path("bob/root.json"), company.path("carol/root.json")).unwrap();
    company.path("carol/carol.pub").to_string_lossy().into_owned()
}

fn ban(version: u64) -> String {
    home::ban(&home::TIKTOK, "no-tiktok", version, "grace = \"48h\"")
}

/// Every admin who is named proposes or signs one version of the policy.
fn publish(company: &Company, version: u64, by: [&str; 2]) {
    let file = company.policy_file(&ban(version)).unwrap();
    ok(company, by[0], &["propose", &file]);
    let said = ok(company, by[1], &["sign", "--yes"]);
    assert!(said.contains("Published draft"), "{said}");
}

#[test]
fn promise_2_a_lost_key_goes_a_new_one_comes_and_a_device_that_was_away_follows() {
    let mut stage = Stage::set();
    let carol = carol_comes(&stage.company);
    home::TIKTOK.install(&stage.device.home).unwrap();
    publish(&stage.company, 1, ["alice", "bob"]);
    stage.device.wait_for_first_notice().unwrap();
    stage.device.kill();
    let company = &stage.company;

    let proposed = ok(company, "alice", &["admins", "add", &carol]);
    assert!(proposed.contains("comes in") && proposed.contains("carol"), "{proposed}");
    assert!(proposed.contains("root: 1 of 2 signatures"), "{proposed}");
    let inbox = ok(company, "bob", &["inbox"]);
    assert!(inbox.contains("changes the root") && inbox.contains("signed by alice, proposed 20"), "{inbox}");
    let signed = ok(company, "bob", &["sign", "--yes"]);
    assert!(signed.contains("comes in") && signed.contains("Published draft"), "{signed}");
    assert!(ok(company, "bob", &["inbox"]).contains("Nothing waits for your signature."));

    // bob's laptop is stolen.
    let proposed = ok(company, "carol", &["admins", "remove", "bob"]);
    assert!(proposed.contains("goes out") && proposed.contains("signed anew, saying what they say now"), "{proposed}");
    ok(company, "alice", &["sign", "--yes"]);
    let listed = ok(company, "alice", &["admins"]);
    assert!(listed.contains("alice (you)") && listed.contains("carol") && !listed.contains("bob"), "{listed}");
    assert!(listed.contains("2 of 2 start a policy"), "{listed}");
    let file = company.policy_file(&ban(2)).unwrap();
    for command in [
        &["retract", "no-tiktok", "--reason", "revenge"][..],
        &["propose", &file],
        &["preview", &file],
        &["status"],
        &["told", "no-tiktok"],
        &["appeals"],
        &["inbox"],
        &["admins", "renew"],
    ] {
        let text = refused(company, "bob", command);
        assert!(text.contains("neither the signature of an admin"), "{command:?}: {text}");
    }

    // The device was away for both; it follows, and the policy did not start anew for its person.
    let shown = |status: &forewarn_proto::ipc::Status| status.obligations.first().and_then(|o| o.shown);
    publish(company, 2, ["carol", "alice"]);
    stage.device.start().unwrap();
    let two = |status: &forewarn_proto::ipc::Status| shown(status).is_some() && status.connected;
    stage.device.wait_for("the device is back", two).unwrap();
    forewarn_tests::wait_until("the device goes by the new version", || {
        let why = stage.device.run(&["why", "tiktok"])?.ok()?;
        anyhow::ensure!(why.contains("alice") && why.contains("carol") && !why.contains("bob"), "{why}");
        Ok(())
    })
    .unwrap();
    ok(company, "carol", &["retract", "no-tiktok", "--reason", "over"]);
    stage.device.wait_for("nothing is asked", |status| status.obligations.is_empty()).unwrap();
}

#[test]
fn an_admin_exchanges_their_key_and_the_old_one_opens_nothing() {
    let stage = Stage::set();
    let company = &stage.company;
    fs_err::create_dir(company.path("thief")).unwrap();
    for file in fs_err::read_dir(company.path("alice")).unwrap() {
        let file = file.unwrap();
        fs_err::copy(file.path(), company.path("thief").join(file.file_name())).unwrap();
    }
    let old = ok(company, "alice", &["admins"]);
    let said = ok(company, "alice", &["admins", "rotate"]);
    assert!(said.contains("Your old key is in use until that is published"), "{said}");
    assert!(said.contains("root, by the admins whom it names: 1 of 2"), "{said}");
    assert_eq!(ok(company, "alice", &["admins"]), old, "nothing has changed yet");
    let signed = ok(company, "bob", &["sign", "--yes"]);
    assert!(signed.contains("goes out") && signed.contains("comes in"), "{signed}");
    let new = ok(company, "alice", &["admins"]);
    assert!(new.contains("alice (you)") && new != old, "{new}");
    let files: Vec<String> = fs_err::read_dir(company.path("alice"))
        .unwrap()
        .map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(files.iter().any(|name| name.starts_with("old-key-")), "{files:?}");
    assert!(!files.iter().any(|name| name.starts_with("next-key")), "{files:?}");
    let thief = refused(company, "thief", &["status"]);
    assert!(thief.contains("neither the signature of an admin"), "{thief}");
    publish(company, 1, ["alice", "bob"]);
    stage.device.wait_for("the device follows", |status| !status.rules.is_empty()).unwrap();
}

#[test]
fn promise_2_the_threshold_is_never_under_two_and_a_higher_one_counts_at_once() {
    let stage = Stage::set();
    let company = &stage.company;
    publish(company, 1, ["alice", "bob"]);
    for (command, why) in [
        (&["admins", "threshold", "1"][..], "at least 2 admins have to start a policy"),
        (&["admins", "threshold", "3"], "2 admins can't give 3 signatures"),
        (&["admins", "remove", "bob"], "1 admins can't give 2 signatures"),
        (&["admins", "remove", "zoe"], "no admin is called zoe; the admins are alice, bob"),
        (&["admins", "threshold", "2"], "that is how it is already"),
        (&["admins", "add", &company.path("bob/bob.pub").to_string_lossy()], "called bob already"),
    ] {
        let text = refused(company, "alice", command);
        assert!(text.contains(why), "{command:?}: {text}");
    }
    let carol = carol_comes(company);
    ok(company, "alice", &["admins", "add", &carol]);
    ok(company, "bob", &["sign", "--yes"]);
    let proposed = ok(company, "alice", &["admins", "threshold", "3"]);
    assert!(proposed.contains("signatures that a policy needs: 2 -> 3"), "{proposed}");
    assert!(ok(company, "bob", &["sign", "--yes"]).contains("waits for another admin"), "the policy needs three now");
    assert!(ok(company, "carol", &["sign", "--yes"]).contains("Published draft"));
    let file = company.policy_file(&ban(2)).unwrap();
    ok(company, "alice", &["propose", &file]);
    assert!(ok(company, "bob", &["sign", "--yes"]).contains("policies: 2 of 3"));
    assert!(ok(company, "carol", &["sign", "--yes"]).contains("Published draft"));
}

#[test]
fn what_the_admins_signed_is_renewed_before_it_runs_out() {
    let stage = Stage::set();
    let company = &stage.company;
    let until = |listed: &str| listed.lines().last().unwrap().to_owned();
    let before = until(&ok(company, "alice", &["admins"]));
    assert!(!ok(company, "alice", &["inbox"]).contains("admins renew"), "it is early");
    stage.pass(HOUR * 24 * 330);
    assert!(ok(company, "alice", &["inbox"]).contains("admins renew"));
    ok(company, "alice", &["admins", "renew"]);
    ok(company, "bob", &["sign", "--yes"]);
    let after = until(&ok(company, "alice", &["admins"]));
    assert_ne!(before, after);
    assert!(after.contains("What they signed is good until 20"), "{after}");
    assert!(!ok(company, "alice", &["inbox"]).contains("admins renew"));
}

#[test]
fn promise_7_a_server_whose_database_was_copied_gets_new_keys_and_devices_follow() {
    let mut stage = Stage::set();
    let company = &stage.company;
    let policy = |id| home::ban(&home::TIKTOK, id, 1, "grace = \"48h\"");
    assert!(refused(company, "alice", &["admins", "online-keys"]).contains("that is how it is already"));
    let made = company.server_command(&["online-keys", "--new"]).unwrap();
    assert_eq!(company.server_command(&["online-keys"]).unwrap(), made, "whoever compares sees the same");
    let fingerprints: Vec<&str> = made.lines().take(2).filter_map(|line| line.split_whitespace().next()).collect();
    let shows_both = |text: &str| fingerprints.iter().all(|fingerprint| text.contains(fingerprint));
    // Until the admins have said so, the old ones sign.
    company.publish(&policy("before")).unwrap();
    let proposed = ok(company, "alice", &["admins", "online-keys"]);
    assert!(shows_both(&proposed) && proposed.contains("root: 1 of 2 signatures"), "{proposed}\n{made}");
    let signed = ok(company, "bob", &["sign", "--yes"]);
    assert!(shows_both(&signed) && signed.contains("Published draft"), "{signed}\n{made}");
    assert!(shows_both(&ok(company, "alice", &["admins"])));
    assert!(refused(company, "alice", &["admins", "online-keys"]).contains("that is how it is already"));
    company.publish(&policy("after")).unwrap();
    stage.device.wait_for("the device follows", |status| status.rules.len() == 2).unwrap();
    // The one that starts next has them too.
    stage.company.kill_server();
    stage.company.start_server().unwrap();
    stage.company.publish(&policy("restarted")).unwrap();
    stage.device.wait_for("the device goes on", |status| status.rules.len() == 3).unwrap();
}

#[test]
fn an_admin_whose_key_is_in_an_ssh_agent_signs_and_retracts_without_a_passphrase() {
    let folder = tempfile::tempdir().unwrap();
    let agent = SshAgent::start(folder.path()).unwrap();
    agent.add("rsa", "work").unwrap();
    let mut company = Company::prepare(Binaries::beside_test().unwrap(), folder.path()).unwrap();
    company.start_server().unwrap();
    company.init_admin("alice").unwrap();
    let with_agent =
        |arguments: &[&str]| company.admin_with("bob", arguments, &[("SSH_AUTH_SOCK", &agent.socket)]).unwrap();
    let (ca, clock) = (company.path("server/ca.pem"), company.clock_file());
    let (ca, clock) = (ca.to_string_lossy(), clock.to_string_lossy());
    let init = |wanted: &[&str]| {
        let init = ["init", "--name", "bob", "--server", &company.url, "--ca", &ca, "--simulated-clock", &clock];
        with_agent(&[&init[..], &["--ssh-agent"], wanted].concat())
    };
    let none = init(&[]);
    assert!(!none.success && none.text.contains("holds no Ed25519 key"), "{}", none.text);
    let fingerprint = agent.add("ed25519", "bob@yubikey").unwrap();
    let other = agent.add("ed25519", "bob@ssh").unwrap();
    let two = init(&[]);
    assert!(!two.success && two.text.contains(&fingerprint) && two.text.contains(&other), "{}", two.text);
    let made = init(&[&fingerprint]).ok().unwrap();
    assert!(made.contains("Found a key in the ssh-agent for bob"), "{made}");
    let twice = init(&["bob@ssh"]);
    assert!(!twice.success && twice.text.contains("it is not replaced"), "{}", twice.text);

    let code = company.printed("founding code:").unwrap();
    let (alice, bob) = (company.path("alice/alice.pub"), company.path("bob/bob.pub"));
    let (alice, bob) = (alice.to_string_lossy(), bob.to_string_lossy());
    ok(&company, "alice", &["found", "--admin", &alice, "--admin", &bob, "--code", &code]);
    let founded = with_agent(&["sign", "--yes", "--code", &code]).ok().unwrap();
    assert!(founded.contains("Published draft 1") && founded.contains("root.json"), "{founded}");
    let file = company.policy_file(&ban(1)).unwrap();
    ok(&company, "alice", &["propose", &file]);
    assert!(with_agent(&["sign", "--yes"]).ok().unwrap().contains("Published draft"));

    // At three in the morning: nobody remembers a passphrase.
    fs_err::remove_file(company.path("passphrase")).unwrap();
    let retracted = with_agent(&["retract", "no-tiktok", "--reason", "sent in error"]).ok().unwrap();
    assert!(retracted.starts_with("Withdrawn: no-tiktok up to version 1."), "{retracted}");
    agent.forget().unwrap();
    let gone = with_agent(&["status"]);
    assert!(!gone.success && gone.text.contains("does not sign") && gone.text.contains("ssh-add -l"), "{}", gone.text);
    let unset = company.admin("bob", &["status"]).unwrap();
    assert!(!unset.success && unset.text.contains("SSH_AUTH_SOCK is not set"), "{}", unset.text);
    assert!(!company.path("bob/key.pem").exists(), "no private key is in the folder");
}

#[test]
fn a_key_in_a_file_is_exchanged_for_one_in_an_ssh_agent() {
    let stage = Stage::set();
    let company = &stage.company;
    let folder = tempfile::tempdir().unwrap();
    let agent = SshAgent::start(folder.path()).unwrap();
    agent.add("ed25519", "alice@yubikey").unwrap();
    let with_agent =
        |arguments: &[&str]| company.admin_with("alice", arguments, &[("SSH_AUTH_SOCK", &agent.socket)]).unwrap();
    with_agent(&["admins", "rotate", "--ssh-agent", "alice@yubikey"]).ok().unwrap();
    ok(company, "bob", &["sign", "--yes"]);
    fs_err::remove_file(company.path("passphrase")).unwrap();
    let listed = with_agent(&["admins"]).ok().unwrap();
    assert!(listed.contains("alice (you)"), "{listed}");
    assert!(company.path("alice/key.agent").exists() && !company.path("alice/key.pem").exists());
}
