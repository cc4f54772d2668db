//! Who asks the real server for what is not theirs, too much, too slowly or too often.

use std::{
    collections::BTreeMap,
    io::{BufReader, ErrorKind, Read, Write},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use forewarn_proto::{api::Device, report::MAX_REPORT_BYTES};
use forewarn_tests::Company;
use rcgen::{CertificateParams, KeyPair};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tempfile::TempDir;

use crate::{
    interface::{company, token},
    wire::{Enrolled, Speaker, Stream, read},
};

/// Connections of those who keep others out by being slow: most of the places that there are.
const SLOW: usize = 500;
/// Enrolments of somebody who guesses tokens.
const GUESSES: usize = 100_000;
/// How many of them are on their way at once on one connection.
const PIPELINED: usize = 50;
const GUESSERS: usize = 8;
/// By how much these may make the server's memory grow, in KiB.
const MAX_GROWTH: u64 = 32 * 1024;

/// A company whose server runs.
struct Place {
    company: Company,
    _folder: TempDir,
}

impl Place {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { company: company(folder.path()), _folder: folder }
    }

    /// Somebody without a certificate, or a device.
    fn speaker(&self, from: [u8; 4], device: Option<&Enrolled>) -> Speaker {
        Speaker::new(&self.company, from, device.map(Enrolled::identity))
    }

    fn enroll(&self, from: [u8; 4]) -> Enrolled {
        self.speaker(from, None).enroll(&self.company.token().unwrap()).unwrap()
    }

    /// The devices as an admin sees them: name, and whether it was heard.
    fn heard(&self) -> BTreeMap<String, bool> {
        let head = format!("authorization: Bearer {}\r\n", token(&self.company, "reader", "viewer"));
        let answer = self.speaker(LOCAL, None).ask_with("GET /v1/devices", &head, "").unwrap();
        let devices: Vec<Device> = serde_json::from_str(&answer.body).unwrap();
        devices.into_iter().map(|device| (device.name, device.heard.is_some())).collect()
    }

    /// What the server process holds, in KiB.
    fn memory(&self) -> u64 {
        let status = format!("/proc/{}/status", self.company.server_id().unwrap());
        let status = fs_err::read_to_string(status).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

const LOCAL: [u8; 4] = [127, 0, 0, 1];
const ELSEWHERE: [u8; 4] = [127, 0, 0, 9];

pub(crate) fn report() -> serde_json::Value {
    json!({
        "sequence": 1, "made_at": "2026-12-01T09:00:00Z", "agent": "test", "platform": "linux", "bundle": null,
        "refused": null, "policies": [], "profiles": [], "corrections": [],
    })
}

#[test]
fn a_device_reports_for_itself_alone() {
    let place = Place::open();
    let (one, other) = (place.enroll(LOCAL), place.enroll(ELSEWHERE));
    let speaker = place.speaker(LOCAL, Some(&one));
    let mut forged = report();
    forged["device"] = other.name.clone().into();
    // A field that this server does not know may be a newer agent's; it names nobody.
    let answer = speaker.ask("POST /v1/report", &forged.to_string()).unwrap();
    assert_eq!(answer.status, 204, "{answer:?}");
    let named = format!("content-length: {}\r\nx-device: {}\r\n", report().to_string().len(), other.name);
    let answer = speaker.ask_with("POST /v1/report", &named, &report().to_string()).unwrap();
    assert_eq!(answer.status, 204, "{answer:?}");
    assert_eq!(place.heard(), BTreeMap::from([(one.name.clone(), true), (other.name.clone(), false)]));

    assert_eq!(place.speaker(LOCAL, None).ask("POST /v1/report", &report().to_string()).unwrap().status, 401);
}

#[test]
fn a_token_does_what_its_role_may_and_makes_no_other() {
    let place = Place::open();
    let speaker = place.speaker(LOCAL, None);
    let ask = |role: &str, request: &str, body: &str| {
        let head = format!("authorization: Bearer {role}\r\ncontent-length: {}\r\n", body.len());
        speaker.ask_with(request, &head, body).unwrap().status
    };
    let device = place.enroll(ELSEWHERE).name;
    let [viewer, author, approver] = ["viewer", "author", "approver"].map(|role| token(&place.company, role, role));
    let revoke = format!("POST /v1/devices/{device}/revoke");
    let more = "{\"name\":\"more\",\"role\":\"viewer\",\"days\":366}";
    let table = [
        ("GET /v1/status", "", [200, 200, 200]),
        ("GET /v1/drafts", "", [403, 200, 200]),
        (revoke.as_str(), "", [403, 403, 204]),
        ("POST /v1/tokens", more, [403, 403, 403]),
        ("GET /v1/tokens", "", [403, 403, 403]),
        ("DELETE /v1/tokens/author", "", [403, 204, 403]),
    ];
    for (request, body, expected) in table {
        assert_eq!([&viewer, &author, &approver].map(|token| ask(token, request, body)), expected, "{request}");
    }
    assert_eq!(ask("forewarn-api-0", "GET /v1/status", ""), 401);
    let record = place.company.admin("alice", &["audit", "show"]).unwrap().ok().unwrap();
    assert!(record.contains(&format!("{device} revoked by the token approver")), "{record}");
    place.company.admin("alice", &["tokens", "end", "viewer"]).unwrap().ok().unwrap();
    assert_eq!(ask(&viewer, "GET /v1/status", ""), 401);
}

#[test]
fn a_certificate_of_another_ca_is_not_spoken_with() {
    let place = Place::open();
    let name = place.enroll(LOCAL).name;
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    let stranger = params.self_signed(&key).unwrap();
    let identity = (stranger.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap());
    let speaker = Speaker::new(&place.company, LOCAL, Some(identity));
    let error = speaker.ask("POST /v1/report", &report().to_string()).unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("UnknownCA") || text.contains("DecryptError"), "{text}");
    assert!(place.heard().values().all(|heard| !heard));
}

#[test]
fn what_is_too_long_or_of_no_stated_length_is_refused_before_it_has_come() {
    let place = Place::open();
    let device = place.enroll(LOCAL);
    let speaker = place.speaker(LOCAL, Some(&device));
    let stated = |bytes: usize| format!("content-type: application/json\r\ncontent-length: {bytes}\r\n");
    let answer = speaker.ask_with("POST /v1/report", &stated(MAX_REPORT_BYTES + 1), "").unwrap();
    assert_eq!(answer.status, 413, "{answer:?}");
    let answer = speaker.ask_with("POST /v1/report", "transfer-encoding: chunked\r\n", "0\r\n\r\n").unwrap();
    assert_eq!(answer.status, 411, "{answer:?}");
    // A gigabyte is stated; a byte more than the limit is enough for the answer.
    let bearer = format!("authorization: Bearer {}\r\n", token(&place.company, "author", "author"));
    for (request, head, limit) in [
        ("POST /v1/enroll", "", 64 * 1024),
        ("POST /v1/appeal", "", 16 * 1024),
        ("POST /v1/drafts", bearer.as_str(), 8 << 20),
    ] {
        let head = format!("{head}{}", stated(1 << 30));
        let answer = speaker.ask_with(request, &head, &" ".repeat(limit + 1)).unwrap();
        assert_eq!(answer.status, 413, "{request}: {answer:?}");
    }
}

#[test]
fn what_no_database_takes_is_refused_first() {
    let place = Place::open();
    let device = place.enroll(LOCAL);
    let appeal = r#"{"policy":"ban","rule":"tiktok","reason":"a\u0000b"}"#;
    let answer = place.speaker(LOCAL, Some(&device)).ask("POST /v1/appeal", appeal).unwrap();
    assert_eq!(answer.status, 400, "{answer:?}");
    let bearer = format!("authorization: Bearer {}\r\n", token(&place.company, "approver", "approver"));
    let speaker = place.speaker(LOCAL, None);
    for request in [
        "POST /v1/devices/a%00b/revoke",
        "DELETE /v1/devices/a%00b",
        "DELETE /v1/tokens/a%00b",
        "GET /v1/devices?after=a%00b",
        "GET /v1/told/a%00b",
        "GET /v1/undone/a%00b?since=1",
    ] {
        let answer = speaker.ask_with(request, &bearer, "").unwrap();
        assert_eq!(answer.status, 400, "{request}: {answer:?}");
    }
    let named = place.company.admin("alice", &["tokens", "make", "a\nb", "--role", "viewer"]).unwrap();
    assert!(!named.success && named.text.contains("write 1 to 64 letters"), "{}", named.text);
}

#[test]
fn the_slow_keep_nobody_out_and_are_dropped() {
    let place = Place::open();
    let speaker = place.speaker(LOCAL, None);
    // Some say nothing at all, some begin a request's head, some begin its body.
    let beginnings = [
        b"".as_slice(),
        b"GET /v1/bundle HTTP/1.1\r\nhost: 127",
        b"POST /v1/enroll HTTP/1.1\r\n\
        host: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{",
    ];
    let open = |at: usize| -> Result<Stream> {
        let mut stream = speaker.open()?;
        let beginning = beginnings[at % beginnings.len()];
        if !beginning.is_empty() {
            stream.write_all(beginning)?;
            stream.flush()?;
        }
        Ok(stream)
    };
    more_files();
    let slow: Vec<Stream> = (0..SLOW).map(|at| open(at).unwrap()).collect();
    let begin = Instant::now();
    let device = place.enroll(ELSEWHERE);
    let answer = place.speaker(ELSEWHERE, Some(&device)).ask("POST /v1/report", &report().to_string()).unwrap();
    assert_eq!(answer.status, 204, "{answer:?}");
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(15), "{took:?}");
    for mut stream in slow {
        stream.sock.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let ended = stream.sock.read_to_end(&mut Vec::new());
        assert!(ended.as_ref().map_err(std::io::Error::kind) != Err(ErrorKind::WouldBlock), "it is still open");
    }
    println!(
        "beside {SLOW} slow ones a device enrolled and reported in {took:?}; all were dropped after {:?}",
        begin.elapsed()
    );
}

#[test]
fn who_guesses_tokens_learns_nothing_costs_little_and_keeps_nobody_else_out() {
    let place = Place::open();
    let before = place.memory();
    let (begin, enrolled_meanwhile) = (Instant::now(), AtomicBool::new(false));
    let answers = std::thread::scope(|scope| {
        let guessers: Vec<_> =
            (0..GUESSERS).map(|_| scope.spawn(|| guess(&place.speaker(LOCAL, None)).unwrap())).collect();
        std::thread::sleep(Duration::from_millis(500));
        place.enroll(ELSEWHERE);
        enrolled_meanwhile.store(guessers.iter().any(|guesser| !guesser.is_finished()), Ordering::Relaxed);
        let mut all = BTreeMap::<u16, usize>::new();
        for (status, count) in guessers.into_iter().flat_map(|guesser| guesser.join().unwrap()) {
            *all.entry(status).or_default() += count;
        }
        all
    });
    let (took, grown) = (begin.elapsed(), place.memory().saturating_sub(before));
    println!("{answers:?} in {took:?}; {before} KiB, {grown} KiB more afterwards");
    assert!(enrolled_meanwhile.into_inner(), "a good token from elsewhere was taken too late to say anything");
    assert_eq!(answers.values().sum::<usize>(), GUESSES);
    assert!(answers.keys().all(|status| [403, 429].contains(status)), "{answers:?}");
    // So many at once, and then some a second.
    let tried = answers.get(&403).copied().unwrap_or_default();
    assert!(tried < GUESSES / 20, "{tried} tokens were looked up");
    assert!(grown < MAX_GROWTH, "{grown} KiB");
    assert_eq!(place.heard().len(), 1);
}

/// This process holds many connections, and so may tests beside this one.
pub(crate) fn more_files() {
    let limits = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limits.maximum, ..limits }).unwrap();
}

/// One guesser's part: many requests at once on one connection, without a pause.
fn guess(speaker: &Speaker) -> Result<BTreeMap<u16, usize>> {
    let mut answers = BTreeMap::new();
    let mut stream = BufReader::new(speaker.open()?);
    for _ in 0..GUESSES / GUESSERS / PIPELINED {
        let requests: String = (0..PIPELINED).map(|_| a_guess()).collect();
        stream.get_mut().write_all(requests.as_bytes())?;
        for _ in 0..PIPELINED {
            let answer = read(&mut stream).context("the server hung up")?;
            *answers.entry(answer.status).or_default() += 1;
        }
    }
    Ok(answers)
}

fn a_guess() -> String {
    let body = json!({ "secret": format!("{:032x}", fastrand::u128(..)), "signing_request": "" }).to_string();
    let length = body.len();
    format!(
        "POST /v1/enroll HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
}
