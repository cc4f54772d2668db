//! The company's server: it enrolls devices, takes what admins sign, pushes it, and hears what devices report.
//!
//! It holds no admin's key. It can withhold news from devices, and that is all the harm it can do.

pub mod config;
mod feed;
mod http;
mod listener;
mod own;
mod refresh;
mod store;

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use forewarn_clock::Clock;
use tokio::sync::Mutex;

use forewarn_trust::Repository;

pub use crate::{config::Config, feed::Feed};
use crate::{own::Own, store::Store};

/// Everything that requests share.
pub(crate) struct Server {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) own: Own,
    /// What is in force; locked while it changes, so that two drafts can't be published at once.
    pub(crate) repository: Mutex<Repository>,
    pub(crate) feed: Feed,
    /// What the company's mail server shows.
    pub(crate) gate_key: Option<String>,
}

/// A server that listens and answers until it is dropped.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it pushes.
    pub feed: Feed,
    tasks: tokio::task::JoinSet<()>,
}

impl Running {
    /// Waits for ever; the server ends with its process.
    pub async fn wait(mut self) {
        while self.tasks.join_next().await.is_some() {}
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
    let feed = Feed::new(repository.bundle());
    let listener = tokio::net::TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}; is another server running there?", config.listen))?;
    let address = listener.local_addr()?;
    let acceptor = listener::acceptor(&own)?;
    let (gate_key, repository) = (config.read_gate_key()?, Mutex::new(repository));
    let server = Arc::new(Server { config, clock, store, own, repository, feed: feed.clone(), gate_key });
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(listener::serve(listener, acceptor, http::router(server.clone())));
    tasks.spawn(refresh::keep_fresh(server));
    Ok(Running { address, feed, tasks })
}

/// Makes a one-time enrolment token: the text that `forewarn enroll --token` takes.
///
/// # Errors
/// When the state can't be opened.
pub async fn new_token(config: &Config) -> Result<String> {
    let store = Store::open(&config.state).await?;
    Own::load(&store, config).await?.new_token(&store, config).await
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
