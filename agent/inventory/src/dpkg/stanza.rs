//! dpkg's stanzas, as a pure scan over bytes.
//!
//! Format: deb-control(5) for the syntax, dpkg(1) "Package states" for `Status`, and dpkg's `lib/dpkg/parse.c`,
//! `lib/dpkg/fields.c` and `lib/dpkg/parsehelp.c` for what it accepts in a name, version and architecture.

use memchr::{
    arch::all::packedpair::HeuristicFrequencyRank,
    memchr, memchr_iter,
    memmem::{self, FinderBuilder},
};

/// One stanza: a package that dpkg knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stanza<'a> {
    /// `firefox-esr`
    pub(super) package: &'a str,
    /// `amd64`; dpkg lets it be missing.
    pub(super) arch: Option<&'a str>,
    /// `128.3.0esr-1` if its files are there, wholly or in part; `None` if it isn't installed.
    pub(super) installed: Option<&'a str>,
    /// `held`, `half-configured` and the like, of what is installed.
    pub(super) state: Option<&'static str>,
}

/// Why a stanza does not say whether its package is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    #[error("stanza has no {0} field")]
    Missing(&'static str),
    #[error("stanza has two {0} fields")]
    Twice(&'static str),
    #[error("stanza's {0} field has a value that dpkg does not allow")]
    Invalid(&'static str),
    #[error("stanza has a line that is neither a field nor a continuation")]
    NotAField,
}

/// The fields that matter, in the order of [`Fields::values`].
const NAMES: [&str; 4] = ["Package", "Status", "Version", "Architecture"];
const PACKAGE: usize = 0;
const STATUS: usize = 1;
const VERSION: usize = 2;
const ARCHITECTURE: usize = 3;

/// Hands each stanza in `bytes` to `found`, with the offset of its first line, in bytes from the start of `bytes`.
///
/// Stanzas end at an empty line, and at the end. A line of blanks alone is none: dpkg, too, takes it for a part of a value,
/// and refuses it there.
fn scan<'a>(bytes: &'a [u8], mut found: impl FnMut(usize, Result<Stanza<'a>, Damage>)) {
    let mut fields = Fields::default();
    let (mut stanza, mut line) = (0, 0);
    for end in memchr_iter(b'\n', bytes) {
        let text = &bytes[line..end];
        line = end + 1;
        // Most lines of a real file are these.
        if fields.skips(text) {
            continue;
        }
        match text {
            [] => {
                fields.end(stanza, &mut found);
                stanza = line;
            }
            text => fields.line(text),
        }
    }
    if let text @ [_, ..] = &bytes[line..] {
        fields.line(text);
    }
    fields.end(stanza, &mut found);
}

/// Hands each stanza in `bytes` to `found`, with its offset, and passes over packages that nobody `asks` for. Without `last`
/// an unfinished stanza is left for the next call. Gives how many bytes are done with, and how many of the packages passed
/// over are installed.
///
/// It goes from one empty line to the next, and passes over what begins as dpkg writes it. Where a second name could hide, or
/// where the bytes are not `whole`, everything is scanned.
pub(super) fn skim<'a>(
    bytes: &'a [u8],
    (whole, last): (bool, bool),
    asks: impl Fn(&[u8]) -> bool,
    mut found: impl FnMut(usize, Result<Stanza<'a>, Damage>),
) -> (usize, usize) {
    let end = if last { bytes.len() } else { memmem::rfind(bytes, b"\n\n").map_or(0, |end| end + 2) };
    let names = FinderBuilder::new().build_forward_with_ranker(ByColon, NAME_FIELD);
    let mut names = names.find_iter(&bytes[..end]).filter_map(|at| line_start(bytes, at)).peekable();
    let (mut start, mut passed) = (0, 0);
    for at in memmem::find_iter(&bytes[..end], b"\n\n").map(|at| at + 2).chain([end]) {
        let mut single = true;
        while let Some(name) = names.next_if(|name| *name < at) {
            single &= name == start;
        }
        let stanza = &bytes[start..at];
        match head(stanza).filter(|(name, _)| whole && single && !asks(name)) {
            Some((_, installed)) => passed += usize::from(installed),
            None => scan(stanza, |offset, found_there| found(start + offset, found_there)),
        }
        start = at;
    }
    (end, passed)
}

/// The smallest piece of a file that a crash can lose, in bytes.
const SECTOR: usize = 512;

/// Whether no sector of a file was lost in a crash, which leaves zeros: looks at the bytes on both sides of each sector's
/// beginning. `base`: where in the file the bytes begin.
pub(super) fn is_whole(bytes: &[u8], base: u64) -> bool {
    let first = (base.next_multiple_of(SECTOR as u64) - base) as usize;
    let (before, sectors) = bytes.split_at(bytes.len().min(first));
    before.last() != Some(&0) && sectors.chunks(SECTOR).all(|sector| sector[0] != 0 && sector[sector.len() - 1] != 0)
}

/// What `Package:` and `package:` have in common.
const NAME_FIELD: &[u8] = b"ackage:";

/// Has the name field looked for by its `k` and its colon. By itself the search would go by `k` and `g`, and stop at every
/// `package` of a description.
struct ByColon;

impl HeuristicFrequencyRank for ByColon {
    fn rank(&self, byte: u8) -> u8 {
        match byte {
            b':' | b'k' => 0,
            _ => 1,
        }
    }
}

/// Where a line begins, if it begins with the name field that goes on `at`.
fn line_start(bytes: &[u8], at: usize) -> Option<usize> {
    let start = at.checked_sub(1).filter(|start| matches!(bytes[*start], b'P' | b'p'))?;
    (start == 0 || bytes[start - 1] == b'\n').then_some(start)
}

/// The name of a stanza's package, and whether it is installed, if the stanza's first two lines say so.
fn head(stanza: &[u8]) -> Option<(&[u8], bool)> {
    let named = stanza.strip_prefix(b"Package: ")?;
    let (name, rest) = named.split_at(named.iter().position(|byte| !is(*byte, NAME))?);
    let status = rest.strip_prefix(b"\nStatus: ")?;
    // Most are.
    let installed = status.starts_with(b"install ok installed\n")
        || presence(status.split_at_checked(memchr(b'\n', status)?)?.0)? != Presence::Gone;
    (!name.is_empty()).then_some((name, installed))
}

/// What a line begins with that goes on with a value.
const BLANKS: &[u8] = b" \t\r";

/// The stanza that is being read.
#[derive(Debug, Default)]
struct Fields<'a> {
    any: bool,
    values: [Option<&'a [u8]>; 4],
    /// Which of [`NAMES`] the last field is; a continuation line of one of them isn't valid.
    current: Option<usize>,
    damage: Option<Damage>,
}

impl<'a> Fields<'a> {
    /// Whether a line continues a field that doesn't matter.
    fn skips(&self, line: &[u8]) -> bool {
        self.any && self.current.is_none() && line.first().is_some_and(|byte| BLANKS.contains(byte))
    }

    /// Takes a line that is not empty.
    fn line(&mut self, line: &'a [u8]) {
        let first = !std::mem::replace(&mut self.any, true);
        if BLANKS.contains(&line[0]) {
            return if first { self.note(Damage::NotAField) } else { self.continuation(line) };
        }
        // Names are short, so this beats a search for the colon.
        let end = line.iter().position(|byte| !is(*byte, FIELD)).unwrap_or(line.len());
        let (name, rest) = line.split_at(end);
        match rest.trim_ascii_start().split_first() {
            Some((b':', value)) if !name.is_empty() => self.field(name, value),
            _ => self.note(Damage::NotAField),
        }
    }

    fn continuation(&mut self, line: &[u8]) {
        if let (Some(field), false) = (self.current, line.trim_ascii().is_empty()) {
            self.note(Damage::Invalid(NAMES[field]));
        }
    }

    fn field(&mut self, name: &[u8], value: &'a [u8]) {
        self.current = NAMES.iter().position(|n| n.as_bytes().eq_ignore_ascii_case(name));
        let Some(field) = self.current else { return };
        if self.values[field].replace(value.trim_ascii()).is_some() {
            self.note(Damage::Twice(NAMES[field]));
        }
    }

    /// Keeps the first damage: what follows it may be its consequence.
    fn note(&mut self, damage: Damage) {
        self.damage.get_or_insert(damage);
    }

    /// Hands over the stanza that began at `start`, if there is one, and begins the next.
    fn end(&mut self, start: usize, found: &mut impl FnMut(usize, Result<Stanza<'a>, Damage>)) {
        if self.any {
            found(start, std::mem::take(self).stanza());
        }
    }

    fn stanza(self) -> Result<Stanza<'a>, Damage> {
        match self.damage {
            Some(damage) => Err(damage),
            None => self.undamaged(),
        }
    }

    fn undamaged(&self) -> Result<Stanza<'a>, Damage> {
        let package = self.word(PACKAGE, NAME)?.ok_or(Damage::Missing(NAMES[PACKAGE]))?;
        let status = self.values[STATUS].ok_or(Damage::Missing(NAMES[STATUS]))?;
        let arch = self.word(ARCHITECTURE, MACHINE)?;
        let (installed, state) = match presence(status).ok_or(Damage::Invalid(NAMES[STATUS]))? {
            Presence::Gone => (None, None),
            Presence::There(state) => {
                (Some(self.word(VERSION, NUMBER)?.ok_or(Damage::Missing(NAMES[VERSION]))?), state)
            }
        };
        Ok(Stanza { package, arch, installed, state })
    }

    /// A field's value, if it is there and not empty.
    fn word(&self, field: usize, class: u8) -> Result<Option<&'a str>, Damage> {
        let Some(value) = self.values[field].filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let allowed = value.iter().all(|byte| is(*byte, class));
        let text = std::str::from_utf8(value).ok().filter(|_| allowed);
        text.map(Some).ok_or(Damage::Invalid(NAMES[field]))
    }
}

/// In the name of a field.
const FIELD: u8 = 1;
/// In the name of a package.
const NAME: u8 = 2;
/// In a version. Of other characters than those that it allows in one dpkg only warns, in its own database (`parse_db_version`
/// in `lib/dpkg/parsehelp.c`), so they don't say that the package is not there; blanks and what can't be printed do.
const NUMBER: u8 = 4;
/// In an architecture.
const MACHINE: u8 = 8;

/// Where each byte may stand.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    loop {
        let mut class = 0;
        if byte.is_ascii_graphic() && byte != b':' {
            class |= FIELD;
        }
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.' | b'_') {
            class |= NAME;
        }
        if byte.is_ascii_graphic() {
            class |= NUMBER;
        }
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            class |= MACHINE;
        }
        classes[byte as usize] = class;
        if byte == u8::MAX {
            break classes;
        }
        byte += 1;
    }
};

fn is(byte: u8, class: u8) -> bool {
    CLASSES[usize::from(byte)] & class != 0
}

/// What a `Status` says of a package's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    /// Not there; its configuration may be.
    Gone,
    /// There, wholly or in part, and what is to be said of that.
    There(Option<&'static str>),
}

/// The states of a package whose files are there in part, or which waits for something.
const UNSETTLED: [&str; 5] = ["half-installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending"];

/// What a `Status` such as `install ok installed` says. `None` if it isn't a status.
fn presence(status: &[u8]) -> Option<Presence> {
    let mut words = status.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (want, _flag, state, None) = (words.next()?, words.next()?, words.next()?, words.next()) else {
        return None;
    };
    match state {
        b"not-installed" | b"config-files" => Some(Presence::Gone),
        b"installed" => Some(Presence::There((want == b"hold").then_some("held"))),
        state => {
            let unsettled = UNSETTLED.into_iter().find(|known| known.as_bytes() == state)?;
            Some(Presence::There(Some(unsettled)))
        }
    }
}

#[cfg(test)]
#[path = "stanza_tests.rs"]
mod tests;
