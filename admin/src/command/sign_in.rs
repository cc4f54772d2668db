//! `sign-in` and `sign-out`: for people without an admin's key, at the company's identity provider.
//!
//! The browser comes back to a port of this machine that listens for it alone (RFC 8252, section 7.3). What it brings is
//! good only with the secrets that were made here for this one time: `state`, the nonce, and PKCE's verifier.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Args;
use forewarn_proto::api::{Provider, SignInRequest, SignedIn};
use forewarn_trust::random_secret;
use reqwest::Url;
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::{
    home::Home,
    server::{Credential, Server},
};

/// How long a person may take in their browser.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// How long a browser may take to say what it wants, and in how many bytes.
const BROWSER_PATIENCE: Duration = Duration::from_secs(5);
const MAX_HEAD: usize = 16 * 1024;

/// Options of `sign-in`.
#[derive(Args)]
pub(crate) struct Options {
    /// The port of this machine to which the browser comes back, if the provider wants a certain one.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
}

/// What was made for this one sign-in.
struct Secrets {
    state: String,
    nonce: String,
    verifier: String,
}

pub(crate) async fn sign_in(home: &Home, options: &Options) -> Result<()> {
    let server = Server::connect(home, Credential::Nobody)?;
    let provider = server.provider().await?;
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await;
    let listener = listener.with_context(|| format!("port {} of this machine is taken", options.port))?;
    let redirect = format!("http://127.0.0.1:{}/", listener.local_addr()?.port());
    let secrets = Secrets { state: random_secret()?, nonce: random_secret()?, verifier: random_secret()? };
    anstream::println!(
        "Open this address in a browser on this machine:\n\n{}\n",
        address(&provider, &redirect, &secrets)?
    );
    let code = timeout(PATIENCE, wait(&listener, &secrets.state)).await;
    let code = code.context("no browser came back within five minutes; nothing was changed")??;
    let Secrets { nonce, verifier, .. } = secrets;
    let signed_in = server.sign_in(&SignInRequest { code, redirect, verifier, nonce }).await?;
    home.keep_sign_in(&signed_in)?;
    let SignedIn { token, .. } = signed_in;
    anstream::println!("Signed in as {}, {:?}, until {:.0}.", token.name, token.role, token.ends);
    Ok(())
}

pub(crate) async fn sign_out(home: &Home) -> Result<()> {
    let SignedIn { token, .. } = home.sign_in()?.context("nobody is signed in here")?;
    let ended = Server::asking(home)?.end_token(&token.name).await;
    home.forget_sign_in()?;
    ended.context("this machine has forgotten the sign-in; on the server it could not be ended")?;
    anstream::println!("{} is signed out.", token.name);
    Ok(())
}

/// Where the browser goes (OpenID Connect Core 1.0, section 3.1.2.1; RFC 7636, section 4.3).
fn address(provider: &Provider, redirect: &str, secrets: &Secrets) -> Result<Url> {
    let mut url =
        Url::parse(&provider.authorization_endpoint).context("the server names a provider without an address")?;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&secrets.verifier));
    url.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", &provider.client_id),
        ("scope", &provider.scope),
        ("redirect_uri", redirect),
        ("state", &secrets.state),
        ("nonce", &secrets.nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    Ok(url)
}

/// Waits for the browser that brings the answer to `state`. Whatever else asks gets nothing.
async fn wait(listener: &TcpListener, state: &str) -> Result<String> {
    loop {
        let (mut browser, _) = listener.accept().await?;
        let Ok(Ok(target)) = timeout(BROWSER_PATIENCE, target(&mut browser)).await else { continue };
        let answer = code(&target, state);
        let text = match &answer {
            Some(Ok(_)) => "You may close this page and go back to the terminal.",
            Some(Err(_)) => "You are not signed in; the terminal says why.",
            None => "There is nothing here.",
        };
        let _ = timeout(BROWSER_PATIENCE, say(&mut browser, answer.is_some(), text)).await;
        if let Some(answer) = answer {
            return answer;
        }
    }
}

/// What a browser asks for: `/?code=…`.
async fn target(browser: &mut TcpStream) -> Result<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut piece = [0; 1024];
        let read = browser.read(&mut piece).await?;
        if read == 0 || head.len() > MAX_HEAD {
            bail!("this is no browser");
        }
        head.extend_from_slice(&piece[..read]);
    }
    let line = String::from_utf8_lossy(&head);
    let target = line.strip_prefix("GET ").and_then(|rest| rest.split(' ').next());
    Ok(target.context("this is no browser")?.to_owned())
}

/// The code, or why there is none, in what belongs to `state`.
fn code(target: &str, state: &str) -> Option<Result<String>> {
    let url = Url::parse("http://127.0.0.1").ok()?.join(target).ok()?;
    let given = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    given("state").filter(|given| given == state)?;
    let Some(error) = given("error") else { return given("code").map(Ok) };
    let more = given("error_description").unwrap_or_default();
    Some(Err(anyhow::anyhow!("the provider refuses: {error} {more}")))
}

async fn say(browser: &mut TcpStream, is_known: bool, text: &str) -> Result<()> {
    let status = if is_known { "200 OK" } else { "404 Not Found" };
    let head = "content-type: text/plain; charset=utf-8\r\ncache-control: no-store\r\nconnection: close";
    let answer = format!("HTTP/1.1 {status}\r\n{head}\r\ncontent-length: {}\r\n\r\n{text}", text.len());
    browser.write_all(answer.as_bytes()).await?;
    Ok(browser.shutdown().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_to_this_sign_in_is_taken() {
        let code = |target: &str| code(target, "s3cret").map(|answer| answer.map_err(|error| error.to_string()));
        assert_eq!(code("/?code=a%2Fb&state=s3cret"), Some(Ok("a/b".to_owned())));
        let refused = code("/?error=access_denied&error_description=not%20today&state=s3cret");
        assert_eq!(refused, Some(Err("the provider refuses: access_denied not today".to_owned())));
        for other in
            ["/favicon.ico", "/?code=a", "/?code=a&state=other", "/?state=s3cret", "http://[/", "//x/?code=a&state="]
        {
            assert_eq!(code(other), None, "{other}");
        }
    }
}
