//! The server's side of TLS against rustls's client, over memory.

#![expect(clippy::unwrap_in_result, reason = "a test may fail")]

use std::{
    io::{Read, Write},
    sync::Arc,
};

use anyhow::Result;
use forewarn_host::Clock;
use jiff::SignedDuration;
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};

use super::{
    head::{self, Asked},
    session::{Session, Standing},
};
use crate::{
    authority::Own,
    config::Config,
    listener::{self, Clients, common_name},
    store::Store,
};

const HEAD: &[u8] = b"GET /v1/stream HTTP/1.1\r\nhost: 127.0.0.1\r\nlast-event-id: abc\r\n\r\n";

/// How long certificates are good.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A server's keys.
struct Company {
    own: Own,
    /// How long ago its certificates are given.
    age: SignedDuration,
    tls: Arc<ServerConfig>,
    _folder: tempfile::TempDir,
}

/// Both ends of a connection.
struct Ends {
    client: ClientConnection,
    session: Session,
    heard: Vec<u8>,
}

impl Company {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { state: folder.path().to_owned(), ..Config::default() };
        let own = Own::load(&Store::open(&config).await.unwrap(), &config).await.unwrap();
        let tls = Arc::new(listener::tls(&own, Clients::Devices, &Clock::Real).unwrap());
        let age = SignedDuration::ZERO;
        Self { own, age, tls, _folder: folder }
    }

    /// A client that trusts this company, with a certificate of `issuer`.
    fn ends(&self, issuer: Option<&Own>) -> Ends {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.own.ca_certificate.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots);
        let config = match issuer {
            None => builder.with_no_client_auth(),
            Some(issuer) => {
                let key = KeyPair::generate().unwrap();
                let request = CertificateParams::new(Vec::new()).unwrap().serialize_request(&key).unwrap();
                let certificate =
                    issuer.certify("device-1", &request.pem().unwrap(), Clock::Real.wall() - self.age, HOUR).unwrap();
                let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
                builder.with_client_auth_cert(chain, PrivateKeyDer::try_from(key.serialize_der()).unwrap()).unwrap()
            }
        };
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let client = ClientConnection::new(Arc::new(config), name).unwrap();
        let session = Session::new(self.tls.clone()).unwrap();
        Ends { client, session, heard: Vec::new() }
    }
}

impl Ends {
    /// Everything that the client has to send goes to the server in pieces of `piece` bytes, and the answers back.
    fn exchange(&mut self, piece: usize) -> Result<Standing> {
        let mut standing = Standing::Handshake;
        while self.client.wants_write() {
            let (mut sent, mut outgoing) = (Vec::new(), Vec::new());
            while self.client.wants_write() {
                self.client.write_tls(&mut sent).unwrap();
            }
            for piece in sent.chunks(piece) {
                self.session.incoming().extend_from_slice(piece);
                let result = self.session.read(&mut outgoing, &mut self.heard);
                let said = self.give(&outgoing);
                outgoing.clear();
                standing = result.map_err(|error| error.context(format!("{said:?}")))?;
            }
        }
        Ok(standing)
    }

    /// What the server sends goes to the client.
    fn give(&mut self, outgoing: &[u8]) -> Result<(), rustls::Error> {
        let mut left = outgoing;
        while !left.is_empty() {
            self.client.read_tls(&mut left).unwrap();
            self.client.process_new_packets()?;
        }
        Ok(())
    }

    /// What the client has heard, up to `length` bytes.
    fn plain(&mut self, length: usize) -> Vec<u8> {
        let mut plain = vec![0; length];
        self.client.reader().read_exact(&mut plain).unwrap();
        plain
    }

    fn open(company: &Company) -> Self {
        let mut ends = company.ends(Some(&company.own));
        ends.exchange(usize::MAX).unwrap();
        ends
    }
}

#[tokio::test]
async fn a_handshake_and_a_head_may_be_split_anywhere() {
    let company = Company::new().await;
    for piece in [1, 2, 3, 7, 100, usize::MAX] {
        let mut ends = company.ends(Some(&company.own));
        ends.client.writer().write_all(HEAD).unwrap();
        assert_eq!(ends.exchange(piece).unwrap(), Standing::Open, "in pieces of {piece}");
        assert_eq!(head::read(&ends.heard), Asked::Stream("abc".into()));
        assert_eq!(common_name(ends.session.peer().unwrap()).unwrap(), "device-1");
        assert_eq!((ends.session.incoming().capacity(), ends.client.is_handshaking()), (0, false));
    }
}

#[tokio::test]
async fn whoever_has_no_certificate_or_another_company_s_or_an_old_one_is_told_so_and_refused() {
    let (company, other) = (Company::new().await, Company::new().await);
    let expired = Company { age: HOUR * 2, ..Company::new().await };
    for (company, issuer, alert) in [
        (&company, None, "CertificateRequired"),
        (&company, Some(&other.own), "DecryptError"),
        (&expired, Some(&expired.own), "CertificateExpired"),
    ] {
        let mut ends = company.ends(issuer);
        ends.client.writer().write_all(HEAD).unwrap();
        let error = format!("{:#}", ends.exchange(usize::MAX).unwrap_err());
        assert!(error.contains(alert), "{error}");
        assert_eq!(ends.heard, b"", "nothing is heard of who is refused");
    }
}

#[tokio::test]
async fn a_frame_of_many_records_arrives_whole_and_leaves_no_buffer() {
    let company = Company::new().await;
    let mut ends = Ends::open(&company);
    let frame: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    for _ in 0..2 {
        let mut outgoing = Vec::new();
        ends.session.write(&frame, &mut outgoing).unwrap();
        assert!(outgoing.len() > frame.len() && outgoing.len() < frame.len() + 1000);
        let mut plain = Vec::new();
        for record in outgoing.chunks(16_000) {
            ends.give(record).unwrap();
            let ready = ends.client.process_new_packets().unwrap().plaintext_bytes_to_read();
            plain.extend(ends.plain(ready));
        }
        assert_eq!(plain, frame);
    }
}

#[tokio::test]
async fn both_sides_can_say_that_they_close() {
    let company = Company::new().await;
    let mut ends = Ends::open(&company);
    ends.client.send_close_notify();
    assert_eq!(ends.exchange(usize::MAX).unwrap(), Standing::Closed);
    let mut ends = Ends::open(&company);
    let mut outgoing = Vec::new();
    ends.session.close(&mut outgoing).unwrap();
    ends.give(&outgoing).unwrap();
    assert!(ends.client.process_new_packets().unwrap().peer_has_closed());
}

#[tokio::test]
async fn new_keys_that_a_client_asks_for_are_answered() {
    let company = Company::new().await;
    let mut ends = Ends::open(&company);
    ends.client.refresh_traffic_keys().unwrap();
    assert_eq!(ends.exchange(usize::MAX).unwrap(), Standing::Open);
    let mut outgoing = Vec::new();
    ends.session.write(b"still", &mut outgoing).unwrap();
    ends.give(&outgoing).unwrap();
    assert_eq!(ends.plain(5), b"still");
}

#[tokio::test]
async fn garbage_is_refused_before_and_after_the_handshake() {
    let company = Company::new().await;
    let mut heard = Vec::new();
    let mut session = Session::new(company.tls.clone()).unwrap();
    session.incoming().extend(b"GET / HTTP/1.1\r\n\r\n");
    assert!(session.read(&mut Vec::new(), &mut heard).is_err());
    let mut ends = Ends::open(&company);
    ends.session.incoming().extend([23, 3, 3, 0, 32]);
    ends.session.incoming().extend([7; 32]);
    assert!(ends.session.read(&mut Vec::new(), &mut heard).is_err());
    assert!(ends.session.write(b"more", &mut Vec::new()).is_err(), "such a connection is over");
    assert!(ends.session.close(&mut Vec::new()).is_err());
    assert_eq!(heard, b"");
}
