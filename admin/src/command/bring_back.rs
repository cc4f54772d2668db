//! `bring-back`: after the server's backup was restored.

use anyhow::{Context, Result};
use forewarn_terminal::say;
use forewarn_trust::metadata::Online;

use crate::{home::Home, server::Server};

/// Sends what this machine has seen in force last. It can't be less than what devices have: they would not go back.
pub(crate) async fn run(home: &Home) -> Result<()> {
    let seen = fs_err::read(home.file("seen.json")).context("this machine has seen nothing in force yet")?;
    let server = Server::signed_in(home)?;
    server.bring_back(seen).await?;
    let in_force = server.in_force(home).await?;
    say!("The server has again what this machine has seen in force.");
    if Online::of_root(&in_force.root)? != server.online_keys().await? {
        say!(
            "The root names other keys than the server's newest. If the backup has not the ones that it names, nothing can be \
             published until it names others: `forewarn-server online-keys --new`, then `forewarn-admin admins online-keys`."
        );
    }
    Ok(())
}
