//! The project's tasks: `cargo xtask demo`, `cargo xtask test`, ...
#![expect(clippy::disallowed_methods, reason = "tasks run programs and measure real time")]

mod bench;
mod demo;
mod fuzz;
mod packages;
mod schema;
mod screenshots;
mod test;

use std::{path::Path, process::Command, process::ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

/// The project's tasks.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build Forewarn and play its story on real parts, in a scratch folder.
    Demo(demo::Options),
    /// Install what the tests need, then check formatting and lints and run every test.
    Test(test::Options),
    /// Write the policy's JSON Schema to proto/policy.schema.json, and the server's interface to docs/openapi.json.
    Schema,
    /// Play the engine's stories in tests/scenarios and record their transcripts anew; `git diff` shows what changed.
    Scenarios,
    /// Take the pictures in docs/pictures anew: notices and the status page, as people see them.
    Screenshots,
    /// Measure, and print ratios against peers in the same run.
    Bench(bench::Options),
    /// Run a command and print what it cost: a part of `bench`.
    #[command(hide = true)]
    Measure(bench::measure::Options),
    /// Hold a profile's lock, as Thunderbird does while it runs, until it is killed: a part of `demo`.
    #[command(hide = true)]
    HoldLock {
        /// The lock: PROFILE/.parentlock.
        lock: std::path::PathBuf,
    },
    /// Change the engine in every small way there is, and see that its tests notice. Installs cargo-mutants if it is
    /// missing.
    Mutants,
    /// Feed what reads bytes from outside with what libFuzzer makes of seeds.
    Fuzz(fuzz::Options),
    /// Check dependencies against deny.toml: licences, bans, sources. Installs cargo-deny if it is missing.
    Deny,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Demo(options) => demo::run(&options),
        Task::Test(options) => test::run(&options),
        Task::Schema => schema::write(),
        Task::Scenarios => test::record_scenarios(),
        Task::Screenshots => screenshots::run(),
        Task::Bench(options) => bench::run(&options),
        Task::Measure(options) => bench::measure::run(&options),
        Task::HoldLock { lock } => demo::hold_lock(&lock),
        Task::Mutants => test::mutants(),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Deny => test::deny(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder.
fn workspace() -> Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no folder above it")
}

/// Runs `cargo` with these arguments in the workspace, its output shown.
fn cargo(arguments: &[&str]) -> Result<()> {
    anstream::println!("\n$ cargo {}", arguments.join(" "));
    let status = Command::new(env!("CARGO")).args(arguments).current_dir(workspace()?).status()?;
    if !status.success() {
        bail!("cargo {} failed", arguments.join(" "));
    }
    Ok(())
}
