//! A small company on this machine: the real server, two admins with the real commands, devices with the real daemon.
//! Everything lies in one scratch folder. The end-to-end tests and the demonstration are played on it.

mod company;
mod desktop;
mod device;
mod dovecot;
mod hole;
pub mod home;
mod identity_provider;
mod logind;
mod mail_server;
mod plain;
mod port;
mod postgres;
mod process;
mod python;
mod ssh_agent;
mod take_over;
mod terminal;

pub use company::{Company, Outcome};
pub use desktop::{Desktop, Service};
pub use device::Device;
pub use dovecot::Dovecot;
pub use hole::Hole;
pub use identity_provider::{IdentityProvider, visit};
pub use logind::Logind;
pub use mail_server::MailServer;
pub use plain::{PlainService, Shown};
pub use port::free_port;
pub use postgres::Postgres;
pub use process::{Binaries, wait_until};
pub use python::python;
pub use ssh_agent::SshAgent;
pub use take_over::{TakeOver, Tries};
pub use terminal::Terminal;

/// The variable that asks for all that is too long for every run.
pub const LONG: &str = "FOREWARN_LONG";

/// Whether this is the long run: `cargo xtask test --long`.
pub fn is_long() -> bool {
    std::env::var_os(LONG).is_some()
}
