//! The push listener: a port of its own, where devices with a certificate listen, and nothing else is to be had. It is
//! apart from the other routes because a stream that waits for months is to cost next to nothing.
//!
//! [`feed`] is what is pushed and who listens; [`session`] is TLS without a socket; [`head`] reads the one request;
//! [`connection`] is a device's connection; this file accepts them.

mod connection;
pub(crate) mod feed;
mod head;
mod session;
#[cfg(test)]
mod session_tests;

use std::{collections::VecDeque, io, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use forewarn_proto::push::default_spread;
use rustix::net::sockopt;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch},
    time::Instant,
};

pub use feed::Feed;

/// The most handshakes at once. They cost processor time, and memory that a parked connection does not need.
const MAX_HANDSHAKES: usize = 256;
/// How long a handshake may take when others wait for its place. A device needs a fraction of it.
const TURN: Duration = Duration::from_secs(2);
/// How many connections may wait in the system's queue; the system's own limit is about the same.
const BACKLOG: u32 = 4096;
/// A device that is silent for so long is asked by the system for a sign of life, and again at these intervals, so often.
const KEEP_ALIVE: (Duration, Duration, u32) = (Duration::from_secs(120), Duration::from_secs(30), 4);
/// After so many milliseconds without a sign that sent bytes arrived, the system gives a connection up.
const UNHEARD_MS: u32 = 120_000;

/// Who may listen.
pub(crate) trait Register: Send + Sync + 'static {
    /// Whether a device of this name is enrolled now.
    fn is_device(&self, name: &str) -> impl Future<Output = Result<bool>> + Send;
}

/// What all connections share.
pub(crate) struct Post<R> {
    pub(crate) tls: Arc<ServerConfig>,
    pub(crate) feed: Feed,
    pub(crate) register: R,
    /// Over how long devices are to come back; None lets it grow with their number.
    pub(crate) spread: Option<Duration>,
}

impl<R> Post<R> {
    fn spread(&self) -> Duration {
        self.spread.unwrap_or_else(|| default_spread(self.feed.connected()))
    }
}

/// Listens on `address`. What is set on the socket holds for every connection that it takes.
pub(crate) fn bind(address: SocketAddr) -> Result<TcpListener> {
    let bound = || -> io::Result<TcpListener> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.set_keepalive(true)?;
        socket.set_nodelay(true)?;
        sockopt::set_tcp_keepidle(&socket, KEEP_ALIVE.0)?;
        sockopt::set_tcp_keepintvl(&socket, KEEP_ALIVE.1)?;
        sockopt::set_tcp_keepcnt(&socket, KEEP_ALIVE.2)?;
        sockopt::set_tcp_user_timeout(&socket, UNHEARD_MS)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bound().with_context(|| format!("cannot listen for devices on {address}; set another `listen` in [stream]"))
}

/// Accepts until `stop` says true, then ends every stream in good order. At most `max_connections` are open; others wait in
/// the system's queue.
pub(crate) async fn serve<R: Register>(
    listener: TcpListener,
    post: Arc<Post<R>>,
    max_connections: usize,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(max_connections));
    let mut door = Door::new();
    let accept = async {
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let socket = accept(&listener).await;
            door.let_in(socket, &post, place).await;
        }
    };
    tokio::select! {
        () = accept => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    // First, so that a device that is back at once is refused, and not forgotten in a queue.
    drop(listener);
    post.feed.close();
    let _ = places.acquire_many(u32::try_from(max_connections).unwrap_or(u32::MAX)).await;
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => return socket,
            Err(error) => {
                tracing::debug!("no connection: {error}");
                // Out of file descriptors, most likely: give others time to close theirs.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// The handshakes that are under way, the oldest first. Dropping a sender ends its handshake.
struct Door {
    handshakes: Arc<Semaphore>,
    under_way: VecDeque<(Instant, oneshot::Sender<()>)>,
}

impl Door {
    fn new() -> Self {
        Self { handshakes: Arc::new(Semaphore::new(MAX_HANDSHAKES)), under_way: VecDeque::new() }
    }

    async fn let_in<R: Register>(&mut self, socket: TcpStream, post: &Arc<Post<R>>, place: OwnedSemaphorePermit) {
        let handshake = self.turn().await;
        let (sender, turn) = oneshot::channel();
        self.under_way.push_back((Instant::now(), sender));
        let post = post.clone();
        tokio::spawn(async move {
            connection::attend(socket, post, turn, handshake).await;
            drop(place);
        });
    }

    /// Waits for a place. Where all are taken, those who have had their turn go, so that any number of clients who say
    /// nothing holds a device up for no longer than a turn or two.
    async fn turn(&mut self) -> Option<OwnedSemaphorePermit> {
        loop {
            if self.under_way.len() > 2 * MAX_HANDSHAKES {
                self.under_way.retain(|(_, handshake)| !handshake.is_closed());
            }
            while self.under_way.front().is_some_and(|(_, handshake)| handshake.is_closed()) {
                self.under_way.pop_front();
            }
            let free = self.handshakes.clone().acquire_owned();
            let Some((begun, _)) = self.under_way.front() else { return free.await.ok() };
            match tokio::time::timeout_at(*begun + TURN, free).await {
                Ok(place) => return place.ok(),
                Err(_) => drop(self.under_way.pop_front()),
            }
        }
    }
}
