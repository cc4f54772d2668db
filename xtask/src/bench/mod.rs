//! Benchmarks. Each prints ratios against a named peer in the same run; only those mean something elsewhere.

mod daemon;
mod inventory;
pub(crate) mod measure;
mod push;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::{cargo, packages, workspace};

/// Options of `bench`.
#[derive(Args)]
pub(crate) struct Options {
    /// What to measure.
    what: What,
    /// For `push`: how many devices there are [default: 10000].
    #[arg(long)]
    devices: Option<usize>,
    /// For `push`: a tenth of the devices, and one round.
    #[arg(long)]
    quick: bool,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum What {
    /// Matching and deciding, from nothing and after one change, beside comparing everything with everything.
    Engine,
    /// How soon an installed package is known and its notice shown, and what an idle daemon costs, beside other idle agents.
    Daemon,
    /// A revoke and a restore, beside mail stores of different sizes.
    Mail,
    /// How many reports a server stores in a second, beside the same route without a database.
    Reports,
    /// A scan with matching, as a whole process, beside dpkg-query, apt, rpm, pacman and plain reading.
    Inventory,
    /// What a connected device costs the server, and how soon a push is with all of them, beside mosquitto, nats-server and
    /// the least that a server can do.
    Push,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    match options.what {
        What::Engine => cargo(&["bench", "--quiet", "-p", "forewarn-engine", "--bench", "engine"]),
        What::Daemon => daemon::run(),
        What::Mail => cargo(&["bench", "--quiet", "-p", "forewarn-mail", "--bench", "revoke"]),
        What::Reports => {
            packages::install(&packages::FOR_REPORTS_BENCH)?;
            cargo(&["bench", "--quiet", "-p", "forewarn-server", "--bench", "reports"])
        }
        What::Inventory => inventory::run(),
        What::Push => push::run(options),
    }
}

/// Builds the agent as it is packaged, and says in which folder it is.
fn packaged() -> Result<PathBuf> {
    cargo(&["build", "--profile", "dist", "--quiet", "-p", "forewarn"])?;
    Ok(workspace()?.join("target/dist"))
}
