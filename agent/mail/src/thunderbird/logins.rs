//! `logins.json`: saved logins. An entry's host is in the clear, its name and password are encrypted with the key in `key4.db`; an entry is cut out, and put back, byte for byte.
//!
//! Source of the format: Thunderbird's `LoginStore.sys.mjs`. `nextId` is kept, so that no new entry gets a removed one's number.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    logins: Vec<&'a RawValue>,
}

/// What is read of an entry.
#[derive(Deserialize)]
struct Fields {
    /// `imap://mail.corp.example`
    #[serde(default)]
    hostname: String,
    /// `{d6ded414-7973-42b1-9f43-ffbbf026a87c}`
    #[serde(default)]
    guid: String,
    /// In Base64.
    #[serde(default, rename = "encryptedUsername")]
    encrypted_name: String,
}

/// One entry and where it is in the file.
pub(crate) struct Login {
    at: Range<usize>,
    hostname: String,
    guid: String,
    pub(crate) encrypted_name: String,
}

/// The file isn't what Thunderbird writes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The schemes under which Thunderbird saves mail logins; `mailbox` is POP3's.
const SCHEMES: [&str; 4] = ["imap", "pop3", "mailbox", "smtp"];

impl Login {
    /// The mail server's host, in lower case; `None` for a login that isn't a mail server's.
    pub(crate) fn host(&self) -> Option<String> {
        let (scheme, host) = self.hostname.split_once("://")?;
        let host = host.rsplit_once(':').map_or(host, |(host, _port)| host);
        SCHEMES.contains(&scheme).then(|| host.to_ascii_lowercase())
    }
}

/// The file without the taken entries, and the `hostname` of each of those.
pub(crate) fn without(
    bytes: &[u8],
    mut taken: impl FnMut(&Login) -> bool,
) -> Result<(Vec<u8>, Vec<String>), Malformed> {
    let (_, logins) = parse(bytes)?;
    let goes: Vec<bool> = logins.iter().map(&mut taken).collect();
    let removed = logins.iter().zip(&goes).filter(|(_, goes)| **goes).map(|(login, _)| login.hostname.clone());
    Ok((cut(bytes, &logins, &goes), removed.collect()))
}

/// Cuts entries out, each with the comma that it leaves without use.
fn cut(bytes: &[u8], logins: &[Login], goes: &[bool]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut copied = 0;
    let mut kept_any = false;
    for (index, login) in logins.iter().enumerate() {
        let following = logins.get(index + 1).map(|next| next.at.start);
        if !goes[index] {
            kept_any = true;
        } else if let (false, Some(next)) = (kept_any, following) {
            // The first ones: up to the next entry.
            out.extend_from_slice(&bytes[copied..login.at.start]);
            copied = next;
        } else {
            // Others: from the end of the entry before.
            let from = if kept_any { logins[index - 1].at.end.max(copied) } else { login.at.start };
            out.extend_from_slice(&bytes[copied..from]);
            copied = login.at.end;
        }
    }
    out.extend_from_slice(&bytes[copied..]);
    out
}

/// `current` with the entries that `original` has and `after` lacks. Entries that are there again stay as they are.
pub(crate) fn merge(original: &[u8], after: &[u8], current: &[u8]) -> Result<Vec<u8>, Malformed> {
    let guids = |bytes| Ok(parse(bytes)?.1.into_iter().map(|login| login.guid).collect::<BTreeSet<_>>());
    let (kept, mut there) = (guids(after)?, guids(current)?);
    let (_, originals) = parse(original)?;
    let mut out = current.to_vec();
    for (index, login) in originals.iter().enumerate() {
        if kept.contains(&login.guid) || !there.insert(login.guid.clone()) {
            continue;
        }
        out = insert(&out, &original[login.at.clone()], &originals[..index], &originals[index + 1..])?;
    }
    Ok(out)
}

/// Puts an entry after the nearest one that preceded it, else before the nearest one that followed, else last.
fn insert(bytes: &[u8], entry: &[u8], before: &[Login], following: &[Login]) -> Result<Vec<u8>, Malformed> {
    let (array, logins) = parse(bytes)?;
    let there = |of: &Login| logins.iter().find(|login| login.guid == of.guid);
    let (at, text) = match (before.iter().rev().find_map(there), following.iter().find_map(there), logins.last()) {
        (Some(before), _, _) | (None, None, Some(before)) => (before.at.end, [b",", entry].concat()),
        (None, Some(next), _) => (next.at.start, [entry, b","].concat()),
        (None, None, None) => (array + 1, entry.to_vec()),
    };
    Ok([&bytes[..at], &text, &bytes[at..]].concat())
}

/// Where the array begins (its `[`), and its entries.
fn parse(bytes: &[u8]) -> Result<(usize, Vec<Login>), Malformed> {
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed)?;
    let array = serde_json::from_str::<Array<'_>>(text).map_err(|_| Malformed)?.logins;
    let file = serde_json::from_str::<File<'_>>(text).map_err(|_| Malformed)?;
    let logins = file.logins.into_iter().map(|raw| login(text, raw)).collect::<Result<_, _>>()?;
    Ok((offset(text, array.get()), logins))
}

#[derive(Deserialize)]
struct Array<'a> {
    #[serde(borrow)]
    logins: &'a RawValue,
}

fn login(text: &str, raw: &RawValue) -> Result<Login, Malformed> {
    let fields: Fields = serde_json::from_str(raw.get()).map_err(|_| Malformed)?;
    let start = offset(text, raw.get());
    let Fields { hostname, guid, encrypted_name } = fields;
    Ok(Login { at: start..start + raw.get().len(), hostname, guid, encrypted_name })
}

/// Where `part`, which is borrowed from `text`, begins in it.
fn offset(text: &str, part: &str) -> usize {
    part.as_ptr().addr() - text.as_ptr().addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(hosts: &str, between: &str) -> String {
        let entries: Vec<_> =
            hosts.chars().map(|host| format!(r#"{{"guid":"{{{host}}}","hostname":"imap://{host}"}}"#)).collect();
        format!(r#"{{"nextId":9,"logins":[{}],"version":3}}"#, entries.join(between))
    }

    #[test]
    fn entries_go_and_return_wherever_they_are() {
        for between in [",", " ,\n  "] {
            for taken in ["a", "b", "c", "ab", "bc", "ac", "abc", "x", ""] {
                let original = file("abc", between);
                let is_taken = |login: &Login| login.host().is_some_and(|host| taken.contains(&host));
                let (after, removed) = without(original.as_bytes(), is_taken).unwrap();
                let left: String = "abc".chars().filter(|host| !taken.contains(*host)).collect();
                let parsed: serde_json::Value = serde_json::from_slice(&after).unwrap();
                assert_eq!(parsed, serde_json::from_str::<serde_json::Value>(&file(&left, ",")).unwrap(), "{taken}");
                assert_eq!(removed.len(), 3 - left.len());
                let merged = merge(original.as_bytes(), &after, &after).unwrap();
                let compact = |text: &str| text.split_whitespace().collect::<String>();
                assert_eq!(compact(std::str::from_utf8(&merged).unwrap()), compact(&original), "{taken}");
            }
        }
    }

    #[test]
    fn a_merge_keeps_what_is_new_and_adds_nothing_twice() {
        let (original, after) = (file("abc", ","), file("ac", ","));
        let merge = |current: &str| {
            String::from_utf8(merge(original.as_bytes(), after.as_bytes(), current.as_bytes()).unwrap()).unwrap()
        };
        assert_eq!(merge(&file("xac", ",")), file("xabc", ","));
        assert_eq!(merge(&file("x", ",")), file("xb", ","));
        assert_eq!(merge(&file("", ",")), file("b", ","));
        assert_eq!(merge(&original), original);
    }

    #[test]
    fn only_mail_logins_of_the_host_are_taken() {
        let host = |hostname: &str| {
            Login { at: 0..0, hostname: hostname.to_owned(), guid: String::new(), encrypted_name: String::new() }.host()
        };
        for ours in ["imap://Mail.corp.example", "smtp://mail.corp.example:587", "mailbox://mail.corp.example"] {
            assert_eq!(host(ours).as_deref(), Some("mail.corp.example"));
        }
        assert_eq!((host("https://mail.corp.example"), host("mail.corp.example")), (None, None));
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        for bytes in [&b"{\"logins\":"[..], b"", b"{\"logins\":[1]}", b"{}", b"\xff"] {
            assert_eq!(without(bytes, |_| true), Err(Malformed), "{bytes:?}");
        }
    }
}
