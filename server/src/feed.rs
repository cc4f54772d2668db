//! What is pushed: the current bundle, and a bell that rings when it changes.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use forewarn_proto::bundle::Bundle;
use forewarn_trust::digest;
use tokio::sync::watch;

/// The current bundle as it goes out.
#[derive(Debug, Clone)]
pub(crate) struct Current {
    pub(crate) digest: String,
    pub(crate) bytes: Arc<str>,
}

/// Shared by everyone who publishes and every open stream.
#[derive(Debug, Clone)]
pub struct Feed {
    current: watch::Sender<Current>,
    connected: Arc<AtomicU64>,
}

/// An open stream; counted while it lives.
pub(crate) struct Listener {
    pub(crate) current: watch::Receiver<Current>,
    connected: Arc<AtomicU64>,
}

impl Feed {
    pub(crate) fn new(bundle: &Bundle) -> Self {
        let feed = Self {
            current: watch::Sender::new(Current { digest: String::new(), bytes: "{}".into() }),
            connected: Arc::default(),
        };
        feed.push(bundle);
        feed
    }

    /// Pushes a bundle to every open stream, and to every one that opens from now on.
    pub fn push(&self, bundle: &Bundle) {
        self.push_bytes(&String::from_utf8_lossy(&bundle.to_bytes()));
    }

    /// Pushes any text in a bundle's place: how a hostile server would be played.
    pub fn push_bytes(&self, bytes: &str) {
        self.current.send_replace(Current { digest: digest(bytes.as_bytes()), bytes: bytes.into() });
    }

    /// How many streams are open.
    pub fn connected(&self) -> u64 {
        self.connected.load(Ordering::Relaxed)
    }

    pub(crate) fn listen(&self) -> Listener {
        self.connected.fetch_add(1, Ordering::Relaxed);
        Listener { current: self.current.subscribe(), connected: self.connected.clone() }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.connected.fetch_sub(1, Ordering::Relaxed);
    }
}
