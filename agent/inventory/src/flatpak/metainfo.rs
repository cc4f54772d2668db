//! An application's name and version, from its AppStream metainfo file, as a pure scan over bytes.
//!
//! Format: <https://www.freedesktop.org/software/appstream/docs/chap-Metadata.html>. Only what tells elements apart is
//! read; nothing is expanded or included, so a hostile file costs one pass.

use memchr::{memchr, memmem};

use crate::limits::display_name;

/// What a metainfo file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Metainfo {
    /// `<component><name>`, without `xml:lang`.
    pub(super) name: Option<String>,
    /// `<component><releases><release version="...">`, of the first release: AppStream wants the newest first.
    pub(super) version: Option<String>,
}

/// A piece of markup and the text up to the next one.
enum Markup<'a> {
    Start { tag: &'a str, closed: bool, text: &'a str },
    End,
    Other,
}

/// Reads what there is. What breaks the format ends it: the name and version are extras, and whether the application
/// is installed doesn't depend on them.
pub(super) fn parse(bytes: &[u8]) -> Metainfo {
    let mut info = Metainfo::default();
    let mut path: Vec<&str> = Vec::new();
    let mut rest = std::str::from_utf8(bytes).unwrap_or_default();
    while let Some((markup, next)) = next(rest) {
        rest = next;
        match markup {
            Markup::Start { tag, closed, text } => {
                let name = tag.split_ascii_whitespace().next().unwrap_or_default();
                info.element(&path, name, tag, text);
                if !closed {
                    path.push(name);
                }
            }
            Markup::End => drop(path.pop()),
            Markup::Other => {}
        }
        if info.name.is_some() && info.version.is_some() || path.len() > 64 {
            break;
        }
    }
    info
}

impl Metainfo {
    fn element(&mut self, path: &[&str], name: &str, tag: &str, text: &str) {
        match (path, name) {
            (["component" | "application"], "name") if self.name.is_none() && attribute(tag, "xml:lang").is_none() => {
                self.name = unescape(text).and_then(|text| display_name(&text));
            }
            (["component" | "application", "releases"], "release") if self.version.is_none() => {
                self.version = attribute(tag, "version").and_then(unescape).filter(|v| !v.is_empty());
            }
            _ => {}
        }
    }
}

/// The next markup in `text`, and what follows it.
fn next(text: &str) -> Option<(Markup<'_>, &str)> {
    let text = &text[memchr(b'<', text.as_bytes())?..];
    for (open, close) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")] {
        if let Some(inner) = text.strip_prefix(open) {
            let end = memmem::find(inner.as_bytes(), close.as_bytes())?;
            return Some((Markup::Other, &inner[end + close.len()..]));
        }
    }
    let end = tag_end(text)?;
    let (tag, rest) = (&text[1..end], &text[end + 1..]);
    let markup = match tag.as_bytes().first()? {
        b'/' => Markup::End,
        b'!' => Markup::Other,
        _ => {
            let text = &rest[..memchr(b'<', rest.as_bytes()).unwrap_or(rest.len())];
            let open = tag.strip_suffix('/');
            Markup::Start { tag: open.unwrap_or(tag), closed: open.is_some(), text }
        }
    };
    Some((markup, rest))
}

/// Where the `>` of a tag is, outside quotes.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// The value of an attribute in `release version="1.2" date='2024-01-01'`.
fn attribute<'a>(tag: &'a str, wanted: &str) -> Option<&'a str> {
    let (_, mut rest) = tag.split_once(|c: char| c.is_ascii_whitespace())?;
    loop {
        let (name, value) = rest.split_once('=')?;
        let value = value.trim_ascii_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, next) = value[1..].split_once(quote)?;
        if name.trim_ascii() == wanted {
            return Some(value);
        }
        rest = next;
    }
}

/// Resolves the five entities of XML; a text with any other is none.
fn unescape(text: &str) -> Option<String> {
    if !text.contains('&') {
        return Some(text.to_owned());
    }
    let mut parts = text.split('&');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let (entity, rest) = part.split_once(';')?;
        plain.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => return None,
        });
        plain.push_str(rest);
    }
    Some(plain)
}

#[cfg(test)]
#[path = "metainfo_tests.rs"]
mod tests;
