//! Text of another trust domain: of a policy, a server, a device, a package, a person. It may say what it likes, and may do
//! nothing but say it. Pure: text in, text out.
//!
//! | where it is read | what becomes of it |
//! |---|---|
//! | a terminal | what can't be seen is written as `\u{202e}`; a line feed too, or each line stands behind a margin |
//! | a notification, a page | what steers is taken out, and text of the other direction is isolated |
//! | JSON | what steers is taken out; all else that can't be seen is escaped, as JSON does it |

mod table;

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use self::table::{Kind, Unseen};

/// What stands before each line of a foreign text that has several, so that none looks like one of ours.
pub const MARGIN: &str = "│ ";

/// The most columns of a foreign line on a terminal. What is longer would go on at the terminal's edge, before which no
/// margin stands.
const WIDTH: usize = 72;

/// The styles that our own programs use on a terminal, as SGR sequences name them (ECMA-48, 8.3.117): off, bold, dim,
/// italic, underlined, and the six colours that are seen on black and on white.
const OWN_STYLES: [&str; 11] = ["0", "1", "2", "3", "4", "31", "32", "33", "34", "35", "36"];

/// A text of another trust domain. It has no `Display`: where it is printed, it says how.
///
/// ```compile_fail
/// println!("{}", forewarn_proto::foreign::Foreign::from("\u{1b}[2J"));
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Foreign(String);

impl Foreign {
    /// The text as it came, to be compared, kept or sent on. Never to be shown.
    pub fn as_data(&self) -> &str {
        &self.0
    }

    /// The text on one line of a terminal.
    pub fn line(&self) -> Cow<'_, str> {
        line(&self.0)
    }

    /// The text's lines on a terminal, each behind the [`MARGIN`].
    pub fn block(&self) -> Vec<String> {
        block(&self.0)
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.line())
    }
}

/// A string, where it stands: what a field may hold is said there.
impl JsonSchema for Foreign {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

impl From<String> for Foreign {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Foreign {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// A foreign text on one line of a terminal: what is seen, and spaces, pass; all else is written as `\u{202e}`.
pub fn line(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return text.into();
    }
    let mut written = String::with_capacity(text.len() + 16);
    for Unseen { c, kind } in Unseen::in_text(text) {
        match kind {
            None => written.push(c),
            Some(_) => written.extend(c.escape_unicode()),
        }
    }
    written.into()
}

/// A foreign text on a terminal, line by line behind the [`MARGIN`].
pub fn block(text: &str) -> Vec<String> {
    folded(text).iter().map(|part| format!("{MARGIN}{part}")).collect()
}

/// A foreign text's lines as a terminal may get them, none longer than it is wide. Nothing stands before them.
pub fn folded(text: &str) -> Vec<String> {
    // What a file of Windows has at a line's end is one line's end.
    let text = text.replace("\r\n", "\n");
    text.split('\n').flat_map(|part| fold(&line(part))).collect()
}

/// How many columns a character takes on a terminal at most. Terminals disagree about what is not ASCII: some give two columns
/// to letters to which others give one, or to marks to which others give none (Unicode, UAX #11: "ambiguous").
pub fn columns_of(character: char) -> usize {
    if character.is_ascii() { 1 } else { 2 }
}

/// Breaks a line where a space allows it, else anywhere.
fn fold(line: &str) -> Vec<String> {
    let mut folded = Vec::new();
    let mut rest: Vec<char> = line.chars().collect();
    while let Some(most) = overflow(&rest) {
        let space = rest[..most].iter().rposition(|c| *c == ' ').filter(|place| *place > 0);
        let end = space.map_or(most, |place| place + 1);
        folded.push(rest.drain(..end).collect());
    }
    folded.push(rest.into_iter().collect());
    folded
}

/// How many characters fit on a line, if not all do.
fn overflow(line: &[char]) -> Option<usize> {
    let ends = line.iter().scan(0, |used, character| {
        *used += columns_of(*character);
        Some(*used)
    });
    ends.into_iter().position(|end| end > WIDTH)
}

/// One line of ours on a terminal, whatever was put into it: our own styles pass, and all else that [`line`] does not let
/// pass is written out, line feeds too. It is the last line of defence: what a program forgot to escape stops here.
pub fn guarded(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return text.into();
    }
    let mut parts = text.split("\u{1b}[");
    let mut guarded = line(parts.next().unwrap_or_default()).into_owned();
    for part in parts {
        match part.split_once('m').filter(|(style, _)| OWN_STYLES.contains(style)) {
            Some((style, text)) => guarded.extend(["\u{1b}[", style, "m", &line(text)]),
            None => guarded.extend([&*line("\u{1b}"), "[", &line(part)]),
        }
    }
    guarded.into()
}

/// A foreign text for a notification or a page: controls and what steers the direction are taken out, joiners and line
/// feeds are kept.
pub fn steadied(text: &str) -> String {
    let keeps = |unseen: &Unseen| unseen.c == '\n' || !matches!(unseen.kind, Some(Kind::Control | Kind::Bidi));
    Unseen::in_text(text).filter(keeps).map(|unseen| unseen.c).collect()
}

/// The same, isolated from the text around it (UAX #9, FSI and PDI), line by line, where it may run the other way than that.
pub fn isolated(text: &str, around_runs_from_right: bool) -> String {
    let steadied = steadied(text);
    if !around_runs_from_right && !steadied.chars().any(table::runs_from_right) {
        return steadied;
    }
    steadied.split('\n').map(|part| format!("\u{2068}{part}\u{2069}")).collect::<Vec<_>>().join("\n")
}

/// JSON text that may come onto a terminal: what steers the direction is taken out of its strings, and what can't be seen
/// is escaped in them (RFC 8259, 7). Line feeds between its values stay.
pub fn json(text: &str) -> Cow<'_, str> {
    if text.split('\n').all(is_plain) {
        return text.into();
    }
    let mut written = String::with_capacity(text.len() + 16);
    for Unseen { c, kind } in Unseen::in_text(text) {
        match kind {
            None => written.push(c),
            Some(_) if c == '\n' => written.push(c),
            Some(Kind::Bidi) => {}
            Some(_) => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| written += &format!("\\u{unit:04x}")),
        }
    }
    written.into()
}

/// What [`fault`] finds no fault with, as a regular expression of JSON Schema (ECMA-262): one line.
pub const ONE_LINE: &str = r"^[^\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]*$";
/// The same for several lines.
pub const MANY_LINES: &str = r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]*$";

/// How many lines a text may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// Titles, apps, names, reasons.
    One,
    /// Messages and appeals.
    Many,
}

/// Why a text that comes in from another trust domain is refused, if it is. One rule for all of them: no controls but line
/// feeds where there may be several lines, and nothing that steers the direction of text. Joiners are a part of Persian, and
/// of emoji.
pub fn fault(text: &str, lines: Lines) -> Option<String> {
    let is_allowed = |c: char| c == '\n' && lines == Lines::Many;
    let bad = Unseen::in_text(text).find(|u| matches!(u.kind, Some(Kind::Control | Kind::Bidi)) && !is_allowed(u.c))?;
    let character = bad.c.escape_unicode();
    Some(match (bad.kind, bad.c) {
        (Some(Kind::Bidi), _) => {
            format!("it has {character}, which steers the direction of text; leave it out, letters do that themselves")
        }
        (_, '\n') => "it has a line feed; write it on one line".to_owned(),
        _ => format!("it has the control character {character}; it has to be plain text"),
    })
}

/// Printable ASCII alone, as nearly all texts are.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

#[cfg(test)]
mod tests;
