//! A report that was answered is on the disk, whatever happens to the server then.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use forewarn_host::Shift;
use forewarn_tests::{Binaries, Company, Device, Postgres};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How many devices report at once.
const DEVICES: usize = 8;
/// How often the power goes.
const POWER_CUTS: usize = 6;

/// A device's name, certificate and key, which another process than the agent speaks with.
#[derive(Clone)]
struct Identity(Value);

impl Identity {
    fn enroll(folder: &TempDir, company: &Company, number: usize) -> Self {
        let place = folder.path().join(format!("device-{number}"));
        fs_err::create_dir(&place).unwrap();
        let device = Device::prepare(&company.binaries, &place, &Shift::default(), "").unwrap();
        device.enroll(&company.token().unwrap(), &company.path("bob/root.json")).unwrap();
        let text = fs_err::read_to_string(place.join("agent/identity.json")).unwrap();
        Self(serde_json::from_str(&text).unwrap())
    }

    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap()
    }

    fn connect(&self, port: u16) -> Result<StreamOwned<ClientConnection, TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.text("ca").as_bytes())?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(self.text("certificate").as_bytes())?],
                PrivateKeyDer::from_pem_slice(self.text("key").as_bytes())?,
            )?;
        let socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_read_timeout(Some(Duration::from_secs(20)))?;
        let name = ServerName::try_from("127.0.0.1")?;
        Ok(StreamOwned::new(ClientConnection::new(Arc::new(config), name)?, socket))
    }

    /// Reports ever higher numbers until the connection breaks. `answered` holds the highest that was answered.
    fn report(&self, port: u16, next: &AtomicU64, answered: &AtomicU64) -> Result<()> {
        let mut stream = self.connect(port)?;
        loop {
            let sequence = next.fetch_add(1, Ordering::Relaxed);
            let body = report(sequence).to_string();
            let head = format!("POST /v1/report HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes())?;
            let status = answer(&mut stream)?;
            ensure!(status == 204, "{status}");
            answered.store(sequence, Ordering::Relaxed);
        }
    }
}

/// The status of an answer without a body.
fn answer(stream: &mut impl Read) -> Result<u16> {
    let (mut heard, mut byte) = (Vec::new(), [0]);
    while !heard.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        heard.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&heard);
    text.split(' ').nth(1).context("no status")?.parse().context("no status")
}

fn report(sequence: u64) -> Value {
    json!({
        "sequence": sequence, "made_at": "2026-12-01T09:00:00Z", "agent": "test", "platform": "linux", "bundle": null,
        "refused": null, "policies": [], "profiles": [], "unattended": [], "corrections": [],
    })
}

/// The stored sequence of each device, by name.
type Stored<'s> = &'s dyn Fn() -> Vec<(String, u64)>;

fn lose_nothing(company: &mut Company, folder: &TempDir, stored: Stored<'_>) {
    let identities: Vec<Identity> = (0..DEVICES).map(|number| Identity::enroll(folder, company, number)).collect();
    let next: Vec<AtomicU64> = (0..DEVICES).map(|_| AtomicU64::new(1)).collect();
    let answered: Vec<AtomicU64> = (0..DEVICES).map(|_| AtomicU64::new(0)).collect();
    for cut in 0..POWER_CUTS {
        let port = company.port();
        std::thread::scope(|scope| {
            for ((identity, next), answered) in identities.iter().zip(&next).zip(&answered) {
                scope.spawn(move || identity.report(port, next, answered).unwrap_err());
            }
            std::thread::sleep(Duration::from_millis(fastrand::u64(200..900)));
            company.kill_server();
        });
        company.start_server().unwrap();
        let stored = stored();
        for (identity, answered) in identities.iter().zip(&answered) {
            let answered = answered.load(Ordering::Relaxed);
            let (_, stored) = stored.iter().find(|(name, _)| name == identity.text("device")).unwrap();
            assert!(*stored >= answered, "power cut {cut}: {answered} was answered and {stored} is stored");
        }
    }
    let sum: u64 = answered.iter().map(|answered| answered.load(Ordering::Relaxed)).sum();
    println!("{sum} reports were answered around {POWER_CUTS} power cuts, and none was lost");
    assert!(sum > 500, "there was something to lose: {sum}");
}

fn lines(output: std::process::Output) -> Vec<(String, u64)> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |line: &str| line.split_once('|').map(|(name, sequence)| (name.to_owned(), sequence.parse().unwrap()));
    text.lines().filter_map(line).collect()
}

#[test]
fn promise_4_no_report_that_was_answered_is_lost_with_the_power() {
    let folder = tempfile::tempdir().unwrap();
    let mut company = Company::found(Binaries::beside_test().unwrap(), folder.path()).unwrap();
    let database = company.path("server/server.db");
    let stored = || {
        let script = format!(
            "import sqlite3\nfor row in sqlite3.connect({database:?}).execute('SELECT device, sequence FROM report'): \
             print(*row, sep='|')"
        );
        lines(Command::new("python3").args(["-c", &script]).output().unwrap())
    };
    lose_nothing(&mut company, &folder, &stored);
}

#[test]
fn promise_4_nor_on_postgresql() {
    let folder = tempfile::tempdir().unwrap();
    let database = Postgres::start(&folder.path().join("postgres")).unwrap();
    let store = format!("store = {:?}", database.url());
    let mut company = Company::prepare_with(Binaries::beside_test().unwrap(), folder.path(), &store).unwrap();
    company.begin().unwrap();
    let stored = || {
        let query = ["-At", "-c", "SELECT device, sequence FROM report"];
        lines(Command::new("psql").arg(database.url()).args(query).output().unwrap())
    };
    lose_nothing(&mut company, &folder, &stored);
}
