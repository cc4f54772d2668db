//! The devices: each sends a report as soon as its last one was answered.

use std::{
    cell::Cell,
    path::PathBuf,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use clap::Args;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::LocalSet,
};
use tokio_rustls::TlsConnector;

use super::{child::commands, devices, server::PORT};

/// How long they report.
const FOR: Duration = Duration::from_secs(3);

#[derive(Args)]
pub(crate) struct Options {
    folder: PathBuf,
}

/// Connects all, and at a word has all report for three seconds. Prints how many reports were answered, in how long.
pub(crate) fn run(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        commands().recv().await;
        let answered = Rc::new(Cell::new(0_u64));
        let mut connected = Vec::new();
        for client in devices::clients(&options.folder)? {
            connected.push(connect(client).await?);
        }
        let started = Instant::now();
        let tasks = connected
            .into_iter()
            .enumerate()
            .map(|(number, stream)| tokio::task::spawn_local(report(number, stream, started + FOR, answered.clone())));
        for task in tasks.collect::<Vec<_>>() {
            task.await??;
        }
        anstream::println!("done {} {}", answered.get(), started.elapsed().as_secs_f64());
        Ok(())
    })
}

type Stream = tokio_rustls::client::TlsStream<TcpStream>;

async fn connect(client: Arc<ClientConfig>) -> Result<Stream> {
    let socket = TcpStream::connect(("127.0.0.1", PORT)).await?;
    socket.set_nodelay(true)?;
    Ok(TlsConnector::from(client).connect(ServerName::try_from("127.0.0.1")?, socket).await?)
}

async fn report(number: usize, mut stream: Stream, until: Instant, answered: Rc<Cell<u64>>) -> Result<()> {
    let mut heard = Vec::with_capacity(1024);
    for sequence in 1_u64.. {
        if Instant::now() >= until {
            break;
        }
        let body = body(number, sequence);
        let head = format!(
            "POST /v1/report HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await?;
        heard.clear();
        while !heard.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut heard).await? == 0 {
                bail!("the server closed");
            }
        }
        ensure!(heard.starts_with(b"HTTP/1.1 204"), "{}", String::from_utf8_lossy(&heard));
        answered.set(answered.get() + 1);
    }
    Ok(())
}

/// What a device with one policy in force says.
fn body(number: usize, sequence: u64) -> String {
    format!(
        r#"{{"sequence":{sequence},"made_at":"2026-12-01T09:00:00Z","agent":"0.1.0","platform":"linux","bundle":{number},"refused":null,"policies":[{{"policy":"no-tiktok","version":1,"preview":false,"reached":true,"rules":[{{"rule":"tiktok","finding":"not_met","doubts":[],"spared_until":null,"people":[{{"person":1000,"stage":"warned","receipt":"shown","shown":"2026-12-01T09:00:00Z","shown_on":"desktop","obstacle":null,"acknowledged":null,"deadline":"2026-12-03T09:00:00Z","holds":[]}}],"foretold":null}}]}}],"profiles":[],"unattended":[],"corrections":[]}}"#
    )
}
