//! The company's server: it enrolls devices, takes what admins sign, pushes it, and hears what devices report.
//!
//! It holds no admin's key. It can withhold news from devices, and that is all the harm it can do.

pub mod config;
mod files;
mod http;
mod listener;
mod own;
mod push;
mod refresh;
mod store;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use forewarn_clock::Clock;
use tokio::sync::{Mutex, watch};

use forewarn_trust::Repository;
use tokio_rustls::TlsAcceptor;

pub use crate::{config::Config, push::Feed};
use crate::{
    listener::Clients,
    own::Own,
    push::{Post, Register},
    store::Store,
};

/// How long the end of the streams may take when the server stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// Everything that requests share.
pub(crate) struct Server {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) own: Own,
    /// What is in force; locked while it changes, so that two drafts can't be published at once.
    pub(crate) repository: Mutex<Repository>,
    pub(crate) feed: Feed,
    /// Where devices listen, such as `https://forewarn.corp.example:7441/v1/stream`.
    pub(crate) stream_url: String,
    /// What the company's mail server shows.
    pub(crate) gate_key: Option<String>,
}

/// A server that listens and answers until it is dropped.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where devices listen for what it pushes.
    pub stream: SocketAddr,
    /// What it pushes.
    pub feed: Feed,
    stop: watch::Sender<bool>,
    tasks: tokio::task::JoinSet<()>,
}

impl Running {
    /// Waits for ever; the server ends with its process.
    pub async fn wait(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    /// Ends every stream in good order. What a device does not read in [`FAREWELL`] it does not get.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let _ = tokio::time::timeout(FAREWELL, self.tasks.join_next()).await;
    }
}

/// Starts a server.
///
/// # Errors
/// When the state can't be opened or the address not be listened on.
pub async fn start(config: Config) -> Result<Running> {
    let store = Store::open(&config.state).await?;
    let own = Own::load(&store, &config).await?;
    let clock = Clock::new(config.simulated_clock.as_deref());
    let repository = Repository::new(store.bundle().await?);
    let feed = Feed::new(repository.bundle(), &clock);
    let listener = tokio::net::TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}; is another server running there?", config.listen))?;
    let address = listener.local_addr()?;
    let devices = push::bind(config.stream_listen())?;
    let stream = devices.local_addr()?;
    let stream_url = config.stream_url(stream.port())?;
    let acceptor = TlsAcceptor::from(Arc::new(listener::tls(&own, Clients::Anyone, &clock)?));
    let tls = Arc::new(listener::tls(&own, Clients::Devices, &clock)?);
    let max_connections = files::room_for(config.stream.max_connections);
    let spread = config.stream.spread.map(|length| length.0.unsigned_abs());
    let (gate_key, repository) = (config.read_gate_key()?, Mutex::new(repository));
    let server = Arc::new(Server { config, clock, store, own, repository, feed: feed.clone(), stream_url, gate_key });
    let post = Arc::new(Post { tls, feed: feed.clone(), register: server.clone(), spread });
    let (stop, stopped) = watch::channel(false);
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(push::serve(devices, post, max_connections, stopped));
    tasks.spawn(listener::serve(listener, acceptor, http::router(server.clone())));
    tasks.spawn(refresh::keep_fresh(server));
    Ok(Running { address, stream, feed, stop, tasks })
}

impl Register for Arc<Server> {
    async fn is_device(&self, name: &str) -> Result<bool> {
        self.store.is_device(name).await
    }
}

/// Makes a one-time enrolment token: the text that `forewarn enroll --token` takes.
///
/// # Errors
/// When the state can't be opened.
pub async fn new_token(config: &Config) -> Result<String> {
    let store = Store::open(&config.state).await?;
    Own::load(&store, config).await?.new_token(&store, config).await
}

/// Makes many tokens, for many devices.
///
/// # Errors
/// When the state can't be opened.
pub async fn new_tokens(config: &Config, count: usize) -> Result<Vec<String>> {
    let store = Store::open(&config.state).await?;
    let own = Own::load(&store, config).await?;
    let mut tokens = Vec::with_capacity(count);
    for _ in 0..count {
        tokens.push(own.new_token(&store, config).await?);
    }
    Ok(tokens)
}

/// What a start has to say: the code with which admins found the repository, until they have; and at the first start an
/// enrolment token.
///
/// # Errors
/// When the state can't be opened.
pub async fn greeting(config: &Config) -> Result<Vec<String>> {
    let store = Store::open(&config.state).await?;
    let own = Own::load(&store, config).await?;
    let mut lines = Vec::new();
    if !Repository::new(store.bundle().await?).is_founded() {
        lines.push(format!("CA certificate:  {}", config.state.join("ca.pem").display()));
        lines.push(format!("founding code:   {}", own.founding_code));
    }
    if store.has_no_token().await? {
        lines.push(format!("enrolment token: {}", own.new_token(&store, config).await?));
    }
    Ok(lines)
}
