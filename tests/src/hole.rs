//! Something between a device and its server that keeps connections and may stop passing them on: a balancer whose other side
//! is gone, or a firewall that has forgotten them.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::Result;

/// Passes connections on to a server. Those of former generations it keeps open, and passes nothing on.
#[derive(Debug, Clone)]
pub struct Hole {
    /// Where it listens.
    pub address: SocketAddr,
    generation: Arc<AtomicU64>,
    connections: Arc<AtomicUsize>,
}

impl Hole {
    /// Before `server`.
    ///
    /// # Errors
    /// When there is no port.
    pub fn before(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let hole = Self { address: listener.local_addr()?, generation: Arc::default(), connections: Arc::default() };
        let passing = hole.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(upstream) = TcpStream::connect(server) else { continue };
                passing.connections.fetch_add(1, Ordering::Relaxed);
                passing.pass_on(&client, &upstream);
                passing.pass_on(&upstream, &client);
            }
        });
        Ok(hole)
    }

    /// What is connected now is kept, and never served again. New connections are.
    pub fn open(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// How many connections have come.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    fn pass_on(&self, from: &TcpStream, to: &TcpStream) {
        let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else { return };
        let (generation, born) = (self.generation.clone(), self.generation.load(Ordering::Relaxed));
        thread::spawn(move || {
            let mut bytes = [0; 16 * 1024];
            while let Ok(length @ 1..) = from.read(&mut bytes) {
                if generation.load(Ordering::Relaxed) != born {
                    // Not even the end of one side is passed on: both stay open for as long as this process lives.
                    thread::park();
                }
                if to.write_all(bytes.get(..length).unwrap_or_default()).is_err() {
                    break;
                }
            }
            if generation.load(Ordering::Relaxed) == born {
                let _ = to.shutdown(Shutdown::Both);
            }
        });
    }
}
