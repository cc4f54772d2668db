use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use forewarn_proto::api::Draft;
use forewarn_trust::{PublicKey, metadata::Founders};

use super::sign::sign_all;
use crate::{
    home::Home,
    server::{Credential, Server},
    show,
};

/// Options of `found`.
#[derive(Args)]
pub(crate) struct Options {
    /// The public keys of all admins, yours included: the `.pub` files that `init` made.
    #[arg(long = "admin", value_name = "FILE", required = true)]
    admins: Vec<PathBuf>,
    /// How many admins a policy needs.
    #[arg(long, default_value_t = 2)]
    threshold: usize,
    /// The founding code that the server printed at its first start.
    #[arg(long)]
    code: String,
}

pub(crate) async fn run(home: &Home, options: &Options) -> Result<()> {
    let admins = options.admins.iter().map(read_public).collect::<Result<Vec<_>>>()?;
    if options.threshold < 2 || admins.len() < options.threshold {
        bail!("{} admins with a threshold of {}: at least two have to start a policy", admins.len(), options.threshold);
    }
    let server = Server::connect(home, Credential::FoundingCode(options.code.clone()))?;
    let online = server.online_keys().await?;
    let of_server = |public: String| PublicKey { name: "server".into(), public };
    let founders = Founders {
        admins,
        threshold: options.threshold,
        snapshot: of_server(online.snapshot),
        timestamp: of_server(online.timestamp),
    };
    let roles = founders.found(home.clock()?.wall())?;
    let draft = sign_all(Draft { roles, targets: BTreeMap::new() }, &home.key()?)?;
    let status = server.propose(&draft).await?;
    show::progress(&status);
    show::founders(&founders.admins, &status.draft)?;
    anstream::println!(
        "The others run `forewarn-admin sign --code …`, then one runs `forewarn-admin publish --code …`."
    );
    Ok(())
}

fn read_public(path: &PathBuf) -> Result<PublicKey> {
    let text = fs_err::read_to_string(path)?;
    let key: PublicKey = serde_json::from_str(&text)
        .with_context(|| format!("{} is not a public key made by `init`", path.display()))?;
    key.id()?;
    Ok(key)
}
