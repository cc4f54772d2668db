//! Ports for servers that are started later, and started anew.

use std::{
    net::TcpListener,
    ops::Range,
    sync::{
        LazyLock,
        atomic::{AtomicU16, Ordering},
    },
};

/// Below those that Linux gives to whoever connects (ip(7), `ip_local_port_range`, from 32768): one that was free a moment ago
/// would be some connection's by the time that a server wants it.
const PORTS: Range<u16> = 16_384..32_768;

/// A port on which nothing listens, and that nobody else in this process gets.
pub fn free_port() -> u16 {
    // From anywhere: another process looks for ports too.
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(fastrand::u16(..)));
    loop {
        let port = PORTS.start + NEXT.fetch_add(1, Ordering::Relaxed) % (PORTS.end - PORTS.start);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
