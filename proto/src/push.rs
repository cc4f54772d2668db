//! The push stream from server to device: Server-Sent Events (WHATWG HTML, section 9.2), one frame an event.
//!
//! The event's `id` is the digest of the bundle that is current; a device that reconnects sends the id it knows as
//! `Last-Event-ID` and is spared the same bundle again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bundle::MAX_BUNDLE_BYTES;

/// The largest frame that a device reads, in bytes: a bundle, escaped as a JSON text, and a few words more.
pub const MAX_FRAME_BYTES: usize = 2 * MAX_BUNDLE_BYTES + 4096;

/// The name of the event that carries a frame.
pub const EVENT: &str = "bundle";

/// One push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// The server's time.
    pub time: Timestamp,
    /// SHA-256 of the current bundle's bytes, in hexadecimal.
    pub digest: String,
    /// The bundle's bytes, unless the device said that it has them.
    pub bundle: Option<String>,
}
