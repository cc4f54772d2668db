//! Groups that have lost channels get them back.

use super::rc::{Item, Kind, member_name, parse};
use crate::lines::{Part, is_blank};
use crate::lines::{lines, push_line};

/// The parts of a configuration, sections under their kind and name.
pub(crate) fn parts(bytes: &[u8]) -> Vec<Part<'_>> {
    let name = |item: &Item<'_>| item.section.as_ref().map(|(kind, name)| format!("{kind:?} {name}"));
    parse(bytes).into_iter().map(|item| Part { raw: item.raw, name: name(&item) }).collect()
}

/// A group with the members that it has lost; `None` for what isn't a group.
pub(crate) fn refill(original: &[u8], kept: Option<&[u8]>, there: Option<&[u8]>) -> Option<Vec<u8>> {
    let only = |section| parse(section).into_iter().next();
    let original = only(original).filter(|item| item.is(Kind::Group))?;
    let kept = kept.and_then(only);
    Some(match there.and_then(only) {
        None => group_of(&original, kept.as_ref()),
        Some(there) => with_members(there.raw, &missing_members(&original, kept.as_ref(), &there.members())),
    })
}

/// The members that the original has, and that neither stayed nor are there.
fn missing_members(original: &Item<'_>, kept: Option<&Item<'_>>, there: &[String]) -> Vec<String> {
    let stayed = kept.map(Item::members).unwrap_or_default();
    let is_in = |list: &[String], member: &String| list.iter().any(|other| member_name(other) == member_name(member));
    original.members().into_iter().filter(|member| !is_in(&stayed, member) && !is_in(there, member)).collect()
}

/// A group of the members that were taken from it.
fn group_of(original: &Item<'_>, kept: Option<&Item<'_>>) -> Vec<u8> {
    let name = original.name().unwrap_or_default().to_owned();
    let words: Vec<_> = [name].into_iter().chain(missing_members(original, kept, &[])).collect();
    format!("Group {}\n", quoted(&words)).into_bytes()
}

fn quoted(words: &[String]) -> String {
    let quoted: Vec<_> =
        words.iter().map(|word| if word.contains(' ') { format!("\"{word}\"") } else { word.clone() }).collect();
    quoted.join(" ")
}

fn with_members(group: &[u8], missing: &[String]) -> Vec<u8> {
    if missing.is_empty() {
        return group.to_vec();
    }
    let (body, end): (Vec<_>, Vec<_>) = lines(group).partition(|line| !is_blank(line));
    let mut out = body.concat();
    push_line(&mut out, format!("Channels {}\n", quoted(missing)).as_bytes());
    out.extend(end.concat());
    out
}
