//! `prefs.js`: lines of `user_pref("key", value);`, sorted by key. A pure function over bytes; what isn't removed stays byte for byte.
//!
//! Source of the format: Thunderbird's `modules/libpref/parser` and what Thunderbird 153 wrote (see `tests/data`).

use std::collections::BTreeMap;
use std::ops::Range;

use crate::lines::lines;

/// The kinds of things that have numbered keys: `mail.server.server2.hostname` is a server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Account,
    Server,
    Identity,
    Smtp,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Account, Self::Server, Self::Identity, Self::Smtp];

    /// What the keys of this kind start with: `mail.server.`.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Account => "mail.account.",
            Self::Server => "mail.server.",
            Self::Identity => "mail.identity.",
            Self::Smtp => "mail.smtpserver.",
        }
    }

    /// What the number is appended to: `server`.
    pub(crate) fn stem(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Server => "server",
            Self::Identity => "id",
            Self::Smtp => "smtp",
        }
    }
}

/// The lists of all things of a kind, as comma-separated values.
pub(crate) const LISTS: [(&str, Kind); 2] =
    [("mail.accountmanager.accounts", Kind::Account), ("mail.smtpservers", Kind::Smtp)];

/// The values that name the one default of a kind.
pub(crate) const DEFAULTS: [(&str, Kind); 2] =
    [("mail.accountmanager.defaultaccount", Kind::Account), ("mail.smtp.defaultserver", Kind::Smtp)];

/// The highest number that an account has had; kept, so that no number is given twice.
pub(crate) const LAST_ACCOUNT: &str = "mail.account.lastKey";

/// One line, with its line end.
#[derive(Clone)]
pub(crate) struct Line<'a> {
    pub(crate) raw: &'a [u8],
    pref: Option<Pref>,
}

#[derive(Clone)]
struct Pref {
    key: String,
    /// Where the value is in `raw`: `"imap"` with its quotes, `993`, `true`.
    value: Range<usize>,
}

/// A parsed `prefs.js`.
pub(crate) struct Prefs<'a> {
    pub(crate) lines: Vec<Line<'a>>,
    /// Of a key that is set twice, the last line counts.
    by_key: BTreeMap<String, usize>,
}

impl<'a> Prefs<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Self {
        let lines: Vec<_> = lines(bytes).map(|raw| Line { raw, pref: parse_line(raw) }).collect();
        let keyed = lines.iter().enumerate().filter_map(|(at, line)| Some((line.key()?.to_owned(), at)));
        let by_key = keyed.collect();
        Self { lines, by_key }
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.by_key.contains_key(key)
    }

    /// A string value, without its quotes and escapes.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.lines[*self.by_key.get(key)?].text()
    }

    /// The string value of one thing: `part(Kind::Server, "server2", "hostname")`.
    pub(crate) fn part(&self, kind: Kind, id: &str, name: &str) -> Option<String> {
        self.text(&format!("{}{id}.{name}", kind.prefix()))
    }

    /// A comma-separated value. Empty when there is none.
    pub(crate) fn list(&self, key: &str) -> Vec<String> {
        self.text(key).map(|text| split_list(&text)).unwrap_or_default()
    }

    /// A number, as it is written.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        std::str::from_utf8(self.lines[*self.by_key.get(key)?].value()?).ok()?.parse().ok()
    }

    /// Everything of a kind that has at least one line: `server1`, `server2`.
    pub(crate) fn ids(&self, kind: Kind) -> Vec<String> {
        let mut ids: Vec<_> = self
            .by_key
            .keys()
            .filter_map(|key| owner(key))
            .filter(|(of, _)| *of == kind)
            .map(|(_, id)| id.to_owned())
            .collect();
        ids.dedup();
        ids
    }
}

impl Line<'_> {
    pub(crate) fn key(&self) -> Option<&str> {
        self.pref.as_ref().map(|pref| pref.key.as_str())
    }

    fn value(&self) -> Option<&[u8]> {
        Some(&self.raw[self.pref.as_ref()?.value.clone()])
    }

    pub(crate) fn text(&self) -> Option<String> {
        unquote(self.value()?).map(|(text, _)| text)
    }

    /// The same line with another key and string value.
    pub(crate) fn rewritten(&self, key: &str, text: &str) -> Vec<u8> {
        let Some(pref) = &self.pref else {
            return self.raw.to_vec();
        };
        let mut line = format!("user_pref({}, {}", quote(key), quote(text)).into_bytes();
        line.extend_from_slice(&self.raw[pref.value.end..]);
        line
    }

    /// The same line with another key.
    pub(crate) fn renamed(&self, key: &str) -> Vec<u8> {
        let Some(pref) = &self.pref else {
            return self.raw.to_vec();
        };
        let mut line = format!("user_pref({}, ", quote(key)).into_bytes();
        line.extend_from_slice(&self.raw[pref.value.start..]);
        line
    }
}

/// Whose key it is: `(Server, "server2")` of `mail.server.server2.hostname`. `mail.server.default.port` is nobody's.
pub(crate) fn owner(key: &str) -> Option<(Kind, &str)> {
    Kind::ALL.into_iter().find_map(|kind| {
        let (id, _) = key.strip_prefix(kind.prefix())?.split_once('.')?;
        let number = id.strip_prefix(kind.stem())?;
        (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some((kind, id))
    })
}

pub(crate) fn split_list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// A whole line as Thunderbird writes it.
pub(crate) fn new_line(key: &str, value: &str) -> Vec<u8> {
    format!("user_pref({}, {value});\n", quote(key)).into_bytes()
}

pub(crate) fn quote(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r");
    format!("\"{escaped}\"")
}

const NAME: &[u8] = b"user_pref";

fn parse_line(raw: &[u8]) -> Option<Pref> {
    let skip = |at: usize| at + raw[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let start = skip(0);
    raw[start..].starts_with(NAME).then_some(())?;
    let open = skip(start + NAME.len());
    (raw.get(open) == Some(&b'(')).then_some(())?;
    let quoted = skip(open + 1);
    let (key, length) = unquote(&raw[quoted..])?;
    let comma = skip(quoted + length);
    (raw.get(comma) == Some(&b',')).then_some(())?;
    let value = skip(comma + 1);
    let end = value + value_length(&raw[value..])?;
    let close = skip(end);
    (raw.get(close) == Some(&b')') && raw.get(skip(close + 1)) == Some(&b';')).then_some(())?;
    Some(Pref { key, value: value..end })
}

fn value_length(rest: &[u8]) -> Option<usize> {
    if rest.first() == Some(&b'"') {
        return unquote(rest).map(|(_, length)| length);
    }
    let length = rest.iter().take_while(|&&byte| byte == b'-' || byte.is_ascii_alphanumeric()).count();
    (length > 0).then_some(length)
}

/// The text of a quoted string at the start of `bytes`, and how many bytes the string takes with its quotes.
fn unquote(bytes: &[u8]) -> Option<(String, usize)> {
    (bytes.first() == Some(&b'"')).then_some(())?;
    let mut text = Vec::new();
    let mut at = 1;
    loop {
        match *bytes.get(at)? {
            b'"' => return Some((String::from_utf8(text).ok()?, at + 1)),
            b'\\' => at += unescape(&bytes[at + 1..], &mut text)? + 1,
            byte => {
                text.push(byte);
                at += 1;
            }
        }
    }
}

/// Appends what an escape stands for; returns its length without the backslash.
fn unescape(rest: &[u8], text: &mut Vec<u8>) -> Option<usize> {
    let hex = |digits: usize| {
        let digits = std::str::from_utf8(rest.get(1..=digits)?).ok()?;
        char::from_u32(u32::from_str_radix(digits, 16).ok()?)
    };
    let (character, length) = match *rest.first()? {
        b'n' => ('\n', 1),
        b'r' => ('\r', 1),
        b'x' => (hex(2)?, 3),
        b'u' => (hex(4)?, 5),
        byte @ (b'"' | b'\'' | b'\\') => (char::from(byte), 1),
        _ => return None,
    };
    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, key: &str, text: Option<&str>) {
        let prefs = Prefs::parse(line.as_bytes());
        assert_eq!(prefs.lines[0].key(), Some(key), "{line}");
        assert_eq!(prefs.text(key).as_deref(), text, "{line}");
    }

    #[test]
    fn lines_are_read() {
        check("user_pref(\"a.b\", \"c\");\n", "a.b", Some("c"));
        check("  user_pref ( \"a.b\" , \"c, d\" ) ;  // why\r\n", "a.b", Some("c, d"));
        check(r#"user_pref("a", "say \"hi\" \\ \x41\u00e9\n");"#, "a", Some("say \"hi\" \\ A\u{e9}\n"));
        check("user_pref(\"a\", -12);", "a", None);
        check("user_pref(\"a\", true);", "a", None);
    }

    #[test]
    fn what_is_no_pref_has_no_key() {
        for line in [
            "// user_pref(\"a\", 1);",
            "",
            "user_pref(\"a\", );",
            "user_pref(\"a\" 1);",
            "user_pref(\"a",
            "user_prefs(\"a\", 1);",
            "user_pref(\"a\", 1)",
        ] {
            assert!(Prefs::parse(line.as_bytes()).lines.first().is_none_or(|line| line.key().is_none()), "{line}");
        }
    }

    #[test]
    fn keys_know_their_owner() {
        assert_eq!(owner("mail.server.server2.port"), Some((Kind::Server, "server2")));
        assert_eq!(owner("mail.identity.id10.useremail"), Some((Kind::Identity, "id10")));
        for nobodys in [
            "mail.server.default.port",
            "mail.account.lastKey",
            "mail.server.server2",
            "mail.server.serverx.port",
            "mail.servers.server2.port",
        ] {
            assert_eq!(owner(nobodys), None, "{nobodys}");
        }
    }
}
