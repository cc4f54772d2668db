//! The command line: one module for each thing that a person does.

mod acknowledge;
mod appeal;
mod companion;
mod daemon;
mod enroll;
mod facts;
mod greet;
mod inventory;
mod log;
mod mail;
mod remove;
mod snooze;
mod status;
mod vault;
mod why;

#[cfg(test)]
mod hostile_tests;

use std::path::{Path, PathBuf};

use crate::{
    config::{Config, SYSTEM_SOCKET},
    rights::Numbers,
    session, worker,
};
use anyhow::Result;
use clap::{Parser, Subcommand};
use forewarn_terminal::explain_usage;

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
    Worker(Becomes),
    /// Have somebody attended to in their session, for the daemon.
    #[command(hide = true)]
    Companion(companion::Options),
    /// Run in the background: list packages, hear the server, warn, revoke, restore.
    Daemon,
    #[command(flatten)]
    Configured(Configured),
}

#[derive(Subcommand)]
enum Configured {
    /// Show notices in this desktop session. Your session starts this by itself, or else the daemon does.
    Session,
    /// Print the notices that wait for you, at login.
    #[command(hide = true)]
    Greet,
    /// Join the company's server with a one-time token. The device's key is made here and stays here.
    Enroll(enroll::Options),
    /// Everything that was decided about you, and when.
    Log(log::Options),
    /// Remove an app that you are asked to remove, by whatever installed it.
    Remove(remove::Options),
    /// What applies to me, how long I have, what is known about this device.
    Status(status::Options),
    /// Everything about one app: the rule, who signed it, what matched, the deadline, what is taken, how to undo it.
    Why(why::Options),
    /// Contest what is asked of you about an app. It goes to the admins, who may spare this device for a while.
    Appeal(appeal::Options),
    /// Every package that the agent sees on this device. The list stays here.
    Inventory(inventory::Options),
    /// What of your mail a revoke would take.
    Mail(mail::Options),
    /// What is kept for people whose accounts are gone. For root.
    Vault(vault::Options),
    /// Say that you have read the notices.
    Acknowledge(acknowledge::Options),
    /// Put reminders off. It moves no deadline, and the last call comes all the same.
    Snooze(snooze::Options),
}

/// Whom a process of root's becomes: a user's number, and a group's.
#[derive(clap::Args)]
struct Becomes {
    #[arg(requires = "group")]
    user: Option<u32>,
    group: Option<u32>,
}

impl Becomes {
    fn numbers(self) -> Option<Numbers> {
        self.user.zip(self.group).map(|(user, group)| Numbers { user, group })
    }
}

/// By the arguments of this process.
pub(crate) fn main() -> Result<()> {
    let Arguments { config, socket, person, command } = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            explain_usage(&error.render().ansi().to_string(), error.use_stderr());
            std::process::exit(error.exit_code());
        }
    };
    let command = match command {
        Command::Companion(options) => {
            return companion::run(socket.as_deref().unwrap_or(Path::new(SYSTEM_SOCKET)), &options);
        }
        Command::Worker(becomes) => return worker::run(becomes.numbers()),
        Command::Daemon => return daemon::run(config, socket),
        Command::Configured(command) => command,
    };
    let mut config = Config::load(config.as_deref(), socket)?;
    config.user = person;
    crate::block_on(async {
        match command {
            Configured::Session => session::run(&config).await,
            Configured::Greet => greet::run(&config).await,
            Configured::Enroll(options) => enroll::run(&config, &options).await,
            Configured::Status(options) => status::run(&config, &options).await,
            Configured::Appeal(options) => appeal::run(&config, &options).await,
            Configured::Log(options) => log::run(&config, &options).await,
            Configured::Remove(options) => remove::run(&config, &options).await,
            Configured::Why(options) => why::run(&config, &options).await,
            Configured::Inventory(options) => inventory::run(&config, &options).await,
            Configured::Mail(options) => mail::run(&config, &options),
            Configured::Vault(options) => vault::run(&config, &options),
            Configured::Acknowledge(options) => acknowledge::run(&config, &options).await,
            Configured::Snooze(options) => snooze::run(&config, &options).await,
        }
    })
}
