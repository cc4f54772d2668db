//! Sections that begin at a header line and end at the next: ini files, TOML's tables, msmtp's accounts.
//!
//! A section ends with its last line that says something, and the comments right below it. Blank lines, and comments after one, are nobody's.

use crate::lines::{Part, is_blank};
use crate::lines::{lines, push_line, put_back_in_order};

/// The name in a header: `Account work` of `[Account work]`.
pub(super) fn header(line: &[u8]) -> Option<String> {
    let line = line.trim_ascii_end();
    let name = line.strip_prefix(b"[")?;
    let name = name.get(..name.iter().rposition(|&byte| byte == b']')?)?;
    Some(String::from_utf8_lossy(name).into_owned())
}

/// `account work` of msmtp's `account work : other`, and `defaults`.
pub(super) fn command(line: &[u8]) -> Option<String> {
    let line = String::from_utf8_lossy(line);
    let mut words = line.split(|c: char| c.is_whitespace() || c == ':').filter(|word| !word.is_empty());
    match words.next()? {
        "account" => Some(format!("account {}", words.next()?.trim_matches('"'))),
        "defaults" => Some("defaults".to_owned()),
        _ => None,
    }
}

/// The parts of a text whose sections begin at the lines that `begins` names.
pub(super) fn parts(bytes: &[u8], begins: impl Fn(&[u8]) -> Option<String>) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut open: Option<Open> = None;
    let (mut at, mut after_blank) = (0, false);
    for line in lines(bytes) {
        let (start, end) = (at, at + line.len());
        at = end;
        if let Some(name) = begins(line) {
            close(bytes, &mut parts, open.replace(Open { name, start, end }), start);
            after_blank = false;
        } else if let Some(open) = &mut open {
            after_blank |= is_blank(line);
            let says_something = !is_blank(line) && !is_comment(line);
            if says_something || (is_comment(line) && !after_blank) {
                open.end = end;
                after_blank = false;
            }
        } else {
            parts.push(Part { raw: line, name: None });
        }
    }
    close(bytes, &mut parts, open, at);
    parts
}

/// A section whose next line may be one of it.
struct Open {
    name: String,
    start: usize,
    /// As far as is known.
    end: usize,
}

/// What comes after the section, up to `until`, is nobody's.
fn close<'a>(bytes: &'a [u8], parts: &mut Vec<Part<'a>>, open: Option<Open>, until: usize) {
    if let Some(Open { name, start, end }) = open {
        parts.push(Part { raw: &bytes[start..end], name: Some(name) });
        parts.extend(lines(&bytes[end..until]).map(|raw| Part { raw, name: None }));
    }
}

fn is_comment(line: &[u8]) -> bool {
    matches!(line.trim_ascii_start().first(), Some(b'#' | b';'))
}

/// The keys and values of a section, comments left out.
fn items(section: &[u8]) -> impl Iterator<Item = (String, String)> {
    let item = |line: &[u8]| {
        let line = String::from_utf8_lossy(line).into_owned();
        let (key, value) = line.split_once(['=', ':'])?;
        Some((key.trim().to_owned(), value.trim().to_owned()))
    };
    lines(section).filter(|line| !is_comment(line) && header(line).is_none()).filter_map(item)
}

/// The value of a key, whatever its case.
pub(crate) fn value(section: &[u8], key: &str) -> Option<String> {
    items(section).find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
}

/// The values of all these keys.
pub(crate) fn values(section: &[u8], keys: &[&str]) -> Vec<String> {
    keys.iter().filter_map(|key| value(section, key)).collect()
}

/// The keys whose values are lists of sections: offlineimap's `accounts`.
const LISTS: [(&str, &str); 1] = [("general", "accounts")];

fn list_key(name: Option<&String>) -> Option<&'static str> {
    let name = name?;
    LISTS.iter().find(|(section, _)| section == name).map(|(_, key)| *key)
}

fn members(section: &[u8], key: &str) -> Vec<String> {
    let value = value(section, key).unwrap_or_default();
    value.split(',').map(str::trim).filter(|member| !member.is_empty()).map(str::to_owned).collect()
}

/// The section with another list.
pub(crate) fn relisted(section: &[u8], key: &str, members: &[String]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines(section) {
        let text = String::from_utf8_lossy(line);
        let separator = text.find(['=', ':']).filter(|at| text[..*at].trim().eq_ignore_ascii_case(key));
        match separator {
            Some(at) if !is_comment(line) => {
                let value = &text[at + 1..];
                let blank = value.len() - value.trim_start_matches([' ', '\t']).len();
                let end = value.trim_end().len().max(blank);
                out.extend_from_slice(&text.as_bytes()[..at + 1 + blank]);
                out.extend_from_slice(members.join(", ").as_bytes());
                out.extend_from_slice(&value.as_bytes()[end..]);
            }
            _ => push_line(&mut out, line),
        }
    }
    out
}

/// Puts the lost members of a list back among those that are there now.
pub(super) fn refill(original: &Part<'_>, kept: Option<&Part<'_>>, there: Option<&Part<'_>>) -> Option<Vec<u8>> {
    let key = list_key(original.name.as_ref())?;
    let Some(there) = there else { return Some(original.raw.to_vec()) };
    let stayed = kept.map(|kept| members(kept.raw, key)).unwrap_or_default();
    let wanted = put_back_in_order(&members(original.raw, key), &members(there.raw, key), |member| {
        !stayed.iter().any(|kept| kept == member)
    });
    Some(relisted(there.raw, key, &wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_ends_with_what_says_something() {
        let text = b"# top\n[a]\nx = 1\n  more\n# of a\n\n# of b\n[b]\ny: 2";
        let parts = parts(text, header);
        let shown: Vec<_> =
            parts.iter().map(|part| (part.name.as_deref(), String::from_utf8_lossy(part.raw))).collect();
        let expected = [
            (None, "# top\n"),
            (Some("a"), "[a]\nx = 1\n  more\n# of a\n"),
            (None, "\n"),
            (None, "# of b\n"),
            (Some("b"), "[b]\ny: 2"),
        ];
        assert_eq!(shown, expected.map(|(name, raw)| (name, raw.into())));
        assert_eq!(value(parts[4].raw, "Y").as_deref(), Some("2"));
    }

    #[test]
    fn msmtp_s_accounts_are_told_apart() {
        for (line, name) in [
            ("account work\n", Some("account work")),
            ("account default : work", Some("account default")),
            ("account default: work", Some("account default")),
            (" defaults\n", Some("defaults")),
            ("accounts x", None),
            ("# account x", None),
        ] {
            assert_eq!(command(line.as_bytes()).as_deref(), name, "{line}");
        }
    }

    #[test]
    fn a_list_is_refilled_in_its_order() {
        let part = |raw| Part { raw, name: Some("general".to_owned()) };
        let (original, kept) =
            (&b"[general]\naccounts = a, b,c\nui = x\n"[..], &b"[general]\naccounts = a, c\nui = x\n"[..]);
        assert_eq!(relisted(original, "accounts", &["a".into(), "c".into()]), kept);
        let there = b"[general]\nACCOUNTS : a, c, d\r\nui = y\n";
        let refilled = refill(&part(original), Some(&part(kept)), Some(&part(there))).unwrap();
        assert_eq!(refilled, b"[general]\nACCOUNTS : a, b, c, d\r\nui = y\n");
    }
}
