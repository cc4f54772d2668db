//! Our server, or the same route without a database, as a process of its own.

use std::{path::PathBuf, sync::Arc};

use anyhow::Result;
use axum::{Json, Router, http::StatusCode, routing::post};
use clap::Args;
use forewarn_proto::report::Report;
use forewarn_server::{Config, start};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::child::commands;

/// Where both listen.
pub(crate) const PORT: u16 = 17_540;

/// The certificate and key of the route without a database.
pub(crate) const BARE_CERTIFICATE: &str = "bare.pem";
/// See [`BARE_CERTIFICATE`].
pub(crate) const BARE_KEY: &str = "bare.key";

#[derive(Args)]
pub(crate) struct Options {
    folder: PathBuf,
    #[arg(long)]
    store: Option<String>,
    #[arg(long)]
    bare: bool,
}

pub(crate) fn config(folder: &std::path::Path, store: Option<&str>) -> Config {
    Config {
        state: folder.join("server"),
        store: store.map(str::to_owned),
        listen: ([127, 0, 0, 1], PORT).into(),
        url: format!("https://127.0.0.1:{PORT}"),
        ..Config::default()
    }
}

/// Runs until it is told to stop.
pub(crate) fn run(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        if options.bare {
            let listener = TcpListener::bind(("127.0.0.1", PORT)).await?;
            tokio::spawn(bare(listener, acceptor(&options.folder)?));
            anstream::println!("listening");
            commands().recv().await;
            return Ok(());
        }
        let running = start(config(&options.folder, options.store.as_deref())).await?;
        anstream::println!("listening");
        commands().recv().await;
        running.stop().await;
        Ok(())
    })
}

/// The least that the route is: TLS with device certificates, HTTP, a report that is read.
async fn bare(listener: TcpListener, acceptor: TlsAcceptor) {
    let router: Router = Router::new().route("/v1/report", post(async |Json(_): Json<Report>| StatusCode::NO_CONTENT));
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, router) = (acceptor.clone(), router.clone());
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = TowerToHyperService::new(router);
            let mut http = hyper::server::conn::http1::Builder::new();
            let _ = http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn acceptor(folder: &std::path::Path) -> Result<TlsAcceptor> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("server/ca.pem"))?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build()?;
    let chain = vec![CertificateDer::from_pem_file(folder.join(BARE_CERTIFICATE))?];
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(folder.join(BARE_KEY))?)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
