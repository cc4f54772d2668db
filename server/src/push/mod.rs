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

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use forewarn_proto::push::{MISSED_SIGNS, default_spread};
use rustix::net::sockopt;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Semaphore, watch},
};

pub use feed::Feed;

use crate::door::Door;

/// The most handshakes at once. They cost processor time, and memory that a parked connection does not need.
const MAX_HANDSHAKES: usize = 256;
/// How many connections may wait in the system's queue; the system's own limit is about the same.
const BACKLOG: u32 = 4096;

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
    /// How often each device gets a sign of life.
    pub(crate) sign_of_life: Duration,
}

impl<R> Post<R> {
    fn spread(&self) -> Duration {
        self.spread.unwrap_or_else(|| default_spread(self.feed.connected()))
    }
}

/// Listens on `address`. What is set on the socket holds for every connection that it takes.
///
/// The system asks a silent device for nothing: the signs of life do, and a connection on which they are not acknowledged is given
/// up when the device has given it up too.
pub(crate) fn bind(address: SocketAddr, sign_of_life: Duration) -> Result<TcpListener> {
    let bound = || -> io::Result<TcpListener> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.set_nodelay(true)?;
        let unheard = (sign_of_life * MISSED_SIGNS).as_millis();
        sockopt::set_tcp_user_timeout(&socket, u32::try_from(unheard).unwrap_or(u32::MAX))?;
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
    let mut door = Door::new(MAX_HANDSHAKES);
    let accept = async {
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let (socket, address) = accept(&listener).await;
            let Some(greeting) = door.let_in(address.ip()).await else { return };
            let post = post.clone();
            tokio::spawn(async move {
                connection::attend(socket, post, greeting).await;
                drop(place);
            });
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

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::debug!("no connection: {error}");
                // Out of file descriptors, most likely: give others time to close theirs.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
