//! How much of a home is read, and how much the process that reads it may say.

/// The largest file that is read from a home, in bytes (16 MiB).
///
/// It stops a home from exhausting the agent's memory and the vault's disk, by a sparse file of 100 GiB called `prefs.js`. A person's `prefs.js` has some 10 KB.
pub const MAX_FILE_BYTES: u64 = 16 << 20;

/// The most files of one kind that are looked at in a home. It stops one with a million `.source` files.
pub(crate) const MAX_NAMES: usize = 1024;

/// The largest head of a message to a vault, in bytes.
pub(crate) const MAX_HEAD_BYTES: u64 = 1 << 20;

/// The most that one message to a vault has, in bytes (40 MiB): the largest file before and after, and a few small ones. The side that keeps vaults is one process for everybody.
pub(crate) const MAX_MESSAGE_BYTES: u64 = 40 << 20;

/// The largest journal, in bytes (256 KiB). Some have 5 KB.
pub(crate) const MAX_JOURNAL_BYTES: usize = 256 << 10;

/// The most entries of one person's vault that wait for something. Each revoke makes one for a profile.
pub(crate) const MAX_ENTRIES: usize = 1000;

/// The most entries with those that are over, which go after 30 days. It stops a process that was taken over from making folders without end.
pub(crate) const MAX_KEPT_ENTRIES: usize = 4 * MAX_ENTRIES;

/// The most domains of one person whose accounts are given back at a start.
pub const MAX_HELD_DOMAINS: usize = 64;

/// The most contents in one message to a vault.
pub(crate) const MAX_CONTENTS: u64 = 4096;

/// What of [`MAX_VAULT_BYTES`] is left to give back what is there, in bytes (256 MiB).
pub(crate) const RESERVED_BYTES: u64 = 256 << 20;

/// The most that the entries of one person's vault may have, in bytes (2 GiB). It stops a person whose accounts fail to be taken again and again from filling the disk that holds everybody's vault.
pub(crate) const MAX_VAULT_BYTES: u64 = 2 << 30;

/// The most that one errand may have kept, in bytes (512 MiB). It stops a process that was taken over from filling the vault's disk at once.
pub(crate) const MAX_ERRAND_BYTES: u64 = 512 << 20;
