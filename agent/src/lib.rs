//! What the two programs on an employee's device are made of: the daemon, and the commands with which the person asks it.
//!
//! ```text
//! scan, ipc, alarm ──> service (forewarn-core) ──> presenter, session ──> the person
//!                                              └──> mail, running
//! ```
//!
//! They are two so that the one that runs all day, as root, has in it neither a D-Bus client nor a command line.

#![warn(clippy::print_stdout, clippy::print_stderr, reason = "what is said goes through forewarn-terminal")]

mod alarm;
mod command;
mod config;
mod device;
mod ipc;
mod mail;
mod manager;
mod people;
mod presenter;
mod program;
mod rights;
mod running;
mod scan;
mod service;
mod session;
mod vault_key;
mod worker;

use std::process::ExitCode;

use anyhow::Result;
use forewarn_terminal::{Log, complain};

/// Runs `forewarn`, by the arguments of this process.
pub fn forewarn() -> ExitCode {
    run("forewarn", command::main)
}

/// Runs `forewarn-daemon`, by the arguments of this process.
pub fn forewarn_daemon() -> ExitCode {
    run("forewarn-daemon", service::main)
}

fn run(name: &str, main: fn() -> Result<()>) -> ExitCode {
    tracing_subscriber::fmt().with_writer(|| Log::Text).with_target(false).init();
    // Another provider can't be installed before this line, which is the only way in which it fails.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(name, &format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs something to its end, on this thread.
fn block_on(work: impl Future<Output = Result<()>>) -> Result<()> {
    // A source that does not answer keeps a thread.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(16).build()?;
    let done = runtime.block_on(work);
    // Nor is it waited for at the end.
    runtime.shutdown_background();
    done
}
