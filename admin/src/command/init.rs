use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use forewarn_terminal::say;
use forewarn_trust::{ADMIN_NAME, is_admin_name};

use crate::{
    home::{Home, Settings},
    keys::Source,
};

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
    /// The company's root.json, from an admin whom you trust. Who founds or signs a root needs none.
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// Make no key: you look, and propose what others sign, with a token or after `sign-in`.
    #[arg(long, conflicts_with = "ssh_agent")]
    without_key: bool,
    /// Use an Ed25519 key that your ssh-agent holds, by its fingerprint or comment as `ssh-add -l` shows them; the only one,
    /// if you name none. Take one that does nothing else, and never forward that agent to another machine.
    #[arg(long, value_name = "FINGERPRINT|COMMENT", num_args = 0..=1, default_missing_value = "")]
    ssh_agent: Option<String>,
    /// A file that moves the clock, for demonstrations and tests.
    #[arg(long, value_name = "FILE")]
    simulated_clock: Option<PathBuf>,
}

pub(crate) fn run(home: &Home, options: &Options) -> Result<()> {
    if !is_admin_name(&options.name) {
        bail!("--name {}: {ADMIN_NAME}", options.name);
    }
    if !options.server.starts_with("https://") {
        bail!("--server {}: write https://host:port", options.server);
    }
    let settings = Settings {
        name: options.name.clone(),
        server: options.server.clone(),
        simulated_clock: options.simulated_clock.clone(),
    };
    let ca = fs_err::read_to_string(&options.ca)?;
    let root = options.root.as_ref().map(fs_err::read_to_string).transpose()?;
    let take_root = || root.iter().try_for_each(|root| home.write("root.json", root));
    if options.without_key {
        home.meet(&settings, &ca)?;
        take_root()?;
        say!("This machine knows {} and has no key.", options.server);
        return Ok(());
    }
    let source = Source::of(options.ssh_agent.as_deref());
    let public = home.create(&settings, &ca, &source)?;
    take_root()?;
    let done = if source == Source::File { "Made a key" } else { "Found a key in the ssh-agent" };
    say!("{done} for {}. Fingerprint: {}", public.name, public.fingerprint()?);
    let file = home.file(&format!("{}.pub", public.name));
    say!("Give this file to whoever founds, or to an admin who adds you: {}", file.display());
    Ok(())
}
