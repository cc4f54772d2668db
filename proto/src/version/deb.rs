//! Debian's order: deb-version(7), and dpkg's `lib/dpkg/version.c`.

use std::cmp::Ordering;

use super::{leading, numbers, parts};

pub(super) fn compare(one: &str, other: &str) -> Ordering {
    let ((epoch, version, revision), (other_epoch, other_version, other_revision)) = (parts(one), parts(other));
    epoch
        .cmp(&other_epoch)
        .then_with(|| compare_part(version, other_version))
        .then_with(|| compare_part(revision.unwrap_or_default(), other_revision.unwrap_or_default()))
}

/// Words and numbers by turns. In words a tilde sorts before the end, letters before all else.
fn compare_part(mut one: &str, mut other: &str) -> Ordering {
    while !one.is_empty() || !other.is_empty() {
        let (word, rest) = leading(one, |c| !c.is_ascii_digit());
        let (other_word, other_rest) = leading(other, |c| !c.is_ascii_digit());
        let (number, next) = leading(rest, |c| c.is_ascii_digit());
        let (other_number, other_next) = leading(other_rest, |c| c.is_ascii_digit());
        let order = compare_words(word, other_word).then_with(|| numbers(number, other_number));
        if order.is_ne() {
            return order;
        }
        (one, other) = (next, other_next);
    }
    Ordering::Equal
}

fn compare_words(one: &str, other: &str) -> Ordering {
    let weight = |c: Option<char>| match c {
        Some('~') => -1,
        None => 0,
        Some(c) if c.is_ascii_alphabetic() => i64::from(u32::from(c)),
        Some(c) => i64::from(u32::from(c)) + 0x0100_0000,
    };
    let (mut one, mut other) = (one.chars(), other.chars());
    loop {
        let (a, b) = (one.next(), other.next());
        if a.is_none() && b.is_none() {
            return Ordering::Equal;
        }
        let order = weight(a).cmp(&weight(b));
        if order.is_ne() {
            return order;
        }
    }
}
