//! The server's interface on the wire, for those who do not speak as our programs do.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use forewarn_tests::Company;
use rcgen::{CertificateParams, KeyPair};
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use serde_json::{Value, json};

/// A certificate and its key.
pub(crate) type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);
/// A connection.
pub(crate) type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A status and a body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Who speaks, and from where.
pub(crate) struct Speaker {
    server: SocketAddr,
    from: Ipv4Addr,
    config: Arc<ClientConfig>,
}

impl Speaker {
    /// Speaks with the company's server from an address of this machine: `127.0.0.9`.
    pub(crate) fn new(company: &Company, from: [u8; 4], identity: Option<Identity>) -> Self {
        let server = SocketAddr::from(([127, 0, 0, 1], company.port()));
        let config = config(&company.path("server/ca.pem"), identity).unwrap();
        Self { server, from: from.into(), config: Arc::new(config) }
    }

    /// A connection, whose handshake begins with the first byte.
    pub(crate) fn open(&self) -> Result<Stream> {
        let client = ClientConnection::new(self.config.clone(), ServerName::try_from("127.0.0.1")?)?;
        let end = socket(AddressFamily::INET, SocketType::STREAM, None)?;
        bind(&end, &SocketAddrV4::new(self.from, 0))?;
        connect(&end, &self.server)?;
        let stream = TcpStream::from(end);
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(StreamOwned::new(client, stream))
    }

    /// Asks on a connection of its own; `head` is what follows the request's first line.
    pub(crate) fn ask_with(&self, request: &str, head: &str, body: &str) -> Result<Answer> {
        let mut stream = self.open()?;
        let text = format!("{request} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n{head}\r\n{body}");
        // Whoever is refused can read why, although the server did not take everything that they had to say.
        let _ = stream.write_all(text.as_bytes());
        read(&mut BufReader::new(stream))
    }

    /// The same for a body of JSON, with its length.
    pub(crate) fn ask(&self, request: &str, body: &str) -> Result<Answer> {
        let head = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        self.ask_with(request, &head, body)
    }

    /// Enrolls a device with one of the company's tokens.
    pub(crate) fn enroll(&self, token: &str) -> Result<Enrolled> {
        let key = KeyPair::generate()?;
        let signing_request = CertificateParams::new(Vec::new())?.serialize_request(&key)?.pem()?;
        let token = URL_SAFE_NO_PAD.decode(token.strip_prefix("forewarn-enroll:").context("no token")?)?;
        let token: Value = serde_json::from_slice(&token)?;
        let request = json!({ "secret": token["secret"], "signing_request": signing_request });
        let answer = self.ask("POST /v1/enroll", &request.to_string())?;
        anyhow::ensure!(answer.status == 200, "{answer:?}");
        let answer: Value = serde_json::from_str(&answer.body)?;
        let text = |field: &str| answer[field].as_str().map(str::to_owned).context("no such field");
        Ok(Enrolled { name: text("device")?, certificate: text("certificate")?, key: key.serialize_pem() })
    }
}

/// A device that enrolled, in PEM.
pub(crate) struct Enrolled {
    pub(crate) name: String,
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Enrolled {
    pub(crate) fn identity(&self) -> Identity {
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap();
        (certificate, PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap())
    }
}

/// The next answer on a connection, which states its body's length.
pub(crate) fn read(stream: &mut impl BufRead) -> Result<Answer> {
    let mut first = String::new();
    stream.read_line(&mut first)?;
    let status = first.split(' ').nth(1).with_context(|| format!("no answer: `{first}`"))?.parse()?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        match line.trim().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Answer { status, body: String::from_utf8(body)? })
}

/// TLS with the server of this CA.
pub(crate) fn config(ca: &Path, identity: Option<Identity>) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    Ok(match identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => builder.with_client_auth_cert(vec![certificate], key)?,
    })
}
