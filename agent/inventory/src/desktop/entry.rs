//! One desktop entry, as a pure function over bytes.
//!
//! Format: the Desktop Entry Specification 1.5
//! (<https://specifications.freedesktop.org/desktop-entry-spec/latest/>), with GLib's `gkeyfile.c` for what is broken.
//! Web apps: Chromium's `chrome/browser/shell_integration_linux.cc` writes the entry, and
//! `components/crx_file/id_util.cc` the app id: 32 letters, a-p.

use crate::limits::display_name;

/// What an entry says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// `Name=`, as the person reads it.
    pub(crate) name: Option<String>,
    /// Its system was asked to treat this entry as deleted.
    pub(super) hidden: bool,
    /// The id of the web app that it starts in a Chromium-family browser.
    pub(super) web_app: Option<String>,
    /// `X-AppImage-Version=`, of an entry inside an AppImage.
    pub(crate) version: Option<String>,
}

/// Why a file is not a desktop entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    #[error("it has no [Desktop Entry] group")]
    NoGroup,
    #[error("line {0} comes before any group")]
    BeforeGroup(usize),
    #[error("line {0} is not a group, a key with its value or a comment")]
    NotALine(usize),
    #[error("line {0} is not UTF-8")]
    NotText(usize),
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    None,
    Entry,
    Other,
}

/// Reads a desktop entry. Of a key that comes twice the last is taken, as GLib does.
///
/// # Errors
/// When it breaks the format.
pub(crate) fn parse(bytes: &[u8]) -> Result<Entry, Broken> {
    let mut entry = Entry::default();
    let (mut group, mut found) = (Group::None, false);
    for (number, line) in (1..).zip(bytes.split(|b| *b == b'\n')) {
        let line = std::str::from_utf8(line).map_err(|_| Broken::NotText(number))?;
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with('[') {
            group = self::group(line).ok_or(Broken::NotALine(number))?;
            found |= group == Group::Entry;
            continue;
        }
        let (key, value) = line.split_once('=').ok_or(Broken::NotALine(number))?;
        match group {
            Group::None => return Err(Broken::BeforeGroup(number)),
            Group::Entry => entry.set(key.trim_ascii(), value.trim_ascii()),
            Group::Other => {}
        }
    }
    if found { Ok(entry) } else { Err(Broken::NoGroup) }
}

fn group(line: &str) -> Option<Group> {
    let name = line.strip_prefix('[')?.strip_suffix(']')?;
    Some(if name == "Desktop Entry" { Group::Entry } else { Group::Other })
}

impl Entry {
    /// Takes a key's value. Localized keys, such as `Name[de]`, are others.
    fn set(&mut self, key: &str, value: &str) {
        match key {
            "Name" => self.name = display_name(&unescape(value)),
            "X-AppImage-Version" => self.version = Some(unescape(value)).filter(|version| !version.is_empty()),
            "Hidden" => self.hidden = value == "true",
            "Exec" => self.web_app = arguments(&unescape(value)).iter().find_map(|a| web_app(a)),
            _ => {}
        }
    }
}

/// The id in an argument `--app-id=<32 letters a-p>`.
fn web_app(argument: &str) -> Option<String> {
    let id = argument.strip_prefix("--app-id=")?;
    (id.len() == 32 && id.bytes().all(|b| matches!(b, b'a'..=b'p'))).then(|| id.to_owned())
}

/// Resolves the escape sequences of a string value; an unknown one stays as it is.
fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(c) = characters.next() {
        let escaped = if c == '\\' { characters.next() } else { None };
        match (c, escaped) {
            ('\\', Some('s')) => text.push(' '),
            ('\\', Some('n')) => text.push('\n'),
            ('\\', Some('t')) => text.push('\t'),
            ('\\', Some('r')) => text.push('\r'),
            ('\\', Some('\\')) => text.push('\\'),
            (c, Some(other)) => text.extend([c, other]),
            (c, None) => text.push(c),
        }
    }
    text
}

/// Splits `Exec` into its arguments: apart by blanks, quoted as a whole with `"`, in which `\` escapes.
fn arguments(exec: &str) -> Vec<String> {
    let mut arguments = vec![String::new()];
    let mut quoted = false;
    let mut characters = exec.chars();
    while let (Some(c), Some(argument)) = (characters.next(), arguments.last_mut()) {
        match c {
            '"' => quoted = !quoted,
            '\\' if quoted => argument.extend(characters.next()),
            ' ' | '\t' if !quoted => arguments.push(String::new()),
            c => argument.push(c),
        }
    }
    arguments
}

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
