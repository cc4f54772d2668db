use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use crate::home::{Home, Settings};

/// Options of `init`.
#[derive(Args)]
pub(crate) struct Options {
    /// Your name, as other admins and the people on the devices will read it.
    #[arg(long)]
    name: String,
    /// The server's address, such as https://forewarn.corp.example:7440.
    #[arg(long)]
    server: String,
    /// The server's CA certificate: `ca.pem` in its state folder.
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
    /// A file that moves the clock, for demonstrations and tests.
    #[arg(long, value_name = "FILE")]
    simulated_clock: Option<PathBuf>,
}

pub(crate) fn run(home: &Home, options: &Options) -> Result<()> {
    if options.name.is_empty() || !options.name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        bail!("--name {}: use letters, digits, hyphens, dots and underscores", options.name);
    }
    if !options.server.starts_with("https://") {
        bail!("--server {}: write https://host:port", options.server);
    }
    let settings = Settings {
        name: options.name.clone(),
        server: options.server.clone(),
        simulated_clock: options.simulated_clock.clone(),
    };
    let public = home.create(&settings, &fs_err::read_to_string(&options.ca)?)?;
    anstream::println!("Made a key for {}. Fingerprint: {}", public.name, public.fingerprint()?);
    anstream::println!("Give this file to whoever founds: {}", home.file(&format!("{}.pub", public.name)).display());
    Ok(())
}
