//! Requests to the server, each signed; and what it says, verified like a device would.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use forewarn_host::Clock;
use forewarn_proto::{
    api::{
        Answers, Appeal, Device, Draft, DraftStatus, FleetStatus, OnlineKeys, Provider, SignInRequest, SignedIn, Token,
        TokenRequest, Told, Undone,
    },
    audit::Chained,
    bundle::Bundle,
    foreign::Foreign,
    policy::PolicyId,
};
use forewarn_trust::{
    PublicKey, Signer, Verified,
    metadata::{self, Online},
    verify,
};
use reqwest::{Client, Method};
use serde::de::DeserializeOwned;

use crate::home::Home;

/// The largest answer of a server that is read, in bytes: of 100,000 devices. Stops a hostile server from filling the memory.
const MAX_ANSWER_BYTES: usize = 128 << 20;

/// How long a server may take to be connected to, and to say something more, before the command gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the server is convinced of who asks.
pub(crate) enum Credential {
    /// The signature of an admin's key.
    Key(Box<dyn Signer>),
    /// A token's secret: a program's, or that of a person who signed in.
    Token(String),
    /// Before there are admins: the code that the server printed at its first start.
    FoundingCode(String),
    /// Not at all. What every device may read can be read.
    Nobody,
}

/// A connection to the server.
pub(crate) struct Server {
    client: Client,
    address: String,
    clock: Clock,
    credential: Credential,
}

impl Server {
    /// A connection that signs requests with the admin's key; asks for its passphrase.
    pub(crate) fn signed_in(home: &Home) -> Result<Self> {
        Self::connect(home, Credential::Key(home.key()?))
    }

    /// A connection to look: by a token that was given, a sign-in that is good, or the key.
    pub(crate) fn looking(home: &Home) -> Result<Self> {
        if home.given_token()?.is_none()
            && let Some(secret) = good_sign_in(home)?
        {
            return Self::connect(home, Credential::Token(secret));
        }
        Self::acting(home)
    }

    /// A connection to change something: by a token that was given, the key, or a sign-in that is good.
    pub(crate) fn acting(home: &Home) -> Result<Self> {
        if let Some(secret) = home.given_token()? {
            return Self::connect(home, Credential::Token(secret));
        }
        if home.has_key() {
            return Self::signed_in(home);
        }
        let none = "there is no key here; run `forewarn-admin sign-in`, or give a token with --token-file";
        Self::connect(home, Credential::Token(good_sign_in(home)?.context(none)?))
    }

    pub(crate) fn connect(home: &Home, credential: Credential) -> Result<Self> {
        let ca = reqwest::Certificate::from_pem(&fs_err::read(home.file("ca.pem"))?)?;
        let client = Client::builder().https_only(true).no_proxy().tls_certs_only([ca]);
        let client = client.connect_timeout(PATIENCE).read_timeout(PATIENCE).build()?;
        let address = home.settings()?.server.trim_end_matches('/').to_owned();
        Ok(Self { client, address, clock: home.clock()?, credential })
    }

    /// The admin's key, if the connection has one.
    pub(crate) fn key(&self) -> Result<&dyn Signer> {
        match &self.credential {
            Credential::Key(key) => Ok(key.as_ref()),
            Credential::Token(_) | Credential::FoundingCode(_) | Credential::Nobody => {
                bail!("this connection has no key")
            }
        }
    }

    /// The draft with the admin's signature; without a key, as it is.
    pub(crate) fn signed(&self, draft: Draft) -> Result<Draft> {
        match &self.credential {
            Credential::Key(key) => sign_all(draft, key.as_ref()),
            Credential::Token(_) | Credential::FoundingCode(_) | Credential::Nobody => Ok(draft),
        }
    }

    pub(crate) async fn online_keys(&self) -> Result<Online> {
        let OnlineKeys { snapshot, timestamp } = self.ask(Method::GET, "/v1/online-keys", Vec::new()).await?;
        let of_server = |public| PublicKey { name: "server".to_owned(), public };
        Ok(Online { snapshot: of_server(snapshot), timestamp: of_server(timestamp) })
    }

    pub(crate) async fn propose(&self, draft: &Draft) -> Result<DraftStatus> {
        self.ask(Method::POST, "/v1/drafts", serde_json::to_vec(draft)?).await
    }

    /// Puts one text in force that needs this admin alone, as the target `name` of `role`.
    pub(crate) async fn put_alone(&self, in_force: &Verified, role: &str, name: String, text: String) -> Result<()> {
        let current = in_force.roles.get(role).with_context(|| format!("the server has no {role} role"))?;
        let targets = BTreeMap::from([(name, text)]);
        let next = metadata::next_targets(role, current, &targets, &[], self.clock.wall())?;
        let draft = Draft { roles: BTreeMap::from([(role.to_owned(), next)]), targets, ..Draft::default() };
        let status = self.propose(&sign_all(draft, self.key()?)?).await?;
        if status.published {
            return Ok(());
        }
        let why = status.waiting.unwrap_or_else(|| "it has not the signatures that it needs".into());
        bail!("draft {} is not published: {}", status.number, why.line())
    }

    pub(crate) async fn drafts(&self) -> Result<Vec<DraftStatus>> {
        self.ask(Method::GET, "/v1/drafts", Vec::new()).await
    }

    pub(crate) async fn withdraw(&self, number: i64) -> Result<()> {
        self.send(Method::DELETE, &format!("/v1/drafts/{number}"), Vec::new()).await.map(drop)
    }

    pub(crate) async fn publish(&self, number: i64) -> Result<()> {
        self.send(Method::POST, &format!("/v1/drafts/{number}/publish"), Vec::new()).await.map(drop)
    }

    pub(crate) async fn status(&self) -> Result<FleetStatus> {
        self.ask(Method::GET, "/v1/status", Vec::new()).await
    }

    /// Devices by what they say of a policy.
    pub(crate) async fn fleet(&self, policy: &PolicyId) -> Result<Answers> {
        self.ask(Method::GET, &format!("/v1/fleet/{policy}"), Vec::new()).await
    }

    pub(crate) async fn told(&self, policy: &PolicyId) -> Result<Told> {
        self.ask(Method::GET, &format!("/v1/told/{policy}"), Vec::new()).await
    }

    pub(crate) async fn appeals(&self) -> Result<Vec<Appeal>> {
        self.ask(Method::GET, "/v1/appeals", Vec::new()).await
    }

    /// Gives the server back what this admin has seen in force, after its backup was restored.
    pub(crate) async fn bring_back(&self, seen: Vec<u8>) -> Result<()> {
        self.send(Method::POST, "/v1/bundle", seen).await.map(drop)
    }

    /// How far a retraction has come that was published with this version of the timestamp role.
    pub(crate) async fn undone(&self, policy: &PolicyId, since: u64) -> Result<Undone> {
        self.ask(Method::GET, &format!("/v1/undone/{policy}?since={since}"), Vec::new()).await
    }

    /// Up to a thousand devices after the one of this name.
    pub(crate) async fn devices_after(&self, name: &str) -> Result<Vec<Device>> {
        self.ask(Method::GET, &format!("/v1/devices?after={name}"), Vec::new()).await
    }

    pub(crate) async fn revoke_device(&self, device: &str) -> Result<()> {
        self.send(Method::POST, &format!("/v1/devices/{device}/revoke"), Vec::new()).await.map(drop)
    }

    pub(crate) async fn forget_device(&self, device: &str) -> Result<()> {
        self.send(Method::DELETE, &format!("/v1/devices/{device}"), Vec::new()).await.map(drop)
    }

    /// Up to a thousand entries of the record after this one.
    pub(crate) async fn audit_after(&self, number: u64) -> Result<Vec<Chained>> {
        self.ask(Method::GET, &format!("/v1/audit?after={number}"), Vec::new()).await
    }

    pub(crate) async fn tokens(&self) -> Result<Vec<Token>> {
        self.ask(Method::GET, "/v1/tokens", Vec::new()).await
    }

    /// Where people without a key sign in.
    pub(crate) async fn provider(&self) -> Result<Provider> {
        self.ask(Method::GET, "/v1/sign-in", Vec::new()).await
    }

    pub(crate) async fn sign_in(&self, request: &SignInRequest) -> Result<SignedIn> {
        self.ask(Method::POST, "/v1/sign-in", serde_json::to_vec(request)?).await
    }

    /// Makes a token and gives its secret.
    pub(crate) async fn make_token(&self, request: &TokenRequest) -> Result<String> {
        self.ask(Method::POST, "/v1/tokens", serde_json::to_vec(request)?).await
    }

    pub(crate) async fn end_token(&self, name: &str) -> Result<()> {
        self.send(Method::DELETE, &format!("/v1/tokens/{name}"), Vec::new()).await.map(drop)
    }

    /// What is in force. The first time, the root is taken if it is one that this admin's key has signed.
    pub(crate) async fn in_force(&self, home: &Home) -> Result<Verified> {
        let bytes = self.send(Method::GET, "/v1/bundle", Vec::new()).await?;
        let bundle = Bundle::parse(&bytes)?;
        let root = match home.root() {
            Some(root) => root,
            None => self.own_root(home, &bundle)?,
        };
        let seen = seen_before(home, &root).await;
        let verified = verify(&root, seen.as_ref(), &bundle, &home.file(""))
            .await
            .context("the server's bundle can't be trusted; do not sign anything until this is explained")?;
        home.write("root.json", &verified.root)?;
        home.write("seen.json", &String::from_utf8_lossy(&bytes))?;
        Ok(verified)
    }

    fn own_root(&self, home: &Home, bundle: &Bundle) -> Result<String> {
        let root = bundle.files.get("1.root.json").context("nothing is founded on this server; see `found`")?;
        if let Credential::Key(key) = &self.credential
            && metadata::is_signed_by("root", root, &key.public())?
        {
            return Ok(root.clone());
        }
        let folder = home.file("");
        bail!(
            "no key of yours has signed the server's root; copy root.json from an admin whom you trust into {}",
            folder.display()
        )
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str, body: Vec<u8>) -> Result<T> {
        let bytes = self.send(method, path, body).await?;
        serde_json::from_slice(&bytes).with_context(|| format!("the server's answer to {path} can't be read"))
    }

    async fn send(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Vec<u8>> {
        let second = self.clock.wall().as_second();
        let authorization = match &self.credential {
            Credential::Key(key) => key.authorize(method.as_str(), path, second, &body)?,
            Credential::Token(secret) => format!("Bearer {secret}"),
            Credential::FoundingCode(code) => format!("Founding {code}"),
            Credential::Nobody => String::new(),
        };
        let request = self.client.request(method, format!("{}{path}", self.address));
        let request = request.header("authorization", authorization).header("content-type", "application/json");
        let mut answer =
            request.body(body).send().await.with_context(|| format!("{} can't be reached", self.address))?;
        let status = answer.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            ensure!(
                bytes.len() + chunk.len() <= MAX_ANSWER_BYTES,
                "the server answers with over {MAX_ANSWER_BYTES} bytes"
            );
            bytes.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            let text: Foreign = serde_json::from_slice(&bytes).unwrap_or_else(|_| status.to_string().into());
            bail!("the server refuses: {}", text.line());
        }
        Ok(bytes)
    }
}

/// The secret of a sign-in that is good.
fn good_sign_in(home: &Home) -> Result<Option<String>> {
    let now = home.clock()?.wall();
    match home.sign_in()? {
        Some(signed_in) if signed_in.token.ends > now => Ok(Some(signed_in.secret)),
        Some(_) if !home.has_key() => bail!("your sign-in has ended; run `forewarn-admin sign-in` again"),
        _ => Ok(None),
    }
}

/// What this admin verified last, so that the server can't go back behind it.
async fn seen_before(home: &Home, root: &str) -> Option<Verified> {
    let bundle = Bundle::parse(&fs_err::read(home.file("seen.json")).ok()?).ok()?;
    verify(root, None, &bundle, &home.file("")).await.ok()
}

/// Signs every role of a draft.
pub(crate) fn sign_all(mut draft: Draft, key: &dyn Signer) -> Result<Draft> {
    for (role, text) in &mut draft.roles {
        *text = metadata::sign(role, text, key)?;
    }
    Ok(draft)
}
