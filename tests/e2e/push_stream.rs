//! The push stream under those who would keep devices out of it, and what does not fit into it.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use anyhow::{Result, ensure};
use forewarn_proto::push::MAX_INLINE_BYTES;
use forewarn_tests::{home, wait_until};
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ClientConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};

use crate::{
    Stage,
    hostile::Hostile,
    wire::{self, Identity, Stream},
};

/// How many say nothing; more than there are places for handshakes.
const SILENT: usize = 500;

#[test]
fn those_who_say_nothing_keep_no_device_out_and_are_dropped() {
    let h = Hostile::set();
    let silent: Vec<TcpStream> = (0..SILENT).map(|_| TcpStream::connect(h.server.stream).unwrap()).collect();
    let before = h.device.status().unwrap().confirmed_at;
    let mut h = h;
    h.device.kill();
    h.device.start().unwrap();
    h.device.wait_for("the device is connected", |status| status.connected && status.confirmed_at > before).unwrap();
    for mut stream in silent {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        assert_eq!(stream.read(&mut [0; 64]).unwrap_or_default(), 0, "it is closed, without a word");
    }
}

#[test]
fn whoever_has_no_certificate_of_this_company_hears_nothing() {
    let h = Hostile::set();
    let key = KeyPair::generate().unwrap();
    let stranger = CertificateParams::new(vec!["device-0".to_owned()]).unwrap().self_signed(&key).unwrap();
    let identity = (stranger.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap());
    for identity in [None, Some(identity)] {
        let error = listen(&h, identity).and_then(|mut stream| Ok(stream.read(&mut [0; 64])?)).unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("CertificateRequired") || text.contains("UnknownCA") || text.contains("DecryptError"),
            "{text}"
        );
    }
    assert_eq!(h.server.feed.connected(), 1, "the device alone");
}

#[test]
fn who_does_not_read_is_dropped_and_the_device_goes_on() {
    let h = Hostile::set();
    let (certificate, key) = own_identity(&h);
    let mut slow = listen(&h, Some((certificate, key))).unwrap();
    assert!(slow.read(&mut [0; 1024]).unwrap() > 0, "it is connected");
    wait_until("both are connected", || {
        ensure!(h.server.feed.streams() == 2);
        Ok(())
    })
    .unwrap();
    // Far more than any socket's buffers hold, while the device reads and refuses all of it.
    let text = "x".repeat(MAX_INLINE_BYTES - 100);
    wait_until("the one who does not read is dropped", || {
        h.server.feed.push_bytes(&format!("{{\"{text}\":{}}}", fastrand::u64(..)));
        ensure!(h.server.feed.streams() == 1, "{} are connected", h.server.feed.streams());
        Ok(())
    })
    .unwrap();
    let before = h.device.status().unwrap().confirmed_at;
    let both = [&h.keys.alice, &h.keys.bob];
    let policy = home::filled_in(&home::TIKTOK, "no-tiktok", 1, "grace = \"24h\"");
    let next = h.keys.force(&h.repository, "policies/no-tiktok.toml", &policy, &both, h.tomorrow());
    h.server.feed.push(next.bundle());
    h.device.wait_for("the device goes on", |status| status.connected && status.confirmed_at > before).unwrap();
}

#[test]
fn a_device_that_is_dropped_comes_back_if_it_may() {
    let h = Hostile::set();
    let name = fs_err::read_to_string(h.device.folder.join("agent/identity.json")).unwrap();
    let name: serde_json::Value = serde_json::from_str(&name).unwrap();
    let log = h.device.log();
    h.server.feed.drop_devices(&["device-of-another".to_owned()]);
    assert_eq!(h.server.feed.connected(), 1);
    h.server.feed.drop_devices(&[name["device"].as_str().unwrap().to_owned()]);
    assert_eq!(h.server.feed.connected(), 0);
    wait_until("it is back", || {
        ensure!(h.server.feed.connected() == 1);
        Ok(())
    })
    .unwrap();
    assert_eq!(h.device.log(), log, "that is nothing to speak of");
}

#[test]
fn a_large_bundle_is_fetched_from_an_address_that_caches_may_hold() {
    let stage = Stage::set();
    home::TIKTOK.install(&stage.device.home).unwrap();
    let mut policy = home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"24h\"");
    policy.push_str(&"# Why this is so long, nobody knows.\n".repeat(MAX_INLINE_BYTES / 30));
    stage.company.publish(&policy).unwrap();
    stage.device.wait_for_first_notice().unwrap();
}

#[test]
fn only_a_device_gets_the_bundle_which_it_may_keep_and_the_current_one_alone() {
    let h = Hostile::set();
    let text = "x".repeat(MAX_INLINE_BYTES + 1);
    h.server.feed.push_bytes(&text);
    let digest = forewarn_trust::digest(text.as_bytes());
    assert!(ask(&h, &digest, None).unwrap().starts_with("HTTP/1.1 401"), "a stranger");
    let ask = |digest: &str| ask(&h, digest, Some(own_identity(&h))).unwrap();
    let answer = ask(&digest);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(&text), "{answer}");
    assert!(answer.contains("cache-control: private, max-age=31536000, immutable\r\n"), "{answer}");
    assert!(ask(&digest.replace('0', "1")).starts_with("HTTP/1.1 404"));
}

fn own_identity(h: &Hostile) -> Identity {
    let text = fs_err::read_to_string(h.device.folder.join("agent/identity.json")).unwrap();
    let identity: serde_json::Value = serde_json::from_str(&text).unwrap();
    let pem = |field: &str| identity[field].as_str().unwrap().as_bytes().to_vec();
    let certificate = CertificateDer::from_pem_slice(&pem("certificate")).unwrap();
    (certificate, PrivateKeyDer::from_pem_slice(&pem("key")).unwrap())
}

/// Asks for the stream.
fn listen(h: &Hostile, identity: Option<Identity>) -> Result<Stream> {
    let mut stream = connect(h, h.server.stream, identity)?;
    stream.write_all(b"GET /v1/stream HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")?;
    Ok(stream)
}

/// Asks for a bundle.
fn ask(h: &Hostile, digest: &str, identity: Option<Identity>) -> Result<String> {
    let mut stream = connect(h, h.server.address, identity)?;
    write!(stream, "GET /v1/bundles/{digest} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn connect(h: &Hostile, address: std::net::SocketAddr, identity: Option<Identity>) -> Result<Stream> {
    let config = wire::config(&h.folder().join("server/ca.pem"), identity)?;
    let client = ClientConnection::new(Arc::new(config), ServerName::try_from("127.0.0.1")?)?;
    let socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    Ok(StreamOwned::new(client, socket))
}
