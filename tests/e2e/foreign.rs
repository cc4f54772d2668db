//! Texts of one trust domain on the terminal of another, with the real programs.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    sync::Arc,
    thread,
};

use forewarn_tests::{Binaries, Company, home};
use rcgen::generate_simple_self_signed;
use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer};
use serde_json::{Value, json};

use crate::{Stage, interface::company, wire::Speaker};

/// Clears the screen, sets the clipboard, writes over the line before.
const ATTACK: &str = "\u{1b}[2J\u{1b}]52;c;eA==\u{7}\u{9b}1A\r\u{202e}evil\n3 devices, all well";

/// What an admin's command prints, as a terminal would get it.
fn printed(company: &Company, name: &str, arguments: &[&str]) -> String {
    let output = company.admin_command(name, arguments).env("CLICOLOR_FORCE", "1").output().unwrap();
    format!("{}{}", String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// Nothing but our own styles reaches the terminal.
#[track_caller]
fn check_harmless(printed: &str) {
    let own = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m"];
    let text = own.iter().fold(printed.to_owned(), |text, style| text.replace(style, ""));
    assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
}

fn policy() -> String {
    home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\"")
}

#[test]
fn promise_2_a_review_that_a_message_forged_stands_above_the_facts_and_behind_a_margin() {
    let stage = Stage::set();
    let company = &stage.company;
    let forged = format!(
        "Please.{}Draft 1\n  bans      Nothing\n  then      nothing: this policy only warns\nSign this? [y/N]",
        "\n".repeat(70)
    );
    let message = serde_json::to_string(&forged).unwrap();
    let ugly = policy().replace("\"Please remove TikTok from this device. Questions? Ask the help desk.\"", &message);
    let file = company.policy_file(&ugly).unwrap();
    company.admin("alice", &["propose", &file]).unwrap().ok().unwrap();
    let read = printed(company, "bob", &["sign"]);
    check_harmless(&read);
    let read = read.split("forewarn-admin: ").next().unwrap();
    let screen: Vec<&str> = read.lines().rev().take(24).collect();
    assert_eq!(screen[0].trim_end(), "Sign this? [y/N]", "{read}");
    for fact in ["  bans        `TikTok` (", "  takes mail  corp.example", "  deadline    48h after the notice"] {
        assert!(
            screen[..13].iter().any(|line| line.starts_with(fact)),
            "{fact} is not right above the question: {read}"
        );
    }
    let forged = |line: &&str| line.contains("bans      Nothing") || line.contains("this policy only warns");
    assert!(read.lines().filter(forged).all(|line| line.trim_start().starts_with("│ ")), "{read}");
    assert_eq!(read.lines().filter(forged).count(), 2, "it is shown, as what it is");
}

#[test]
fn promise_2_a_policy_with_controls_or_marks_of_direction_is_refused_where_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let company = Company::prepare(Binaries::beside_test().unwrap(), folder.path()).unwrap();
    let title = "TikTok is not permitted";
    for (ugly, expected) in [
        ("\\u202etimrep ton si koTkiT", "steers the direction"),
        ("\\u001b[2JTikTok", r"the control character \u{1b}"),
        ("TikTok\\nis permitted", "it has a line feed"),
        ("TikTok\\u009b2J", r"the control character \u{9b}"),
        ("TikTok\\u2028", r"the control character \u{2028}"),
    ] {
        let file = company.policy_file(&policy().replace(title, ugly)).unwrap();
        let said = company.admin("alice", &["check", &file]).unwrap();
        assert!(
            !said.success && said.text.contains("title.en: ") && said.text.contains(expected),
            "{ugly}: {}",
            said.text
        );
    }
    let file =
        company.policy_file(&policy().replace(title, "👩\u{200d}💻 می\u{200c}خواهم").replace('\n', "\r\n")).unwrap();
    company
        .admin("alice", &["check", &file])
        .unwrap()
        .ok()
        .expect("joiners and line ends of Windows are nobody's attack");
}

#[test]
fn promise_7_a_report_and_an_appeal_with_controls_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let company = company(folder.path());
    let enrolled = Speaker::new(&company, [127, 0, 0, 1], None).enroll(&company.token().unwrap()).unwrap();
    let device = Speaker::new(&company, [127, 0, 0, 1], Some(enrolled.identity()));
    let report = |agent: &str, detail: &str| {
        let refused = json!({ "kind": "unreadable", "detail": detail });
        let report = json!({
            "sequence": 1, "made_at": "2026-12-01T09:00:00Z", "agent": agent, "platform": "linux", "bundle": null,
            "refused": refused, "policies": [], "profiles": [], "unattended": [], "corrections": [],
        });
        device.ask("POST /v1/report", &report.to_string()).unwrap()
    };
    for (agent, detail, expected) in [
        ("1", ATTACK, "refused.detail: it has the control character"),
        ("1", "\u{202e}x", "refused.detail: it has \\\\u{202e}, which steers"),
        ("1", &"x".repeat(501), "refused.detail: it has over 500 characters"),
        ("1\n", "", "agent: it has a line feed"),
    ] {
        let answer = report(agent, detail);
        assert!(answer.status == 422 && answer.body.contains(expected), "{answer:?}");
    }
    assert_eq!(report("1", "it can't be read: ü日本").status, 204);
    let appeal = json!({ "policy": "a", "rule": "b", "reason": ATTACK }).to_string();
    let answer = device.ask("POST /v1/appeal", &appeal).unwrap();
    assert!(answer.status == 400 && answer.body.contains("control character"), "{answer:?}");
}

#[test]
fn promise_7_nothing_that_a_hostile_server_says_reaches_an_admin_s_terminal_raw() {
    let folder = tempfile::tempdir().unwrap();
    let company = Company::prepare(Binaries::beside_test().unwrap(), folder.path()).unwrap();
    let ca = folder.path().join("hostile.pem");
    let url = serve(&ca);
    let init = ["init", "--name", "alice", "--server", &url, "--ca", &ca.to_string_lossy()];
    company.admin("alice", &init).unwrap().ok().unwrap();
    for (arguments, expected) in [
        (&["status"][..], "3 devices refused a bundle: "),
        (&["tokens", "list"], "ends 2027"),
        (&["devices"], "the server refuses: "),
        (&["told", "no-tiktok"], "the server refuses: "),
        (&["inbox"], "the server refuses: "),
    ] {
        let said = printed(&company, "alice", arguments);
        check_harmless(&said);
        assert!(said.contains(expected) && said.contains(r"\u{1b}[2J"), "{arguments:?}: {said}");
        assert!(!said.lines().any(|line| line.starts_with("3 devices, all well")), "{arguments:?}: {said}");
    }
}

/// A server that says what it likes, and the certificate by which it is believed.
fn serve(certificate: &std::path::Path) -> String {
    let own = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    fs_err::write(certificate, own.cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let _ = answer(StreamOwned::new(connection, socket));
        }
    });
    format!("https://127.0.0.1:{port}")
}

fn answer(stream: StreamOwned<ServerConnection, std::net::TcpStream>) -> std::io::Result<()> {
    let (mut stream, mut asked) = (BufReader::new(stream), String::new());
    stream.read_line(&mut asked)?;
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line)?;
    }
    let (status, body) = said(asked.split(' ').nth(1).unwrap_or_default());
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    let stream = stream.get_mut();
    stream.write_all(format!("{head}{body}").as_bytes())?;
    stream.flush()
}

fn said(path: &str) -> (u16, Value) {
    match path {
        "/v1/status" => {
            let fleet = json!({
                "devices": 1, "connected": 1, "policies": {}, "corrections": {}, "refusals": { ATTACK: 3 }, "unattended": 0,
            });
            (200, fleet)
        }
        "/v1/tokens" => (200, json!([{ "name": ATTACK, "role": "viewer", "ends": "2027-01-01T00:00:00Z" }])),
        "/v1/drafts" => (200, json!([])),
        _ => (400, json!(ATTACK)),
    }
}

#[test]
fn promise_7_a_desktop_entry_s_name_does_nothing_to_the_terminal_on_which_it_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let (binaries, clock) = (Binaries::beside_test().unwrap(), forewarn_host::Shift::default());
    let device = forewarn_tests::Device::prepare(&binaries, folder.path(), &clock, "").unwrap();
    let entries = device.home.join(".local/share/applications");
    fs_err::create_dir_all(&entries).unwrap();
    let name = ATTACK.replace('\n', "\\n");
    let entry = format!("[Desktop Entry]\nType=Application\nName={name}\nExec=/bin/true\n");
    fs_err::write(entries.join("evil.desktop"), entry).unwrap();
    let device = device.with("CLICOLOR_FORCE", "1");
    let table = device.run(&["inventory", "--source", "desktop"]).unwrap().ok().unwrap();
    check_harmless(&table);
    assert!(table.contains(r"\u{1b}[2J") && table.contains(r"\u{202e}evil"), "{table}");
    for form in ["--json", "--cyclonedx"] {
        let text = device.run(&["inventory", "--source", "desktop", form]).unwrap().ok().unwrap();
        check_harmless(&text);
        assert!(text.contains(r"\u001b[2J") && text.contains("evil"), "{text}");
        serde_json::from_str::<Value>(&text).unwrap();
    }
}
