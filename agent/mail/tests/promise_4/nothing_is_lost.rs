//! Promise 4: a revoke takes exactly the company's account, and a restore gives it back.

use std::collections::BTreeSet;

use crate::person::{Person, edit, files, open, open_locking};
use forewarn_mail::{Client, ConflictReason, Digest, Folder, Home, Keys, SkipReason, Stage, Vault, find, plan};

const DOMAIN: &str = "corp.example";

#[test]
fn the_company_account_is_found_in_both_programs() {
    let me = Person::new();
    let found = find(&me.home, "CORP.example");
    let seen: Vec<_> = found
        .accounts
        .iter()
        .map(|account| (account.client, account.profile.as_str(), account.address.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            (Client::Thunderbird, me.profile.as_str(), "me@corp.example"),
            (Client::Isync, ".mbsyncrc", "Me@Corp.Example")
        ]
    );
    assert_eq!(found.skipped, []);
    assert_eq!(find(&me.home, "private.example").accounts.len(), 2);
}

#[test]
fn a_domain_that_is_none_takes_nothing() {
    let me = Person::new();
    for domain in ["", "@corp.example", "corp.example ", ".example", "me@corp.example"] {
        assert!(find(&me.home, domain).accounts.is_empty(), "{domain:?}");
        assert!(me.vault.revoke(&me.home, domain).is_err(), "{domain:?}");
    }
    for domain in ["example", "eu.corp.example", "orp.example"] {
        assert_eq!(me.vault.revoke(&me.home, domain).unwrap().taken, [], "{domain:?}");
    }
}

#[test]
fn a_plan_names_every_piece_and_masks_secrets() {
    let me = Person::new();
    let before = me.state();
    let plans = plan(&me.home, DOMAIN).unwrap();
    let text: String = plans.iter().map(ToString::to_string).collect();
    for piece in [
        "me@corp.example",
        "mail.server.server3.hostname",
        "login for imap://mail.corp.example",
        "login for smtp://mail.corp.example",
        "1 waiting message",
        "- IMAPAccount work",
        "- Channel work-rest",
    ] {
        assert!(text.contains(piece), "{piece} is missing in:\n{text}");
    }
    assert!(!format!("{text}{plans:?}").contains("s3cret"), "{text}");
    assert_eq!(me.state(), before, "a plan changes nothing");
    for file in plans.iter().flat_map(|plan| &plan.files) {
        assert_eq!(file.before, before[&file.path].0);
    }
}

#[test]
fn a_revoke_does_what_the_plan_said() {
    let me = Person::new();
    let plans = plan(&me.home, DOMAIN).unwrap();
    let before = me.state();
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    let after = me.state();
    for file in plans.iter().flat_map(|plan| &plan.files) {
        assert_eq!(after.get(&file.path).map(|state| state.0), file.after, "{}", file.path);
    }
    let planned: Vec<_> = plans.iter().flat_map(|plan| &plan.files).map(|file| &file.path).collect();
    for (path, state) in &before {
        assert!(planned.contains(&path) || after.get(path) == Some(state), "{path} was touched without a plan");
    }
}

#[test]
fn a_revoke_takes_all_that_is_the_company_s_and_no_line_of_the_person_s() {
    let me = Person::new();
    let read = |name: &str| fs_err::read_to_string(me.in_profile(name)).unwrap();
    let (prefs, rc) = (read("prefs.js"), fs_err::read_to_string(me.dir.join(".mbsyncrc")).unwrap());
    let taken = me.vault.revoke(&me.home, DOMAIN).unwrap();
    assert_eq!((taken.taken.len(), taken.waiting.len(), taken.skipped.len()), (2, 0, 0));
    assert!(!me.text().to_ascii_lowercase().contains("corp.example"), "{}", me.text());
    let changed = ["mail.accountmanager.accounts", "mail.smtpservers"];
    let of_company = ["account3", "server3", "id2.", "smtp2"];
    let private: Vec<_> =
        prefs.lines().filter(|line| !of_company.iter().chain(&changed).any(|key| line.contains(key))).collect();
    let after = read("prefs.js");
    let left: Vec<_> = after.lines().filter(|line| !changed.iter().any(|key| line.contains(key))).collect();
    assert_eq!(left, private);
    assert!(after.contains(r#"user_pref("mail.accountmanager.accounts", "account2,account1");"#));
    assert!(after.contains(r#"user_pref("mail.smtpservers", "smtp1");"#));
    assert!(after.contains(r#"user_pref("mail.account.lastKey", 3);"#));
    for gone in ["defaultserver", "defaultaccount"] {
        assert!(!after.contains(gone), "company mail must not leave by another server: {gone}");
    }
    let rc_after = fs_err::read_to_string(me.dir.join(".mbsyncrc")).unwrap();
    assert!(rc_after.lines().filter(|line| !line.starts_with("Group")).all(|line| rc.contains(line)));
    assert!(rc_after.contains("Group all private\n") && rc_after.contains("Group quick\nChannels private:INBOX\n"));
    assert!(
        rc_after.contains("MaildirStore work-local")
            && !rc_after.contains("Group work")
            && !rc_after.contains("s3cret")
    );
}

#[test]
fn only_the_company_s_logins_and_waiting_messages_go() {
    let me = Person::new();
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    let logins = fs_err::read_to_string(me.in_profile("logins.json")).unwrap();
    let logins: serde_json::Value = serde_json::from_str(&logins).unwrap();
    let hosts: Vec<_> = logins["logins"]
        .as_array()
        .unwrap()
        .iter()
        .map(|login| login["hostname"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(hosts, ["imap://mail.private.example", "smtp://mail.private.example"]);
    assert_eq!(logins["nextId"], 5);
    let outbox = fs_err::read_to_string(me.in_profile("Mail/Local Folders/Unsent Messages")).unwrap();
    assert_eq!(outbox.matches("\nSubject: ").count(), 1);
    assert!(outbox.starts_with("From - ") && outbox.contains("Subject: Private message waiting"));
    assert!(!me.in_profile("Mail/Local Folders/Unsent Messages.msf").exists());
}

#[test]
fn a_restore_gives_back_identical_bytes_mode_and_time() {
    let me = Person::new();
    let before = me.state();
    assert!(before.len() >= 8);
    let taken = me.vault.revoke(&me.home, DOMAIN).unwrap().taken;
    assert_ne!(me.state(), before);
    assert_eq!(me.vault.holdings().unwrap().len(), 2);
    let restored = me.vault.restore(&me.home, DOMAIN).unwrap();
    assert_eq!(me.state(), before);
    let mut exact = restored.exact;
    exact.sort();
    assert_eq!(exact, taken);
    assert_eq!((restored.merged.len(), restored.waiting.len(), restored.conflicts.len()), (0, 0, 0));
    assert_eq!(me.vault.holdings().unwrap(), []);
}

#[test]
fn each_call_twice_is_harmless() {
    let me = Person::new();
    let before = me.state();
    me.vault.recover(&me.home).unwrap();
    assert_eq!(me.vault.restore(&me.home, DOMAIN).unwrap().exact, []);
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    let revoked = me.state();
    assert_eq!(me.vault.revoke(&me.home, DOMAIN).unwrap().taken, []);
    me.vault.recover(&me.home).unwrap();
    me.vault.recover(&me.home).unwrap();
    assert_eq!(me.state(), revoked);
    assert_eq!(me.vault.restore(&me.home, "private.example").unwrap().exact, []);
    assert_eq!(me.state(), revoked);
    me.vault.restore(&me.home, DOMAIN).unwrap();
    assert_eq!(me.vault.restore(&me.home, DOMAIN).unwrap().exact, []);
    assert_eq!(me.state(), before);
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    assert_eq!(me.vault.restore(&me.home, DOMAIN).unwrap().exact.len(), 2);
    assert_eq!(me.state(), before);
}

#[test]
fn two_domains_return_in_any_order() {
    for order in [["private.example", DOMAIN], [DOMAIN, "private.example"]] {
        let me = Person::new();
        let (before, places) =
            (me.state(), [me.in_profile("prefs.js"), me.in_profile("logins.json"), me.dir.join(".mbsyncrc")]);
        let read = |path| fs_err::read_to_string(path).unwrap();
        let originals = places.clone().map(read);
        me.vault.revoke(&me.home, DOMAIN).unwrap();
        me.vault.revoke(&me.home, "private.example").unwrap();
        assert!(places.iter().all(|path| !read(path.clone()).contains(".example")));
        for domain in order {
            assert_eq!(me.vault.restore(&me.home, domain).unwrap().conflicts, []);
        }
        // The order of entries may differ, nothing else.
        let sorted = |text: &str| {
            let is_between = |c: char| c.is_whitespace() || "{},\"".contains(c);
            text.split(is_between).filter(|part| *part != "Channels").map(str::to_owned).collect::<BTreeSet<_>>()
        };
        for (path, original) in places.iter().zip(&originals) {
            assert_eq!(sorted(&read(path.clone())), sorted(original), "{}", path.display());
        }
        assert!(order[0] == DOMAIN || me.state() == before, "the latest first: exactly as before");
    }
}

#[test]
fn lines_return_into_files_that_were_rewritten() {
    let me = Person::new();
    let original = fs_err::read_to_string(me.in_profile("prefs.js")).unwrap();
    let rc = fs_err::read_to_string(me.dir.join(".mbsyncrc")).unwrap();
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    let new_pref = "user_pref(\"mail.zzz\", 1);\n";
    edit(&me.in_profile("prefs.js"), |text| text + new_pref);
    edit(&me.dir.join(".mbsyncrc"), |text| format!("# mine\n{text}\nGroup mine private\n"));
    let logins = me.in_profile("logins.json");
    edit(&logins, |text| {
        text.replacen(
            "\"nextId\":5,\"logins\":[",
            "\"nextId\":6,\"logins\":[{\"id\":5,\"hostname\":\"https://new.example\",\"guid\":\"{x}\"},",
            1,
        )
    });
    let restored = me.vault.restore(&me.home, DOMAIN).unwrap();
    assert_eq!((restored.exact.len(), restored.merged.len(), restored.conflicts.len()), (0, 2, 0));
    // Thunderbird had been the default; the key went and nothing took its place, so it is back too.
    assert_eq!(fs_err::read_to_string(me.in_profile("prefs.js")).unwrap(), original + new_pref);
    assert_eq!(
        fs_err::read_to_string(me.dir.join(".mbsyncrc")).unwrap(),
        format!("# mine\n{rc}\n\nGroup mine private\n")
    );
    let logins = fs_err::read_to_string(&logins).unwrap();
    assert_eq!((logins.matches(".corp.example").count(), logins.matches("new.example").count()), (4, 1));
    let after = me.state();
    me.vault.restore(&me.home, DOMAIN).unwrap();
    assert_eq!(me.state(), after);
}

#[test]
fn a_new_account_keeps_the_numbers_that_thunderbird_gave_it() {
    let me = Person::new();
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    let prefs = me.in_profile("prefs.js");
    let added = "user_pref(\"mail.account.account4.identities\", \"id2\");\nuser_pref(\"mail.account.account4.server\", \"server3\");\nuser_pref(\"mail.identity.id2.smtpServer\", \"smtp2\");\nuser_pref(\"mail.identity.id2.useremail\", \"me@club.example\");\nuser_pref(\"mail.server.server3.hostname\", \"mail.club.example\");\nuser_pref(\"mail.server.server3.type\", \"imap\");\nuser_pref(\"mail.server.server3.userName\", \"me@club.example\");\nuser_pref(\"mail.smtpserver.smtp2.hostname\", \"mail.club.example\");\nuser_pref(\"mail.smtpserver.smtp2.username\", \"me@club.example\");\n";
    edit(&prefs, |text| {
        text.replace("account2,account1", "account2,account1,account4")
            .replace("\"smtp1\");\n", "\"smtp1,smtp2\");\n")
            .replace("lastKey\", 3", "lastKey\", 4")
            + added
    });
    assert_eq!(me.vault.restore(&me.home, DOMAIN).unwrap().merged.len(), 1);
    let text = fs_err::read_to_string(&prefs).unwrap();
    for line in added.lines() {
        assert!(text.contains(line), "{line}");
    }
    for line in [
        r#""mail.account.account3.server", "server4""#,
        r#""mail.account.account3.identities", "id3""#,
        r#""mail.identity.id3.smtpServer", "smtp3""#,
        r#""mail.identity.id3.useremail", "me@corp.example""#,
        r#""mail.server.server4.hostname", "mail.corp.example""#,
        r#""mail.smtpserver.smtp3.hostname", "mail.corp.example""#,
        r#""mail.accountmanager.accounts", "account2,account3,account1,account4""#,
    ] {
        assert!(text.contains(line), "{line} is missing in:\n{text}");
    }
    let outbox = fs_err::read_to_string(me.in_profile("Mail/Local Folders/Unsent Messages")).unwrap();
    assert!(outbox.contains("Company message waiting") && outbox.contains("X-Identity-Key: id3"), "{outbox}");
    assert!(!me.in_profile("Mail/Local Folders/Unsent Messages.msf").exists(), "its index is stale");
    assert_eq!(find(&me.home, DOMAIN).accounts.len(), 2);
    assert_eq!(find(&me.home, "club.example").accounts.len(), 1);
}

#[test]
fn an_isync_section_of_the_same_name_is_a_conflict() {
    let me = Person::new();
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    edit(&me.dir.join(".mbsyncrc"), |text| text + "\nIMAPAccount work\nHost other.example\n");
    let changed = fs_err::read(me.dir.join(".mbsyncrc")).unwrap();
    let restored = me.vault.restore(&me.home, DOMAIN).unwrap();
    assert_eq!((restored.exact.len(), restored.conflicts.len()), (1, 1));
    assert_eq!(fs_err::read(me.dir.join(".mbsyncrc")).unwrap(), changed);
    assert!(me.dir.join(".mbsyncrc.restored-by-policy").exists());
}

#[test]
fn a_deleted_file_stays_deleted_and_its_account_in_the_vault() {
    let me = Person::new();
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    fs_err::remove_file(me.dir.join(".mbsyncrc")).unwrap();
    fs_err::remove_dir_all(me.dir.join(&me.profile)).unwrap();
    let restored = me.vault.restore(&me.home, DOMAIN).unwrap();
    assert_eq!(
        restored.conflicts.iter().map(|conflict| conflict.reason).collect::<Vec<_>>(),
        [ConflictReason::Gone; 5],
        "one file of isync's, four of a profile of Thunderbird's"
    );
    assert!(restored.conflicts.iter().skip(1).all(|conflict| conflict.beside.is_none()), "there is no folder");
    let held = me.vault.holdings().unwrap();
    assert!(held.len() == 2 && held.iter().all(|holding| holding.stage == Stage::ProfileGone), "nobody waits for them");
}

#[test]
fn an_account_with_identities_of_both_is_left_and_reported() {
    let me = Person::new();
    edit(&me.in_profile("prefs.js"), |text| {
        text.replace(
            "\"mail.account.account3.identities\", \"id2\"",
            "\"mail.account.account3.identities\", \"id2,id1\"",
        )
    });
    let before = fs_err::read(me.in_profile("prefs.js")).unwrap();
    let revoked = me.vault.revoke(&me.home, DOMAIN).unwrap();
    assert!(revoked.taken.iter().all(|account| account.client == Client::Isync));
    assert!(
        matches!(&revoked.skipped[0].reason, SkipReason::MixedIdentities { account, .. } if account == "account3"),
        "{:?}",
        revoked.skipped
    );
    assert_eq!(fs_err::read(me.in_profile("prefs.js")).unwrap(), before);
}

#[test]
fn logins_on_a_shared_host_go_if_it_can_be_told_whose_they_are() {
    let me = Person::new();
    for name in ["prefs.js", "logins.json"] {
        edit(&me.in_profile(name), |text| {
            text.replace("mail.private.example", "mail.shared.example")
                .replace("mail.corp.example", "mail.shared.example")
        });
    }
    let logins = fs_err::read_to_string(me.in_profile("logins.json")).unwrap();
    let count = |text: &str| text.matches("encryptedPassword").count();
    // Whose a login is, its name says, if it can be read.
    let revoked = me.vault.revoke(&me.home, DOMAIN).unwrap();
    assert_eq!((revoked.taken.len(), revoked.skipped.len()), (2, 0), "{:?}", revoked.skipped);
    let left = fs_err::read_to_string(me.in_profile("logins.json")).unwrap();
    assert_eq!((count(&logins), count(&left)), (4, 2));
    for login in logins.split("{\"id\":").skip(1).take(2) {
        assert!(left.contains(login.trim_end_matches(',')), "a private login is gone: {login}");
    }
    me.vault.restore(&me.home, DOMAIN).unwrap();
    assert_eq!(fs_err::read_to_string(me.in_profile("logins.json")).unwrap(), logins);
    // Behind a primary password it can't.
    fs_err::write(me.in_profile("key4.db"), b"closed").unwrap();
    let revoked = me.vault.revoke(&me.home, DOMAIN).unwrap();
    assert_eq!(revoked.taken.len(), 2);
    assert_eq!(revoked.skipped[0].reason, SkipReason::SharedHost { host: "mail.shared.example".into() });
    assert_eq!(fs_err::read_to_string(me.in_profile("logins.json")).unwrap(), logins);
}

#[test]
fn an_outgoing_server_that_the_private_account_uses_stays() {
    let me = Person::new();
    edit(&me.in_profile("prefs.js"), |text| {
        text.replace("\"mail.identity.id1.smtpServer\", \"smtp1\"", "\"mail.identity.id1.smtpServer\", \"smtp2\"")
    });
    let revoked = me.vault.revoke(&me.home, DOMAIN).unwrap();
    assert!(
        revoked.skipped.iter().any(|skipped| skipped.reason == SkipReason::SharedOutgoing { server: "smtp2".into() })
    );
    let prefs = fs_err::read_to_string(me.in_profile("prefs.js")).unwrap();
    assert!(
        prefs.contains("mail.smtpserver.smtp2.hostname")
            && prefs.contains("\"smtp1,smtp2\"")
            && !prefs.contains("server3")
    );
}

#[test]
fn the_vault_is_for_its_owner_alone_and_never_takes_a_broken_journal_for_none() {
    use std::os::unix::fs::PermissionsExt as _;
    let me = Person::new();
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    let mode = |path: &std::path::Path| fs_err::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&me.scratch().join("vault")), 0o700);
    let kept = files(&me.scratch().join("vault"));
    assert!(kept.len() > 10 && kept.iter().all(|path| mode(path) == 0o600 && mode(path.parent().unwrap()) == 0o700));
    let journal = me.scratch().join("vault/entries/0001/journal");
    let good = fs_err::read(&journal).unwrap();
    let another = fs_err::read(me.scratch().join("vault/entries/0002/journal")).unwrap();
    let state = me.state();
    for bad in [&b""[..], b"{}", &good[..good.len() / 2], &another] {
        fs_err::write(&journal, bad).unwrap();
        let vault = open(&me.scratch().join("vault"));
        let error = vault.recover(&me.home).unwrap_err().to_string();
        assert!(error.contains("0001/journal"), "{error}");
        assert!(
            vault.holdings().is_err()
                && vault.restore(&me.home, DOMAIN).is_err()
                && vault.revoke(&me.home, DOMAIN).is_err()
        );
    }
    fs_err::remove_file(&journal).unwrap();
    assert!(me.vault.holdings().is_err());
    assert_eq!(me.state(), state);
    fs_err::write(&journal, &good).unwrap();
    let content = me.scratch().join("vault/entries/0001/0.original");
    let bytes = fs_err::read(&content).unwrap();
    fs_err::write(&content, b"damaged").unwrap();
    let restored = me.vault.restore(&me.home, DOMAIN).unwrap();
    assert_eq!((restored.exact.len(), restored.failed.len()), (1, 1), "one that is damaged does not keep the other");
    assert!(restored.failed[0].reason.to_string().contains("0.original"), "{:?}", restored.failed);
    fs_err::write(&content, bytes).unwrap();
    assert_eq!(me.vault.restore(&me.home, DOMAIN).unwrap().exact.len(), 1);
}

#[test]
fn a_vault_in_use_says_so() {
    let me = Person::new();
    let file = fs_err::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(me.scratch().join("vault/lock"))
        .unwrap();
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
    assert!(me.vault.revoke(&me.home, DOMAIN).unwrap_err().to_string().contains("in use"));
    drop(file);
    assert_eq!(me.vault.revoke(&me.home, DOMAIN).unwrap().taken.len(), 2);
}

#[test]
fn a_home_without_mail_has_none() {
    let empty = tempfile::tempdir().unwrap();
    let home = Home::open(empty.path()).unwrap();
    assert_eq!(find(&home, DOMAIN), forewarn_mail::Found::default());
    assert!(plan(&home, DOMAIN).unwrap().is_empty());
    assert!(Home::open(&empty.path().join("nobody")).unwrap_err().to_string().contains("nobody"));
    assert_eq!(Digest::of(b"").to_string().len(), 64);
}

#[test]
fn stored_mail_is_closed_where_the_policy_says_so_and_opened_again_unchanged() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let me = Person::new();
    let [ours, private] =
        ["mail.corp.example", "mail.private.example"].map(|host| me.in_profile("ImapMail").join(host));
    for store in [&ours, &private] {
        fs_err::create_dir_all(store).unwrap();
        fs_err::write(store.join("Drafts"), "only here").unwrap();
        fs_err::set_permissions(store, std::fs::Permissions::from_mode(0o750)).unwrap();
    }
    let folder =
        |path: &std::path::Path| fs_err::metadata(path).map(|meta| (meta.uid(), meta.mode() & 0o7777)).unwrap();
    let (before, whole) = (folder(&ours), me.state());
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    assert_eq!(folder(&ours), before, "it is not closed unless that is asked for");
    me.vault.restore(&me.home, DOMAIN).unwrap();
    let vault = open_locking(&me.scratch().join("vault"), &me.dir);
    vault.revoke(&me.home, DOMAIN).unwrap();
    let closed = if before.0 == 0 { (0, 0o700) } else { (before.0, 0) };
    assert_eq!((folder(&ours), folder(&private)), (closed, before));
    vault.recover(&me.home).unwrap();
    assert_eq!(folder(&ours), closed);
    // The person has put it elsewhere meanwhile: the account is back, and the folder when it is.
    let elsewhere = ours.with_extension("elsewhere");
    fs_err::rename(&ours, &elsewhere).unwrap();
    assert_eq!(vault.restore(&me.home, DOMAIN).unwrap().exact.len(), 2);
    assert_eq!(folder(&elsewhere), closed);
    fs_err::rename(&elsewhere, &ours).unwrap();
    vault.restore(&me.home, DOMAIN).unwrap();
    assert_eq!(folder(&ours), before);
    assert_eq!(me.state(), whole);
    assert!(vault.holdings().unwrap().is_empty());
}

#[test]
fn stored_mail_that_can_t_be_closed_does_not_keep_its_account() {
    let me = Person::new();
    let store = me.in_profile("ImapMail/mail.corp.example");
    fs_err::create_dir_all(&store).unwrap();
    // As if the home were elsewhere than the store.
    let vault = open_locking(&me.scratch().join("vault"), &me.in_profile("Mail"));
    let revoked = vault.revoke(&me.home, DOMAIN).unwrap();
    assert_eq!((revoked.taken.len(), revoked.failed.len()), (2, 0));
    assert!(
        matches!(&revoked.skipped[0].reason, SkipReason::StillOpen { path, .. } if path.ends_with("mail.corp.example"))
    );
    assert_eq!(find(&me.home, DOMAIN).accounts, []);
}

#[test]
fn an_entry_goes_long_after_it_was_given_back_and_never_before() {
    let me = Person::new();
    let entries = || fs_err::read_dir(me.scratch().join("vault/entries")).unwrap().count();
    let at = |days: u64| {
        let (dir, now) = (me.scratch().join("vault"), std::time::Duration::from_secs(days * 24 * 60 * 60));
        Vault::new(Folder::open(&dir, "ann", Keys::new(&[7; 32], &[]), now).unwrap())
    };
    at(100).revoke(&me.home, DOMAIN).unwrap();
    at(1000).recover(&me.home).unwrap();
    assert_eq!(entries(), 2, "what was not given back stays for ever");
    at(1000).restore(&me.home, DOMAIN).unwrap();
    at(1029).recover(&me.home).unwrap();
    assert_eq!(entries(), 2);
    at(1031).recover(&me.home).unwrap();
    assert_eq!(entries(), 0);
}
