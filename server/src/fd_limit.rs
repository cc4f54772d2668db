//! How many files the process may hold: each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::listener::MAX_CONNECTIONS;

/// What is open besides connections: the database, its log, listeners, and what is open for a moment.
const OTHERS: u64 = 64;

/// Raises the limit as far as the system lets a process, and says how many of the `wanted` streams that leaves room for.
pub(crate) fn room_for(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        tracing::warn!("the limit of open files can't be raised: {error}");
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let room = files.saturating_sub(MAX_CONNECTIONS as u64 + OTHERS).max(1);
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    if room < wanted {
        tracing::warn!(
            "{files} open files leave room for {room} of {wanted} devices; raise LimitNOFILE, or lower max_connections"
        );
    }
    room.min(wanted)
}
