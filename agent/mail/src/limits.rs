//! How much of a home is read.

/// The largest file that is read from a home, in bytes (16 MiB).
///
/// It stops a home from exhausting the agent's memory and the vault's disk, by a sparse file of 100 GiB called `prefs.js`. A person's `prefs.js` has some 10 KB.
pub const MAX_FILE_BYTES: u64 = 16 << 20;
