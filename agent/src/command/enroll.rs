use std::{collections::BTreeSet, path::PathBuf};

use anyhow::{Context, Result, bail};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use clap::Args;
use forewarn_core::{
    identity::Identity,
    sync::{ANSWER_TIMEOUT, connect, json, refusal},
};
use forewarn_host::Clock;
use forewarn_proto::{
    api::{EnrollAnswer, EnrollRequest},
    policy::Group,
};
use forewarn_terminal::say;
use forewarn_trust::{check_root, metadata::admins_of};
use rcgen::{CertificateParams, KeyPair};
use serde::Deserialize;

use crate::{config::Config, device::ThisDevice};

/// Options of `enroll`.
#[derive(Args)]
pub(crate) struct Options {
    /// The one-time token that the server printed.
    #[arg(long)]
    token: String,
    /// The root that names your company's admins: `root.json`, from an admin, not from the server.
    #[arg(long, value_name = "FILE")]
    root: PathBuf,
    /// Enroll anew although this device is enrolled.
    #[arg(long)]
    again: bool,
}

/// What a token says; made by the server.
#[derive(Deserialize)]
struct Token {
    server: String,
    ca: String,
    secret: String,
    #[serde(default)]
    groups: BTreeSet<Group>,
}

pub(crate) async fn run(config: &Config, options: &Options) -> Result<()> {
    if Identity::exists(&config.state) && !options.again {
        bail!("this device is enrolled already; add --again to do it anew");
    }
    let token = read_token(&options.token)?;
    let root = fs_err::read_to_string(&options.root).context("an admin has root.json; ask for it")?;
    let (admins, threshold) = admins_of(&root).with_context(|| format!("{} is not a root", options.root.display()))?;
    check_root(&root).with_context(|| format!("{} is refused", options.root.display()))?;
    let key = KeyPair::generate()?;
    let signing_request = CertificateParams::new(Vec::new())?.serialize_request(&key)?.pem()?;
    let request = EnrollRequest { secret: token.secret.clone(), signing_request };
    let ca = to_pem(&token.ca)?;
    let client = connect(&ca, None)?;
    let request = client.post(format!("{}/v1/enroll", token.server)).json(&request);
    let answer = request.timeout(ANSWER_TIMEOUT).send().await;
    let answer = answer.with_context(|| format!("{} can't be reached", token.server))?;
    if !answer.status().is_success() {
        bail!("the server refuses: {}", refusal(answer).await.line());
    }
    let EnrollAnswer { device, certificate } = json(answer).await?;
    let (server, groups, key) = (token.server, token.groups, key.serialize_pem());
    let identity = Identity { server, device, ca, groups, certificate, key, former: None, root };
    identity.save(&config.state, &ThisDevice::new(Clock::Real))?;
    say!("Enrolled as {} with {}.", identity.device, identity.server);
    if !identity.groups.is_empty() {
        let groups: Vec<&str> = identity.groups.iter().map(Group::as_str).collect();
        say!("Its groups, by which policies may be rolled out: {}.", groups.join(", "));
    }
    let names: Vec<String> = admins.into_iter().map(|admin| admin.name).collect();
    say!("It takes {threshold} of {} to start a policy here, and any one to stop it.", names.join(", "));
    say!("Start the daemon: forewarn daemon");
    Ok(())
}

fn read_token(text: &str) -> Result<Token> {
    let encoded = text.trim().strip_prefix("forewarn-enroll:").context("a token begins with forewarn-enroll:")?;
    let bytes = URL_SAFE_NO_PAD.decode(encoded).context("the token was cut or changed; copy it again")?;
    serde_json::from_slice(&bytes).context("the token was cut or changed; copy it again")
}

/// A DER certificate in base64url, as the PEM text that the TLS library reads (RFC 7468).
fn to_pem(certificate: &str) -> Result<String> {
    let der = URL_SAFE_NO_PAD.decode(certificate).context("the token's CA certificate is damaged")?;
    let body = STANDARD.encode(der);
    let lines: Vec<&str> = body.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    Ok(format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n")))
}
