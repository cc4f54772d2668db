//! The order for ecosystems that prescribe none: runs of digits as numbers, runs of letters as words, all else parts
//! them. A word is older than a number and than the end: `1.0rc1` comes before `1.0`, and `1.0` before `1.0.1`.

use std::cmp::Ordering;

use super::{leading, numbers};

pub(super) fn compare(mut one: &str, mut other: &str) -> Ordering {
    loop {
        let separator = |c: char| !c.is_alphanumeric();
        (one, other) = (leading(one, separator).1, leading(other, separator).1);
        let order = match (one.chars().next().map(is_digit), other.chars().next().map(is_digit)) {
            (None, None) => return Ordering::Equal,
            (Some(digit), None) => {
                if digit {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (None, Some(digit)) => {
                if digit {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (Some(digit), Some(other_digit)) if digit != other_digit => digit.cmp(&other_digit),
            (Some(digit), Some(_)) => {
                let is =
                    |c: char| if digit { is_digit(c) } else { c.is_alphabetic() || (c.is_numeric() && !is_digit(c)) };
                let ((segment, rest), (other_segment, other_rest)) = (leading(one, is), leading(other, is));
                (one, other) = (rest, other_rest);
                if digit { numbers(segment, other_segment) } else { segment.cmp(other_segment) }
            }
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}
