//! `bring-back`: after the server's backup was restored.

use anyhow::{Context, Result};

use crate::{home::Home, server::Server};

/// Sends what this machine has seen in force last. It can't be less than what devices have: they would not go back.
pub(crate) async fn run(home: &Home) -> Result<()> {
    let seen = fs_err::read(home.file("seen.json")).context("this machine has seen nothing in force yet")?;
    let server = Server::signed_in(home)?;
    server.bring_back(seen).await?;
    server.in_force(home).await?;
    anstream::println!("The server has again what this machine has seen in force.");
    Ok(())
}
