//! One desktop entry, as a pure function over bytes.
//!
//! Format: the Desktop Entry Specification 1.5
//! (<https://specifications.freedesktop.org/desktop-entry-spec/latest/>), with GLib's `gkeyfile.c` for what is broken.
//! Web apps: Chromium's `chrome/browser/shell_integration_linux.cc` writes the entry, and
//! `components/crx_file/id_util.cc` the app id: 32 letters, a-p. For Firefox PWAsForFirefox does, in its
//! `native/src/integrations/implementation/linux.rs`, with a ULID (<https://github.com/ulid/spec>) of its own making.

use std::str::Utf8Error;

use crate::limits::display_name;

/// What an entry says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// `Name=`, as the person reads it.
    pub(crate) name: Option<String>,
    /// Its system was asked to treat this entry as deleted.
    pub(super) hidden: bool,
    /// The web app that it starts in a browser.
    pub(super) web_app: Option<WebApp>,
    /// `X-AppImage-Version=`, of an entry inside an AppImage.
    pub(crate) version: Option<String>,
}

/// A web app.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WebApp {
    /// The family of the browser that runs it: `chromium` or `firefox`.
    pub(super) browser: &'static str,
    /// The id that it has there.
    pub(super) id: String,
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

/// Reads a desktop entry. Of a key that comes twice the last is taken, as GLib does. Only what counts has to be UTF-8: many
/// an old entry has a comment that isn't.
///
/// # Errors
/// When it breaks the format.
pub(crate) fn parse(bytes: &[u8]) -> Result<Entry, Broken> {
    let mut entry = Entry::default();
    let (mut group, mut found) = (Group::None, false);
    for (number, line) in (1..).zip(bytes.split(|b| *b == b'\n')) {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        if line.starts_with(b"[") {
            group = self::group(line).ok_or(Broken::NotALine(number))?;
            found |= group == Group::Entry;
            continue;
        }
        let equals = line.iter().position(|b| *b == b'=').ok_or(Broken::NotALine(number))?;
        match group {
            Group::None => return Err(Broken::BeforeGroup(number)),
            Group::Entry => entry
                .set(line[..equals].trim_ascii(), line[equals + 1..].trim_ascii())
                .map_err(|_| Broken::NotText(number))?,
            Group::Other => {}
        }
    }
    if found { Ok(entry) } else { Err(Broken::NoGroup) }
}

fn group(line: &[u8]) -> Option<Group> {
    let name = line.strip_prefix(b"[")?.strip_suffix(b"]")?;
    Some(if name == b"Desktop Entry" { Group::Entry } else { Group::Other })
}

impl Entry {
    /// Takes a key's value. Localized keys, such as `Name[de]`, are others.
    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), Utf8Error> {
        let text = || std::str::from_utf8(value).map(unescape);
        match key {
            b"Name" => self.name = display_name(&text()?),
            b"X-AppImage-Version" => self.version = Some(text()?).filter(|version| !version.is_empty()),
            b"Hidden" => self.hidden = value == b"true",
            b"Exec" => self.web_app = web_app(&arguments(&text()?)),
            _ => {}
        }
        Ok(())
    }
}

/// The web app that a command starts.
fn web_app(arguments: &[String]) -> Option<WebApp> {
    let chromium = arguments.iter().find_map(|argument| of_chromium(argument)).map(|id| ("chromium", id));
    let firefox = || arguments.windows(4).find_map(of_firefox).map(|id| ("firefox", id));
    let (browser, id) = chromium.or_else(firefox)?;
    Some(WebApp { browser, id: id.to_owned() })
}

/// The id in an argument `--app-id=<32 letters a-p>`.
fn of_chromium(argument: &str) -> Option<&str> {
    let id = argument.strip_prefix("--app-id=")?;
    (id.len() == 32 && id.bytes().all(|b| matches!(b, b'a'..=b'p'))).then_some(id)
}

/// The id in arguments `/usr/bin/firefoxpwa site launch 01FZ7B4VZ1MDJ1W0FDRNB4QTNE`.
fn of_firefox(arguments: &[String]) -> Option<&str> {
    let [program, site, launch, id] = arguments else { return None };
    let is_ulid = id.len() == 26
        && id
            .bytes()
            .all(|b| b.is_ascii_digit() || (b.is_ascii_uppercase() && !matches!(b, b'I' | b'L' | b'O' | b'U')));
    let is_firefox = program.rsplit('/').next() == Some("firefoxpwa") && site == "site" && launch == "launch";
    (is_firefox && is_ulid).then_some(id)
}

/// Resolves the escape sequences of a key file's string value; an unknown one stays as it is.
pub(crate) fn unescape(value: &str) -> String {
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
