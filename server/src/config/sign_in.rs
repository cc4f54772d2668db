//! How people without an admin's key sign in: `[sign_in]`.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Result, ensure};
use forewarn_proto::{api::Role, policy::Length};
use jiff::SignedDuration;
use serde::Deserialize;

/// The longest that a sign-in is good for: a month. Who leaves the company, or a group, is locked out no sooner than that.
const MAX_VALID: SignedDuration = SignedDuration::from_hours(31 * 24);

/// The company's identity provider, which speaks OpenID Connect, and what its groups may do here.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignInConfig {
    /// The provider's address, under which `/.well-known/openid-configuration` is.
    pub issuer: String,
    /// What the provider calls this server.
    pub client_id: String,
    /// The file with the secret that goes with it, if the provider gave one.
    pub client_secret_file: Option<PathBuf>,
    /// What is asked for. Some providers tell groups only for a scope of that name.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// The claim of the ID token whose text, or list of texts, gives people their role.
    #[serde(default = "role_claim")]
    pub role_claim: String,
    /// The claim by which the record names people. Take one that they can't change themselves.
    #[serde(default = "name_claim")]
    pub name_claim: String,
    /// The roles of the claim's texts. The greatest counts; whoever has none of them is refused.
    pub roles: BTreeMap<String, Role>,
    /// How long a sign-in is good.
    #[serde(default = "valid")]
    pub valid: Length,
}

fn scopes() -> Vec<String> {
    ["openid", "email", "profile"].map(str::to_owned).to_vec()
}

fn role_claim() -> String {
    "groups".to_owned()
}

fn name_claim() -> String {
    "email".to_owned()
}

fn valid() -> Length {
    Length(SignedDuration::from_hours(8))
}

impl SignInConfig {
    pub(super) fn check(&self) -> Result<()> {
        let Self { issuer, roles, scopes, valid, .. } = self;
        ensure!(super::is_protected(issuer), "sign_in.issuer = \"{issuer}\": write https://…");
        ensure!(!roles.is_empty(), "sign_in.roles: name at least one group, such as security = \"viewer\"");
        ensure!(scopes.iter().any(|scope| scope == "openid"), "sign_in.scopes: `openid` has to be among them");
        let (least, most) = (SignedDuration::from_mins(5), MAX_VALID);
        ensure!((least..=most).contains(&valid.0), "sign_in.valid: write 5m to 31d");
        self.read_client_secret().map(drop)
    }

    /// The secret in [`SignInConfig::client_secret_file`].
    pub(crate) fn read_client_secret(&self) -> Result<Option<String>> {
        let read = |path: &PathBuf| -> Result<String> {
            let secret = fs_err::read_to_string(path)?.trim().to_owned();
            ensure!(!secret.is_empty(), "{} holds no secret", path.display());
            Ok(secret)
        };
        self.client_secret_file.as_ref().map(read).transpose()
    }

    /// The provider's host.
    pub(crate) fn host(&self) -> &str {
        let rest = self.issuer.split_once("://").map_or(self.issuer.as_str(), |(_, rest)| rest);
        rest.split(['/', ':']).next().unwrap_or(rest)
    }
}
