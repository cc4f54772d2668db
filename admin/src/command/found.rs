use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use forewarn_proto::api::Draft;
use forewarn_terminal::{say, say_lines};
use forewarn_trust::{Admins, metadata::Founders, review_founding};

use crate::{
    home::{Home, read_public},
    server::{Credential, Server, sign_all},
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
    let keys = options.admins.iter().map(|path| read_public(path)).collect::<Result<Vec<_>>>()?;
    let admins = Admins { keys, threshold: options.threshold };
    admins.check()?;
    let server = Server::connect(home, Credential::FoundingCode(options.code.clone()))?;
    let online = server.online_keys().await?;
    let founders = Founders { admins: admins.keys, threshold: admins.threshold, online };
    let roles = founders.found(home.clock()?.wall())?;
    let draft = Draft { roles, ..Draft::default() };
    review_founding(&draft)?;
    let draft = sign_all(draft, home.key()?.as_ref())?;
    let status = server.propose(&draft).await?;
    say_lines(show::progress(&status));
    say_lines(show::founders(&founders.admins, &status.draft)?);
    say!("The others run `forewarn-admin sign --code …`; the last of them publishes it.");
    Ok(())
}
