//! Which names are asked for, as it is asked of every package.

use std::collections::BTreeSet;

/// The names that are asked for.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    names: &'a BTreeSet<String>,
    /// The lengths of those that begin with a byte, as bits: most other names are told from them by this alone.
    lengths: [u64; 256],
}

impl<'a> Asked<'a> {
    pub(super) fn new(names: &'a BTreeSet<String>) -> Self {
        let mut lengths = [0; 256];
        for name in names {
            let (first, length) = key(name.as_bytes());
            lengths[first] |= length;
        }
        Self { names, lengths }
    }

    pub(super) fn contains(&self, name: &[u8]) -> bool {
        let (first, length) = key(name);
        self.lengths[first] & length != 0 && std::str::from_utf8(name).is_ok_and(|name| self.names.contains(name))
    }
}

/// A name's first byte, and its length as a bit.
fn key(name: &[u8]) -> (usize, u64) {
    (name.first().copied().unwrap_or_default().into(), 1 << (name.len() % 64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_asked_for_is_what_is_among_the_names(names in prop::collection::btree_set("[a-c]{0,3}|a{60,70}", 0..20)) {
            let asked = Asked::new(&names);
            for name in (0..80).map(|length| "a".repeat(length)).chain(["b", "ab", "ba", "abc", "cab"].map(str::to_owned)) {
                prop_assert_eq!(asked.contains(name.as_bytes()), names.contains(&name), "{}", name);
            }
            prop_assert!(names.iter().all(|name| asked.contains(name.as_bytes())));
            prop_assert!(!asked.contains(b"a\xff"));
        }
    }
}
