//! How the daemon is started: `forewarn-daemon [--config FILE] [--socket FILE]`, or as a worker.

use std::path::PathBuf;

use anyhow::{Result, bail};
use forewarn_terminal::say;
use lexopt::{Arg, Parser};

use crate::{config::Config, worker};

/// By the arguments of this process.
pub(crate) fn main() -> Result<()> {
    let mut arguments = Parser::from_env();
    let (mut config, mut socket) = (None, None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("config") => config = Some(PathBuf::from(arguments.value()?)),
            Arg::Long("socket") => socket = Some(PathBuf::from(arguments.value()?)),
            Arg::Value(word) if word == "worker" => return worker::run(),
            Arg::Long("version") => {
                say!("forewarn-daemon {}", env!("CARGO_PKG_VERSION"));
                return Ok(());
            }
            unknown @ (Arg::Short(_) | Arg::Long(_) | Arg::Value(_)) => {
                bail!("{}; see `forewarn daemon --help`", unknown.unexpected())
            }
        }
    }
    crate::block_on(super::run(Config::load(config.as_deref(), socket)?))
}
