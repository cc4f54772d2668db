//! An identity provider that speaks OpenID Connect, and the browser with which somebody logs in to it.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    process::{Running, wait_until},
    python,
};

/// The provider; killed when it is dropped.
#[derive(Debug)]
pub struct IdentityProvider {
    /// What its tokens call it.
    pub issuer: String,
    _process: Running,
}

impl IdentityProvider {
    /// Starts one that knows these people, by their claims; `sub` is as what they log in.
    ///
    /// # Errors
    /// When it isn't installed, or does not listen.
    pub fn start(folder: &Path, people: &[Value]) -> Result<Self> {
        Self::start_with(folder, people, &[])
    }

    /// The same, for clients that have registered alone.
    ///
    /// # Errors
    /// As [`IdentityProvider::start`].
    pub fn start_for_clients(folder: &Path, people: &[Value]) -> Result<Self> {
        Self::start_with(folder, people, &["--require-registration", "true"])
    }

    fn start_with(folder: &Path, people: &[Value], options: &[&str]) -> Result<Self> {
        let port = crate::free_port();
        let mut command = python("oidc-provider-mock")?;
        command.args(["--require-nonce", "true", "--port", &port.to_string()]).args(options);
        command.args(people.iter().flat_map(|claims| ["--user-claims".to_owned(), claims.to_string()]));
        let process = Running::start(command, &folder.join("provider.log"))?;
        wait_until("the provider listens", || Ok(TcpStream::connect(("127.0.0.1", port)).map(drop)?))?;
        Ok(Self { issuer: format!("http://127.0.0.1:{port}"), _process: process })
    }

    /// Registers a client, whose browsers come back to `redirect`. Gives its id and its secret.
    ///
    /// # Errors
    /// What the provider says.
    pub fn register(&self, redirect: &str) -> Result<(String, String)> {
        let client = serde_json::json!({ "redirect_uris": [redirect] });
        let address = format!("{}/oauth2/clients", self.issuer);
        let answer = ask("POST", &address, "application/json", &client.to_string())?;
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        let said: Value = serde_json::from_str(body).with_context(|| answer.clone())?;
        let text = |name: &str| said[name].as_str().map(str::to_owned).with_context(|| format!("no {name}: {answer}"));
        Ok((text("client_id")?, text("client_secret")?))
    }

    /// Logs in as `sub` on the page at `address`, in a browser. Gives the address to which the provider sends that one.
    ///
    /// # Errors
    /// When the provider sends it nowhere.
    pub fn log_in(&self, address: &str, sub: &str) -> Result<String> {
        let answer = ask("POST", address, "application/x-www-form-urlencoded", &format!("sub={sub}"))?;
        let location = answer.lines().find(|line| line.to_ascii_lowercase().starts_with("location: "));
        let location = location.with_context(|| format!("the provider says {answer}"))?;
        Ok(location["location: ".len()..].to_owned())
    }
}

/// What a browser gets at an address: head and body.
///
/// # Errors
/// When nobody listens there.
pub fn visit(address: &str) -> Result<String> {
    ask("GET", address, "text/plain", "")
}

fn ask(method: &str, address: &str, kind: &str, body: &str) -> Result<String> {
    let rest = address.strip_prefix("http://").context("the browser speaks HTTP alone")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host)?;
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(!answer.is_empty(), "{host} says nothing");
    Ok(answer)
}
