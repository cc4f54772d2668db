//! Every mail program, in one home: what is taken from each, what stays, and what comes back.

use std::collections::BTreeSet;

use crate::person::{Person, edit};
use forewarn_mail::{Account, Client, ConflictReason, find, plan};

const DOMAIN: &str = "corp.example";
const PRIVATE: &str = "private.example";

fn accounts(me: &Person, domain: &str) -> Vec<(Client, String)> {
    let found = find(&me.home, domain);
    assert_eq!(found.skipped, []);
    found.accounts.into_iter().map(|Account { client, address, .. }| (client, address.to_lowercase())).collect()
}

#[test]
fn each_has_an_account_of_both_domains() {
    let me = Person::with_every_client();
    for domain in [DOMAIN, PRIVATE] {
        let found = accounts(&me, domain);
        let clients: BTreeSet<Client> = found.iter().map(|(client, _)| *client).collect();
        let all = Client::ALL.into_iter().filter(|client| *client != Client::OnlineAccounts || domain == DOMAIN);
        assert_eq!(clients.into_iter().collect::<Vec<_>>(), {
            let mut all: Vec<_> = all.chain((domain == PRIVATE).then_some(Client::OnlineAccounts)).collect();
            all.sort();
            all
        });
        assert!(found.iter().all(|(_, address)| address.ends_with(domain)), "{found:?}");
    }
}

#[test]
fn a_plan_shows_no_secret_and_touches_nothing() {
    let me = Person::with_every_client();
    let before = me.state();
    let plans = plan(&me.home, DOMAIN).unwrap();
    let text: String = plans.iter().map(ToString::to_string).collect();
    assert!(text.contains("remotehost = mail.corp.example"), "{text}");
    assert!(!text.contains("secret") && !text.contains("c2VjcmV0"), "{text}");
    assert_eq!(me.state(), before);
}

#[test]
fn the_company_s_goes_the_private_stays_and_everything_comes_back_as_it_was() {
    let me = Person::with_every_client();
    let (before, company, private) = (me.state(), accounts(&me, DOMAIN), accounts(&me, PRIVATE));
    let revoked = me.vault.revoke(&me.home, DOMAIN).unwrap();
    let taken: Vec<_> = revoked.taken.iter().map(|account| (account.client, account.address.to_lowercase())).collect();
    assert_eq!((taken, revoked.waiting), (company.clone(), vec![]));
    assert_eq!(accounts(&me, DOMAIN), []);
    assert_eq!(accounts(&me, PRIVATE), private);
    let text = me.text();
    assert!(!text.contains("secret") && !text.contains("c2VjcmV0"), "{text}");
    assert!(text.contains("SubFolders Verbatim") && text.contains("color index brightyellow"));
    let restored = me.vault.restore(&me.home, DOMAIN).unwrap();
    assert_eq!((restored.exact.len(), restored.conflicts.len()), (company.len(), 0), "{restored:?}");
    assert_eq!(me.state(), before);
}

/// Files that a person, or their program, has written to since; and what they have written.
const WRITTEN: [(&str, &str); 9] = [
    (".msmtprc", "\naccount club\nhost mail.club.example\nfrom me@club.example\n"),
    (".config/aerc/accounts.conf", "\n[Club]\nsource = imaps://me%40club.example@mail.club.example\n"),
    (".offlineimaprc", "\n[Account Club]\nlocalrepository = a\nremoterepository = b\n"),
    (".config/neomutt/neomuttrc", "set editor = vi\n"),
    (".config/himalaya/config.toml", "\n[accounts.club]\nemail = \"me@club.example\"\n"),
    (".claws-mail/accountrc", "[Account: 3]\naddress=me@club.example\n"),
    (".config/emailidentities", "\n[Identity #2]\nEmail Address=me@club.example\n"),
    (".config/mailtransports", "\n[Transport 33]\nuser=me@club.example\n"),
    (".config/goa-1.0/accounts.conf", "[Account account_3_0]\nIdentity=me@club.example\n"),
];

#[test]
fn what_was_written_meanwhile_is_kept_beside_what_comes_back() {
    let me = Person::with_every_client();
    let (before, company) = (me.state(), accounts(&me, DOMAIN));
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    for (path, text) in WRITTEN {
        edit(&me.dir.join(path), |there| there + text);
    }
    edit(&me.dir.join(".offlineimaprc"), |text| text.replace("accounts = Private", "accounts = Private, Club"));
    let restored = me.vault.restore(&me.home, DOMAIN).unwrap();
    assert_eq!(restored.conflicts, []);
    assert_eq!(accounts(&me, DOMAIN), company);
    for (path, text) in WRITTEN {
        assert!(fs_err::read_to_string(me.dir.join(path)).unwrap().ends_with(text.trim_start()), "{path}");
        // Without what was written, it is what it was.
        edit(&me.dir.join(path), |there| there.replace(text, ""));
        edit(&me.dir.join(path), |there| there.replace(", Club", ""));
    }
    let contents = |state: &crate::person::State| {
        state.iter().map(|(path, (digest, ..))| (path.clone(), *digest)).collect::<Vec<_>>()
    };
    for ((path, now), (_, then)) in contents(&me.state()).into_iter().zip(contents(&before)) {
        assert!(now == then, "{path}: {}", fs_err::read_to_string(me.dir.join(&path)).unwrap_or_default());
    }
}

#[test]
fn a_running_program_waits_and_the_others_do_not() {
    let mut me = Person::with_every_client();
    let before = me.state();
    let company = accounts(&me, DOMAIN).len();
    me.home = me.home.with_running([Client::Geary, Client::Aerc, Client::Evolution].into());
    let revoked = me.vault.revoke(&me.home, DOMAIN).unwrap();
    let waiting: Vec<Client> = revoked.waiting.iter().map(|account| account.client).collect();
    assert_eq!(waiting, [Client::Geary, Client::Aerc], "Evolution follows its files");
    assert_eq!(revoked.taken.len(), company - 2);
    me.home = me.home.with_running(BTreeSet::new());
    assert_eq!(me.vault.revoke(&me.home, DOMAIN).unwrap().taken.len(), 2);
    me.home = me.home.with_running([Client::Aerc].into());
    assert_eq!(me.vault.restore(&me.home, DOMAIN).unwrap().waiting.len(), 1);
    me.home = me.home.with_running(BTreeSet::new());
    assert_eq!(me.vault.restore(&me.home, DOMAIN).unwrap().exact.len(), 1);
    assert_eq!(me.state(), before);
}

#[test]
fn what_the_reaper_would_delete_is_put_aside_and_brought_back() {
    let me = Person::with_every_client();
    let (cache, aside) =
        (me.dir.join(".cache/evolution/mail/work-account"), me.dir.join(".cache/evolution/.kept-mail-work-account"));
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    assert!(!cache.exists() && aside.join("folders/x").exists());
    // A running Evolution makes a folder in its place.
    fs_err::create_dir(&cache).unwrap();
    me.vault.recover(&me.home).unwrap();
    assert!(aside.join("folders/x").exists());
    me.vault.restore(&me.home, DOMAIN).unwrap();
    assert!(cache.join("folders/x").exists() && !aside.exists());
}

#[test]
fn an_account_of_both_domains_is_left_in_every_program() {
    let me = Person::with_every_client();
    edit(&me.dir.join(".config/aerc/accounts.conf"), |text| text.replace("Me <me@corp.example>", "me@private.example"));
    edit(&me.dir.join(".config/geary/account_02/geary.ini"), |text| {
        text.replace(
            "sender_mailboxes=Me <me@corp.example>;",
            "sender_mailboxes=Me <me@corp.example>;<i@private.example>;",
        )
    });
    // A private account that inherits the company's.
    edit(&me.dir.join(".msmtprc"), |text| text + "\naccount mine : work\nfrom me@private.example\n");
    let found = find(&me.home, DOMAIN);
    let skipped: Vec<Client> = found.skipped.iter().map(|skipped| skipped.client).collect();
    assert_eq!(skipped, [Client::Geary, Client::Msmtp, Client::Msmtp, Client::Aerc], "{:?}", found.skipped);
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    let msmtp = fs_err::read_to_string(me.dir.join(".msmtprc")).unwrap();
    assert!(msmtp.contains("account work\n") && msmtp.contains("account mine : work"), "{msmtp}");
    assert!(!msmtp.contains("account default") && !msmtp.contains("work-notes"), "{msmtp}");
    // What is left is nobody's to take: else it would look like an account that was set up again.
    let left = find(&me.home, DOMAIN);
    assert_eq!(left.accounts, []);
    assert!(!left.skipped.is_empty(), "it is there, and said so");
}

#[test]
fn a_number_that_another_account_has_got_is_not_in_the_way() {
    let me = Person::with_every_client();
    let company = accounts(&me, DOMAIN);
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    // Claws gives the highest number and one; KMail numbers its identities anew at each change.
    edit(&me.dir.join(".claws-mail/accountrc"), |text| text + "[Account: 2]\naddress=me@club.example\n");
    edit(&me.dir.join(".config/emailidentities"), |text| text.replace("#0]", "#1]"));
    let restored = me.vault.restore(&me.home, DOMAIN).unwrap();
    assert_eq!(restored.conflicts, []);
    assert_eq!((accounts(&me, DOMAIN), accounts(&me, "club.example").len()), (company, 1));
    let claws = |name: &str| fs_err::read_to_string(me.dir.join(".claws-mail").join(name)).unwrap();
    assert!(claws("accountrc").contains("[Account: 3]") && claws("passwordstorerc").contains("[account:3]"));
    assert!(claws("folderlist.xml").contains("name=\"me@corp.example\" account_id=\"3\""));
    let identities = fs_err::read_to_string(me.dir.join(".config/emailidentities")).unwrap();
    assert!(identities.contains("[Identity #1]\nEmail Address=me@private.example"), "{identities}");
    assert!(identities.contains("[Identity #2]\nEmail Address=me@corp.example"), "{identities}");
}

#[test]
fn a_place_that_another_account_has_got_is_a_conflict_that_is_not_over() {
    let me = Person::with_every_client();
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    let place = me.dir.join(".config/geary/account_02/geary.ini");
    fs_err::write(&place, "[Account]\nsender_mailboxes=me@club.example;\n").unwrap();
    let restored = me.vault.restore(&me.home, DOMAIN).unwrap();
    assert_eq!(
        restored.conflicts.iter().map(|conflict| conflict.reason).collect::<Vec<_>>(),
        [ConflictReason::NameTaken]
    );
    assert_eq!(restored.conflicts[0].beside.as_deref(), Some(".config/geary/account_02/geary.ini.restored-by-policy"));
    // What was put beside holds what is to go.
    fs_err::remove_file(&place).unwrap();
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    assert!(!place.with_extension("ini.restored-by-policy").exists());
    assert_eq!(me.vault.restore(&me.home, DOMAIN).unwrap().conflicts, []);
    assert!(fs_err::read_to_string(&place).unwrap().contains("me@corp.example"));
}

#[test]
fn one_profile_that_can_t_be_reached_keeps_no_other() {
    let me = Person::with_every_client();
    let company = accounts(&me, DOMAIN).len();
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    let (aerc, elsewhere) = (me.dir.join(".config/aerc"), me.scratch().join("elsewhere"));
    fs_err::rename(&aerc, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &aerc).unwrap();
    let restored = me.vault.restore(&me.home, DOMAIN).unwrap();
    assert_eq!((restored.exact.len(), restored.failed.len()), (company - 1, 1), "{restored:?}");
    me.vault.recover(&me.home).unwrap();
    assert_eq!(me.vault.revoke(&me.home, "club.example").unwrap().failed, []);
    fs_err::remove_file(&aerc).unwrap();
    fs_err::rename(&elsewhere, &aerc).unwrap();
    assert_eq!(me.vault.restore(&me.home, DOMAIN).unwrap().exact.len(), 1);
}

#[test]
fn what_is_no_mail_of_the_company_s_obliges_nobody() {
    let me = Person::new();
    let write = |path: &str, text: &str| {
        fs_err::create_dir_all(me.dir.join(path).parent().unwrap()).unwrap();
        fs_err::write(me.dir.join(path), text).unwrap();
    };
    // Single sign-on, a calendar, a colleague.
    write(
        ".config/goa-1.0/accounts.conf",
        "[Account a_1]\nProvider=kerberos\nIdentity=me@CLUB.EXAMPLE\n\n[Account a_2]\nProvider=google\nIdentity=me@club.example\nMailEnabled=false\n",
    );
    write(".muttrc", "set imap_user=jdoe\nalias boss Boss <boss@club.example>\n");
    assert_eq!(accounts(&me, "club.example"), []);
}

#[test]
fn a_list_that_is_not_understood_keeps_its_program_as_it_is() {
    let me = Person::with_every_client();
    edit(&me.dir.join(".offlineimaprc"), |text| {
        text.replace("accounts = Private, Work", "accounts = Private,\r\n  Work")
    });
    let before = fs_err::read(me.dir.join(".offlineimaprc")).unwrap();
    let revoked = me.vault.revoke(&me.home, DOMAIN).unwrap();
    assert_eq!(revoked.skipped.iter().map(|skipped| skipped.client).collect::<Vec<_>>(), [Client::OfflineImap]);
    assert_eq!(fs_err::read(me.dir.join(".offlineimaprc")).unwrap(), before);
}

#[test]
fn a_program_s_own_backups_hold_nothing_of_the_company_s() {
    let me = Person::with_every_client();
    for name in ["accountrc", "passwordstorerc", "folderlist.xml"] {
        let path = me.dir.join(".claws-mail").join(name);
        fs_err::copy(&path, path.with_file_name(format!("{name}.bak"))).unwrap();
    }
    let before = me.state();
    me.vault.revoke(&me.home, DOMAIN).unwrap();
    for entry in fs_err::read_dir(me.dir.join(".claws-mail")).unwrap() {
        let text = fs_err::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("corp.example") && !text.contains("c2VjcmV0") && text.contains('1'), "{text}");
    }
    me.vault.restore(&me.home, DOMAIN).unwrap();
    assert_eq!(me.state(), before);
}

#[test]
fn an_outbox_that_can_t_be_read_keeps_its_account() {
    let me = Person::new();
    let outbox = me.in_profile("Mail/Local Folders/Unsent Messages");
    fs_err::OpenOptions::new().write(true).open(&outbox).unwrap().set_len(forewarn_mail::MAX_FILE_BYTES + 1).unwrap();
    let prefs = fs_err::read(me.in_profile("prefs.js")).unwrap();
    let revoked = me.vault.revoke(&me.home, DOMAIN).unwrap();
    assert_eq!(revoked.taken.iter().map(|account| account.client).collect::<Vec<_>>(), [Client::Isync]);
    assert_eq!(
        fs_err::read(me.in_profile("prefs.js")).unwrap(),
        prefs,
        "what waits would leave through another account"
    );
}
