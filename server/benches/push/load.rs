//! The devices: one thread that holds thousands of connections, from several addresses, because one has too few ports.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::{Args, ValueEnum};
use forewarn_proto::{
    api::{EnrollAnswer, EnrollRequest},
    push::{Retry, SPREAD_HEADER, WasUp},
};
use rcgen::{CertificateParams, KeyPair};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpSocket, TcpStream},
    sync::{Notify, Semaphore},
    task::{JoinSet, LocalSet},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    child::{commands, now},
    clients::{Clients, Device, name, roots},
    wire::{self, MARKER_BYTES, Protocol},
};

/// How many handshakes are under way at once, where all are to connect.
const AT_ONCE: usize = 100;
/// How many devices come from one address.
const PER_ADDRESS: usize = 2000;
/// A sign of life, which is no push.
const ALIVE: &[u8] = b":\n\n";
/// How long a push may take to reach all.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Args)]
pub(crate) struct Options {
    folder: PathBuf,
}

/// Everything that the devices tell.
#[derive(Default)]
struct Told {
    connected: Cell<usize>,
    errors: RefCell<BTreeMap<String, usize>>,
    /// The push that is waited for, and when each device had it.
    round: Cell<u64>,
    /// Whether the next event of any kind is waited for, and not one with the round's marker.
    any: Cell<bool>,
    arrived: RefCell<Vec<f64>>,
    /// When each device was connected again after it had lost its stream, and who still is not.
    back: RefCell<Vec<f64>>,
    lost: Cell<usize>,
    changed: Notify,
}

struct Fleet {
    folder: PathBuf,
    clients: Clients,
    devices: Vec<Device>,
    told: Rc<Told>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, attend(options.folder.clone()))
}

/// Commands: `enroll PORT`, `connect PROTOCOL PORT N`, `round K`, `next K`, `drop`, `follow PORT N`, `back`.
async fn attend(folder: PathBuf) -> Result<()> {
    let clients = Clients::new(roots(&folder)?)?;
    let devices = match fs_err::read(folder.join("devices.json")) {
        Ok(text) => serde_json::from_slice(&text)?,
        Err(_) => Vec::new(),
    };
    let fleet = Rc::new(Fleet { folder, clients, devices, told: Rc::default() });
    let (mut tasks, mut commands) = (JoinSet::new(), commands());
    while let Some(line) = commands.recv().await {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["enroll", port] => enroll(&fleet, port.parse()?).await?,
            ["connect", protocol, port, count] => {
                let protocol = Protocol::from_str(protocol, true).map_err(anyhow::Error::msg)?;
                connect(&fleet, protocol, port.parse()?, count.parse()?, &mut tasks).await;
            }
            ["round", round] => fleet.told.wait_for(round.parse()?).await?,
            ["next", round] => {
                fleet.told.any.set(true);
                fleet.told.wait_for(round.parse()?).await?;
                fleet.told.any.set(false);
            }
            ["follow", port, count] => follow(&fleet, port.parse()?, count.parse()?, &mut tasks).await?,
            ["back"] => fleet.told.wait_until_back().await,
            ["drop"] => {
                tasks.shutdown().await;
                fleet.told.connected.set(0);
                anstream::println!("dropped");
            }
            _ => bail!("what is `{line}`?"),
        }
    }
    Ok(())
}

impl Told {
    fn fail(&self, error: &anyhow::Error) {
        *self.errors.borrow_mut().entry(format!("{error:#}")).or_default() += 1;
    }

    fn print_errors(&self) -> usize {
        let errors = std::mem::take(&mut *self.errors.borrow_mut());
        errors.iter().for_each(|(error, count)| anstream::eprintln!("  {count} x {error}"));
        errors.values().sum()
    }

    /// Waits for a push that is about to come: how many got it, and when the middle, 99 of 100 and the last had it.
    async fn wait_for(&self, round: u64) -> Result<()> {
        self.round.set(round);
        self.arrived.borrow_mut().clear();
        anstream::println!("ready");
        let all = async {
            while self.arrived.borrow().len() < self.connected.get() {
                self.changed.notified().await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, all).await;
        let mut arrived = self.arrived.borrow().clone();
        arrived.sort_by(f64::total_cmp);
        let at =
            |share: f64| arrived.get(((arrived.len() as f64 * share) as usize).min(arrived.len().saturating_sub(1)));
        let [middle, most, last] = [0.5, 0.99, 1.0].map(|share| at(share).copied().unwrap_or(f64::NAN));
        anstream::println!("arrived {} {middle} {most} {last}", arrived.len());
        Ok(())
    }

    /// Waits until every device that lost its stream has another: when each had.
    async fn wait_until_back(&self) {
        let all = async {
            while self.back.borrow().len() < self.connected.get() || self.lost.get() > 0 {
                self.changed.notified().await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE * 3, all).await;
        let errors = self.print_errors();
        let times: Vec<String> = self.back.borrow().iter().map(f64::to_string).collect();
        anstream::println!("back {errors} {}", times.join(" "));
    }
}

/// Connects so many more, some at once, and says how many are, with how many errors.
async fn connect(fleet: &Rc<Fleet>, protocol: Protocol, port: u16, count: usize, tasks: &mut JoinSet<()>) {
    let (permits, done) = (Arc::new(Semaphore::new(AT_ONCE)), Rc::new(Cell::new(0)));
    let first = fleet.told.connected.get();
    for number in first..first + count {
        let Ok(permit) = permits.clone().acquire_owned().await else { return };
        let (fleet, done) = (fleet.clone(), done.clone());
        tasks.spawn_local(async move {
            let opened = tokio::time::timeout(PATIENCE, open(&fleet, protocol, port, number)).await;
            drop(permit);
            done.set(done.get() + 1);
            match opened.context("no answer in time").flatten() {
                Ok((mut stream, _)) => {
                    fleet.told.connected.set(fleet.told.connected.get() + 1);
                    fleet.told.changed.notify_one();
                    let _ = listen(&mut stream, &fleet.told).await;
                }
                Err(error) => fleet.told.fail(&error),
            }
            fleet.told.changed.notify_one();
        });
    }
    while done.get() < count {
        fleet.told.changed.notified().await;
    }
    let errors = fleet.told.print_errors();
    anstream::println!("connected {} {errors}", fleet.told.connected.get());
}

/// Opens a stream; gives it with what was heard of it.
async fn open(fleet: &Fleet, protocol: Protocol, port: u16, number: usize) -> Result<(TlsStream<TcpStream>, Vec<u8>)> {
    let socket = TcpSocket::new_v4()?;
    let address = Ipv4Addr::new(127, 0, 0, 2 + u8::try_from(number / PER_ADDRESS)?);
    socket.bind((IpAddr::from(address), 0).into())?;
    let mut socket = socket.connect(SocketAddr::from(([127, 0, 0, 1], port))).await?;
    socket.set_nodelay(true)?;
    if protocol.speaks_first() {
        while socket.read_u8().await? != b'\n' {}
    }
    let device = if protocol == Protocol::Sse { fleet.devices.get(number) } else { None };
    let connector = TlsConnector::from(fleet.clients.config(device)?);
    let mut stream = connector.connect(name()?, socket).await.context("TLS")?;
    stream.write_all(&protocol.hello(number)).await?;
    stream.flush().await?;
    let (mut heard, mut chunk) = (Vec::new(), [0; 1024]);
    while !protocol.is_ready(&heard) {
        let length = stream.read(&mut chunk).await.context("the answer")?;
        ensure!(length > 0, "closed after {:?}", String::from_utf8_lossy(&heard));
        heard.extend(chunk.iter().take(length));
    }
    Ok((stream, heard))
}

/// Listens for the pushes that are waited for, until the stream ends.
async fn listen(stream: &mut TlsStream<TcpStream>, told: &Told) -> io::Result<()> {
    let (mut tail, mut last) = (Vec::with_capacity(4 * MARKER_BYTES), 0);
    loop {
        let round = told.round.get();
        // On this thread's heap for a moment, not in ten thousand tasks.
        let mut chunk = Box::new([0_u8; 2048]);
        let length = stream.read(&mut chunk[..]).await?;
        if length == 0 {
            return Ok(());
        }
        let new = chunk.get(..length).unwrap_or_default();
        tail.extend_from_slice(new.get(new.len().saturating_sub(2 * MARKER_BYTES)..).unwrap_or_default());
        let round = told.round.get().max(round);
        let ends = || tail.ends_with(b"\n\n") && new != ALIVE;
        let is_there = wire::contains(&tail, wire::marker(round).as_bytes()) || (told.any.get() && ends());
        if last < round && is_there {
            last = round;
            told.arrived.borrow_mut().push(now());
            if told.arrived.borrow().len() >= told.connected.get() {
                told.changed.notify_one();
            }
        }
        tail.drain(..tail.len().saturating_sub(2 * MARKER_BYTES));
    }
}

/// Devices that come back as the agent does: by the rule that it has.
async fn follow(fleet: &Rc<Fleet>, port: u16, count: usize, tasks: &mut JoinSet<()>) -> Result<()> {
    let first = Arc::new(Semaphore::new(AT_ONCE));
    for number in 0..count {
        let (fleet, first) = (fleet.clone(), first.clone());
        tasks.spawn_local(async move {
            let (mut retry, mut permit, mut has_been) = (Retry::new(), first.acquire_owned().await.ok(), false);
            loop {
                let opened = tokio::time::timeout(PATIENCE, open(&fleet, Protocol::Sse, port, number)).await;
                drop(permit.take());
                let told = &fleet.told;
                let was_up = match opened.context("no answer in time").flatten() {
                    Ok((mut stream, heard)) => {
                        let since = Instant::now();
                        if has_been {
                            told.lost.set(told.lost.get() - 1);
                            told.back.borrow_mut().push(now());
                        } else {
                            told.connected.set(told.connected.get() + 1);
                            has_been = true;
                        }
                        told.changed.notify_one();
                        let _ = listen(&mut stream, told).await;
                        told.lost.set(told.lost.get() + 1);
                        // In the story these streams have been up for long; only the measurement is short.
                        Some(WasUp { lasted: since.elapsed() + Retry::LONGEST_PAUSE, spread: spread(&heard) })
                    }
                    Err(error) => {
                        // While nobody listens there is nothing to go wrong.
                        let refused = error.downcast_ref::<io::Error>().map(io::Error::kind);
                        if refused != Some(io::ErrorKind::ConnectionRefused) {
                            told.fail(&error);
                        }
                        None
                    }
                };
                tokio::time::sleep(retry.pause(was_up, fastrand::f64())).await;
            }
        });
    }
    while fleet.told.connected.get() < count {
        fleet.told.changed.notified().await;
    }
    let errors = fleet.told.print_errors();
    anstream::println!("connected {count} {errors}");
    Ok(())
}

fn spread(heard: &[u8]) -> Duration {
    let heard = String::from_utf8_lossy(heard);
    let line = heard.lines().find_map(|line| line.strip_prefix(SPREAD_HEADER)?.strip_prefix(": "));
    Duration::from_secs(line.and_then(|seconds| seconds.trim().parse().ok()).unwrap_or_default())
}

/// Enrolls a device with each of the tokens that were made, and keeps what they got.
async fn enroll(fleet: &Rc<Fleet>, port: u16) -> Result<()> {
    let text = fs_err::read_to_string(fleet.folder.join("tokens"))?;
    let secrets = text.lines().map(secret).collect::<Result<Vec<_>>>()?;
    let mut tasks = JoinSet::new();
    for part in secrets.chunks(secrets.len().div_ceil(32)) {
        let (fleet, part) = (fleet.clone(), part.to_vec());
        tasks.spawn_local(async move {
            let socket = TcpStream::connect(("127.0.0.1", port)).await?;
            socket.set_nodelay(true)?;
            let connector = TlsConnector::from(fleet.clients.config(None)?);
            let mut stream = BufReader::new(connector.connect(name()?, socket).await?);
            let mut devices = Vec::new();
            for secret in part {
                devices.push(enroll_one(&mut stream, secret).await?);
            }
            anyhow::Ok(devices)
        });
    }
    let mut devices = Vec::new();
    while let Some(part) = tasks.join_next().await {
        devices.extend(part??);
    }
    fs_err::write(fleet.folder.join("devices.json"), serde_json::to_vec(&devices)?)?;
    anstream::println!("enrolled {}", devices.len());
    Ok(())
}

fn secret(token: &str) -> Result<String> {
    let encoded = token.split_once(':').context("no token")?.1;
    let token: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded)?)?;
    Ok(token["secret"].as_str().context("no secret")?.to_owned())
}

async fn enroll_one(stream: &mut BufReader<TlsStream<TcpStream>>, secret: String) -> Result<Device> {
    let key = KeyPair::generate()?;
    let signing_request = CertificateParams::new(Vec::new())?.serialize_request(&key)?.pem()?;
    let body = serde_json::to_string(&EnrollRequest { secret, signing_request })?;
    let head = format!(
        "POST /v1/enroll HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    stream.flush().await?;
    let (mut length, mut line) = (0, String::new());
    loop {
        line.clear();
        ensure!(stream.read_line(&mut line).await? > 0, "the server closed");
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let answer: EnrollAnswer =
        serde_json::from_slice(&body).with_context(|| String::from_utf8_lossy(&body).into_owned())?;
    Ok(Device { certificate: answer.certificate, key: key.serialize_pem() })
}
