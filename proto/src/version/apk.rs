//! Alpine Linux's order: apk-package(5) and apk-tools' `src/version.c`:
//! `<number>{.<number>}<letter>{_<suffix><number>}{~<hash>}-r<number>`.

use std::cmp::Ordering;

use super::{leading, numbers};

/// Suffixes in their order; those before the empty one make a version older.
const SUFFIXES: [&str; 10] = ["alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p"];
const NO_SUFFIX: usize = 4;

/// A version in its parts. What isn't in the form is in `rest`.
#[derive(Debug, Default)]
struct Version<'a> {
    numbers: Vec<&'a str>,
    letter: Option<char>,
    suffixes: Vec<(usize, Option<&'a str>)>,
    hash: Option<&'a str>,
    revision: Option<&'a str>,
    rest: &'a str,
}

pub(super) fn compare(one: &str, other: &str) -> Ordering {
    let (one, other) = (Version::parse(one), Version::parse(other));
    compare_numbers(&one.numbers, &other.numbers)
        .then_with(|| one.letter.cmp(&other.letter))
        .then_with(|| compare_suffixes(&one.suffixes, &other.suffixes))
        .then_with(|| one.hash.cmp(&other.hash))
        .then_with(|| compare_optional(one.revision, other.revision))
        .then_with(|| one.rest.cmp(other.rest))
}

impl<'a> Version<'a> {
    fn parse(text: &'a str) -> Self {
        let digit = |c: char| c.is_ascii_digit();
        let mut version = Self::default();
        let (first, mut rest) = leading(text, digit);
        version.numbers.push(first);
        while let Some((number, next)) = rest.strip_prefix('.').map(|rest| leading(rest, digit)) {
            if number.is_empty() {
                break;
            }
            version.numbers.push(number);
            rest = next;
        }
        if let Some(letter) = rest.chars().next().filter(char::is_ascii_lowercase) {
            version.letter = Some(letter);
            rest = &rest[1..];
        }
        while let Some((word, next)) = rest.strip_prefix('_').map(|rest| leading(rest, |c| c.is_ascii_lowercase())) {
            let Some(rank) = SUFFIXES.iter().position(|suffix| *suffix == word).filter(|rank| *rank != NO_SUFFIX)
            else {
                break;
            };
            let (number, next) = leading(next, digit);
            version.suffixes.push((rank, Some(number).filter(|number| !number.is_empty())));
            rest = next;
        }
        if let Some((hash, next)) = rest.strip_prefix('~').map(|rest| leading(rest, |c| c.is_ascii_hexdigit())) {
            (version.hash, rest) = (Some(hash), next);
        }
        if let Some((revision, next)) = rest.strip_prefix("-r").map(|rest| leading(rest, digit)) {
            (version.revision, rest) = (Some(revision), next);
        }
        version.rest = rest;
        version
    }
}

/// The first as numbers; a later one with a leading zero as a fraction, letter by letter. More of them are newer.
fn compare_numbers(one: &[&str], other: &[&str]) -> Ordering {
    for (place, (a, b)) in one.iter().zip(other).enumerate() {
        let fraction = place > 0 && (a.starts_with('0') || b.starts_with('0'));
        let order = if fraction { a.cmp(b) } else { numbers(a, b) };
        if order.is_ne() {
            return order;
        }
    }
    one.len().cmp(&other.len())
}

fn compare_suffixes(one: &[(usize, Option<&str>)], other: &[(usize, Option<&str>)]) -> Ordering {
    for place in 0..one.len().max(other.len()) {
        let (a, b) = (one.get(place).unwrap_or(&(NO_SUFFIX, None)), other.get(place).unwrap_or(&(NO_SUFFIX, None)));
        let order = a.0.cmp(&b.0).then_with(|| compare_optional(a.1, b.1));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// One that is missing is older than any: `1.0` than `1.0-r0`, and `1.0_p` than `1.0_p0`.
fn compare_optional(one: Option<&str>, other: Option<&str>) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => numbers(one, other),
        (one, other) => one.is_some().cmp(&other.is_some()),
    }
}
