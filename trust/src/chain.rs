//! The record of decisions: each entry carries the hash of the one before, so that none can be taken out or changed
//! without all later ones changing too.

use forewarn_proto::audit::{Chained, Entry};

use crate::digest;

/// The hash of an entry's text that follows the entry with hash `former`; nothing stands before the first.
pub fn chain(former: &str, entry: &str) -> String {
    digest(format!("{former}\n{entry}").as_bytes())
}

/// Why a record is not whole.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// An entry's hash does not follow from its text and the entry before.
    #[error("entry {0} was changed, or the one before it was taken out or changed")]
    Broken(u64),
    /// An entry is not one.
    #[error("entry {number} can't be read: {reason}")]
    Unreadable {
        /// Which.
        number: u64,
        /// Why not.
        reason: String,
    },
    /// An entry has another's number.
    #[error("where entry {expected} should stand, there is one that calls itself {found}")]
    OutOfOrder {
        /// The number that follows.
        expected: u64,
        /// The number that is there.
        found: u64,
    },
}

/// Checks entries that follow the one of `number` (0: none) with `hash`, and reads them.
///
/// # Errors
/// At the first entry that does not follow from the one before.
pub fn check_chain(number: u64, hash: &str, entries: &[Chained]) -> Result<Vec<Entry>, ChainError> {
    let (mut expected, mut former) = (number.saturating_add(1), hash);
    let mut read = Vec::with_capacity(entries.len());
    for chained in entries {
        if chain(former, &chained.entry) != chained.hash {
            return Err(ChainError::Broken(expected));
        }
        let entry: Entry = serde_json::from_str(&chained.entry)
            .map_err(|e| ChainError::Unreadable { number: expected, reason: e.to_string() })?;
        if entry.number != expected {
            return Err(ChainError::OutOfOrder { expected, found: entry.number });
        }
        (expected, former) = (expected.saturating_add(1), &chained.hash);
        read.push(entry);
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use forewarn_proto::audit::Decision;

    use super::*;

    fn record(entries: u64) -> Vec<Chained> {
        let mut former = String::new();
        let one = |number| {
            let decision = Decision::DeviceForgotten { by: format!("admin {number}") };
            let at = "2026-12-01T09:00Z".parse().unwrap();
            let entry = serde_json::to_string(&Entry { number, at, decision }).unwrap();
            former = chain(&former, &entry);
            Chained { entry, hash: former.clone() }
        };
        (1..=entries).map(one).collect()
    }

    #[test]
    fn a_record_that_was_tampered_with_anywhere_does_not_hold() {
        let whole = record(5);
        assert_eq!(check_chain(0, "", &whole).unwrap().len(), 5);
        assert_eq!(check_chain(2, &whole[1].hash, &whole[2..]).unwrap().len(), 3);
        for place in 0..5 {
            let mut changed = whole.clone();
            changed[place].entry = changed[place].entry.replace("admin", "nobody");
            assert!(matches!(check_chain(0, "", &changed), Err(ChainError::Broken(n)) if n == place as u64 + 1));
        }
        for place in 0..4 {
            let mut shorter = whole.clone();
            shorter.remove(place);
            assert!(check_chain(0, "", &shorter).is_err(), "without entry {place}");
        }
        let mut swapped = whole.clone();
        swapped.swap(1, 2);
        assert!(check_chain(0, "", &swapped).is_err());
    }
}
