//! Sign-in with the company's own identity provider: OpenID Connect Core 1.0, its authorization code flow, with PKCE
//! (RFC 7636).
//!
//! `forewarn-admin sign-in` sends a person's browser to the provider and hands on the code with which it comes back. The
//! server redeems that code, and believes what the provider has signed for it, and for this sign-in.

use std::{io, time::Duration};

use anyhow::{Context, Result};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use forewarn_proto::{
    api::{Provider, Role, SignInRequest},
    policy::Name,
};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, HttpRequest, HttpResponse, IssuerUrl, Nonce, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, TokenResponse as _,
    core::{CoreClient, CoreProviderMetadata},
    http,
};
use serde_json::Value;

use crate::config::SignInConfig;

/// How long the provider may take to answer one question.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer of a provider, in bytes: its keys, or a token that lists hundreds of groups.
const MAX_ANSWER: usize = 256 * 1024;

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

/// Where a person's browser has to go, as the provider says at this moment.
pub(crate) async fn provider(config: &SignInConfig) -> Result<Provider> {
    let metadata = discover(config).await?;
    Ok(Provider {
        authorization_endpoint: metadata.authorization_endpoint().to_string(),
        client_id: config.client_id.clone(),
        scope: config.scopes.join(" "),
    })
}

/// Redeems the code with which a person's browser came back.
pub(crate) async fn redeem(config: &SignInConfig, request: &SignInRequest) -> Result<Person, Failed> {
    let claims = claims(config, request).await?;
    let person = |text: String| Failed::Person(text);
    let name = name(config, &claims).map_err(person)?;
    let role = role(config, &claims).ok_or_else(|| {
        person(format!("{name}: the provider's claim `{}` names nothing that has a role here", config.role_claim))
    })?;
    Ok(Person { name, role })
}

/// What the provider says of a person, once its signature, issuer, audience, time and nonce are seen to be right.
async fn claims(config: &SignInConfig, request: &SignInRequest) -> Result<Value, Failed> {
    let metadata = discover(config).await?;
    let secret = config.read_client_secret()?.map(ClientSecret::new);
    let redirect = RedirectUrl::new(request.redirect.clone());
    let redirect = redirect.map_err(|error| Failed::Person(format!("redirect: {error}")))?;
    let client = CoreClient::from_provider_metadata(metadata, ClientId::new(config.client_id.clone()), secret)
        .set_redirect_uri(redirect);
    let exchange = client.exchange_code(AuthorizationCode::new(request.code.clone()));
    let exchange = exchange.context("the provider has no token endpoint")?;
    let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(request.verifier.clone()));
    let answer = exchange.request_async(&fetch).await.map_err(|error| {
        if let RequestTokenError::ServerResponse(refusal) = &error {
            return Failed::Person(format!("the provider refuses: {refusal}"));
        }
        Failed::Provider(anyhow::Error::new(error).context("the provider's token endpoint fails"))
    })?;
    let token = answer.id_token().context("the provider gives no ID token; is `openid` among the scopes?")?;
    let believed = token.claims(&client.id_token_verifier(), &Nonce::new(request.nonce.clone()));
    believed.map_err(|error| Failed::Person(format!("the provider's ID token is not believed: {error}")))?;
    Ok(payload(&token.to_string())?)
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
    if claim == "email" && claims.get("email_verified") == Some(&Value::Bool(false)) {
        return Err(format!("the provider has not verified that {text:?} is yours"));
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

async fn discover(config: &SignInConfig) -> Result<CoreProviderMetadata> {
    let issuer = IssuerUrl::new(config.issuer.clone())?;
    let metadata = CoreProviderMetadata::discover_async(issuer, &fetch).await;
    metadata.with_context(|| format!("the identity provider {} can't be used", config.issuer))
}

/// Asks the provider one thing. A redirect is not followed: it would let the provider choose whom this server asks.
async fn fetch(request: HttpRequest) -> Result<HttpResponse, io::Error> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build();
    let request = request.try_into().map_err(io::Error::other)?;
    let mut answer = client.map_err(io::Error::other)?.execute(request).await.map_err(io::Error::other)?;
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
    use serde_json::json;

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
            ("", json!({ "email": "ann@corp.example" }), Ok("ann@corp.example")),
            ("", json!({ "email": "ann@corp.example", "email_verified": true }), Ok("ann@corp.example")),
            ("", json!({ "email": "ann@corp.example", "email_verified": false }), Err("has not verified")),
            ("", json!({ "sub": "ann" }), Err("no claim `email`")),
            ("", json!({ "email": "ann\n@corp.example" }), Err("claim `email`")),
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
