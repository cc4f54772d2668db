//! RPM's order: rpm's `docs/man/rpm-version.7.md`, `rpmio/rpmvercmp.c` and `lib/rpmver.c`.

use std::cmp::Ordering;

use super::{leading, numbers, parts};

pub(super) fn compare(one: &str, other: &str) -> Ordering {
    let ((epoch, version, release), (other_epoch, other_version, other_release)) = (parts(one), parts(other));
    let releases = match (release, other_release) {
        (Some(one), Some(other)) => compare_part(one, other),
        (one, other) => one.is_some().cmp(&other.is_some()),
    };
    epoch.cmp(&other_epoch).then_with(|| compare_part(version, other_version)).then(releases)
}

fn compare_part(mut one: &str, mut other: &str) -> Ordering {
    loop {
        let separator = |c: char| !c.is_ascii_alphanumeric() && c != '~' && c != '^';
        (one, other) = (leading(one, separator).1, leading(other, separator).1);
        let order = match (one.chars().next(), other.chars().next()) {
            (None, None) => return Ordering::Equal,
            (Some('~'), Some('~')) | (Some('^'), Some('^')) => {
                (one, other) = (&one[1..], &other[1..]);
                continue;
            }
            (Some('~'), _) => Ordering::Less,
            (_, Some('~')) => Ordering::Greater,
            // A caret comes after the end, and before anything else.
            (Some('^'), None) => Ordering::Greater,
            (None, Some('^')) => Ordering::Less,
            (Some('^'), Some(_)) => Ordering::Less,
            (Some(_), Some('^')) => Ordering::Greater,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) if a.is_ascii_digit() != b.is_ascii_digit() => {
                a.is_ascii_digit().cmp(&b.is_ascii_digit())
            }
            (Some(digit), Some(_)) => {
                let is = |c: char| if digit.is_ascii_digit() { c.is_ascii_digit() } else { c.is_ascii_alphabetic() };
                let ((segment, rest), (other_segment, other_rest)) = (leading(one, is), leading(other, is));
                (one, other) = (rest, other_rest);
                if digit.is_ascii_digit() { numbers(segment, other_segment) } else { segment.cmp(other_segment) }
            }
        };
        if order.is_ne() {
            return order;
        }
    }
}
