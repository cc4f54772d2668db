//! The least that a server of streams can do: one thread, blocking sockets, no timeouts, no limits. It has the server's own
//! TLS without a socket, because nothing less speaks TLS 1.3 with device certificates.

#[path = "../../src/push/session.rs"]
#[expect(dead_code, reason = "the floor never closes in good order")]
mod session;

use std::{
    io::{BufRead, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Result, ensure};
use clap::Args;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};

use self::session::{Session, Standing};
use super::wire;

#[derive(Args)]
pub(crate) struct Options {
    folder: PathBuf,
    port: u16,
}

type Connections = Arc<Mutex<Vec<(TcpStream, Session)>>>;

/// Commands: `push N`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", options.port))?;
    let (tls, connections) = (tls(&options.folder)?, Connections::default());
    let taken = connections.clone();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            if let Ok(connection) = greet(socket, tls.clone()) {
                taken.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            }
        }
    });
    anstream::println!("listening");
    for line in std::io::stdin().lock().lines() {
        if let Some(round) = line?.strip_prefix("push ") {
            let event = format!("event: bundle\nid: 0\ndata: {}\n\n", wire::payload(round.parse()?)).into_bytes();
            let mut connections = connections.lock().unwrap_or_else(PoisonError::into_inner);
            connections.retain_mut(|(socket, session)| {
                let mut outgoing = Vec::new();
                session.write(&event, &mut outgoing).is_ok() && socket.write_all(&outgoing).is_ok()
            });
        }
    }
    Ok(())
}

fn greet(mut socket: TcpStream, tls: Arc<ServerConfig>) -> Result<(TcpStream, Session)> {
    socket.set_nodelay(true)?;
    let mut session = Session::new(tls)?;
    let (mut outgoing, mut heard, mut chunk) = (Vec::new(), Vec::new(), [0; 2048]);
    while !heard.ends_with(b"\r\n\r\n") {
        let length = socket.read(&mut chunk)?;
        ensure!(length > 0, "gone");
        session.incoming().extend(chunk.iter().take(length));
        ensure!(session.read(&mut outgoing, &mut heard)? != Standing::Closed, "closed");
        socket.write_all(&outgoing)?;
        outgoing.clear();
    }
    ensure!(session.peer().is_some(), "nobody");
    let answer = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nid: 0\ndata: \n\n";
    session.write(answer, &mut outgoing)?;
    socket.write_all(&outgoing)?;
    Ok((socket, session))
}

fn tls(folder: &Path) -> Result<Arc<ServerConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&fs_err::read(folder.join("server/ca.pem"))?)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build()?;
    let chain = vec![CertificateDer::from_pem_slice(&fs_err::read(folder.join("peer.pem"))?)?];
    let key = PrivateKeyDer::from_pem_slice(&fs_err::read(folder.join("peer.key"))?)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Arc::new(config))
}
