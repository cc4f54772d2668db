//! `sign-in` and `sign-out`: for people without an admin's key, at the company's identity provider.
//!
//! The browser comes back to a port of this machine that listens for it alone (RFC 8252, section 7.3). What it brings is
//! good only with the secrets that were made here for this one time: `state`, the nonce, and PKCE's verifier.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Args;
use forewarn_proto::api::{Provider, SignInRequest, SignedIn};
use forewarn_proto::foreign::line;
use forewarn_terminal::say;
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
    if !home.is_same_provider(&provider)? {
        bail!(
            "the server sends you to another place than the last time, {} for {:?}. Ask an admin whether that is meant; \
             if it is, delete {}",
            provider.authorization_endpoint,
            provider.client_id,
            home.file("provider.json").display()
        );
    }
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await;
    let listener = listener.with_context(|| format!("port {} of this machine is taken", options.port))?;
    let redirect = format!("http://127.0.0.1:{}/", listener.local_addr()?.port());
    let secrets = Secrets { state: random_secret()?, nonce: random_secret()?, verifier: random_secret()? };
    let address = address(&provider, &redirect, &secrets)?;
    say!(
        "You sign in at {} for `{}`. Open this address in a browser on this machine:",
        address.host_str().unwrap_or_default(),
        line(&provider.client_id)
    );
    say!();
    say!("{address}");
    say!();
    let code = timeout(PATIENCE, wait(&listener, &secrets.state)).await;
    let code = code.context("no browser came back within five minutes; nothing was changed")??;
    let Secrets { nonce, verifier, .. } = secrets;
    let signed_in = server.sign_in(&SignInRequest { code, redirect, verifier, nonce }).await?;
    home.keep_sign_in(&signed_in)?;
    let SignedIn { token, .. } = signed_in;
    say!("Signed in as {}, {:?}, until {:.0}.", token.name, token.role, token.ends);
    Ok(())
}

pub(crate) async fn sign_out(home: &Home) -> Result<()> {
    let SignedIn { secret, token } = home.sign_in()?.context("nobody is signed in here")?;
    home.forget_sign_in()?;
    let ended = Server::connect(home, Credential::Token(secret))?.end_token(&token.name).await;
    ended.context("this machine has forgotten the sign-in; the server could not be told, and ends it by itself")?;
    say!("{} is signed out.", token.name);
    Ok(())
}

/// Where the browser goes (OpenID Connect Core 1.0, section 3.1.2.1; RFC 7636, section 4.3).
fn address(provider: &Provider, redirect: &str, secrets: &Secrets) -> Result<Url> {
    let url = Url::parse(&provider.authorization_endpoint);
    let mut url = url.context("the server names a provider without an address")?;
    let is_protected = url.scheme() == "https" || (url.scheme() == "http" && url.host_str() == Some("127.0.0.1"));
    ensure!(is_protected, "the server names a provider without https: {url}");
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
    fn the_provider_gets_the_digest_of_what_the_server_will_show_it() {
        // RFC 7636, appendix B.
        let secrets = Secrets {
            state: "s".to_owned(),
            nonce: "n".to_owned(),
            verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned(),
        };
        let at = |endpoint: &str| {
            let (client_id, scope) = ("forewarn".to_owned(), "openid email".to_owned());
            let provider = Provider { authorization_endpoint: endpoint.to_owned(), client_id, scope };
            address(&provider, "http://127.0.0.1:7/", &secrets).map(|url| url.to_string())
        };
        let expected = "https://login.example/a?tenant=1&response_type=code&client_id=forewarn&scope=openid+email\
            &redirect_uri=http%3A%2F%2F127.0.0.1%3A7%2F&state=s&nonce=n\
            &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
        assert_eq!(at("https://login.example/a?tenant=1").unwrap(), expected);
        for bad in ["http://login.example/a", "file:///etc/passwd", "login.example"] {
            assert!(at(bad).is_err(), "{bad}");
        }
    }

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
