//! The company's server: it enrolls devices, takes what admins sign, pushes it, and hears what devices report.
//!
//! It holds no admin's key. It can withhold news from devices, and that is all the harm it can do.

pub mod config;
mod count;
mod feed;
mod http;
mod in_force;
mod listener;
mod own;
mod refresh;
mod store;

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use forewarn_clock::Clock;
use forewarn_proto::policy::Group;
use tokio::sync::Mutex;

pub use crate::{config::Config, feed::Feed};
use crate::{
    in_force::InForce,
    own::Own,
    store::{Change, ReportWriter, Store},
};

/// Everything that requests share.
pub(crate) struct Server {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) own: Own,
    /// What is in force; locked while it changes, so that two drafts can't be published at once.
    pub(crate) in_force: Mutex<InForce>,
    pub(crate) reports: ReportWriter,
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
    let store = Store::open(&config).await?;
    let own = Own::load(&store, &config).await?;
    let clock = Clock::new(config.simulated_clock.as_deref());
    let in_force = InForce::load(&store).await?;
    let feed = Feed::new(in_force.repository.bundle());
    let listener = tokio::net::TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}; is another server running there?", config.listen))?;
    let address = listener.local_addr()?;
    let acceptor = listener::acceptor(&own)?;
    let (gate_key, in_force) = (config.read_gate_key()?, Mutex::new(in_force));
    let (reports, writing) = ReportWriter::new(store.clone());
    let server = Arc::new(Server { config, clock, store, own, in_force, reports, feed: feed.clone(), gate_key });
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(writing);
    tasks.spawn(follow_others(server.clone()));
    tasks.spawn(listener::serve(listener, acceptor, http::router(server.clone())));
    tasks.spawn(refresh::keep_fresh(server));
    Ok(Running { address, feed, tasks })
}

/// Follows what other server processes on the same database change.
async fn follow_others(server: Arc<Server>) {
    let (sender, mut changes) = tokio::sync::mpsc::channel(64);
    let store = server.store.clone();
    let listening = tokio::spawn(async move { store.follow(sender).await });
    while let Some(change) = changes.recv().await {
        let done = match &change {
            Change::Bundle => server.reload().await,
            Change::Device(_) => Ok(()),
        };
        if let Err(error) = done {
            tracing::error!("a change of another server could not be followed: {error:#}");
        }
    }
    listening.abort();
}

/// Makes a one-time enrolment token: the text that `forewarn enroll --token` takes.
///
/// # Errors
/// When the state can't be opened.
pub async fn new_token(config: &Config, groups: &BTreeSet<Group>) -> Result<String> {
    let store = Store::open(config).await?;
    Own::load(&store, config).await?.new_token(&store, config, groups).await
}

/// What a start has to say: the code with which admins found the repository, until they have; and at the first start an
/// enrolment token.
///
/// # Errors
/// When the state can't be opened.
pub async fn greeting(config: &Config) -> Result<Vec<String>> {
    let store = Store::open(config).await?;
    let own = Own::load(&store, config).await?;
    let mut lines = Vec::new();
    if !InForce::load(&store).await?.repository.is_founded() {
        lines.push(format!("CA certificate:  {}", config.state.join("ca.pem").display()));
        lines.push(format!("founding code:   {}", own.founding_code));
    }
    if store.has_no_token().await? {
        lines.push(format!("enrolment token: {}", own.new_token(&store, config, &BTreeSet::new()).await?));
    }
    Ok(lines)
}
