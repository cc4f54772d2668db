//! Texts of sections, each an account or a part of one: taking sections out, and putting them back into a text that was changed since. Pure functions over bytes; what isn't taken stays byte for byte.

mod ini;
mod muttrc;
mod numbers;
mod xml;

pub(crate) use ini::{relisted, value, values};

use std::collections::BTreeSet;

use crate::isync;
use crate::lines::{Part, is_blank, lines, push_line};
use crate::plan::Syntax;
use crate::rewritten::{Obstacle, Renames};

impl Syntax {
    /// The parts, in order.
    pub(crate) fn parse(self, bytes: &[u8]) -> Vec<Part<'_>> {
        match self {
            Self::Isync => isync::parts(bytes),
            Self::Ini => ini::parts(bytes, ini::header),
            Self::Msmtp => ini::parts(bytes, ini::command),
            Self::Muttrc => muttrc::parts(bytes),
            Self::FolderList => xml::parts(bytes),
        }
    }

    /// A list that has lost members, with them; `None` for a part that isn't a list. `there` is the list as it is now.
    fn refill(self, original: &Part<'_>, kept: Option<&Part<'_>>, there: Option<&Part<'_>>) -> Option<Vec<u8>> {
        match self {
            Self::Isync => isync::refill(original.raw, kept.map(|part| part.raw), there.map(|part| part.raw)),
            Self::Ini => ini::refill(original, kept, there),
            Self::Msmtp | Self::Muttrc | Self::FolderList => None,
        }
    }

    /// Whether what is taken is complete without what stayed. isync's accounts need the stores of their mail, which stay.
    pub(crate) fn stands_alone(self) -> bool {
        self != Self::Isync
    }

    /// Whether only an empty line ends a section.
    fn ends_with_empty_line(self) -> bool {
        self == Self::Isync
    }
}

/// The text without the named sections.
pub(crate) fn without(syntax: Syntax, bytes: &[u8], names: &BTreeSet<String>) -> Vec<u8> {
    let stays = |part: &Part<'_>| part.name.as_ref().is_none_or(|name| !names.contains(name));
    syntax.parse(bytes).into_iter().filter(stays).flat_map(|part| part.raw).copied().collect()
}

/// `current` with the sections and list members that `original` has and `after` lacks. What is there already stays as it is. A section whose number another account has got since returns under a free one.
pub(crate) fn merge(
    syntax: Syntax,
    [original, after, current]: [&[u8]; 3],
    domain: &str,
    renames: &mut Renames,
) -> Result<Vec<u8>, Obstacle> {
    let (originals, kept) = (syntax.parse(original), syntax.parse(after));
    let mut out = current.to_vec();
    for (index, part) in originals.iter().enumerate().filter(|(_, part)| part.name.is_some()) {
        let was_kept = find(&kept, part);
        if was_kept.is_some_and(|kept| kept.raw == part.raw) {
            continue;
        }
        let there = syntax.parse(&out);
        if was_kept.is_none() && numbers::is_taken(part, find(&there, part), domain) {
            numbers::choose(part, &originals, &there, renames);
        }
        let renamed = numbers::renamed(part, renames);
        let part = &Part { raw: &renamed.0, name: renamed.1 };
        let now = find(&there, part);
        if now.is_some_and(|now| text(now) == text(part)) {
            continue;
        }
        let as_left = now.is_some_and(|now| was_kept.is_some_and(|kept| kept.raw == now.raw));
        let new = match (now, was_kept) {
            (None, None) => Some(part.raw.to_vec()),
            _ if as_left => Some(part.raw.to_vec()),
            _ => syntax.refill(part, was_kept, now),
        };
        out = match (now, new) {
            (Some(_), Some(new)) => replace(&there, part, &new),
            (None, Some(new)) => insert(syntax, &out, &originals, index, &new),
            (Some(now), None) if was_kept.is_none() => {
                let same = is_of_domain(now.raw, domain);
                return Err(if same { Obstacle::ThereAgain } else { Obstacle::NameTaken });
            }
            // Nothing but its end had changed.
            (_, None) => continue,
        };
    }
    Ok(out)
}

/// Whether an address of the domain is in a text.
pub(crate) fn is_of_domain(text: &[u8], domain: &str) -> bool {
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    [format!("@{domain}"), format!("%40{domain}")].iter().any(|address| {
        text.match_indices(address.as_str()).any(|(at, found)| {
            !text[at + found.len()..].starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_'))
        })
    })
}

fn find<'i, 'a>(parts: &'i [Part<'a>], like: &Part<'_>) -> Option<&'i Part<'a>> {
    parts.iter().find(|part| part.name == like.name)
}

/// A section without its end.
fn text<'a>(part: &Part<'a>) -> &'a [u8] {
    part.raw.trim_ascii_end()
}

fn replace(parts: &[Part<'_>], like: &Part<'_>, new: &[u8]) -> Vec<u8> {
    let raw = |part: &Part<'_>| if part.name == like.name { new.to_vec() } else { part.raw.to_vec() };
    parts.iter().flat_map(raw).collect()
}

/// Puts a section back after the nearest part that preceded it, else before the nearest that followed, else last.
fn insert(syntax: Syntax, bytes: &[u8], originals: &[Part<'_>], index: usize, section: &[u8]) -> Vec<u8> {
    let parts = syntax.parse(bytes);
    let place = |of: &Part<'_>| {
        let same = |part: &Part<'_>| if of.name.is_some() { part.name == of.name } else { part.raw == of.raw };
        (!is_blank(of.raw)).then(|| parts.iter().position(same)).flatten()
    };
    let before = originals[..index].iter().enumerate().rev().find_map(|(at, part)| Some((at, place(part)?)));
    let at = match before {
        // The empty lines between the two stay between them.
        Some((at, there)) => {
            let blank = originals[at + 1..index].iter().filter(|part| is_blank(part.raw)).count();
            let following = parts[there + 1..].iter().take(blank).take_while(|part| is_blank(part.raw)).count();
            there + 1 + following
        }
        None => originals[index + 1..].iter().find_map(place).unwrap_or(parts.len()),
    };
    let mut out: Vec<u8> = parts[..at].iter().flat_map(|part| part.raw).copied().collect();
    let ends = syntax.ends_with_empty_line();
    if ends && at > 0 && parts[at - 1].name.is_some() {
        end_section(&mut out);
    }
    push_line(&mut out, section);
    if ends && at < parts.len() {
        end_section(&mut out);
    }
    if at < parts.len() {
        push_line(&mut out, b"");
    }
    out.extend(parts[at..].iter().flat_map(|part| part.raw));
    out
}

/// Makes sure that an empty line follows.
fn end_section(out: &mut Vec<u8>) {
    if lines(out).last().is_some_and(|line| !is_blank(line)) {
        push_line(out, b"\n");
    }
}
