//! Properties of taking an account out of a `prefs.js` and putting it back, over generated ones.

use proptest::prelude::*;

use super::super::prefs::Prefs;
use super::super::select::{select, without};
use super::*;

/// One generated account: its domain, and whether it has its own outgoing server.
fn account() -> impl Strategy<Value = (bool, bool)> {
    (any::<bool>(), any::<bool>())
}

fn other_line() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        any::<i32>().prop_map(|number| number.to_string()),
        any::<bool>().prop_map(|on| on.to_string()),
        "[ -~\u{e9}]{0,20}".prop_map(|text| super::super::prefs::quote(&text))
    ];
    ("(app|mail\\.ui|mailnews|zoom)\\.[a-z]{1,8}", value)
        .prop_map(|(key, value)| format!("user_pref(\"{key}\", {value});\n"))
}

/// A `prefs.js` as Thunderbird writes it: a head, then lines sorted by key.
fn file(accounts: &[(bool, bool)], others: Vec<String>, is_ended: bool) -> String {
    let mut lines = others;
    let (mut all, mut smtps) = (Vec::new(), Vec::new());
    for (number, (is_company, has_smtp)) in (1..).zip(accounts) {
        let domain = if *is_company { "corp.example" } else { "private.example" };
        all.push(format!("account{number}"));
        let mut add = |key: String, value: String| lines.push(format!("user_pref(\"mail.{key}\", \"{value}\");\n"));
        add(format!("account.account{number}.identities"), format!("id{number}"));
        add(format!("account.account{number}.server"), format!("server{number}"));
        add(format!("identity.id{number}.useremail"), format!("me{number}@{domain}"));
        add(format!("server.server{number}.hostname"), format!("mail{number}.{domain}"));
        add(format!("server.server{number}.type"), "imap".into());
        add(format!("server.server{number}.userName"), format!("me{number}@{domain}"));
        if *has_smtp {
            smtps.push(format!("smtp{number}"));
            add(format!("identity.id{number}.smtpServer"), format!("smtp{number}"));
            add(format!("smtpserver.smtp{number}.hostname"), format!("mail{number}.{domain}"));
            add(format!("smtpserver.smtp{number}.username"), format!("me{number}@{domain}"));
        }
    }
    for (key, list) in [("accountmanager.accounts", all.clone()), ("smtpservers", smtps)] {
        lines.push(format!("user_pref(\"mail.{key}\", \"{}\");\n", list.join(",")));
    }
    lines.push(format!(
        "user_pref(\"mail.accountmanager.defaultaccount\", \"{}\");\n",
        all.last().map_or("", String::as_str)
    ));
    lines.push(format!("user_pref(\"mail.account.lastKey\", {});\n", all.len()));
    let key = |line: &String| line.split('"').nth(1).unwrap().to_owned();
    lines.sort_by_key(key);
    lines.dedup_by_key(|line| key(line));
    let text = format!("// Mozilla User Preferences\n\n{}", lines.concat());
    if is_ended { text } else { text.trim_end().to_owned() }
}

fn take(bytes: &[u8]) -> Vec<u8> {
    let prefs = Prefs::parse(bytes);
    without(&prefs, &select(&prefs, "corp.example").keys)
}

proptest! {
    #[test]
    fn parsing_keeps_every_byte(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let whole: Vec<u8> = Prefs::parse(&bytes).lines.iter().flat_map(|line| line.raw.to_vec()).collect();
        prop_assert_eq!(whole, bytes.clone());
        prop_assert_eq!(take(&bytes), bytes);
    }

    #[test]
    fn taking_and_merging_back_is_identity(accounts in proptest::collection::vec(account(), 1..6), others in proptest::collection::vec(other_line(), 0..12)) {
        let original = file(&accounts, others, true).into_bytes();
        let after = take(&original);
        prop_assert!(!String::from_utf8_lossy(&after).contains("@corp.example"));
        prop_assert_eq!(after != original, accounts.iter().any(|(is_company, _)| *is_company));
        prop_assert_eq!(take(&after), after.clone());
        let merge = |current: &[u8]| merge(&original, &after, current, &mut Renames::default()).unwrap();
        prop_assert_eq!(String::from_utf8(merge(&after)).unwrap(), String::from_utf8(original.clone()).unwrap());
        prop_assert_eq!(merge(&original), original.clone());
    }

    #[test]
    fn every_private_line_stays_in_order(accounts in proptest::collection::vec(account(), 1..6), others in proptest::collection::vec(other_line(), 0..12), is_ended: bool) {
        let original = file(&accounts, others, is_ended).into_bytes();
        let after = take(&original);
        let (before, left) = (Prefs::parse(&original), Prefs::parse(&after));
        let is_list = |line: &Line<'_>| line.key().is_some_and(|key| LISTS.iter().any(|(name, _)| *name == key));
        let kept: Vec<_> = left.lines.iter().filter(|line| !is_list(line)).map(|line| line.raw).collect();
        let mut rest = before.lines.iter().map(|line| line.raw);
        prop_assert!(kept.iter().all(|line| rest.any(|there| there == *line)));
        let private = |line: &&[u8]| !String::from_utf8_lossy(line).contains("mail.") || String::from_utf8_lossy(line).contains("private.example");
        let expected: Vec<_> = before.lines.iter().map(|line| line.raw).filter(private).collect();
        prop_assert_eq!(kept.into_iter().filter(private).collect::<Vec<_>>(), expected);
    }
}
