//! Promise 5: everything that a device sends is captured in plain text, and searched for the names of its packages.

use forewarn_proto::inventory::Source;
use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use anyhow::Result;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use forewarn_tests::{Binaries, Company, home};
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::{HOUR, device};

#[test]
fn promise_5_no_unmatched_package_leaves_the_device() {
    let folder = tempfile::tempdir().unwrap();
    let mut company = Company::found(Binaries::beside_test().unwrap(), folder.path()).unwrap();
    let mut device = device(&folder, &company, "notices = \"terminal\"");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let recorder = runtime.block_on(Recorder::start(&company, device.folder.join("agent"))).unwrap();
    recorder.lead_streams_here(&mut company).unwrap();
    home::TIKTOK.install(&device.home).unwrap();
    home::INSTAGRAM.install(&device.home).unwrap();
    device.enroll(&recorder.token(&company.token().unwrap()), &company.path("bob/root.json")).unwrap();
    device.start().unwrap();
    device.wait_for("packages are listed", |s| s.sources.iter().any(|s| s.packages > 0)).unwrap();
    company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"24h\"")).unwrap();
    device.wait_for_first_notice().unwrap();
    for hours in [24, 1] {
        company.pass(HOUR * hours).unwrap();
        device.pass(HOUR * hours).unwrap();
        device.wait_for_last_call().unwrap();
    }
    device.wait_for("revoked", |status| !status.revoked.is_empty()).unwrap();
    home::TIKTOK.remove(&device.home).unwrap();
    device.wait_for_notice("(corp.example) is back").unwrap();
    let met = || {
        let sent = recorder.sent();
        anyhow::ensure!(sent.contains(r#""rule":"tiktok","finding":"met""#), "no such report in {sent}");
        Ok(sent)
    };
    let sent = forewarn_tests::wait_until("the last report is sent", met).unwrap();
    assert!(sent.contains("POST /v1/report") && sent.contains("GET /v1/stream") && sent.contains("POST /v1/enroll"));
    let status = device.status().unwrap();
    assert!(status.sources.iter().map(|source| source.packages).sum::<usize>() > 100, "there is something to leak");
    for name in installed_names() {
        assert!(!names(&sent, &name), "the package `{name}` is named in what was sent: {sent}");
    }
    for personal in [home::INSTAGRAM.id, "Instagram", "private.example", "me@", ".desktop", &*home_name(&device.home)] {
        assert!(!sent.contains(personal), "`{personal}` is in what was sent");
    }
}

/// Every package that this machine's dpkg lists.
fn installed_names() -> Vec<String> {
    let query = std::process::Command::new("dpkg-query").args(["-W", "-f", "${Package}\n"]).output();
    let text = String::from_utf8(query.expect("install dpkg").stdout).unwrap();
    // Words of HTTP itself and of the report's own fields are package names too: `host`, `at`, `agent`. And a result
    // that is unknown names the source that could not be read.
    let own_words = ["host", "at", "made", "rule", "people", "policy", "report", "json", "bundle"];
    let sources = Source::ALL.map(Source::name);
    text.lines().filter(|name| !own_words.contains(name) && !sources.contains(name)).map(str::to_owned).collect()
}

/// Whether `name` stands in `text` by itself, not as a part of another word.
fn names(text: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(is_word) && !text[at + name.len()..].starts_with(is_word))
}

fn home_name(home: &Path) -> String {
    home.to_string_lossy().into_owned()
}

/// Stands between the device and its server, on both of the server's ports, with a certificate of its own towards the device and the device's towards
/// the server, and writes down what the device says.
struct Recorder {
    port: u16,
    /// The port for streams here, and the server's own.
    streams: (u16, u16),
    ca: Vec<u8>,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Recorder {
    async fn start(company: &Company, state: std::path::PathBuf) -> Result<Self> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.self_signed(&key)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let sent = Arc::<Mutex<Vec<u8>>>::default();
        let theirs = forewarn_tests::free_port();
        let mut ports = [company.port(), theirs];
        for port in &mut ports {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let server = std::mem::replace(port, listener.local_addr()?.port());
            let (acceptor, record, state) = (acceptor.clone(), sent.clone(), state.clone());
            let ca = company.path("server/ca.pem");
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let (acceptor, record, ca, state) = (acceptor.clone(), record.clone(), ca.clone(), state.clone());
                    tokio::spawn(async move { relay(stream, &acceptor, &record, &ca, &state, server).await });
                }
            });
        }
        Ok(Self { port: ports[0], streams: (ports[1], theirs), ca: certificate.der().to_vec(), sent })
    }

    /// Has the server send devices to this recorder for their streams.
    fn lead_streams_here(&self, company: &mut Company) -> Result<()> {
        let (here, theirs) = self.streams;
        let config = company.path("server.toml");
        let stream = format!("[stream]\nlisten = \"127.0.0.1:{theirs}\"\nurl = \"https://127.0.0.1:{here}\"\n");
        fs_err::write(&config, fs_err::read_to_string(&config)? + &stream)?;
        company.kill_server();
        company.start_server()
    }

    /// The server's token, with the recorder's address and certificate in their place.
    fn token(&self, token: &str) -> String {
        let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix("forewarn-enroll:").unwrap()).unwrap();
        let mut token: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        token["server"] = format!("https://127.0.0.1:{}", self.port).into();
        token["ca"] = URL_SAFE_NO_PAD.encode(&self.ca).into();
        format!("forewarn-enroll:{}", URL_SAFE_NO_PAD.encode(token.to_string()))
    }

    fn sent(&self) -> String {
        String::from_utf8_lossy(&self.sent.lock().unwrap()).into_owned()
    }
}

async fn relay(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    record: &Mutex<Vec<u8>>,
    ca: &Path,
    state: &Path,
    server: u16,
) -> Result<()> {
    let device = acceptor.accept(stream).await?;
    let connector = TlsConnector::from(Arc::new(client_config(ca, state)?));
    let name = ServerName::try_from("127.0.0.1")?.to_owned();
    let server = connector.connect(name, TcpStream::connect(("127.0.0.1", server)).await?).await?;
    let (mut from_device, mut to_device) = tokio::io::split(device);
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let up = async {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let length = from_device.read(&mut buffer).await?;
            if length == 0 {
                return anyhow::Ok(());
            }
            record.lock().unwrap().extend_from_slice(&buffer[..length]);
            to_server.write_all(&buffer[..length]).await?;
        }
    };
    let down = async { anyhow::Ok(tokio::io::copy(&mut from_server, &mut to_device).await.map(drop)?) };
    tokio::select! { result = up => result, result = down => result }
}

/// With the device's certificate, once it has one.
fn client_config(ca: &Path, state: &Path) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let Ok(identity) = fs_err::read_to_string(state.join("identity.json")) else {
        return Ok(builder.with_no_client_auth());
    };
    let identity: serde_json::Value = serde_json::from_str(&identity)?;
    let pem = |field: &str| identity[field].as_str().unwrap_or_default().as_bytes().to_vec();
    let chain = vec![CertificateDer::from_pem_slice(&pem("certificate"))?];
    Ok(builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(&pem("key"))?)?)
}
