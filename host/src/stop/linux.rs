use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for the system's word to stop: SIGTERM, or SIGINT from a terminal.
#[derive(Debug)]
pub struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    /// From now on the word is waited for, and does not end the program at once.
    ///
    /// # Errors
    /// When the signals can't be caught.
    pub fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the word. It may be dropped before it comes.
    pub async fn come(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
