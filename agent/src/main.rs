//! `forewarn`: what the person asks of the daemon, and the companion that puts notices before them.

use std::process::ExitCode;

fn main() -> ExitCode {
    forewarn_agent::forewarn()
}
