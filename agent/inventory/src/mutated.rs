//! Bytes that no tool wrote: seeds with bytes changed, cut out, doubled and cut off.

use proptest::prelude::*;

/// One change of some bytes; the places are shares of their length.
#[derive(Debug, Clone)]
enum Change {
    Set(f64, u8),
    Cut(f64, f64),
    Double(f64, f64),
    End(f64),
}

fn change() -> impl Strategy<Value = Change> {
    let share = || 0.0..1.0_f64;
    prop_oneof![
        4 => (share(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        1 => (share(), share()).prop_map(|(from, to)| Change::Cut(from, to)),
        1 => (share(), share()).prop_map(|(from, to)| Change::Double(from, to)),
        1 => share().prop_map(Change::End),
    ]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place in a seed"
)]
fn place(share: f64, bytes: &[u8]) -> usize {
    (share * bytes.len() as f64) as usize
}

fn apply(change: &Change, bytes: &mut Vec<u8>) {
    let span = |from: f64, to: f64, bytes: &[u8]| {
        let (from, to) = (place(from, bytes), place(to, bytes));
        from.min(to)..from.max(to)
    };
    match *change {
        Change::Set(at, byte) => {
            let at = place(at, bytes);
            bytes.get_mut(at).into_iter().for_each(|b| *b = byte);
        }
        Change::Cut(from, to) => drop(bytes.drain(span(from, to, bytes))),
        Change::Double(from, to) => bytes.extend_from_within(span(from, to, bytes)),
        Change::End(at) => bytes.truncate(place(at, bytes)),
    }
}

/// Parses thousands of mutated seeds, and some noise. It is for the parser not to panic, and for `parse` to check what must
/// hold of the rest.
pub(crate) fn check(seeds: &[&[u8]], parse: impl Fn(&[u8])) {
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|seed| seed.to_vec()).collect();
    seeds.iter().for_each(|seed| parse(seed));
    let mutant =
        (prop::sample::select(seeds), prop::collection::vec(change(), 1..6)).prop_map(|(mut bytes, changes)| {
            changes.iter().for_each(|change| apply(change, &mut bytes));
            bytes
        });
    let noise = prop::collection::vec(any::<u8>(), 0..200);
    let config = ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() };
    let strategy = prop_oneof![9 => mutant, 1 => noise];
    proptest::test_runner::TestRunner::new(config)
        .run(&strategy, |bytes| {
            parse(&bytes);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}
