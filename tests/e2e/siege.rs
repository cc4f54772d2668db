//! Devices and strangers that mean harm, beside honest devices, all from one address: bodies that never end, handshakes that fail or
//! never end, readers that never read, reports without pause.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use forewarn_tests::{Binaries, Company, home, is_long};
use rustls::{ClientConnection, StreamOwned, pki_types::ServerName};

use crate::{
    interface::token,
    strangers::{more_files, report},
    wire::{self, Enrolled, Speaker},
};

const LOCAL: [u8; 4] = [127, 0, 0, 1];
/// How many devices are honest.
const HONEST: usize = 100;
/// The most memory that the server may ever have held, in KiB.
const MOST_KIB: u64 = 256 * 1024;
/// How soon a retraction reaches 99 of 100 honest devices after the first.
const SOON: Duration = Duration::from_secs(2);

/// What all sides share.
struct Field {
    company: Company,
    stream: SocketAddr,
    /// The digest of the bundle in force.
    digest: String,
    over: AtomicBool,
    /// What honest devices were answered that was no 204, or why they were not answered.
    refused: Mutex<Vec<String>>,
    reported: AtomicU64,
    /// When each honest device heard of the retraction.
    heard: Mutex<Vec<Instant>>,
    attacks: [(&'static str, AtomicU64); 6],
}

impl Field {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn hear(&self) {
        self.heard.lock().unwrap().push(Instant::now());
    }

    fn count(&self, attack: usize) {
        self.attacks[attack].1.fetch_add(1, Ordering::Relaxed);
    }

    fn speaker(&self, device: Option<&Enrolled>) -> Speaker {
        Speaker::new(&self.company, LOCAL, device.map(Enrolled::identity))
    }
}

/// Reports now and then, as a device does.
fn reports(field: &Field, device: &Enrolled) {
    let speaker = field.speaker(Some(device));
    while !field.is_over() {
        match speaker.ask("POST /v1/report", &report().to_string()) {
            Ok(answer) if answer.status == 204 => drop(field.reported.fetch_add(1, Ordering::Relaxed)),
            Ok(answer) => field.refused.lock().unwrap().push(format!("{answer:?}")),
            Err(error) => field.refused.lock().unwrap().push(format!("{error:#}")),
        }
        thread::sleep(Duration::from_secs(2));
    }
}

/// Hears the stream until the retraction comes; comes back as a device does, should the stream end.
fn listens(field: &Field, device: &Enrolled) -> Result<()> {
    let config = wire::config(&field.company.path("server/ca.pem"), Some(device.identity()))?;
    let client = ClientConnection::new(Arc::new(config), ServerName::try_from("127.0.0.1")?)?;
    let socket = TcpStream::connect(field.stream)?;
    socket.set_read_timeout(Some(Duration::from_millis(500)))?;
    let mut stream = BufReader::new(StreamOwned::new(client, socket));
    stream.get_mut().write_all(b"GET /v1/stream HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")?;
    let mut line = Vec::new();
    while !field.is_over() {
        match stream.read_until(b'\n', &mut line) {
            Ok(0) => return Ok(()),
            Ok(_) => {
                if line.starts_with(b"data: ") && String::from_utf8_lossy(&line).contains("retractions/no-tiktok") {
                    field.hear();
                    return Ok(());
                }
                line.clear();
            }
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// One device that means harm, and what it does by its number.
fn harms(field: &Field, device: &Enrolled, number: usize) -> Result<()> {
    let speaker = field.speaker(Some(device));
    match number % 3 {
        // A body that is begun and never ends; of every second one after a megabyte less a little.
        0 => {
            let mut stream = speaker.open()?;
            stream.write_all(b"POST /v1/report HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1048576\r\n\r\n{")?;
            if number.is_multiple_of(2) {
                stream.write_all(&vec![b' '; 1_000_000])?;
            }
            field.count(0);
            wait(field, Duration::from_secs(40));
        }
        // Reports without a pause.
        1 => {
            let answer = speaker.ask("POST /v1/report", &report().to_string())?;
            anyhow::ensure!(answer.status < 500 || answer.status == 503, "{answer:?}");
            field.count(1);
        }
        // The whole bundle, of which nothing is read.
        _ => {
            let mut stream = speaker.open()?;
            let asked = format!("GET /v1/bundles/{} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", field.digest);
            stream.write_all(asked.as_bytes())?;
            field.count(2);
            wait(field, Duration::from_secs(20));
        }
    }
    Ok(())
}

/// One stranger.
fn intrudes(field: &Field, number: usize) -> Result<()> {
    let place = if number.is_multiple_of(2) { field.stream } else { ([127, 0, 0, 1], field.company.port()).into() };
    match number % 3 {
        // Says nothing.
        0 => {
            let _silent = TcpStream::connect(place)?;
            field.count(3);
            wait(field, Duration::from_secs(11));
        }
        // Says what is not TLS.
        1 => {
            let mut socket = TcpStream::connect(place)?;
            socket.set_read_timeout(Some(Duration::from_secs(5)))?;
            socket.write_all(b"GET / HTTP/1.1\r\n\r\n")?;
            let _ = socket.read(&mut [0; 64]);
            field.count(4);
        }
        // Asks for the bundle, and enrolls with no token.
        _ => {
            let speaker = field.speaker(None);
            let answer = speaker.ask("GET /v1/bundle", "")?;
            anyhow::ensure!(answer.status == 401, "{answer:?}");
            field.count(5);
        }
    }
    Ok(())
}

fn wait(field: &Field, length: Duration) {
    let begun = Instant::now();
    while !field.is_over() && begun.elapsed() < length {
        thread::sleep(Duration::from_millis(100));
    }
}

/// The memory that the server has ever held, in KiB.
fn peak(company: &Company) -> u64 {
    let status = format!("/proc/{}/status", company.server_id().unwrap());
    let status = fs_err::read_to_string(status).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story")]
fn promise_3_no_number_of_hostile_devices_and_strangers_keeps_a_report_or_a_retraction_back() {
    more_files();
    let (hostile, length) = if is_long() { (1000, 120) } else { (200, 15) };
    let folder = tempfile::tempdir().unwrap();
    let port = forewarn_tests::free_port();
    let stream: SocketAddr = ([127, 0, 0, 1], port).into();
    let extra = format!("enrolments_per_second = 100000\n[stream]\nlisten = \"{stream}\"");
    let mut company = Company::prepare_with(Binaries::beside_test().unwrap(), folder.path(), &extra).unwrap();
    company.begin().unwrap();
    let mut policy = home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\"");
    policy.push_str(&"# Why this is so long, nobody knows.\n".repeat(5_000));
    company.publish(&policy).unwrap();
    let count = (HONEST + hostile).to_string();
    let tokens = company.server_command(&["token", "--count", &count]).unwrap();
    let attacks = ["bodies without an end", "reports", "readers that don't read", "silent", "no TLS", "strangers"];
    let head = format!("authorization: Bearer {}\r\n", token(&company, "reader", "viewer"));
    let bundle = Speaker::new(&company, LOCAL, None).ask_with("GET /v1/bundle", &head, "").unwrap();
    let field = Arc::new(Field {
        company: company.view(),
        stream,
        digest: forewarn_trust::digest(bundle.body.as_bytes()),
        over: AtomicBool::new(false),
        refused: Mutex::default(),
        reported: AtomicU64::new(0),
        heard: Mutex::default(),
        attacks: attacks.map(|name| (name, AtomicU64::new(0))),
    });
    let speaker = field.speaker(None);
    let mut devices: Vec<Enrolled> = tokens.lines().map(|token| speaker.enroll(token).unwrap()).collect();
    let honest = devices.split_off(hostile);
    let mut threads = Vec::new();
    let mut begin = |work: Box<dyn FnOnce(&Field) + Send>| {
        let field = field.clone();
        threads.push(thread::Builder::new().stack_size(256 * 1024).spawn(move || work(&field)).unwrap());
    };
    for device in honest {
        let device = Arc::new(device);
        let listener = device.clone();
        begin(Box::new(move |field| {
            while !field.is_over() && listens(field, &listener).is_err() {
                thread::sleep(Duration::from_millis(200));
            }
        }));
        begin(Box::new(move |field| reports(field, &device)));
    }
    thread::sleep(Duration::from_secs(2));
    for (number, device) in devices.into_iter().enumerate() {
        begin(Box::new(move |field| {
            while !field.is_over() {
                let _ = harms(field, &device, number);
            }
        }));
        begin(Box::new(move |field| {
            while !field.is_over() {
                let _ = intrudes(field, number);
                thread::sleep(Duration::from_millis(20));
            }
        }));
    }
    thread::sleep(Duration::from_secs(length));
    company.admin("alice", &["retract", "no-tiktok", "--reason", "sent in error"]).unwrap().ok().unwrap();
    thread::sleep(SOON * 3);
    field.over.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let mut heard = field.heard.lock().unwrap().clone();
    heard.sort();
    let most = heard.get(HONEST * 99 / 100 - 1).map(|at| at.duration_since(heard[0]));
    let (refused, reported) = (field.refused.lock().unwrap().clone(), field.reported.load(Ordering::Relaxed));
    let attacks: Vec<_> = field.attacks.iter().map(|(name, count)| (name, count.load(Ordering::Relaxed))).collect();
    let peak = peak(&company);
    println!(
        "{HONEST} honest devices beside {hostile} hostile ones and as many strangers: {reported} reports, {} refused; the \
         retraction at {} of {HONEST}, at 99 % after {most:?}; the server's VmHWM {peak} KiB; {attacks:?}",
        refused.len(),
        heard.len()
    );
    assert!(attacks.iter().all(|(_, count)| *count > 0), "{attacks:?}");
    assert!(refused.is_empty(), "{:?}", &refused[..refused.len().min(5)]);
    assert!(most.is_some_and(|most| most < SOON), "{most:?}");
    assert!(peak < MOST_KIB, "{peak} KiB");
}
