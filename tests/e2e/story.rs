//! The story as it is told: warned, revoked, restored; and one sent in error.

use forewarn_proto::report::Stage as ObligationStage;
use forewarn_tests::home;
use jiff::SignedDuration;

use crate::{HOUR, Stage};

#[test]
fn promise_4_an_account_goes_and_comes_back_byte_for_byte() {
    let stage = Stage::set();
    let (company, device) = (&stage.company, &stage.device);
    let before = home::mail_files(&device.home).unwrap();
    home::TIKTOK.install(&device.home).unwrap();
    company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\"")).unwrap();
    let terminal = device.wait_for_first_notice().unwrap();
    assert!(terminal.contains("the mail account of corp.example is moved into a vault"), "{terminal}");
    for hours in [24, 20, 3] {
        stage.pass(HOUR * hours);
        device.wait_for("time has passed", |status| status.obligations[0].shown.is_some()).unwrap();
    }
    assert_eq!(home::mail_files(&device.home).unwrap(), before, "nothing is touched before the deadline");
    stage.pass(SignedDuration::from_mins(50));
    device.wait_for_last_call().unwrap();
    stage.pass(SignedDuration::from_mins(30));
    device.wait_for("revoked", |status| status.obligations[0].stage == ObligationStage::Revoked).unwrap();
    assert_eq!(home::mentions(&device.home, "@corp.example").unwrap(), 0);
    assert!(home::mentions(&device.home, "@private.example").unwrap() > 0);
    home::TIKTOK.remove(&device.home).unwrap();
    device.wait_for_notice("Company mail (corp.example) is back").unwrap();
    assert_eq!(home::mail_files(&device.home).unwrap(), before);
}

#[test]
fn promise_3_a_policy_sent_in_error_is_taken_back_by_one_admin() {
    let stage = Stage::set();
    let (company, device) = (&stage.company, &stage.device);
    let before = home::mail_files(&device.home).unwrap();
    home::TIKTOK.install(&device.home).unwrap();
    company.publish(&home::ban(&home::TIKTOK, "mistake", 1, "grace = \"24h\"")).unwrap();
    device.wait_for_first_notice().unwrap();
    stage.pass(HOUR * 24);
    device.wait_for_last_call().unwrap();
    stage.pass(HOUR);
    device.wait_for("revoked", |status| !status.revoked.is_empty()).unwrap();
    company.admin("alice", &["retract", "mistake", "--reason", "sent in error"]).unwrap().ok().unwrap();
    device.wait_for_notice("was sent in error").unwrap();
    device.wait_for("restored", |status| status.obligations.is_empty() && status.revoked.is_empty()).unwrap();
    device.wait_for_notice("(corp.example) is back").unwrap();
    assert_eq!(home::mail_files(&device.home).unwrap(), before);
    forewarn_tests::wait_until("the correction is reported", || {
        let status = company.admin("alice", &["status"])?.ok()?;
        anyhow::ensure!(status.contains("1 of 1 people who saw a notice were corrected"), "{status}");
        let told = company.admin("alice", &["told", "mistake"])?.ok()?;
        anyhow::ensure!(told.starts_with("device-") && told.contains(": corrected 20"), "{told}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_person_contests_and_one_admin_spares_their_device_for_a_while() {
    let stage = Stage::set();
    let (company, device) = (&stage.company, &stage.device);
    home::TIKTOK.install(&device.home).unwrap();
    company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\"")).unwrap();
    device.wait_for_first_notice().unwrap();
    let refused = device.run(&["appeal", "Signal", "I need it"]).unwrap();
    assert!(!refused.success && refused.text.contains("no policy here speaks of that"), "{}", refused.text);
    let sent = device.run(&["appeal", "tiktok", "I look after our company's channel there."]).unwrap().ok().unwrap();
    assert!(sent.contains("It went to the admins. The deadline stays as it is"), "{sent}");
    let told = company.admin("bob", &["told", "no-tiktok"]).unwrap().ok().unwrap();
    assert!(told.contains(", tiktok: told 20") && told.contains(" on a terminal, deadline 20"), "{told}");
    let appeals = company.admin("bob", &["appeals"]).unwrap().ok().unwrap();
    assert!(appeals.contains("contests tiktok of no-tiktok"), "{appeals}");
    assert!(appeals.contains("I look after our company's channel there."), "{appeals}");
    let name = appeals.split_whitespace().next().unwrap();
    let exempt =
        |until: &str| company.admin("bob", &["exempt", name, "no-tiktok", "tiktok", "--until", until]).unwrap();
    let past = exempt("2020-07-10T17:00Z");
    assert!(!past.success && past.text.contains("is in the past"), "{}", past.text);
    let unclear = exempt("2099-07-10");
    assert!(!unclear.success && unclear.text.contains("write 2027-01-31T17:00[Europe/Berlin]"), "{}", unclear.text);
    exempt("2099-07-10T17:00[Europe/Berlin]").ok().unwrap();
    device.wait_for("nothing is asked", |status| status.obligations.is_empty()).unwrap();
    let why = device.run(&["why", "tiktok"]).unwrap().ok().unwrap();
    assert!(
        why.contains("this device is spared until Friday 10 July 2099") && why.contains("bob decided that"),
        "{why}"
    );
    let shorter = exempt("2098-07-10T17:00Z");
    shorter.ok().unwrap();
    let still = device.run(&["why", "tiktok"]).unwrap().ok().unwrap();
    assert_eq!(still, why, "it is made longer, never shorter");
}

#[test]
fn promise_2_one_signature_of_two_changes_nothing() {
    let stage = Stage::set();
    let (company, device) = (&stage.company, &stage.device);
    home::TIKTOK.install(&device.home).unwrap();
    let policy = company.policy_file(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\"")).unwrap();
    company.admin("alice", &["propose", &policy]).unwrap().ok().unwrap();
    let alone = company.admin("alice", &["publish"]).unwrap();
    assert!(!alone.success && alone.text.contains("1 of 2 signatures"), "{}", alone.text);
    assert!(device.status().unwrap().rules.is_empty());
}

#[test]
fn promise_8_why_says_everything() {
    let stage = Stage::set();
    let (company, device) = (&stage.company, &stage.device);
    home::TIKTOK.install(&device.home).unwrap();
    company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\"")).unwrap();
    device.wait_for_first_notice().unwrap();
    device.run(&["acknowledge", "tiktok"]).unwrap().ok().unwrap();
    let why = device.run(&["why", "tiktok"]).unwrap().ok().unwrap();
    let parts = [
        "tiktok of policy no-tiktok, version 1",
        "signed by  alice, bob",
        "matched    pkg:webapp/chromium/",
        "told       ",
        ", on your terminal",
        "read       ",
        "in 1 day 23 hours",
        "takes      the mail account of corp.example",
        "the deadline is still ahead",
        "undo       remove TikTok",
        "contest    ask alice or bob",
    ];
    for part in parts {
        assert!(why.contains(part), "`{part}` is missing in:\n{why}");
    }
    assert!(!device.run(&["why", "Signal"]).unwrap().success);
    let log = device.run(&["log"]).unwrap().ok().unwrap();
    let told =
        ["found, not yet told", "a notice was shown on your terminal", "told, deadline ahead", "the deadline is "];
    let read = ["you said that you have read it"];
    let mut rest = log.as_str();
    for part in told.iter().chain(&read) {
        let Some((_, after)) = rest.split_once(part) else {
            panic!("`{part}` is missing, or out of order, in:\n{log}")
        };
        rest = after;
    }
    home::TIKTOK.remove(&device.home).unwrap();
    device.wait_for("nothing is asked", |status| status.obligations.is_empty()).unwrap();
    let log = device.run(&["log"]).unwrap().ok().unwrap();
    assert!(log.contains("the app is gone; nothing more is asked of you"), "{log}");
}

#[test]
fn a_bad_policy_is_refused_with_file_line_and_remedy() {
    let stage = Stage::set();
    let company = &stage.company;
    let policy = company.policy_file(&home::ban(&home::TIKTOK, "late", 1, "at = \"2020-07-10T17:00\"")).unwrap();
    let refused = company.admin("alice", &["check", &policy]).unwrap();
    assert!(!refused.success);
    for part in ["policy.toml", "line 6", "has no time zone"] {
        assert!(refused.text.contains(part), "{}", refused.text);
    }
    let policy = company.policy_file(&home::ban(&home::TIKTOK, "late", 1, "at = \"2020-07-10T17:00Z\"")).unwrap();
    let refused = company.admin("alice", &["propose", &policy]).unwrap();
    assert!(!refused.success && refused.text.contains("in the past"), "{}", refused.text);
}

/// A device without a company.
fn device_alone(folder: &std::path::Path) -> forewarn_tests::Device {
    let binaries = forewarn_tests::Binaries::beside_test().unwrap();
    forewarn_tests::Device::prepare(&binaries, folder, &forewarn_host::Shift::default(), "").unwrap()
}

#[test]
fn a_person_sees_what_a_revoke_would_take_and_nothing_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let device = device_alone(folder.path());
    let before = home::mail_files(&device.home).unwrap();
    let plan = device.run(&["mail", "plan", "corp.example"]).unwrap().ok().unwrap();
    let lines: Vec<&str> = plan.lines().collect();
    assert!(lines[0].starts_with("Thunderbird me@corp.example, from .thunderbird/"), "{plan}");
    assert!(lines[1].starts_with("isync Me@Corp.Example, from .mbsyncrc") && lines.len() == 3, "{plan}");
    let pieces = device.run(&["mail", "plan", "corp.example", "--pieces"]).unwrap().ok().unwrap();
    assert!(pieces.contains("  - ") && !pieces.contains("@private.example"), "{pieces}");
    let none = device.run(&["mail", "plan", "nobody.example"]).unwrap().ok().unwrap();
    assert!(none.contains("There is no account of nobody.example here."), "{none}");
    assert!(device.run(&["mail", "plan", "no domain"]).unwrap().ok().is_err());
    assert_eq!(home::mail_files(&device.home).unwrap(), before);
}

#[test]
fn a_plan_has_a_line_for_each_account_of_every_mail_program() {
    let folder = tempfile::tempdir().unwrap();
    let device = device_alone(folder.path());
    home::furnish_with_every_client(&device.home).unwrap();
    let before = home::all_files(&device.home).unwrap();
    let plan = device.run(&["mail", "plan", "corp.example"]).unwrap().ok().unwrap();
    let lines: Vec<&str> = plan.lines().collect();
    let starts = [
        "Thunderbird me@corp.example, from .thunderbird/",
        "GNOME Online Accounts me@corp.example, from .config/evolution/sources/made-account.source",
        "Evolution me@corp.example, from .config/evolution/sources/work-account.source",
        "Geary me@corp.example, from .config/geary/account_02/geary.ini",
        "Claws Mail me@corp.example, from .claws-mail/folderlist.xml",
        "KMail me@corp.example, from .config/akonadi_imap_resource_1rc",
        "isync Me@Corp.Example, from .mbsyncrc",
        "offlineimap me@corp.example, from .offlineimaprc",
        "msmtp me+notes@corp.example, from .msmtprc",
        "msmtp me@corp.example, from .msmtprc",
        "neomutt me@corp.example, from .config/neomutt/work",
        "aerc me@corp.example, from .config/aerc/accounts.conf",
        "himalaya me@corp.example, from .config/himalaya/config.toml",
    ];
    assert_eq!(lines.len(), starts.len() + 1, "{plan}");
    lines.iter().zip(starts).for_each(|(line, start)| assert!(line.starts_with(start), "{plan}"));
    let pieces = device.run(&["mail", "plan", "corp.example", "--pieces"]).unwrap().ok().unwrap();
    assert!(!pieces.contains("secret"), "{pieces}");
    assert_eq!(home::all_files(&device.home).unwrap(), before);
}
