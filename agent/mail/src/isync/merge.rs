//! Putting sections back into a configuration that was changed since.

use super::rc::{Item, Kind, is_empty, member_name, parse};
use crate::lines::{lines, push_line};

/// A section of the same name is there, with other content.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ThereAgain;

/// `current` with the sections and group members that `original` has and `after` lacks. What is there already stays as it is.
pub(crate) fn merge(original: &[u8], after: &[u8], current: &[u8]) -> Result<Vec<u8>, ThereAgain> {
    let (originals, kept) = (parse(original), parse(after));
    let mut out = current.to_vec();
    for (index, item) in originals.iter().enumerate() {
        let Some((kind, _)) = &item.section else {
            continue;
        };
        let was_kept = find(&kept, item);
        if was_kept.is_some_and(|kept| kept.raw == item.raw) {
            continue;
        }
        let there = parse(&out);
        out = match (find(&there, item), was_kept) {
            (Some(there), _) if text(there) == text(item) => continue,
            (Some(_), was_kept) if *kind == Kind::Group => regroup(&out, item, was_kept),
            (Some(_), None) => return Err(ThereAgain),
            // The group went with its last other member: it returns with ours.
            (None, Some(kept)) if *kind == Kind::Group => insert(&out, &originals, index, &group_of(item, Some(kept))),
            // Nothing but its end had changed.
            (_, Some(_)) => continue,
            (None, None) => insert(&out, &originals, index, item.raw),
        };
    }
    Ok(out)
}

fn find<'i, 'a>(items: &'i [Item<'a>], like: &Item<'_>) -> Option<&'i Item<'a>> {
    items.iter().find(|item| item.section == like.section)
}

/// A section without its end.
fn text<'a>(item: &Item<'a>) -> &'a [u8] {
    item.raw.trim_ascii_end()
}

/// Puts a group's lost members back.
fn regroup(bytes: &[u8], original: &Item<'_>, kept: Option<&Item<'_>>) -> Vec<u8> {
    let mut out = Vec::new();
    for item in parse(bytes) {
        if item.section != original.section {
            out.extend_from_slice(item.raw);
        } else if kept.is_some_and(|kept| kept.raw == item.raw) {
            out.extend_from_slice(original.raw);
        } else {
            let missing = missing_members(original, kept, &item.members());
            out.extend_from_slice(&with_members(item.raw, &missing));
        }
    }
    out
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
    let (body, end): (Vec<_>, Vec<_>) = lines(group).partition(|line| !is_empty(line));
    let mut out = body.concat();
    push_line(&mut out, format!("Channels {}\n", quoted(missing)).as_bytes());
    out.extend(end.concat());
    out
}

/// Puts a section back after the nearest part that preceded it, else before the nearest that followed, else last.
fn insert(bytes: &[u8], originals: &[Item<'_>], index: usize, section: &[u8]) -> Vec<u8> {
    let items = parse(bytes);
    let place = |of: &Item<'_>| {
        let same = |item: &Item<'_>| {
            if of.section.is_some() { item.section == of.section } else { item.raw == of.raw }
        };
        (!is_empty(of.raw)).then(|| items.iter().position(same)).flatten()
    };
    let before = originals[..index].iter().enumerate().rev().find_map(|(at, item)| Some((at, place(item)?)));
    let at = match before {
        // The empty lines between the two stay between them.
        Some((at, there)) => {
            let blank = originals[at + 1..index].iter().filter(|item| is_empty(item.raw)).count();
            let following = items[there + 1..].iter().take(blank).take_while(|item| is_empty(item.raw)).count();
            there + 1 + following
        }
        None => originals[index + 1..].iter().find_map(place).unwrap_or(items.len()),
    };
    let mut out: Vec<u8> = items[..at].iter().flat_map(|item| item.raw).copied().collect();
    if at > 0 && items[at - 1].section.is_some() {
        end_section(&mut out);
    }
    push_line(&mut out, section);
    if at < items.len() {
        end_section(&mut out);
    }
    out.extend(items[at..].iter().flat_map(|item| item.raw));
    out
}

/// Makes sure that an empty line follows.
fn end_section(out: &mut Vec<u8>) {
    if lines(out).last().is_some_and(|line| !is_empty(line)) {
        push_line(out, b"\n");
    }
}
