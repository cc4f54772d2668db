//! The admins hear what waits for them by mail: over a real mail server, with TLS that is checked.

use std::path::Path;

use forewarn_tests::{Binaries, Company, MailServer, home, wait_until};
use rcgen::generate_simple_self_signed;

/// A certificate for this machine, which the server under test trusts where its system's certificates would be.
fn certificate(folder: &Path) -> [String; 2] {
    let made = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let [certificate, key] = ["smtp.pem", "smtp.key"].map(path);
    fs_err::write(&certificate, made.cert.pem()).unwrap();
    fs_err::write(&key, made.signing_key.serialize_pem()).unwrap();
    [certificate, key]
}

/// A company that sends its mail to this server.
fn company(folder: &Path, port: u16, security: &str, trusted: &str) -> Company {
    let config = format!(
        "[tell.mail]\nhost = \"localhost\"\nport = {port}\nsecurity = {security:?}\n\
         from = \"Forewarn <forewarn@corp.example>\"\nto = [\"admins@corp.example\", \"Security <soc@corp.example>\"]"
    );
    let mut company = Company::prepare_with(Binaries::beside_test().unwrap(), folder, &config).unwrap();
    company.environment = vec![("SSL_CERT_FILE".to_owned(), trusted.to_owned())];
    company.begin().unwrap();
    company
}

#[test]
fn a_draft_that_waits_is_mailed_to_the_admins() {
    for (security, options) in [("starttls", ["--tlscert", "--tlskey"]), ("tls", ["--smtpscert", "--smtpskey"])] {
        let folder = tempfile::tempdir().unwrap();
        let [certificate, key] = certificate(folder.path());
        let server = MailServer::start(folder.path(), &[options[0], &certificate, options[1], &key]).unwrap();
        let company = company(folder.path(), server.port, security, &certificate);
        let file = company.policy_file(&home::ban(&home::TIKTOK, "ban", 1, "grace = \"48h\"")).unwrap();
        company.admin("alice", &["propose", &file]).unwrap().ok().unwrap();
        let mail = wait_until("the mail comes", || {
            let mails = server.mails()?;
            let waits =
                mails.into_iter().find(|mail| mail.contains("Subject: Forewarn: draft 2 waits for a signature"));
            waits.ok_or_else(|| anyhow::anyhow!("not yet"))
        });
        let mail = mail.unwrap();
        for line in [
            "From: Forewarn <forewarn@corp.example>",
            "soc@corp.example",
            "alice sent draft 2",
            "forewarn-admin sign 2",
        ] {
            assert!(mail.contains(line), "{security}, {line}: {mail}");
        }
    }
}

#[test]
fn a_mail_server_that_is_not_who_it_says_gets_no_mail() {
    let folder = tempfile::tempdir().unwrap();
    let [certificate, key] = certificate(folder.path());
    let server = MailServer::start(folder.path(), &["--tlscert", &certificate, "--tlskey", &key]).unwrap();
    let trusted = folder.path().join("another.pem");
    fs_err::write(&trusted, generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem()).unwrap();
    let company = company(folder.path(), server.port, "starttls", &trusted.to_string_lossy());
    let file = company.policy_file(&home::ban(&home::TIKTOK, "ban", 1, "grace = \"48h\"")).unwrap();
    company.admin("alice", &["propose", &file]).unwrap().ok().unwrap();
    let refused = wait_until("it is logged", || {
        let log = fs_err::read_to_string(company.path("server.log"))?;
        let line = log.lines().find(|line| line.contains("the mail server did not take a message"));
        line.map(str::to_owned).ok_or_else(|| anyhow::anyhow!("not yet"))
    });
    let refused = refused.unwrap();
    assert!(refused.to_lowercase().contains("certificate"), "{refused}");
    assert_eq!(server.mails().unwrap(), Vec::<String>::new());
}
