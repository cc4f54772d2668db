//! What whoever runs the server looks at: whether it lives, whether it can work, and its numbers. On a listener of its own,
//! without TLS, which belongs on the loopback address or a closed network.

mod numbers;

use std::sync::Arc;

use anyhow::{Context, Result};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use jiff::SignedDuration;
use tokio::{net::TcpListener, sync::watch};

pub(crate) use numbers::{Numbers, Refusal};

use crate::Server;

/// The media type of the numbers: OpenMetrics 1.0, section 3.1 of its specification.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Listens, where the configuration says so.
pub(crate) async fn bind(server: &Server) -> Result<Option<TcpListener>> {
    let Some(address) = server.config.operations else { return Ok(None) };
    let listener = TcpListener::bind(address).await;
    listener.map(Some).with_context(|| format!("operations: cannot listen on {address}; is it taken?"))
}

/// How old the fleet's numbers may be. All reports are read for them.
const COUNT_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// Counts the fleet anew, where that was long ago. A database that fails is what `/readyz` is for.
async fn count_fleet(server: &Server) {
    let now = server.clock.read().boot;
    let mut counted = server.fleet_counted.lock().await;
    if counted.is_some_and(|last| now - last < COUNT_EVERY) {
        return;
    }
    match server.fleet_status().await {
        Ok(fleet) => server.numbers.set_fleet(&fleet),
        Err(error) => tracing::warn!("the fleet can't be counted: {error:#}"),
    }
    *counted = Some(now);
}

/// Answers until the server stops.
pub(crate) async fn serve(listener: TcpListener, server: Arc<Server>, mut stopped: watch::Receiver<bool>) {
    let router = Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(server);
    let until = async move { drop(stopped.wait_for(|stopped| *stopped).await) };
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(until).await {
        tracing::error!("operations: {error}");
    }
}

/// Whether requests can be answered: the database is there, and the word that the bundle is current is good.
async fn ready(State(server): State<Arc<Server>>) -> (StatusCode, &'static str) {
    if !server.store.is_there().await {
        return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n");
    }
    let expires = server.in_force.lock().await.repository.timestamp_expires();
    if expires.is_some_and(|expires| expires <= server.clock.wall()) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the timestamp has expired; devices hold revocation\n");
    }
    (StatusCode::OK, "ready\n")
}

async fn metrics(State(server): State<Arc<Server>>) -> impl IntoResponse {
    server.numbers.set_connected(server.feed.connected());
    let expires = server.in_force.lock().await.repository.timestamp_expires();
    let left = expires.map_or(0, |expires| expires.duration_since(server.clock.wall()).as_secs());
    server.numbers.set_timestamp_left(left);
    count_fleet(&server).await;
    match server.numbers.text() {
        Ok(text) => (StatusCode::OK, [(CONTENT_TYPE, OPEN_METRICS)], text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, [(CONTENT_TYPE, "text/plain")], error.to_string()),
    }
}
