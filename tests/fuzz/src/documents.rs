//! Documents that admins write, and the parts of them.

use std::cmp::Ordering;

use forewarn_proto::{
    ipc::{Asking, Word},
    policy::{Exemptions, Policy, display_name_key},
    purl::Purl,
    version::{Scheme, Vers},
};

pub(crate) fn policy(input: &[u8]) {
    match Policy::parse(input) {
        Ok(policy) => {
            let text = serde_json::to_vec(&policy).unwrap();
            assert!(!text.is_empty());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

pub(crate) fn exemptions(input: &[u8]) {
    match Exemptions::parse(input) {
        Ok(exemptions) => {
            let text = exemptions.to_toml().unwrap();
            assert_eq!(Exemptions::parse(text.as_bytes()).as_ref(), Ok(&exemptions), "it is read as it was written");
            assert!(exemptions.keeps(&exemptions));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A line that somebody on the device says to the daemon.
pub(crate) fn notice_word(input: &[u8]) {
    if let Ok(word) = serde_json::from_slice::<Word>(input) {
        let text = serde_json::to_vec(&word).unwrap();
        assert_eq!(serde_json::from_slice::<Word>(&text).unwrap(), word, "a word is read as it was said");
    }
    if let Ok(asking) = serde_json::from_slice::<Asking>(input) {
        let text = serde_json::to_vec(&asking).unwrap();
        assert_eq!(serde_json::from_slice::<Asking>(&text).unwrap(), asking, "a question is read as it was asked");
    }
}

pub(crate) fn purl(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Ok(purl) = text.parse::<Purl>() {
        assert_eq!(purl.as_str().parse::<Purl>().as_ref(), Ok(&purl), "a purl is read as it was written");
        assert!(purl.names(&purl), "a purl names itself");
    }
    let key = display_name_key(&text);
    assert_eq!(display_name_key(&key), key, "a key is its own key");
}

pub(crate) fn vers(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (range, version) = text.split_once('\n').unwrap_or((&text, "1.0"));
    if let Ok(vers) = range.parse::<Vers>() {
        let again: Vers = vers.to_string().parse().unwrap();
        assert_eq!(again, vers, "a range is read as it was written");
        assert_eq!(again.contains(version), vers.contains(version));
    }
}

/// Three versions, a line each: every scheme has to order them, and the same way round.
pub(crate) fn versions(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.splitn(3, '\n').chain(["", ""]);
    let [a, b, c] = std::array::from_fn(|_| lines.next().unwrap_or_default());
    for scheme in Scheme::ALL {
        let order = |one: &str, other: &str| scheme.compare(one, other);
        assert_eq!(order(a, a), Ordering::Equal, "{scheme:?}");
        assert_eq!(order(a, b), order(b, a).reverse(), "{scheme:?}: {a:?} and {b:?}");
        // What rpm and pacman do is no order for odd versions: `1.` < `1.0.a` < `1^`, and `1.` > `1^`.
        let is_order = !matches!(scheme, Scheme::Rpm | Scheme::Alpm);
        if is_order && order(a, b).is_le() && order(b, c).is_le() {
            assert!(order(a, c).is_le(), "{scheme:?}: {a:?}, {b:?}, {c:?}");
        }
    }
}
