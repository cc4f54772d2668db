//! An isync configuration: sections, each from its keyword to an empty line, with global options and comments between.
//!
//! Source of the format: `mbsync(1)`, CONFIGURATION, of isync 1.4.

use std::ops::Range;

use crate::lines::lines;

/// What a section is about. Groups and channels have namespaces of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Account,
    ImapStore,
    MaildirStore,
    Channel,
    Group,
}

/// A part of the file. All parts together are the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item<'a> {
    /// With the empty line that ends it.
    pub(crate) raw: &'a [u8],
    /// `None`: a line outside of any section.
    pub(crate) section: Option<(Kind, String)>,
}

/// The parts, in order.
pub(crate) fn parse(bytes: &[u8]) -> Vec<Item<'_>> {
    let mut items: Vec<Item<'_>> = Vec::new();
    let (mut at, mut open) = (0, None);
    for line in lines(bytes) {
        let (start, end) = (at, at + line.len());
        at = end;
        let begun = open.unwrap_or(start);
        let section = if open.is_some() { items.pop().and_then(|item| item.section) } else { begins(line) };
        open = (section.is_some() && !is_empty(line)).then_some(begun);
        items.push(Item { raw: &bytes[begun..end], section });
    }
    items
}

/// Whether a line ends a section.
pub(crate) fn is_empty(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

fn begins(line: &[u8]) -> Option<(Kind, String)> {
    let words = words(line);
    let kind = match words.first()?.text.to_ascii_lowercase().as_str() {
        "imapaccount" => Kind::Account,
        "imapstore" => Kind::ImapStore,
        "maildirstore" => Kind::MaildirStore,
        "channel" => Kind::Channel,
        "group" => Kind::Group,
        _ => return None,
    };
    Some((kind, words.get(1)?.text.clone()))
}

/// A word of a line, and where it is with its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) at: Range<usize>,
}

/// The words of a line. A word in double quotes may hold spaces; a backslash takes the next character as it is; `#` begins a comment.
pub(crate) fn words(line: &[u8]) -> Vec<Word> {
    let mut words = Vec::new();
    let mut at = 0;
    loop {
        at += line[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if at == line.len() || line[at] == b'#' {
            return words;
        }
        let start = at;
        let (mut text, mut quoted) = (Vec::new(), false);
        while at < line.len() && (quoted || !line[at].is_ascii_whitespace()) {
            match line[at] {
                b'"' => quoted = !quoted,
                b'\\' if at + 1 < line.len() => {
                    at += 1;
                    text.push(line[at]);
                }
                byte => text.push(byte),
            }
            at += 1;
        }
        words.push(Word { text: String::from_utf8_lossy(&text).into_owned(), at: start..at });
    }
}

impl Item<'_> {
    /// The arguments of every line that begins with one of these keywords, which are in lower case.
    pub(crate) fn values(&self, keywords: &[&str]) -> Vec<String> {
        let of = |line| {
            let words = words(line);
            let is_one = words.first().is_some_and(|word| keywords.contains(&word.text.to_ascii_lowercase().as_str()));
            words.into_iter().skip(1).filter(move |_| is_one).map(|word| word.text)
        };
        lines(self.raw).flat_map(of).collect()
    }

    pub(crate) fn is(&self, kind: Kind) -> bool {
        self.section.as_ref().is_some_and(|(of, _)| *of == kind)
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.section.as_ref().map(|(_, name)| name.as_str())
    }

    /// The channels that a group names, each maybe with mailboxes: `work:INBOX,Sent`.
    pub(crate) fn members(&self) -> Vec<String> {
        let words = lines(self.raw).flat_map(member_words);
        words.map(|word| word.text).collect()
    }
}

/// The words of a group's line that name channels.
pub(crate) fn member_words(line: &[u8]) -> Vec<Word> {
    let words = words(line);
    let skip = match words.first().map(|word| word.text.to_ascii_lowercase()).as_deref() {
        Some("group") => 2,
        Some("channel" | "channels") => 1,
        _ => words.len(),
    };
    words.into_iter().skip(skip).collect()
}

/// `work` of `work:INBOX,Sent`.
pub(crate) fn member_name(word: &str) -> &str {
    word.split(':').next().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        let texts = |line: &str| words(line.as_bytes()).into_iter().map(|word| word.text).collect::<Vec<_>>();
        assert_eq!(texts("User me@corp.example\n"), ["User", "me@corp.example"]);
        assert_eq!(texts(r#"PassCmd "echo \"a b\"" # why"#), ["PassCmd", "echo \"a b\""]);
        assert_eq!(texts("# User x"), Vec::<String>::new());
    }

    #[test]
    fn a_section_ends_at_an_empty_line() {
        let text = b"Sync All\nIMAPAccount a\nHost h\n# c\nUser u\n \n\nGroup g a b\nChannels c\n";
        let items = parse(text);
        let raws: Vec<_> = items.iter().map(|item| String::from_utf8_lossy(item.raw)).collect();
        assert_eq!(raws, ["Sync All\n", "IMAPAccount a\nHost h\n# c\nUser u\n \n", "\n", "Group g a b\nChannels c\n"]);
        assert_eq!(items[1].values(&["user"]), ["u"]);
        assert_eq!(items[3].members(), ["a", "b", "c"]);
    }
}
