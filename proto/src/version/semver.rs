//! The order of Semantic Versioning 2.0 (its section 11), for any text: as many numbers as there are, and words among
//! them. An order that held for valid versions alone, and another for the rest, would be none.

use std::cmp::Ordering;

use super::{generic, numbers};

pub(super) fn compare(one: &str, other: &str) -> Ordering {
    let ((core, pre), (other_core, other_pre)) = (parts(one), parts(other));
    generic::compare(core, other_core).then_with(|| match (pre, other_pre) {
        (Some(pre), Some(other_pre)) => identifiers(pre, other_pre),
        // A version comes after all that precede it.
        (pre, other_pre) => other_pre.is_some().cmp(&pre.is_some()),
    })
}

/// `1.0.0-rc.1+build` is `1.0.0` and `rc.1`.
fn parts(version: &str) -> (&str, Option<&str>) {
    let version = version.split_once('+').map_or(version, |(version, _)| version);
    version.split_once('-').map_or((version, None), |(core, pre)| (core, Some(pre)))
}

/// Field by field: numbers before words, and the shorter first.
fn identifiers(one: &str, other: &str) -> Ordering {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mut fields, mut others) = (one.split('.'), other.split('.'));
    loop {
        let order = match (fields.next(), others.next()) {
            (None, None) => return Ordering::Equal,
            (Some(a), Some(b)) if is_number(a) && is_number(b) => numbers(a, b),
            (Some(a), Some(b)) => is_number(b).cmp(&is_number(a)).then_with(|| a.cmp(b)),
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        if order.is_ne() {
            return order;
        }
    }
}
