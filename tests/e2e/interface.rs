//! The server does what its OpenAPI document says, whatever is asked: schemathesis makes the requests.

use std::path::Path;

use forewarn_tests::{Binaries, Company, home, python};

use crate::wire::Speaker;

pub(crate) const KEY: &str = "a key of the mail server's";
/// Requests for each operation and way of making them: with 30, half a minute on two idle cores.
const EXAMPLES: &str = "12";
/// What has to hold of every answer. Left out is what the document can't say: that a text is a signing request, or that
/// metadata is signed.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
    response_headers_conformance,negative_data_rejection,unsupported_method,allow_header_conformance";

/// What is asked last, because it ends the device and the token with which the rest is asked, whose names it learns.
const ENDS: [&str; 3] = ["delete-devices", "post-devices-revoke", "delete-tokens"];

/// A founded company whose gate is open.
pub(crate) fn company(folder: &Path) -> Company {
    let key = folder.join("gate.key");
    fs_err::write(&key, KEY).unwrap();
    let config = format!("gate_key = {key:?}");
    let mut company = Company::prepare_with(Binaries::beside_test().unwrap(), folder, &config).unwrap();
    company.begin().unwrap();
    company
}

/// The secret of a new token.
pub(crate) fn token(company: &Company, name: &str, role: &str) -> String {
    let made = company.admin("alice", &["tokens", "make", name, "--role", role]).unwrap().ok().unwrap();
    made.trim().to_owned()
}

#[test]
fn whatever_is_asked_the_answer_is_one_that_the_document_knows() {
    let folder = tempfile::tempdir().unwrap();
    let company = company(folder.path());
    company.publish(&home::ban(&home::TIKTOK, "ban", 1, "grace = \"48h\"")).unwrap();
    let file = company.policy_file(&home::ban(&home::TIKTOK, "ban", 2, "grace = \"24h\"")).unwrap();
    company.admin("alice", &["propose", &file]).unwrap().ok().unwrap();
    let device = Speaker::new(&company, [127, 0, 0, 9], None).enroll(&company.token().unwrap()).unwrap();
    for (name, text) in [("cert.pem", &device.certificate), ("key.pem", &device.key)] {
        fs_err::write(company.path(name), text).unwrap();
    }
    fs_err::write(company.path("openapi.json"), forewarn_server::openapi()).unwrap();
    let secret = token(&company, "fuzz", "approver");
    check(&company, &secret, "--exclude-operation-id");
    let after = company.admin("alice", &["status"]).unwrap().ok().unwrap();
    assert!(after.contains("1 device"), "{after}");
    check(&company, &secret, "--include-operation-id");
    let log = fs_err::read_to_string(company.path("server.log")).unwrap();
    assert!(!log.contains("ERROR"), "{log}");
}

/// Has schemathesis ask, all but [`ENDS`] or these alone, and wants every check to hold.
#[track_caller]
fn check(company: &Company, secret: &str, ends: &str) {
    let path = |name: &str| company.path(name).to_string_lossy().into_owned();
    let mut command = python("schemathesis").unwrap();
    command.args(["run", &path("openapi.json"), "--url", &company.url, "--tls-verify", &path("server/ca.pem")]);
    command.args(["--request-cert", &path("cert.pem"), "--request-cert-key", &path("key.pem")]);
    command.args(["--header", &format!("Authorization: Bearer {secret}"), "--header", &format!("X-API-Key: {KEY}")]);
    command.args(ENDS.iter().flat_map(|id| [ends, id]));
    command.args(["--phases", "examples,coverage,fuzzing", "--checks", CHECKS, "--max-examples", EXAMPLES]);
    command.args(["--generation-deterministic", "--generation-allow-x00", "true", "--continue-on-failure"]);
    command.args(["--max-redirects", "0", "--no-color"]);
    let output = command.current_dir(&company.folder).output().unwrap();
    println!("{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
    assert!(output.status.success(), "the document and the server differ; above is how");
}
