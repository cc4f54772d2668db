//! Chance without randomness: the same seed and the same thing give the same draw, on every machine and in every version.

use sha2::{Digest, Sha256};

/// How fine a draw is.
pub(super) const PARTS: u64 = 1_000_000;

/// A number under [`PARTS`], as good as drawn: `draw(7, "laptop-12/tiktok")`.
pub(super) fn draw(seed: u64, what: &str) -> u64 {
    let digest = Sha256::digest(format!("{seed}/{what}"));
    let number = digest[..8].iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    number % PARTS
}
