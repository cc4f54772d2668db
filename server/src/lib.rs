//! The company's server: it enrolls devices, takes what admins sign, pushes it, and hears what devices report.
//!
//! It holds no admin's key. It can withhold news from devices, and that is all the harm it can do.

#![warn(clippy::print_stdout, clippy::print_stderr, reason = "what is said goes through forewarn-terminal")]

mod alerts;
mod authority;
mod cohorts;
pub mod config;
mod count;
mod door;
mod enrolled;
mod fd_limit;
mod http;
mod in_force;
mod listener;
mod online_keys;
mod operations;
mod push;
mod refresh;
mod sign_in;
mod store;

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use forewarn_host::Clock;
use forewarn_proto::policy::Group;
use jiff::SignedDuration;
use tokio::sync::{Mutex, watch};
use tokio_rustls::TlsAcceptor;

use crate::{
    alerts::Teller,
    authority::Own,
    enrolled::Known,
    in_force::InForce,
    listener::Clients,
    operations::Numbers,
    push::Post,
    sign_in::SignIn,
    store::{Change, ReportWriter, Store},
};
pub use crate::{config::Config, http::openapi, online_keys::fingerprints as online_keys, push::Feed};

/// How long the end of streams and requests may take when the server stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// Everything that requests share.
pub(crate) struct Server {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) own: Own,
    /// What is in force, as this process knows. Which of two changes at once is first, the database says.
    pub(crate) in_force: Mutex<InForce>,
    pub(crate) reports: ReportWriter,
    pub(crate) feed: Feed,
    pub(crate) known: Arc<Known>,
    /// Where devices listen, such as `https://forewarn.corp.example:7441/v1/stream`.
    pub(crate) stream_url: String,
    /// What the company's mail server shows.
    pub(crate) gate_key: Option<String>,
    pub(crate) numbers: Numbers,
    /// When the fleet was counted last for the numbers, by the boot clock.
    pub(crate) fleet_counted: Mutex<Option<SignedDuration>>,
    pub(crate) teller: Teller,
    /// How often who may ask to enroll.
    pub(crate) patience: http::Patience,
    pub(crate) paces: http::Paces,
    /// Where people without an admin's key sign in.
    pub(crate) sign_in: Option<SignIn>,
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
    /// What ends in good order when the server stops.
    ending: tokio::task::JoinSet<()>,
    /// What may end at any moment.
    _tasks: tokio::task::JoinSet<()>,
}

impl Running {
    /// Waits for ever; the server ends with its process.
    pub async fn wait(mut self) {
        while self.ending.join_next().await.is_some() {}
    }

    /// Takes nothing new, answers what it has taken, and ends every stream, all in good order. What is not read in five
    /// seconds is lost to its reader, who comes again.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let _ = tokio::time::timeout(FAREWELL, async { while self.ending.join_next().await.is_some() {} }).await;
    }
}

/// Starts a server.
///
/// # Errors
/// When the state can't be opened or the address not be listened on.
pub async fn start(config: Config) -> Result<Running> {
    config.check()?;
    let store = Store::open(&config).await?;
    let own = Own::load(&store, &config).await?;
    let clock = Clock::new(config.simulated_clock.as_deref());
    let in_force = InForce::load(&store).await?;
    let feed = Feed::new(in_force.repository.bundle(), &clock);
    let listener = tokio::net::TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}; is another server running there?", config.listen))?;
    let address = listener.local_addr()?;
    let devices = push::bind(config.stream_listen(), config.stream.sign_of_life.0.unsigned_abs())?;
    let stream = devices.local_addr()?;
    let stream_url = config.stream_url(stream.port())?;
    let acceptor = TlsAcceptor::from(Arc::new(listener::tls(&own, Clients::Anyone, &clock)?));
    let tls = Arc::new(listener::tls(&own, Clients::Devices, &clock)?);
    let max_connections = fd_limit::room_for(config.stream.max_connections);
    let sign_of_life = config.stream.sign_of_life.0.unsigned_abs();
    let spread = config.stream.spread.map(|length| length.0.unsigned_abs());
    let (gate_key, in_force) = (config.read_gate_key()?, Mutex::new(in_force));
    let (reports, writing) = ReportWriter::new(store.clone());
    let known = Arc::new(Known::load(store.clone()).await?);
    let (teller, told) = Teller::new();
    let patience = http::Patience::new(config.enrolments_per_second);
    let sign_in = config.sign_in.clone().map(SignIn::new).transpose()?;
    let server = Arc::new(Server {
        config,
        clock,
        store,
        own,
        in_force,
        reports,
        feed: feed.clone(),
        known,
        stream_url,
        gate_key,
        numbers: Numbers::new(),
        fleet_counted: Mutex::default(),
        teller,
        patience,
        paces: http::Paces::new(),
        sign_in,
    });
    let operations = operations::bind(&server).await?;
    let post = Arc::new(Post { tls, feed: feed.clone(), register: server.known.clone(), spread, sign_of_life });
    let (stop, stopped) = watch::channel(false);
    let mut ending = tokio::task::JoinSet::new();
    ending.spawn(push::serve(devices, post, max_connections, stopped.clone()));
    ending.spawn(listener::serve(listener, acceptor, http::router(server.clone()), stopped.clone()));
    if let Some(operations) = operations {
        ending.spawn(operations::serve(operations, server.clone(), stopped));
    }
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(writing);
    tasks.spawn(alerts::deliver(server.clone(), told));
    tasks.spawn(follow_others(server.clone()));
    tasks.spawn(refresh::keep_fresh(server));
    Ok(Running { address, stream, feed, stop, ending, _tasks: tasks })
}

/// Follows what other server processes on the same database change.
async fn follow_others(server: Arc<Server>) {
    let (sender, mut changes) = tokio::sync::mpsc::channel(64);
    let store = server.store.clone();
    let listening = tokio::spawn(async move { store.follow(sender).await });
    while let Some(change) = changes.recv().await {
        let done = match &change {
            Change::Bundle => server.reload().await,
            Change::Device(name) => {
                server.known.drop_devices(&server.feed, std::slice::from_ref(name));
                Ok(())
            }
            Change::Anything => match server.reload().await {
                Ok(()) => server.known.reload(&server.feed).await,
                failed => failed,
            },
        };
        if let Err(error) = done {
            tracing::error!("a change of another server could not be followed: {error:#}");
        }
    }
    listening.abort();
}

/// Makes one-time enrolment tokens: the texts that `forewarn enroll --token` takes, each for one device in these groups.
///
/// # Errors
/// When the state can't be opened.
pub async fn new_tokens(config: &Config, groups: &BTreeSet<Group>, count: usize) -> Result<Vec<String>> {
    let store = Store::open(config).await?;
    let own = Own::load(&store, config).await?;
    let mut tokens = Vec::with_capacity(count);
    for _ in 0..count {
        tokens.push(own.new_token(&store, config, groups).await?);
    }
    Ok(tokens)
}

/// Copies the database into a new file, while a server may run on it.
///
/// # Errors
/// When it is PostgreSQL, or the file is there already, or can't be written.
pub async fn backup(config: &Config, file: &std::path::Path) -> Result<()> {
    Store::open(config).await?.copy_into(file).await
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
