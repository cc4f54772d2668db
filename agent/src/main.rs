//! `forewarn`: the daemon on an employee's device, and the commands with which the person asks it.
//!
//! ```text
//! sync ──> trust ──┐                      ┌──> store
//! scan ────────────┼──> daemon (engine) ──┼──> notice ──> session, terminals ──> the person
//! ipc, alarm ──────┘                      ├──> mail
//!                                         └──> sync (reports)
//! ```

mod alarm;
mod command;
mod config;
mod daemon;
mod history;
mod identity;
mod ipc;
mod mail;
mod notice;
mod perform;
mod running;
mod scan;
mod session;
mod store;
mod sync;
mod trust;
mod vault_key;
mod words;
mod worker;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};
use forewarn_proto::inventory::Person;

use crate::config::Config;

/// Warns you before your company takes its mail profile off this device, and tells you why.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The configuration file [default: agent.toml in forewarn in your configuration folder, else
    /// /etc/forewarn/agent.toml].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The daemon's socket [default: as configured].
    #[arg(long, global = true, value_name = "FILE")]
    socket: Option<PathBuf>,
    /// Ask about another person, by their user number. Only root may.
    #[arg(long, global = true, value_name = "NUMBER")]
    person: Option<u32>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Work in a home for the daemon, with its person's rights.
    #[command(hide = true)]
    Worker,
    #[command(flatten)]
    Configured(Configured),
}

#[derive(Subcommand)]
enum Configured {
    /// Run in the background: list packages, hear the server, warn, revoke, restore.
    Daemon,
    /// Show notices in this desktop session. Your session starts this by itself, or else the daemon does.
    Session,
    /// Print the notices that wait for you, at login.
    #[command(hide = true)]
    Greet,
    /// Join the company's server with a one-time token. The device's key is made here and stays here.
    Enroll(command::enroll::Options),
    /// Everything that was decided about you, and when.
    Log(command::log::Options),
    /// Remove an app that you are asked to remove, by whatever installed it.
    Remove(command::remove::Options),
    /// What applies to me, how long I have, what is known about this device.
    Status(command::status::Options),
    /// Everything about one app: the rule, who signed it, what matched, the deadline, what is taken, how to undo it.
    Why(command::why::Options),
    /// Contest what is asked of you about an app. It goes to the admins, who may spare this device for a while.
    Appeal(command::appeal::Options),
    /// Every package that the agent sees on this device. The list stays here.
    Inventory(command::inventory::Options),
    /// What of your mail a revoke would take.
    Mail(command::mail::Options),
    /// Say that you have read the notices.
    Acknowledge(command::acknowledge::Options),
    /// Put reminders off. It moves no deadline, and the last call comes all the same.
    Snooze(command::snooze::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    // Another provider can't be installed before this line, which is the only way in which it fails.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("forewarn: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let command = match arguments.command {
        Command::Worker => return worker::run(),
        Command::Configured(command) => command,
    };
    let mut config = Config::load(arguments.config.as_deref())?;
    config.person = arguments.person.map(Person);
    config.socket = arguments.socket.unwrap_or(config.socket);
    // A source that does not answer keeps a thread.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(16).build()?;
    let done = runtime.block_on(async {
        match command {
            Configured::Daemon => daemon::run(config).await,
            Configured::Session => session::run(&config).await,
            Configured::Greet => command::greet::run(&config).await,
            Configured::Enroll(options) => command::enroll::run(&config, &options).await,
            Configured::Status(options) => command::status::run(&config, &options).await,
            Configured::Appeal(options) => command::appeal::run(&config, &options).await,
            Configured::Log(options) => command::log::run(&config, &options).await,
            Configured::Remove(options) => command::remove::run(&config, &options).await,
            Configured::Why(options) => command::why::run(&config, &options).await,
            Configured::Inventory(options) => command::inventory::run(&config, &options).await,
            Configured::Mail(options) => command::mail::run(&config, &options),
            Configured::Acknowledge(options) => command::acknowledge::run(&config, &options).await,
            Configured::Snooze(options) => command::snooze::run(&config, &options).await,
        }
    });
    // Nor is it waited for at the end.
    runtime.shutdown_background();
    done
}
