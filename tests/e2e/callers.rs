//! Every route as every kind of caller, from the document that is made from the table of routes: whoever is not named there is
//! refused, and whoever is named is not.

use std::path::Path;

use forewarn_tests::{Binaries, Company};
use forewarn_trust::{Signer, SigningKey};
use jiff::Timestamp;
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use serde_json::Value;

use crate::{
    interface::{KEY, company, token},
    wire::{Identity, Speaker},
};

/// All that are open to everybody, each for a reason: there is no other way in, or it says only where to go.
const OPEN: [&str; 5] =
    ["GET /v1/online-keys", "GET /v1/sign-in", "GET /v1/stream", "POST /v1/enroll", "POST /v1/sign-in"];
/// What is refused for who asks; every other refusal is for what is asked.
const REFUSED: [u16; 2] = [401, 403];

/// A method of an address, and how the document lets callers in.
struct Operation {
    method: String,
    path: String,
    security: Vec<Value>,
}

impl Operation {
    /// All of them; what ends the token with which it is asked comes last.
    fn all() -> Vec<Self> {
        let document: Value = serde_json::from_str(&forewarn_server::openapi()).unwrap();
        let mut all = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let security = operation["security"].as_array().unwrap().clone();
                all.push(Self { method: method.to_uppercase(), path: path.clone(), security });
            }
        }
        all.sort_by_key(|operation| operation.path.starts_with("/v1/tokens/"));
        all
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The address, with something that isn't there in the place of its name, or the caller's own token.
    fn address(&self, caller: &Caller) -> String {
        let own = if self.path.contains("tokens") { caller.name } else { "nobody" };
        let path = self.path.replace("{name}", own).replace("{number}", "4711").replace("{device}", "nobody");
        let path = path.replace("{policy}", "nothing").replace("{digest}", "00");
        if path.starts_with("/v1/undone/") { format!("{path}?since=1") } else { path }
    }

    fn admits(&self, caller: &Caller) -> bool {
        let shows = |scheme: &Value| {
            let (scheme, roles) = scheme.as_object().unwrap().iter().next().unwrap();
            let roles: Vec<&str> = roles.as_array().unwrap().iter().filter_map(Value::as_str).collect();
            caller.shows.iter().any(|(own, role)| own == scheme && (roles.is_empty() || roles.contains(role)))
        };
        self.security.is_empty() || self.security.iter().any(shows)
    }
}

/// Gives a header for a method and an address.
type Head = Box<dyn Fn(&str, &str) -> String>;

/// Somebody who asks.
struct Caller {
    name: &'static str,
    /// The schemes of the document that they have: for a token once for each role that it is enough for.
    shows: Vec<(&'static str, &'static str)>,
    identity: Option<Identity>,
    head: Head,
}

impl Caller {
    fn new(
        name: &'static str,
        shows: &[(&'static str, &'static str)],
        head: impl Fn(&str, &str) -> String + 'static,
    ) -> Self {
        Self { name, shows: shows.to_vec(), identity: None, head: Box::new(head) }
    }

    fn bearer(company: &Company, role: &'static str, shows: &[(&'static str, &'static str)]) -> Self {
        let secret = token(company, role, role);
        Self::new(role, shows, move |_, _| format!("authorization: Bearer {secret}\r\n"))
    }

    /// The status that this caller gets.
    fn ask(&self, company: &Company, operation: &Operation) -> u16 {
        let identity = self.identity.as_ref().map(|(certificate, key)| (certificate.clone(), key.clone_key()));
        let (address, body) = (operation.address(self), if operation.method == "POST" { "{}" } else { "" });
        let head = (self.head)(&operation.method, &address);
        let head = format!("{head}content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        let request = format!("{} {address}", operation.method);
        Speaker::new(company, [127, 0, 0, 1], identity).ask_with(&request, &head, body).unwrap().status
    }
}

/// An admin's own key, as it lies in their folder.
fn key_of(company: &Company, admin: &str) -> SigningKey {
    let pem = fs_err::read_to_string(company.path(&format!("{admin}/key.pem"))).unwrap();
    let (_, sealed) = SecretDocument::from_pem(&pem).unwrap();
    let passphrase = fs_err::read_to_string(company.path("passphrase")).unwrap();
    let der = EncryptedPrivateKeyInfoRef::try_from(sealed.as_bytes()).unwrap().decrypt(passphrase.trim_end()).unwrap();
    SigningKey::from_pkcs8(admin, der.as_bytes()).unwrap()
}

fn callers(company: &Company) -> Vec<Caller> {
    let device = Speaker::new(company, [127, 0, 0, 1], None).enroll(&company.token().unwrap()).unwrap();
    let roles = [("token", "viewer"), ("token", "author"), ("token", "approver")];
    let key = key_of(company, "alice");
    let signed = move |method: &str, address: &str| {
        let body: &[u8] = if method == "POST" { b"{}" } else { b"" };
        format!("authorization: {}\r\n", key.authorize(method, address, Timestamp::now().as_second(), body).unwrap())
    };
    let code = company.printed("founding code:").unwrap();
    vec![
        Caller::new("nobody", &[], |_, _| String::new()),
        Caller {
            identity: Some(device.identity()),
            ..Caller::new("device", &[("certificate", "")], |_, _| String::new())
        },
        Caller::bearer(company, "viewer", &roles[..1]),
        Caller::bearer(company, "author", &roles[..2]),
        Caller::bearer(company, "approver", &roles),
        Caller::new("admin", &[("signature", "")], signed),
        Caller::new("mail-server", &[("mailServer", "")], |_, _| format!("x-api-key: {KEY}\r\n")),
        // Of no more use once there are admins.
        Caller::new("founder", &[], move |_, _| format!("authorization: Founding {code}\r\n")),
    ]
}

fn check(company: &Company, callers: &[Caller]) {
    for operation in Operation::all() {
        for caller in callers {
            let status = caller.ask(company, &operation);
            let (admitted, name) = (operation.admits(caller), operation.name());
            assert_eq!(admitted, !REFUSED.contains(&status), "{name} as {}: {status}", caller.name);
        }
    }
}

#[test]
fn promise_2_each_route_answers_those_alone_whom_its_row_names() {
    let folder = tempfile::tempdir().unwrap();
    let company = company(folder.path());
    check(&company, &callers(&company));
}

#[test]
fn promise_2_the_founding_code_opens_what_founding_needs_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let company = unfounded(folder.path());
    let code = company.printed("founding code:").unwrap();
    let head = move |_: &str, _: &str| format!("authorization: Founding {code}\r\n");
    check(
        &company,
        &[Caller::new("founder", &[("founding", "")], head), Caller::new("nobody", &[], |_, _| String::new())],
    );
}

fn unfounded(folder: &Path) -> Company {
    let key = folder.join("gate.key");
    fs_err::write(&key, KEY).unwrap();
    let mut company =
        Company::prepare_with(Binaries::beside_test().unwrap(), folder, &format!("gate_key = {key:?}")).unwrap();
    company.start_server().unwrap();
    company
}

#[test]
fn promise_2_a_route_that_everybody_may_ask_is_one_of_these() {
    let operations = Operation::all();
    let open: Vec<String> = operations.iter().filter(|one| one.security.is_empty()).map(Operation::name).collect();
    let mut open: Vec<&str> = open.iter().map(String::as_str).collect();
    open.sort_unstable();
    assert_eq!(open, OPEN);
}
