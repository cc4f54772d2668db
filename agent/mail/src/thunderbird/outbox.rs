//! `Unsent Messages`: the messages that wait to be sent, an mbox.
//!
//! They go with the account: without it, Thunderbird sends them through another account's server. A message says whose it is with `X-Identity-Key:` (Thunderbird 153) or `X-Account-Key:` (older); without either, its `From:` counts.
//!
//! Source of the format: Thunderbird's `nsMsgBrkMBoxStore`. A message starts at a line `From ` at the start or after an empty line; such lines inside a message are written `>From `.

use std::ops::Range;

use super::prefs::Kind;
use super::select::Keys;
use crate::account::is_of;
use crate::lines::{lines, push_line};
use crate::rewritten::Renames;

/// The mbox without the messages of the selected accounts, and how many those are.
pub(crate) fn without(bytes: &[u8], keys: &Keys, domain: &str) -> (Vec<u8>, usize) {
    let all = messages(bytes);
    let kept: Vec<_> = all.iter().filter(|at| !is_ours(&bytes[(*at).clone()], keys, domain)).collect();
    let removed = all.len() - kept.len();
    (kept.into_iter().flat_map(|at| &bytes[at.clone()]).copied().collect(), removed)
}

/// `current` followed by the messages that `original` has and `after` lacks, with their keys renamed. What is there already isn't added.
pub(crate) fn merge(original: &[u8], after: &[u8], current: &[u8], renames: &Renames) -> Vec<u8> {
    let kept: Vec<_> = messages(after).into_iter().map(|at| &after[at]).collect();
    let mut out = current.to_vec();
    for at in messages(original) {
        let message = renamed(&original[at.clone()], renames);
        let there = messages(&out).into_iter().any(|at| same(&out[at], &message));
        if kept.contains(&&original[at]) || there {
            continue;
        }
        if !out.is_empty() && !out.ends_with(b"\n\n") {
            push_line(&mut out, b"\n");
        }
        push_line(&mut out, &message);
    }
    out
}

/// Where each message is, with its `From ` line and the empty line after it.
fn messages(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut starts = Vec::new();
    let (mut at, mut after_empty) = (0, true);
    for line in lines(bytes) {
        if after_empty && line.starts_with(b"From ") {
            starts.push(at);
        }
        at += line.len();
        after_empty = is_empty(line);
    }
    if let Some(first) = starts.first_mut() {
        *first = 0;
    }
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
}

fn is_empty(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n")
}

/// The value of a header, from the head of a message.
fn header(message: &[u8], name: &str) -> Option<String> {
    lines(message).take_while(|line| !is_empty(line)).find_map(|line| {
        let (found, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

const KEY_HEADERS: [(&str, Kind); 2] = [("X-Identity-Key", Kind::Identity), ("X-Account-Key", Kind::Account)];

fn is_ours(message: &[u8], keys: &Keys, domain: &str) -> bool {
    let mut named = KEY_HEADERS.into_iter().filter_map(|(name, kind)| Some((kind, header(message, name)?))).peekable();
    if named.peek().is_some() {
        return named.any(|(kind, id)| keys.has(kind, &id));
    }
    let from = header(message, "From").unwrap_or_default();
    is_of(from.trim_end_matches('>'), domain)
}

/// Two messages are the same when their bytes or their message ids are.
fn same(one: &[u8], other: &[u8]) -> bool {
    let id = |message| header(message, "Message-ID");
    one == other || (id(one).is_some() && id(one) == id(other))
}

fn renamed(message: &[u8], renames: &Renames) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len());
    let mut in_head = true;
    for line in lines(message) {
        in_head &= !is_empty(line);
        let new = KEY_HEADERS.into_iter().filter(|_| in_head).find_map(|(name, _)| {
            let old = header(line, name)?;
            let new = renames.get(&old);
            (new != old).then(|| format!("{name}: {new}\n"))
        });
        out.extend_from_slice(new.as_deref().map_or(line, str::as_bytes));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_from_line_inside_a_text_does_not_start_a_message() {
        let mbox = b"From - a\nX: y\n\ntext\nFrom here on\n\nFrom - b\n\n>From me\n\n";
        assert_eq!(messages(mbox), [0..34, 34..mbox.len()]);
        assert_eq!(messages(b""), []);
    }

    #[test]
    fn without_a_key_the_sender_counts() {
        let mbox = b"From - a\nFrom: Me <me@corp.example>\n\nx\n\nFrom - b\nFrom: me@private.example\n\ny\n\n";
        let (left, removed) = without(mbox, &Keys::default(), "corp.example");
        assert_eq!((left.as_slice(), removed), (&b"From - b\nFrom: me@private.example\n\ny\n\n"[..], 1));
    }

    #[test]
    fn a_merge_adds_each_message_once() {
        let (ours, theirs) = (
            &b"From - a\nMessage-ID: <1@x>\nX-Identity-Key: id2\n\nx\n\n"[..],
            &b"From - b\nMessage-ID: <2@x>\n\ny"[..],
        );
        let mut renames = Renames::default();
        renames.add("id2", "id3");
        let once = merge(ours, b"", theirs, &renames);
        assert_eq!(
            once,
            b"From - b\nMessage-ID: <2@x>\n\ny\n\nFrom - a\nMessage-ID: <1@x>\nX-Identity-Key: id3\n\nx\n\n"
        );
        assert_eq!(merge(ours, b"", &once, &renames), once);
    }
}
