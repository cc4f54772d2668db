//! How the daemon is started: `forewarn-daemon [--config FILE] [--socket FILE]`, or as a worker.

mod start;

use std::path::PathBuf;

use anyhow::{Result, bail};
use forewarn_terminal::say;
use lexopt::{Arg, Parser, ValueExt as _};

use crate::{config::Config, rights::Numbers, worker};

/// The first descriptor that is not an input or output. Those that this process was started with and does not know stay with
/// it: whoever works for it or shows its notices gets none.
const FIRST_FOREIGN: i32 = 3;

/// Whom a worker becomes: a user's number, and a group's.
fn becomes(arguments: &mut Parser) -> Result<Option<Numbers>> {
    let Some(Arg::Value(user)) = arguments.next()? else { return Ok(None) };
    Ok(Some(Numbers { user: user.parse()?, group: arguments.value()?.parse()? }))
}

/// By the arguments of this process.
pub(crate) fn main() -> Result<()> {
    let mut arguments = Parser::from_env();
    let (mut config, mut socket) = (None, None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("config") => config = Some(PathBuf::from(arguments.value()?)),
            Arg::Long("socket") => socket = Some(PathBuf::from(arguments.value()?)),
            Arg::Value(word) if word == "worker" => return worker::run(becomes(&mut arguments)?),
            Arg::Long("version") => {
                say!("forewarn-daemon {}", env!("CARGO_PKG_VERSION"));
                return Ok(());
            }
            unknown @ (Arg::Short(_) | Arg::Long(_) | Arg::Value(_)) => {
                bail!("{}; see `forewarn daemon --help`", unknown.unexpected())
            }
        }
    }
    close_fds::set_fds_cloexec_threadsafe(FIRST_FOREIGN, &[]);
    crate::block_on(start::run(Config::load(config.as_deref(), socket)?))
}
