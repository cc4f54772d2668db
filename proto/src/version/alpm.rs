//! Arch Linux's order: vercmp(8), and libalpm's `lib/libalpm/version.c`. It comes from an old one of rpm's, and differs in
//! what follows after the common part.

use std::cmp::Ordering;

use super::{leading, numbers, parts};

pub(super) fn compare(one: &str, other: &str) -> Ordering {
    let ((epoch, version, release), (other_epoch, other_version, other_release)) = (parts(one), parts(other));
    let releases = match (release, other_release) {
        (Some(one), Some(other)) => compare_part(one, other),
        (None, _) | (_, None) => Ordering::Equal,
    };
    epoch.cmp(&other_epoch).then_with(|| compare_part(version, other_version)).then(releases)
}

fn compare_part(mut one: &str, mut other: &str) -> Ordering {
    if one == other {
        return Ordering::Equal;
    }
    while !one.is_empty() && !other.is_empty() {
        let separator = |c: char| !c.is_ascii_alphanumeric();
        let ((gap, rest), (other_gap, other_rest)) = (leading(one, separator), leading(other, separator));
        (one, other) = (rest, other_rest);
        let Some(first) = one.chars().next().filter(|_| !other.is_empty()) else { break };
        if gap.len() != other_gap.len() {
            return gap.len().cmp(&other_gap.len());
        }
        let is = |c: char| if first.is_ascii_digit() { c.is_ascii_digit() } else { c.is_ascii_alphabetic() };
        let ((segment, rest), (other_segment, other_rest)) = (leading(one, is), leading(other, is));
        if other_segment.is_empty() {
            return if first.is_ascii_digit() { Ordering::Greater } else { Ordering::Less };
        }
        let order = if first.is_ascii_digit() { numbers(segment, other_segment) } else { segment.cmp(other_segment) };
        if order.is_ne() {
            return order;
        }
        (one, other) = (rest, other_rest);
    }
    let letter = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic());
    match (one.is_empty(), other.is_empty()) {
        (true, true) => Ordering::Equal,
        // A word that is left over, such as `rc`, makes a version older; anything else makes it newer.
        (true, false) if !letter(other) => Ordering::Less,
        _ if letter(one) => Ordering::Less,
        _ => Ordering::Greater,
    }
}
