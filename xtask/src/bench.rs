use anyhow::Result;
use clap::ValueEnum;

use crate::cargo;

/// What can be measured.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum What {
    /// Matching and deciding, from nothing and after one change, beside comparing everything with everything.
    Engine,
}

pub(crate) fn run(what: What) -> Result<()> {
    match what {
        What::Engine => cargo(&["bench", "--quiet", "-p", "forewarn-engine", "--bench", "engine"]),
    }
}
