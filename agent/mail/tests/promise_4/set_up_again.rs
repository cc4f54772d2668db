//! Promise 4, nothing is lost: what becomes of an account that the person has set up again, or of which something is not where it was.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::person::{Person, edit, files, open_locking};
use forewarn_mail::{ConflictReason, Folder, Keys, Restoration, Stage, Vault, find};

const DOMAIN: &str = "corp.example";

/// The account as the person sets it up again in Thunderbird, under the number that it had.
const AGAIN: &str = "user_pref(\"mail.account.account4.server\", \"server3\");\nuser_pref(\"mail.server.server3.hostname\", \"mail.corp.example\");\nuser_pref(\"mail.server.server3.type\", \"imap\");\nuser_pref(\"mail.server.server3.userName\", \"me@corp.example\");\n";

/// The same in isync.
const AGAIN_IN_ISYNC: &str = "\nIMAPAccount work\nHost mail.corp.example\nUser me@corp.example\nPass mine\n";

/// A second account of the company's.
const SECOND: &str = "\nIMAPAccount boss\nHost mail.corp.example\nUser boss@corp.example\nPass s3cret\n";

fn set_up_again(me: &Person) {
    edit(&me.in_profile("prefs.js"), |text| text.replace("account2,account1", "account2,account1,account4") + AGAIN);
    edit(&me.dir.join(".mbsyncrc"), |text| text + AGAIN_IN_ISYNC);
}

fn delete_again(me: &Person) {
    edit(&me.in_profile("prefs.js"), |text| text.replace(AGAIN, "").replace(",account4", ""));
    edit(&me.dir.join(".mbsyncrc"), |text| text.replace(AGAIN_IN_ISYNC, ""));
}

/// The person's vault, some days after 1970.
fn at(me: &Person, days: u64) -> Vault<Folder> {
    let now = Duration::from_hours(days * 24);
    Vault::new(Folder::open(&me.scratch().join("vault"), "ann", Keys::new(&[7; 32], &[]), now).unwrap())
}

fn entries(me: &Person) -> usize {
    fs_err::read_dir(me.scratch().join("vault/entries")).unwrap().count()
}

fn named<'a>(paths: &'a [PathBuf], end: &'a str) -> impl Iterator<Item = &'a PathBuf> {
    paths.iter().filter(move |path| path.to_string_lossy().ends_with(end))
}

fn reasons(restoration: &Restoration) -> Vec<ConflictReason> {
    restoration.conflicts.iter().map(|conflict| conflict.reason).collect()
}

#[test]
fn an_account_that_was_set_up_again_is_not_overwritten() {
    let me = Person::new();
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    set_up_again(&me);
    let before = me.state();
    let restored = me.vault.restore(&me.home, DOMAIN).unwrap();
    assert_eq!(reasons(&restored), [ConflictReason::ThereAgain; 2]);
    assert!(before.iter().all(|(path, state)| me.state().get(path) == Some(state)));
    assert!(fs_err::read_to_string(me.in_profile("prefs.js.restored-by-policy")).unwrap().contains("account3"));
    // Revoked anew, the second becomes an entry of its own, and nothing that was put beside is left.
    assert_eq!(me.vault.revoke(&me.home, DOMAIN).unwrap().taken.len(), 2);
    assert!(!me.text().to_ascii_lowercase().contains("corp.example"), "{}", me.text());
    assert_eq!(me.vault.restore(&me.home, DOMAIN).unwrap().exact.len(), 2);
    assert!(before.iter().all(|(path, state)| me.state().get(path) == Some(state)));
}

#[test]
fn an_account_that_the_person_has_deleted_since_does_not_come_back() {
    let me = Person::new();
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    set_up_again(&me);
    assert_eq!(reasons(&me.vault.restore(&me.home, DOMAIN).unwrap()), [ConflictReason::ThereAgain; 2]);
    delete_again(&me);
    let deleted = me.state();
    assert_eq!(me.vault.restore(&me.home, DOMAIN).unwrap(), Restoration::default());
    assert_eq!(me.state(), deleted);
    assert_eq!(me.vault.holdings().unwrap(), [], "nothing is awaited");
    // Nor does it when another account of the domain is taken and given back.
    let msmtp = me.dir.join(".msmtprc");
    fs_err::write(&msmtp, "account work\nhost mail.corp.example\nfrom boss@corp.example\n").unwrap();
    assert_eq!(me.vault.revoke(&me.home, DOMAIN).unwrap().taken.len(), 1);
    let restored = me.vault.restore(&me.home, DOMAIN).unwrap();
    assert_eq!((restored.exact.len(), restored.merged.len(), restored.conflicts.len()), (1, 0, 0));
    let addresses: Vec<_> = find(&me.home, DOMAIN).accounts.into_iter().map(|account| account.address).collect();
    assert_eq!(addresses, ["boss@corp.example"]);
}

#[test]
fn what_was_set_up_again_is_kept_for_thirty_days_and_no_longer() {
    let me = Person::new();
    at(&me, 100).revoke(&me.home, DOMAIN).unwrap();
    set_up_again(&me);
    at(&me, 1000).restore(&me.home, DOMAIN).unwrap();
    let kept = |end| named(&files(&me.scratch().join("vault")), end).count();
    at(&me, 1029).recover(&me.home).unwrap();
    assert!(kept("0.original") == 2, "each with what was taken");
    at(&me, 1031).recover(&me.home).unwrap();
    assert_eq!(kept(".original"), 0);
    // What was put beside the files is the person's until the company's goes again: that much is remembered.
    let beside = || named(&files(&me.dir), ".restored-by-policy").count();
    assert_eq!(beside(), 2);
    assert_eq!(at(&me, 1032).revoke(&me.home, DOMAIN).unwrap().taken.len(), 2);
    assert_eq!(beside(), 0);
    at(&me, 1032).restore(&me.home, DOMAIN).unwrap();
    at(&me, 1063).recover(&me.home).unwrap();
    assert_eq!(entries(&me), 0);
}

#[test]
fn one_of_two_accounts_that_was_set_up_again_does_not_end_the_other() {
    let me = Person::new();
    let rc = me.dir.join(".mbsyncrc");
    edit(&rc, |text| text + SECOND);
    let whole = fs_err::read_to_string(&rc).unwrap();
    at(&me, 100).revoke(&me.home, DOMAIN).unwrap();
    let revoked = fs_err::read_to_string(&rc).unwrap();
    fs_err::write(&rc, revoked.clone() + AGAIN_IN_ISYNC).unwrap();
    let restored = at(&me, 100).restore(&me.home, DOMAIN).unwrap();
    assert_eq!(reasons(&restored), [ConflictReason::PartlyThereAgain]);
    assert_eq!(restored.conflicts[0].accounts.len(), 2);
    let held = at(&me, 1000).holdings().unwrap();
    assert!(
        held.len() == 2 && held.iter().all(|holding| holding.stage == Stage::Revoked),
        "it is waited for: {held:?}"
    );
    at(&me, 1000).recover(&me.home).unwrap();
    fs_err::write(&rc, revoked).unwrap();
    assert_eq!(at(&me, 1000).restore(&me.home, DOMAIN).unwrap().exact.len(), 2);
    assert_eq!(fs_err::read_to_string(&rc).unwrap(), whole);
}

#[test]
fn two_accounts_that_were_both_set_up_again_are_over() {
    let me = Person::new();
    let rc = me.dir.join(".mbsyncrc");
    edit(&rc, |text| text + SECOND);
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    let revoked = fs_err::read_to_string(&rc).unwrap();
    fs_err::write(&rc, [&revoked, AGAIN_IN_ISYNC, &SECOND.replace("s3cret", "mine")].concat()).unwrap();
    assert_eq!(reasons(&me.vault.restore(&me.home, DOMAIN).unwrap()), [ConflictReason::ThereAgain]);
    fs_err::write(&rc, &revoked).unwrap();
    assert_eq!(me.vault.restore(&me.home, DOMAIN).unwrap(), Restoration::default());
    assert_eq!(fs_err::read_to_string(&rc).unwrap(), revoked);
}

#[test]
fn an_account_that_was_set_up_again_is_over_whatever_else_is_in_the_way() {
    let me = Person::new();
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    set_up_again(&me);
    fs_err::write(me.in_profile("logins.json"), "none").unwrap();
    let restored = me.vault.restore(&me.home, DOMAIN).unwrap();
    assert!(reasons(&restored).contains(&ConflictReason::Malformed), "{restored:?}");
    assert_eq!(me.vault.holdings().unwrap(), []);
}

#[test]
fn a_profile_that_was_gone_gets_its_account_when_it_is_back() {
    let me = Person::new();
    let rc = me.dir.join(".mbsyncrc");
    let whole = fs_err::read(&rc).unwrap();
    at(&me, 100).revoke(&me.home, DOMAIN).unwrap();
    let elsewhere = me.scratch().join("elsewhere");
    fs_err::rename(&rc, &elsewhere).unwrap();
    assert_eq!(reasons(&at(&me, 100).restore(&me.home, DOMAIN).unwrap()), [ConflictReason::Gone]);
    at(&me, 1000).recover(&me.home).unwrap();
    fs_err::rename(&elsewhere, &rc).unwrap();
    assert_eq!(at(&me, 1000).restore(&me.home, DOMAIN).unwrap().exact.len(), 1);
    assert_eq!(fs_err::read(&rc).unwrap(), whole);
}

/// Owner and mode of a folder.
fn folder(path: &Path) -> (u32, u32) {
    fs_err::metadata(path).map(|meta| (meta.uid(), meta.mode() & 0o7777)).unwrap()
}

/// The company account's stored mail in Thunderbird, closed with it by a vault that closes; and how the folder was before.
fn closed(me: &Person) -> (PathBuf, (u32, u32), Vault<Folder>) {
    let store = me.in_profile("ImapMail/mail.corp.example");
    fs_err::create_dir_all(&store).unwrap();
    fs_err::set_permissions(&store, std::fs::Permissions::from_mode(0o750)).unwrap();
    let before = folder(&store);
    let vault = open_locking(&me.scratch().join("vault"), &me.dir);
    vault.revoke(&me.home, DOMAIN).unwrap();
    assert_ne!(folder(&store), before);
    (store, before, vault)
}

#[test]
fn stored_mail_that_is_found_again_brings_back_no_account_that_was_deleted() {
    let me = Person::new();
    let (store, before, vault) = closed(&me);
    let prefs = me.in_profile("prefs.js");
    let revoked = fs_err::read(&prefs).unwrap();
    let elsewhere = store.with_extension("elsewhere");
    fs_err::rename(&store, &elsewhere).unwrap();
    assert_eq!(vault.restore(&me.home, DOMAIN).unwrap().exact.len(), 2);
    // The person deletes the account, and the folder is back in its place.
    fs_err::write(&prefs, &revoked).unwrap();
    fs_err::rename(&elsewhere, &store).unwrap();
    assert_eq!(vault.restore(&me.home, DOMAIN).unwrap(), Restoration::default());
    assert_eq!(folder(&store), before);
    assert_eq!(fs_err::read(&prefs).unwrap(), revoked);
    assert_eq!(vault.holdings().unwrap(), []);
}

#[test]
fn stored_mail_is_opened_though_its_account_was_set_up_again() {
    for moved in [false, true] {
        let me = Person::new();
        let (store, before, vault) = closed(&me);
        set_up_again(&me);
        let elsewhere = store.with_extension("elsewhere");
        if moved {
            fs_err::rename(&store, &elsewhere).unwrap();
        }
        assert_eq!(reasons(&vault.restore(&me.home, DOMAIN).unwrap()), [ConflictReason::ThereAgain; 2]);
        if moved {
            fs_err::rename(&elsewhere, &store).unwrap();
            delete_again(&me);
            let deleted = me.state();
            assert_eq!(vault.restore(&me.home, DOMAIN).unwrap(), Restoration::default());
            assert_eq!(me.state(), deleted);
        }
        assert_eq!(folder(&store), before, "moved: {moved}");
        assert_eq!(vault.holdings().unwrap(), []);
    }
}

#[test]
fn a_folder_that_was_put_aside_comes_back_unless_its_place_is_taken() {
    for taken in [false, true] {
        let me = Person::with_every_client();
        let cache = me.dir.join(".cache/evolution/mail/work-account");
        let aside = me.dir.join(".cache/evolution/.kept-mail-work-account");
        me.vault.revoke(&me.home, DOMAIN).unwrap();
        fs_err::write(me.dir.join(".config/evolution/sources/work-identity.source"), "Address=me@corp.example")
            .unwrap();
        if taken {
            fs_err::create_dir(&cache).unwrap();
            fs_err::write(cache.join("theirs"), "x").unwrap();
        }
        assert_eq!(reasons(&me.vault.restore(&me.home, DOMAIN).unwrap()), [ConflictReason::ThereAgain]);
        assert_eq!((cache.join("folders/x").exists(), cache.join("theirs").exists()), (!taken, taken));
        assert_eq!(aside.join("folders/x").exists(), taken, "it is somewhere");
    }
}
