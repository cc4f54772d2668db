//! People without an admin's key: they sign in at a real identity provider, in a browser that the test plays.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Stdio},
};

use forewarn_tests::{Binaries, Company, IdentityProvider, Outcome, home, visit};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::wire::{Answer, Speaker};

struct Place {
    company: Company,
    provider: IdentityProvider,
    _folder: TempDir,
}

/// Somebody who waits for their browser.
struct SigningIn {
    command: Child,
    /// Where the browser has to go.
    page: String,
    said: Box<dyn BufRead>,
}

impl Place {
    /// A founded company with a provider that knows three people.
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let people = [
            json!({ "sub": "ann", "email": "ann@corp.example", "email_verified": true, "groups": ["everybody", "policy-writers"] }),
            json!({ "sub": "eve", "email": "eve@corp.example", "email_verified": true, "groups": ["everybody"] }),
            json!({ "sub": "mallory", "email": "ann@corp.example", "email_verified": false, "groups": ["policy-writers"] }),
        ];
        let provider = IdentityProvider::start(folder.path(), &people).unwrap();
        let company = company(folder.path(), &provider.issuer, ("forewarn", "any that there is"));
        let place = Self { company, provider, _folder: folder };
        meet(&place.company);
        place
    }

    fn begin(&self) -> SigningIn {
        SigningIn::begin(&self.company, &[])
    }

    /// Signs in as `sub`: what the command says, or its error.
    fn sign_in(&self, sub: &str) -> Outcome {
        self.begin().log_in(&self.provider, sub)
    }

    fn ann(&self, arguments: &[&str]) -> Outcome {
        self.company.admin("ann", arguments).unwrap()
    }

    /// Ann's token.
    fn secret(&self) -> String {
        let text = fs_err::read_to_string(self.company.path("ann/signed-in.json")).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["secret"].as_str().unwrap().to_owned()
    }

    fn send(&self, request: &Value) -> Answer {
        let speaker = Speaker::new(&self.company, [127, 0, 0, 1], None);
        speaker.ask("POST /v1/sign-in", &request.to_string()).unwrap()
    }
}

impl SigningIn {
    /// Runs ann's `sign-in` as far as the address for her browser.
    fn begin(company: &Company, options: &[&str]) -> Self {
        let mut command = company.admin_command("ann", &[&["sign-in"], options].concat());
        let mut command = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said: Box<dyn BufRead> = Box::new(BufReader::new(command.stdout.take().unwrap()));
        let mut page = String::new();
        while !page.starts_with("http") {
            page.clear();
            assert_ne!(said.read_line(&mut page).unwrap(), 0, "{}", error(&mut command));
        }
        Self { command, page: page.trim().to_owned(), said }
    }

    /// The browser comes back from the provider.
    fn log_in(self, provider: &IdentityProvider, sub: &str) -> Outcome {
        visit(&provider.log_in(&self.page, sub).unwrap()).unwrap();
        self.end()
    }

    fn end(mut self) -> Outcome {
        let mut text = String::new();
        self.said.read_to_string(&mut text).unwrap();
        let error = error(&mut self.command);
        let success = self.command.wait().unwrap().success();
        Outcome { success, text: if success { text } else { error } }
    }
}

/// What a command says that has to be refused.
#[track_caller]
fn refusal(outcome: Outcome) -> String {
    assert!(!outcome.success, "{}", outcome.text);
    outcome.text
}

#[track_caller]
fn text(outcome: Outcome) -> String {
    outcome.ok().unwrap()
}

fn error(command: &mut Child) -> String {
    let mut text = String::new();
    command.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    text
}

/// Ann's machine gets to know the server.
fn meet(company: &Company) {
    let path = |name: &str| company.path(name).to_string_lossy().into_owned();
    let (ca, root, clock) = (path("server/ca.pem"), path("bob/root.json"), path("clock.json"));
    let known = ["--server", &company.url, "--ca", &ca, "--root", &root, "--simulated-clock", &clock];
    let init = ["init", "--without-key", "--name", "ann"].into_iter().chain(known).collect::<Vec<_>>();
    company.admin("ann", &init).unwrap().ok().unwrap();
}

/// A founded company with this provider, which knows the server by an id and a secret.
fn company(folder: &Path, issuer: &str, (id, secret): (&str, &str)) -> Company {
    let file = folder.join("oidc.secret");
    fs_err::write(&file, format!("{secret}\n")).unwrap();
    let config = format!(
        "[sign_in]\nissuer = {issuer:?}\nclient_id = {id:?}\nclient_secret_file = {file:?}\n\
         roles = {{ policy-writers = \"author\", security = \"viewer\" }}"
    );
    let mut company = Company::prepare_with(Binaries::beside_test().unwrap(), folder, &config).unwrap();
    company.begin().unwrap();
    company
}

#[test]
fn who_signs_in_may_do_what_their_group_may() {
    let place = Place::open();
    let unknown = refusal(place.ann(&["status"]));
    assert!(unknown.contains("sign-in"), "{unknown}");
    let said = text(place.sign_in("ann"));
    assert!(said.contains("Signed in as ann@corp.example, Author, until "), "{said}");
    assert!(text(place.ann(&["status"])).contains("0 devices enrolled"));
    // An author can't make tokens, nor publish; what she proposes is signed by others.
    assert!(!place.ann(&["tokens"]).success);
    let file = place.company.policy_file(&home::ban(&home::TIKTOK, "ban", 1, "grace = \"48h\"")).unwrap();
    text(place.ann(&["propose", &file]));
    place.company.admin("alice", &["sign", "--yes"]).unwrap().ok().unwrap();
    assert!(refusal(place.ann(&["publish"])).contains("this takes an approver"));
    place.company.admin("bob", &["sign", "--yes"]).unwrap().ok().unwrap();
    assert!(refusal(place.ann(&["plan", &empty(&place)])).is_empty(), "a plan that changes something exits with 2");
    let record = text(place.ann(&["audit", "show"]));
    for line in
        ["ann@corp.example signed in, as Author", "draft 2 sent by ann@corp.example: policies 2 signed by nobody"]
    {
        assert!(record.contains(line), "{line}: {record}");
    }
    // A working day later she has to come again.
    place.company.pass(SignedDuration::from_hours(9)).unwrap();
    assert!(refusal(place.ann(&["status"])).contains("your sign-in has ended"));
    text(place.sign_in("ann"));
    text(place.ann(&["status"]));
    let secret = place.secret();
    text(place.ann(&["sign-out"]));
    let speaker = Speaker::new(&place.company, [127, 0, 0, 1], None);
    let head = format!("authorization: Bearer {secret}\r\n");
    assert_eq!(speaker.ask_with("GET /v1/status", &head, "").unwrap().status, 401);
}

/// A folder without policies.
fn empty(place: &Place) -> String {
    let folder = place.company.path("empty");
    fs_err::create_dir_all(&folder).unwrap();
    folder.to_string_lossy().into_owned()
}

#[test]
fn who_has_no_role_or_is_somebody_else_stays_out() {
    let place = Place::open();
    let refused = refusal(place.sign_in("eve"));
    assert!(
        refused.contains("eve@corp.example: the provider's claim `groups` names nothing that has a role"),
        "{refused}"
    );
    let refused = refusal(place.sign_in("mallory"));
    assert!(refused.contains("does not say that it has verified"), "{refused}");
    // The name of a program's token can't be a person's.
    let taken = place.company.admin("alice", &["tokens", "make", "ann@corp.example", "--role", "viewer"]).unwrap();
    assert!(taken.text.contains("an @ is for people"), "{}", taken.text);
}

#[test]
fn a_code_is_good_for_the_sign_in_that_asked_for_it_and_once() {
    let place = Place::open();
    let waiting = place.begin();
    let back = place.provider.log_in(&waiting.page, "ann").unwrap();
    let (port, query) = back.split_once("/?").unwrap();
    // What comes from another page than the one that was asked for is passed over.
    let elsewhere = visit(&format!("{port}/?code=stolen&state=another")).unwrap();
    assert!(elsewhere.starts_with("HTTP/1.1 404"), "{elsewhere}");
    let value = |text: &str, name: &str| {
        text.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")[..])).unwrap().to_owned()
    };
    let request = |code: &str, nonce: &str| json!({ "code": code, "redirect": format!("{port}/"), "verifier": "v", "nonce": nonce });
    let replayed = place.send(&request(&value(query, "code"), "another"));
    assert_eq!(replayed.status, 403, "{replayed:?}");
    assert!(replayed.body.contains("ID token is not believed"), "{replayed:?}");
    // That has used it up.
    visit(&back).unwrap();
    let refused = refusal(waiting.end());
    assert!(refused.contains("the provider refuses"), "{refused}");
    let guessed = place.send(&request("guessed", "n"));
    assert_eq!(guessed.status, 403, "{guessed:?}");
}

#[test]
fn what_nobody_has_signed_can_t_fill_the_database() {
    let place = Place::open();
    text(place.sign_in("ann"));
    let propose = |who: &str, number: usize| {
        let id = format!("ban-{number}");
        let file = place.company.policy_file(&home::ban(&home::TIKTOK, &id, 1, "grace = \"48h\"")).unwrap();
        place.company.admin(who, &["propose", &file]).unwrap()
    };
    assert!((0..20).all(|number| propose("ann", number).success));
    // What she proposes again about the same comes in its place.
    assert!(propose("ann", 3).success);
    let refused = propose("ann", 20);
    assert!(refused.text.contains("20 drafts wait already that no admin has signed"), "{}", refused.text);
    // An admin's own goes beside them; and one that is signed, or withdrawn, makes room.
    assert!(propose("alice", 21).success);
    place.company.admin("alice", &["sign", "--yes", "2"]).unwrap().ok().unwrap();
    assert!(propose("ann", 22).success);
    assert!(!propose("ann", 23).success);
    assert!(refusal(place.ann(&["withdraw", "3"])).contains("this takes an approver"));
    text(place.company.admin("alice", &["withdraw", "3"]).unwrap());
    assert!(propose("ann", 23).success);
    let record = text(place.ann(&["audit", "show"]));
    assert!(record.contains("draft 3 withdrawn by alice"), "{record}");
}

#[test]
fn without_a_provider_that_works_the_error_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let company = company(folder.path(), "http://127.0.0.1:9", ("forewarn", "a secret"));
    meet(&company);
    let refused = company.admin("ann", &["sign-in"]).unwrap();
    assert!(
        refused.text.contains("the identity provider can't be used; the server's log says why"),
        "{}",
        refused.text
    );
    let log = fs_err::read_to_string(company.path("server.log")).unwrap();
    assert!(log.contains("the identity provider http://127.0.0.1:9 can't be used"), "{log}");
}

#[test]
fn a_provider_that_knows_its_clients_is_shown_the_server_s_secret() {
    let folder = tempfile::tempdir().unwrap();
    let people = [json!({ "sub": "ann", "email": "ann@corp.example", "email_verified": true, "groups": ["security"] })];
    let provider = IdentityProvider::start_for_clients(folder.path(), &people).unwrap();
    let port = forewarn_tests::free_port().to_string();
    let (id, secret) = provider.register(&format!("http://127.0.0.1:{port}/")).unwrap();
    let mut company = company(folder.path(), &provider.issuer, (&id, &secret));
    meet(&company);
    let said = text(SigningIn::begin(&company, &["--port", &port]).log_in(&provider, "ann"));
    assert!(said.contains("Signed in as ann@corp.example, Viewer"), "{said}");
    // With another secret it is the server that is wrong, not ann.
    fs_err::write(folder.path().join("oidc.secret"), "another secret").unwrap();
    let refused = refusal(SigningIn::begin(&company, &["--port", &port]).log_in(&provider, "ann"));
    assert!(refused.contains("the identity provider can't be used"), "{refused}");
    let log = fs_err::read_to_string(company.path("server.log")).unwrap();
    assert!(log.contains("look at client_id and client_secret_file"), "{log}");
    // A server that asks for something else than before is not followed.
    company.kill_server();
    let config = fs_err::read_to_string(company.path("server.toml")).unwrap();
    fs_err::write(company.path("server.toml"), config.replace(&id, "another-application")).unwrap();
    company.start_server().unwrap();
    let refused = refusal(company.admin("ann", &["sign-in"]).unwrap());
    assert!(refused.contains("another place than the last time"), "{refused}");
}
