//! `forewarn-server`: see the library's documentation.

#![warn(clippy::print_stdout, clippy::print_stderr, reason = "what is said goes through forewarn-terminal")]

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};
use forewarn_host::Stop;
use forewarn_proto::policy::Group;
use forewarn_server::{Config, config, new_tokens, start};
use forewarn_terminal::{Log, complain, explain_usage, say};

/// The company's Forewarn server: enrolls devices, pushes what admins signed, hears reports.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The configuration file [default: /etc/forewarn/server.toml, if it is there].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of the database and the server's keys; overrides `state`.
    #[arg(long, global = true, value_name = "FOLDER")]
    state: Option<PathBuf>,
    /// The address to listen on; overrides `listen`.
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// The address that devices and admins use; overrides `url`.
    #[arg(long, global = true, value_name = "URL")]
    url: Option<String>,
    /// Check the configuration, and do nothing else.
    #[arg(long, global = true)]
    check_config: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server. Its first start makes its keys and prints a one-time enrolment token and the founding code.
    Run,
    /// Copy the database, while the server runs, into a new file. Only for SQLite; PostgreSQL has pg_dump.
    Backup {
        /// The new file. Whoever has it has the server's keys.
        file: PathBuf,
    },
    /// Print the fingerprints of the server's newest keys for what it signs itself. They are used once the admins have put
    /// them into the root: `forewarn-admin admins online-keys`.
    OnlineKeys {
        /// Make new ones first: after a copy of the database may have been stolen, or as a habit. Make a backup once they
        /// are in use: an older one has not the keys that the root names.
        #[arg(long)]
        new: bool,
    },
    /// Print a new one-time enrolment token for one device.
    Token {
        /// A group that the device will be in, by which policies can be rolled out; may be given several times.
        #[arg(long = "group", value_name = "NAME", value_parser = |text: &str| text.parse::<Group>())]
        groups: Vec<Group>,
        /// How many tokens, one a line.
        #[arg(long, default_value_t = 1)]
        count: usize,
    },
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            explain_usage(&error.render().ansi().to_string(), error.use_stderr());
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1));
        }
    };
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain("forewarn-server", &format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    // Another provider can't be installed before this line, which is the only way in which it fails.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let config = configure(&arguments)?;
    config.check()?;
    if arguments.check_config {
        say!("the configuration is good");
        return Ok(());
    }
    write_log(config.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match arguments.command {
            Command::Run => {
                let greeting = forewarn_server::greeting(&config).await?;
                let running = start(config).await?;
                say!("listening on {}, for devices' streams on {}", running.address, running.stream);
                greeting.into_iter().for_each(|line| say!("{line}"));
                Stop::new()?.come().await;
                running.stop().await;
            }
            Command::Backup { file } => {
                forewarn_server::backup(&config, &file).await?;
                say!("Copied into {}. Whoever has it has the server's keys.", file.display());
            }
            Command::OnlineKeys { new } => {
                for (role, fingerprint) in forewarn_server::online_keys(&config, new).await? {
                    say!("{fingerprint}  {role}");
                }
            }
            Command::Token { groups, count } => {
                let tokens = new_tokens(&config, &groups.into_iter().collect(), count).await?;
                tokens.into_iter().for_each(|token| say!("{token}"));
            }
        }
        Ok(())
    })
}

fn write_log(log: config::Log) {
    let log_to = tracing_subscriber::fmt().with_target(false);
    match log {
        config::Log::Text => log_to.with_writer(|| Log::Text).init(),
        config::Log::Json => log_to.with_writer(|| Log::Json).json().flatten_event(true).init(),
    }
}

fn configure(arguments: &Arguments) -> Result<Config> {
    let mut config = Config::load(arguments.config.as_deref())?;
    config.state = arguments.state.clone().unwrap_or(config.state);
    config.listen = arguments.listen.unwrap_or(config.listen);
    config.url = arguments.url.clone().unwrap_or(config.url);
    Ok(config)
}
