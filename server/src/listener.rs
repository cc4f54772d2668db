//! TLS 1.3 in, requests out. A client certificate is optional here; each route says whom it answers.

use std::{net::IpAddr, pin::pin, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use axum::{Extension, Router};
use forewarn_host::Clock;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject},
    server::{NoServerSessionStorage, WebPkiClientVerifier},
    time_provider::TimeProvider,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{
    authority::Own,
    door::{Door, Place},
};

/// The most connections at once. Beyond that, new ones wait in the system's queue. Few, because nobody stays: devices
/// listen elsewhere.
pub(crate) const MAX_CONNECTIONS: usize = 900;
/// While more connections than this are open, each is closed after its first answer.
const BUSY_CONNECTIONS: usize = 300;
/// How long a client may take for its handshake, and for a request's head, the next one's included. Stops those who open
/// and say nothing, and those who have nothing more to say.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection may be asked for things. Then it answers what it has been asked, and closes.
const LIFETIME: Duration = Duration::from_secs(60);
/// How long its last answer may take to be read. Stops those who ask for much and never read.
const LAST_ANSWER: Duration = Duration::from_secs(30);

/// Who is at the other end, by the name in a certificate that our CA signed.
#[derive(Debug, Clone)]
pub(crate) struct Peer(pub(crate) Option<String>);

/// From where it comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct From(pub(crate) IpAddr);

/// The clock by which certificates expire: ours, which tests can move.
#[derive(Debug)]
struct ClockTime(Clock);

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.wall().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// Whether a client has to have a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clients {
    /// Each route says whom it answers.
    Anyone,
    /// Whoever has none of our CA is not spoken with.
    Devices,
}

/// TLS 1.3 with our certificate, and client certificates of our CA alone.
pub(crate) fn tls(own: &Own, clients: Clients, clock: &Clock) -> Result<ServerConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(own.ca_certificate.as_bytes())?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let verifier = match clients {
        Clients::Anyone => verifier.allow_unauthenticated().build()?,
        Clients::Devices => verifier.build()?,
    };
    let chain = vec![CertificateDer::from_pem_slice(own.certificate.as_bytes())?];
    let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes())?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .context("the server's certificate can't be used")?;
    config.time_provider = Arc::new(ClockTime(clock.clone()));
    if clients == Clients::Devices {
        // A stream opens once in days: a ticket would save next to nothing, and cost memory.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
    }
    Ok(config)
}

/// Accepts until it is stopped, and then waits for what was asked to be answered.
pub(crate) async fn serve(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let mut door = Door::new(MAX_CONNECTIONS);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &mut door) => accepted,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        let Some((stream, place)) = accepted else { continue };
        let stopped = stopped.clone();
        let (acceptor, router) = (acceptor.clone(), router.clone());
        let may_stay = !door.is_busy(BUSY_CONNECTIONS);
        tokio::spawn(async move {
            if let Err(error) = serve_one(stream, place, acceptor, router, may_stay, stopped).await {
                tracing::debug!("a connection ended: {error:#}");
            }
        });
    }
    drop(listener);
    door.close().await;
}

/// The next connection, and a place for it.
async fn accept(listener: &TcpListener, door: &mut Door) -> Option<(TcpStream, Place)> {
    match listener.accept().await {
        Ok((stream, address)) => Some((stream, door.let_in(address.ip()).await?)),
        Err(_) => {
            // Out of file descriptors, most likely: give others time to close theirs.
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

async fn serve_one(
    stream: TcpStream,
    mut place: Place,
    acceptor: TlsAcceptor,
    router: Router,
    may_stay: bool,
    mut stopped: watch::Receiver<bool>,
) -> Result<()> {
    stream.set_nodelay(true)?;
    let address = stream.peer_addr()?.ip();
    let stream = shake_hands(stream, &mut place, &acceptor).await?;
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let peer = Peer(certificate.map(common_name).transpose()?);
    let from = From(address);
    let service = TowerToHyperService::new(router.layer(Extension(peer)).layer(Extension(from)));
    let mut connection = pin!(
        hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .keep_alive(may_stay)
            .header_read_timeout(PATIENCE)
            .serve_connection(TokioIo::new(stream), service)
    );
    tokio::select! {
        done = &mut connection => return Ok(done?),
        // Others need the place, and this one has had its turn.
        _ = &mut place.turn => return Ok(()),
        () = tokio::time::sleep(LIFETIME) => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    connection.as_mut().graceful_shutdown();
    Ok(tokio::time::timeout(LAST_ANSWER, connection).await??)
}

async fn shake_hands(socket: TcpStream, place: &mut Place, acceptor: &TlsAcceptor) -> Result<TlsStream<TcpStream>> {
    tokio::time::timeout(PATIENCE, place.hear(&socket)).await??;
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(PATIENCE, acceptor.accept(socket)) => shaken,
        _ = &mut place.turn => bail!("a handshake took long, while others waited"),
    };
    shaken.map_err(anyhow::Error::from).and_then(|shaken| Ok(shaken?)).inspect_err(|_| place.failed())
}

/// The common name of a certificate that was verified in the handshake.
pub(crate) fn common_name(certificate: &CertificateDer<'_>) -> Result<String> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate)?;
    let name = certificate.subject().iter_common_name().next().context("the certificate names nobody")?;
    Ok(name.as_str()?.to_owned())
}
