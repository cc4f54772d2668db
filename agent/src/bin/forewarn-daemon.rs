//! `forewarn-daemon`: what runs in the background.

use std::process::ExitCode;

fn main() -> ExitCode {
    forewarn_agent::forewarn_daemon()
}
