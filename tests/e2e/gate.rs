//! The company's mail server asks whether a device may log in: a real Dovecot, on the wire.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use forewarn_host::Shift;
use forewarn_proto::report::Stage as ObligationStage;
use forewarn_tests::{Binaries, Company, Device, Dovecot, home, wait_until};

use crate::HOUR;

const KEY: &str = "a key of the mail server's";
const ADDRESS: &str = "127.0.6.1";

/// What a person who knows the password tries: gives what the server answers.
fn log_in(dovecot: &Dovecot, password: &str) -> String {
    let mut stream = TcpStream::connect((ADDRESS, dovecot.port)).unwrap();
    stream.write_all(format!("a LOGIN me@corp.example \"{password}\"\r\n").as_bytes()).unwrap();
    let answers = BufReader::new(stream).lines().map_while(Result::ok);
    answers.into_iter().find(|line| line.starts_with("a ")).unwrap_or_default()
}

/// The devices' names, by their reports' certificates.
fn name_of(device: &Device) -> String {
    let identity = fs_err::read_to_string(device.folder.join("agent/identity.json")).unwrap();
    let identity: serde_json::Value = serde_json::from_str(&identity).unwrap();
    identity["device"].as_str().unwrap().to_owned()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story")]
fn a_device_whose_account_is_revoked_is_refused_with_the_reason_and_another_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut company = Company::prepare(Binaries::beside_test().unwrap(), folder.path()).unwrap();
    fs_err::write(folder.path().join("gate.key"), KEY).unwrap();
    let config = fs_err::read_to_string(folder.path().join("server.toml")).unwrap();
    let gate = format!("gate_key = {:?}\n", folder.path().join("gate.key"));
    fs_err::write(folder.path().join("server.toml"), config + &gate).unwrap();
    company.start_server().unwrap();
    company.init_admin("alice").unwrap();
    company.init_admin("bob").unwrap();
    company.found_repository().unwrap();
    let devices: Vec<Device> = ["laptop", "other"]
        .map(|name| {
            let place = folder.path().join(name);
            fs_err::create_dir(&place).unwrap();
            let mut device =
                Device::prepare(&company.binaries, &place, &Shift::default(), "notices = \"terminal\"").unwrap();
            device.enroll(&company.token().unwrap(), &company.path("bob/root.json")).unwrap();
            device.start().unwrap();
            device.wait_for("the device is connected", |status| status.confirmed_at.is_some()).unwrap();
            device
        })
        .into();
    let [laptop, other] = devices.as_slice() else { unreachable!() };
    // Each device has a password of its own, and Dovecot knows whose it is.
    let passwords = devices.iter().map(|device| {
        format!("me@corp.example:{{PLAIN}}of {}::::::device={}\n", device.folder.display(), name_of(device))
    });
    let passwords: Vec<String> = passwords.collect();
    let mail = folder.path().join("dovecot");
    fs_err::create_dir(&mail).unwrap();
    fs_err::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    // The server's own folder is for nobody else.
    fs_err::copy(company.path("server/ca.pem"), folder.path().join("ca.pem")).unwrap();
    let dovecot = Dovecot::start(&mail, &[ADDRESS], &passwords, &policy_settings(&company)).unwrap();
    let try_both = || [laptop, other].map(|device| log_in(&dovecot, &format!("of {}", device.folder.display())));
    let all_in = |answers: &[String; 2]| answers.iter().all(|answer| answer.starts_with("a OK"));
    let before = try_both();
    assert!(all_in(&before), "{before:?}\n{}", dovecot.log());
    home::TIKTOK.install(&laptop.home).unwrap();
    company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"24h\"")).unwrap();
    laptop.wait_for_first_notice().unwrap();
    let warned = try_both();
    assert!(all_in(&warned), "nobody is refused before the deadline: {warned:?}");
    let pass = |length| {
        company.pass(length).unwrap();
        devices.iter().for_each(|device| device.pass(length).unwrap());
    };
    pass(HOUR * 24);
    laptop.wait_for_last_call().unwrap();
    pass(HOUR);
    laptop.wait_for("revoked", |status| status.obligations[0].stage == ObligationStage::Revoked).unwrap();
    wait_until("the laptop is refused", || {
        let [refused, let_in] = try_both();
        anyhow::ensure!(let_in.starts_with("a OK"), "{let_in}");
        anyhow::ensure!(
            refused == "a NO [ALERT] Remove TikTok to use mail on this device. More there: forewarn why",
            "{refused}"
        );
        Ok(())
    })
    .unwrap();
    company.admin("alice", &["retract", "no-tiktok", "--reason", "sent in error"]).unwrap().ok().unwrap();
    let after = try_both();
    assert!(all_in(&after), "a retraction opens the gate at once: {after:?}");
    // Somebody else who asks hears nothing.
    let log = dovecot.log();
    assert!(log.contains("me@corp.example") && !log.contains(KEY), "{log}");
}

/// As docs/mail-server.md says.
fn policy_settings(company: &Company) -> String {
    format!(
        "auth_policy_server_url = {}/gate/dovecot\nauth_policy_server_api_header = X-API-Key: {KEY}\n\
         auth_policy_hash_nonce = nonce\nauth_policy_reject_on_fail = no\nssl_client_ca_file = {}\n\
         auth_policy_request_attributes = login=%{{requested_username}} protocol=%s device=%{{passdb:device}}\n",
        company.url,
        company.path("ca.pem").display(),
    )
}
