//! `forewarn-admin`: an admin writes a policy, checks and previews it, signs it with a key that stays on this machine,
//! publishes it once enough admins have signed, and alone takes it back.

#![warn(clippy::print_stdout, clippy::print_stderr, reason = "what is said goes through forewarn-terminal")]

mod agent;
mod command;
mod diff;
mod facts;
mod fill;
mod home;
#[cfg(test)]
mod hostile_tests;
mod keys;
mod plan;
mod server;
mod show;
mod simulate;
mod words;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};
use forewarn_terminal::{complain, explain_usage};

use crate::home::Home;

/// Write, check, preview, sign, publish and retract policies. Your key never leaves this machine.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The folder of your key and settings [default: forewarn-admin in your configuration folder].
    #[arg(long, global = true, value_name = "FOLDER")]
    home: Option<PathBuf>,
    /// A file whose first line is your key's passphrase; asked for otherwise.
    #[arg(long, global = true, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// A file whose first line is a token's secret, with which to ask in the place of your key.
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make your key, encrypted at rest, and remember the server.
    Init(command::init::Options),
    /// Found the company's repository: say who the admins are. Once; the others then `sign`, and the last publishes.
    Found(command::found::Options),
    /// Read a policy file and say what it would do. Changes nothing.
    Check(command::policy::File),
    /// Play a policy over a fleet that is a file, and tell what would happen when. Needs no key and no server.
    Simulate(command::simulate::Options),
    /// Make a fleet to simulate.
    #[command(subcommand)]
    Fleet(command::fleet::Kind),
    /// Let the devices count whom a policy would hit. Nobody is told.
    Preview(command::preview::Options),
    /// Compare a folder of policies with what is in force. Changes nothing; exits with 2 if something has to change.
    Plan(command::plan::Options),
    /// Make one draft of all that a plan says, sign it and put it before the other admins.
    Apply(command::plan::Apply),
    /// Sign a policy and put it before the other admins.
    Propose(command::policy::File),
    /// What waits for your signature: open drafts, whose they are and since when; and how much is contested.
    Inbox,
    /// Show what an open draft changes and whom it hits, and add your signature. The last one that is needed publishes it.
    Sign(command::sign::Options),
    /// Put a draft in force that has the signatures it needs and could not be published with the last of them.
    Publish(command::sign::Number),
    /// Take a draft that is not in force off the table.
    Withdraw {
        /// Its number.
        number: i64,
    },
    /// Take a policy back, alone and at once: profiles return, notices go, those who saw one are corrected.
    Retract(command::retract::Options),
    /// Let a rollout reach no further device, alone.
    Pause(command::pause::Options),
    /// What people contest, in their own words.
    Appeals,
    /// Who was told what of a policy and when, who was not and why, and after a retraction who was corrected.
    Told(command::told::Options),
    /// Spare a device a rule until a moment, alone. Profiles return and notices go, as if the app were gone.
    Exempt(command::exempt::Options),
    /// Who the admins are, until when what they signed is good; and how that changes.
    Admins(command::admins::Options),
    /// What enrolled, and what may speak no longer.
    Devices(command::devices::Options),
    /// The record of decisions: who signed what and when.
    Audit(command::audit::Options),
    /// Tokens for programs, and for people without an admin's key.
    Tokens(command::tokens::Options),
    /// Sign in at the company's identity provider, to look and propose without a key.
    SignIn(command::sign_in::Options),
    /// End your sign-in.
    SignOut,
    /// After the server's backup was restored: give it what this machine has seen in force since.
    BringBack,
    /// Look into the catalogue of apps that a policy can name.
    App(command::app::Options),
    /// Show open drafts and what devices report.
    Status(command::status::Options),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Not clap's 2, which is what `plan` says where something has to change.
        Err(error) => {
            explain_usage(&error.render().ansi().to_string(), error.use_stderr());
            return if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            complain("forewarn-admin", &format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    // Another provider can't be installed before this line, which is the only way in which it fails.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let home = Home::new(arguments.home, arguments.passphrase_file, arguments.token_file)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        command::admins::finish_rotation(&home).await?;
        let done = match arguments.command {
            Command::Init(options) => command::init::run(&home, &options),
            Command::Found(options) => command::found::run(&home, &options).await,
            Command::Check(file) => command::policy::check(&home, &file),
            Command::Simulate(options) => command::simulate::run(&options),
            Command::Fleet(kind) => command::fleet::run(&home, &kind).await,
            Command::Preview(options) => command::preview::run(&home, &options).await,
            Command::Plan(options) => return command::plan::plan(&home, &options).await,
            Command::Apply(options) => command::plan::apply(&home, &options).await,
            Command::Propose(file) => command::policy::propose(&home, &file).await,
            Command::Inbox => command::inbox::run(&home).await,
            Command::Sign(options) => command::sign::sign(&home, &options).await,
            Command::Publish(number) => command::sign::publish(&home, &number).await,
            Command::Withdraw { number } => command::sign::withdraw(&home, number).await,
            Command::Retract(options) => command::retract::run(&home, &options).await,
            Command::Pause(options) => command::pause::run(&home, &options).await,
            Command::Devices(options) => command::devices::run(&home, &options).await,
            Command::Audit(options) => command::audit::run(&home, &options).await,
            Command::Tokens(options) => command::tokens::run(&home, &options).await,
            Command::SignIn(options) => command::sign_in::sign_in(&home, &options).await,
            Command::SignOut => command::sign_in::sign_out(&home).await,
            Command::BringBack => command::bring_back::run(&home).await,
            Command::Appeals => command::appeals::run(&home).await,
            Command::Told(options) => command::told::run(&home, &options).await,
            Command::Exempt(options) => command::exempt::run(&home, &options).await,
            Command::Admins(options) => command::admins::run(&home, &options).await,
            Command::App(options) => command::app::run(&options),
            Command::Status(options) => command::status::run(&home, &options).await,
        };
        done.map(|()| ExitCode::SUCCESS)
    })
}
