//! Sign-in with the company's own identity provider: OpenID Connect Core 1.0, its authorization code flow, with PKCE
//! (RFC 7636).
//!
//! `forewarn-admin sign-in` sends a person's browser to the provider and hands on the code with which it comes back. The
//! server redeems that code, and believes what the provider has signed for it, and for this sign-in.

use std::{io, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use forewarn_proto::{
    api::{Provider, Role, SignInRequest},
    policy::Name,
};
use jiff::SignedDuration;
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, HttpRequest, HttpResponse, IssuerUrl, Nonce, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, StandardErrorResponse, TokenResponse as _,
    core::{CoreClient, CoreErrorResponseType, CoreProviderMetadata},
    http,
};
use serde_json::{Value, json};
use tokio::{
    sync::{Mutex, Semaphore},
    time::{Instant, timeout},
};

use crate::config::SignInConfig;

/// How long the provider may take to answer one question.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer of a provider, in bytes: its keys, or a token that lists hundreds of groups.
const MAX_ANSWER: usize = 256 * 1024;

/// How long what a provider says of itself is not asked again.
const FRESH: Duration = Duration::from_secs(5 * 60);
/// How long it is not asked again after it could not be used.
const TROUBLE: Duration = Duration::from_secs(10);
/// How many codes are redeemed at once.
const AT_ONCE: usize = 8;
/// How long anybody waits for their turn: who waits holds a connection that others need.
const TURN: Duration = Duration::from_secs(2);
const BUSY: &str = "the identity provider is slow, and too many wait for it already";

/// Whom the provider knows, and what they may do here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: Name,
    pub(crate) role: Role,
}

/// Why nobody was signed in.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The provider does not work, or is not as the configuration says; the log says more.
    Provider(anyhow::Error),
    /// This person, or whoever claims to be them, is refused; they may know why.
    Person(String),
}

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Self {
        Self::Provider(error)
    }
}

/// The company's identity provider.
pub(crate) struct SignIn {
    config: SignInConfig,
    client: reqwest::Client,
    /// What the provider says of itself, or why it can't be asked; and since when that is known.
    known: Mutex<Option<(Instant, Result<CoreProviderMetadata, String>)>>,
    at_once: Semaphore,
}

impl SignIn {
    pub(crate) fn new(config: SignInConfig) -> Result<Self> {
        // A redirect is not followed: it would let the provider choose whom this server asks.
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE);
        let (known, at_once) = (Mutex::new(None), Semaphore::new(AT_ONCE));
        Ok(Self { config, client: client.build()?, known, at_once })
    }

    /// How long a sign-in is good.
    pub(crate) fn valid(&self) -> SignedDuration {
        self.config.valid.0
    }

    /// Where a person's browser has to go.
    pub(crate) async fn provider(&self) -> Result<Provider> {
        let metadata = self.metadata().await?;
        Ok(Provider {
            authorization_endpoint: metadata.authorization_endpoint().to_string(),
            client_id: self.config.client_id.clone(),
            scope: self.config.scopes.join(" "),
        })
    }

    /// Redeems the code with which a person's browser came back.
    pub(crate) async fn redeem(&self, request: &SignInRequest) -> Result<Person, Failed> {
        let claims = self.claims(request).await?;
        let name = name(&self.config, &claims).map_err(Failed::Person)?;
        let role = role(&self.config, &claims).ok_or_else(|| {
            let claim = &self.config.role_claim;
            Failed::Person(format!("{name}: the provider's claim `{claim}` names nothing that has a role here"))
        })?;
        Ok(Person { name, role })
    }

    /// What the provider says of a person, once its signature, issuer, audience, time and nonce are seen to be right.
    async fn claims(&self, request: &SignInRequest) -> Result<Value, Failed> {
        let metadata = self.metadata().await?;
        let secret = self.config.read_client_secret()?.map(ClientSecret::new);
        let redirect = RedirectUrl::new(request.redirect.clone());
        let redirect = redirect.map_err(|error| Failed::Person(format!("redirect: {error}")))?;
        let client_id = ClientId::new(self.config.client_id.clone());
        let client = CoreClient::from_provider_metadata(metadata, client_id, secret).set_redirect_uri(redirect);
        let exchange = client.exchange_code(AuthorizationCode::new(request.code.clone()));
        let exchange = exchange.context("the provider has no token endpoint")?;
        let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(request.verifier.clone()));
        let turn = timeout(TURN, self.at_once.acquire()).await.context(BUSY)?;
        let _turn = turn.map_err(anyhow::Error::from)?;
        let answer = exchange.request_async(&|request| fetch(self.client.clone(), request)).await.map_err(refused)?;
        let token = answer.id_token().context("the provider gives no ID token; is `openid` among the scopes?")?;
        let believed = token.claims(&client.id_token_verifier(), &Nonce::new(request.nonce.clone()));
        if let Err(error) = believed {
            // Its keys may be others since they were asked for.
            self.forget();
            return Err(Failed::Person(format!("the provider's ID token is not believed; sign in again: {error}")));
        }
        Ok(payload(&token.to_string())?)
    }

    /// What the provider says of itself: its addresses and its keys.
    async fn metadata(&self) -> Result<CoreProviderMetadata> {
        let mut known = timeout(TURN, self.known.lock()).await.context(BUSY)?;
        match known.as_ref() {
            Some((since, Ok(metadata))) if since.elapsed() < FRESH => return Ok(metadata.clone()),
            Some((since, Err(why))) if since.elapsed() < TROUBLE => bail!("{why}"),
            Some(_) | None => {}
        }
        let found = self.discover().await.map_err(|error| format!("{error:#}"));
        *known = Some((Instant::now(), found.clone()));
        found.map_err(anyhow::Error::msg)
    }

    /// Has it asked again; not where somebody does so already.
    fn forget(&self) {
        if let Ok(mut known) = self.known.try_lock() {
            known.take();
        }
    }

    async fn discover(&self) -> Result<CoreProviderMetadata> {
        let issuer = IssuerUrl::new(self.config.issuer.clone())?;
        let metadata =
            CoreProviderMetadata::discover_async(issuer, &|request| fetch(self.client.clone(), request)).await;
        metadata.with_context(|| format!("the identity provider {} can't be used", self.config.issuer))
    }
}

/// Why the provider did not redeem a code: because of the code, or of how this server is set up there.
fn refused<E: std::error::Error + Send + Sync + 'static>(
    error: RequestTokenError<E, StandardErrorResponse<CoreErrorResponseType>>,
) -> Failed {
    if let RequestTokenError::ServerResponse(refusal) = &error {
        let set_up = [CoreErrorResponseType::InvalidClient, CoreErrorResponseType::UnauthorizedClient];
        if set_up.contains(refusal.error()) {
            let remedy = "the provider does not know this server; look at client_id and client_secret_file";
            return Failed::Provider(anyhow!("{remedy}: {refusal}"));
        }
        return Failed::Person(format!("the provider refuses: {refusal}"));
    }
    Failed::Provider(anyhow::Error::new(error).context("the provider's token endpoint fails"))
}

/// What a token that was verified holds: all of its claims, those that are the company's own among them.
fn payload(token: &str) -> Result<Value> {
    let part = token.split('.').nth(1).context("an ID token has three parts")?;
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part)?)?)
}

/// What the record calls them: a name with an `@`, which no admin's key and no program's token has.
fn name(config: &SignInConfig, claims: &Value) -> Result<Name, String> {
    let claim = &config.name_claim;
    let text = claims.get(claim).and_then(Value::as_str);
    let text = text.ok_or_else(|| format!("the provider's ID token has no claim `{claim}`"))?;
    // Some providers say it as a text.
    let is_verified = || [json!(true), json!("true")].contains(claims.get("email_verified").unwrap_or(&Value::Null));
    if claim == "email" && !is_verified() {
        return Err(format!(
            "the provider does not say that it has verified {text:?}; where it never does, the server needs another name_claim"
        ));
    }
    let text = if text.contains('@') { text.to_owned() } else { format!("{text}@{}", config.host()) };
    text.parse().map_err(|error| format!("claim `{claim}`: {error}"))
}

/// The greatest role of those that the claim's values have.
fn role(config: &SignInConfig, claims: &Value) -> Option<Role> {
    let claim = claims.get(&config.role_claim)?;
    let values = claim.as_array().map_or(std::slice::from_ref(claim), Vec::as_slice);
    values.iter().filter_map(|value| config.roles.get(value.as_str()?)).max().copied()
}

/// Asks the provider one thing.
async fn fetch(client: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, io::Error> {
    let request = request.try_into().map_err(io::Error::other)?;
    let mut answer = client.execute(request).await.map_err(io::Error::other)?;
    let (mut read, status, headers) = (http::Response::new(Vec::new()), answer.status(), answer.headers().clone());
    while let Some(piece) = answer.chunk().await.map_err(io::Error::other)? {
        read.body_mut().extend_from_slice(&piece);
        if read.body().len() > MAX_ANSWER {
            return Err(io::Error::other(format!("the answer has more than {MAX_ANSWER} bytes")));
        }
    }
    (*read.status_mut(), *read.headers_mut()) = (status, headers);
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(extra: &str) -> SignInConfig {
        let text = format!(
            "issuer = \"https://login.corp.example/realm\"\nclient_id = \"forewarn\"\n{extra}\n\
             [roles]\nwatchers = \"viewer\"\nwriters = \"author\""
        );
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn the_greatest_role_counts_and_no_group_without_one() {
        for (groups, expected) in [
            (json!(["all", "watchers"]), Some(Role::Viewer)),
            (json!(["writers", "watchers", 7]), Some(Role::Author)),
            (json!("watchers"), Some(Role::Viewer)),
            (json!(["Watchers"]), None),
            (json!([]), None),
            (json!({ "watchers": true }), None),
        ] {
            assert_eq!(role(&config(""), &json!({ "groups": groups })), expected, "{groups}");
        }
        assert_eq!(role(&config(""), &json!({})), None);
        let other = config("role_claim = \"roles\"");
        assert_eq!(role(&other, &json!({ "groups": "writers", "roles": ["watchers"] })), Some(Role::Viewer));
    }

    #[test]
    fn nobody_is_called_as_an_admin_or_a_program_is() {
        let by_name = "name_claim = \"preferred_username\"";
        for (extra, claims, expected) in [
            ("", json!({ "email": "ann@corp.example" }), Err("does not say that it has verified")),
            ("", json!({ "email": "ann@corp.example", "email_verified": true }), Ok("ann@corp.example")),
            ("", json!({ "email": "ann@corp.example", "email_verified": "true" }), Ok("ann@corp.example")),
            ("", json!({ "email": "ann@corp.example", "email_verified": "false" }), Err("does not say")),
            ("", json!({ "email": "ann@corp.example", "email_verified": false }), Err("does not say")),
            ("", json!({ "sub": "ann" }), Err("no claim `email`")),
            ("", json!({ "email": "ann\n@corp.example", "email_verified": true }), Err("claim `email`")),
            (by_name, json!({ "preferred_username": "grafana" }), Ok("grafana@login.corp.example")),
        ] {
            match (name(&config(extra), &claims), expected) {
                (Ok(name), Ok(expected)) => assert_eq!(name.as_str(), expected),
                (Err(error), Err(expected)) => assert!(error.contains(expected), "{error}"),
                (name, expected) => panic!("{name:?} in the place of {expected:?}"),
            }
        }
    }
}
