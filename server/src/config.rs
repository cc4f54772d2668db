//! The server's configuration: `server.toml`, overridden by the command line.

mod sign_in;

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use forewarn_proto::{policy::Length, push::SIGNS_OF_LIFE};
use jiff::SignedDuration;
use serde::Deserialize;

pub use sign_in::SignInConfig;

/// The port of [`Config::listen`] unless another is set. Devices listen on the next one.
const DEFAULT_PORT: u16 = 7440;

/// Where the configuration is looked for.
pub const DEFAULT_PATH: &str = "/etc/forewarn/server.toml";

/// See [`DEFAULT_PATH`]. Every field has a default.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The folder of the database, which holds the server's keys. Mode 0700.
    pub state: PathBuf,
    /// A PostgreSQL database, `postgres://user:password@host/name`, in the place of SQLite in `state`. Several servers may
    /// share it.
    pub store: Option<String>,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The address that devices and admins use, such as `https://forewarn.corp.example:7440`. It goes into enrolment
    /// tokens, and its host into the server's certificate.
    pub url: String,
    /// How long a device's certificate is good. It renews it by itself once a third of that is left.
    pub certificate_validity: Length,
    /// Where devices listen for what is pushed.
    pub stream: StreamConfig,
    /// How long the server's word that a bundle is current is good. It is given anew at a quarter of that.
    pub timestamp_validity: Length,
    /// A file with the key by which the company's mail server asks whether a device may log in. Without it nobody may ask.
    pub gate_key: Option<PathBuf>,
    /// Where `/healthz`, `/readyz` and `/metrics` are, without TLS: the loopback address, or a closed network. Without it
    /// they are nowhere.
    pub operations: Option<SocketAddr>,
    /// How the log is written.
    pub log: Log,
    /// How many devices may enroll from one address each second; ten times as many at once.
    pub enrolments_per_second: NonZeroU32,
    /// For how long what a device reported is kept after it was last heard of.
    pub retention: Length,
    /// The part of the devices, in percent, that a policy may touch with the signatures that it needs. One that would touch
    /// more needs one more. One device is never too many.
    pub blast_limit: u8,
    /// How the admins hear what waits for them.
    pub tell: TellConfig,
    /// How people without an admin's key sign in. Without it they can't, and need a token.
    pub sign_in: Option<SignInConfig>,
    /// A file that moves the clock, for demonstrations and tests.
    pub simulated_clock: Option<PathBuf>,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Log {
    /// For people.
    Text,
    /// A JSON object a line, for programs.
    Json,
}

/// How the admins hear what waits for them: `[tell]`. With neither they have to look.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TellConfig {
    /// An address that gets a POST with `{"subject": "...", "text": "..."}`.
    pub webhook: Option<String>,
    /// By mail.
    pub mail: Option<MailConfig>,
}

/// Mail to admins: `[tell.mail]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// The mail server's name.
    pub host: String,
    /// Its port, such as 465, or 587 with `security = "starttls"`.
    pub port: u16,
    /// How the connection is protected.
    pub security: SmtpSecurity,
    /// Who writes: `Forewarn <forewarn@corp.example>`.
    pub from: String,
    /// Who is written to.
    pub to: Vec<String>,
    /// As whom to log in, if at all.
    pub user: Option<String>,
    /// The file with that user's password.
    pub password_file: Option<PathBuf>,
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpSecurity {
    /// TLS from the first byte.
    Tls,
    /// TLS after a word in the clear; without it nothing is sent.
    Starttls,
    /// None: for a mail server on the same machine.
    None,
}

/// The push listener: `[stream]`. Every field has a default.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StreamConfig {
    /// The address to listen on. By default that of [`Config::listen`] with port 7441, or with any free port where that
    /// one is not 7440.
    pub listen: Option<SocketAddr>,
    /// The address that devices use, such as `https://forewarn.corp.example:7441`. By default the host of
    /// [`Config::url`] with the port that is listened on.
    pub url: Option<String>,
    /// The most devices that may be connected. A process may hold 20,000 files on many systems, and the server needs
    /// some for other things.
    pub max_connections: usize,
    /// Over how long devices come back that lost this server. By default a second for each thousand of them, from 1 to
    /// 60.
    pub spread: Option<Length>,
    /// How often each device gets a sign of life, from 10 s to 15 min. A device that hears two of them not comes back. What stands
    /// between it and the server must not close a connection that is silent for so long.
    pub sign_of_life: Length,
}

impl Default for StreamConfig {
    fn default() -> Self {
        Self {
            listen: None,
            url: None,
            max_connections: 19_000,
            spread: None,
            sign_of_life: Length(SignedDuration::from_mins(4)),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            state: "/var/lib/forewarn-server".into(),
            store: None,
            listen: (Ipv4Addr::LOCALHOST, DEFAULT_PORT).into(),
            url: "https://127.0.0.1:7440".into(),
            certificate_validity: Length(SignedDuration::from_hours(90 * 24)),
            stream: StreamConfig::default(),
            timestamp_validity: Length(SignedDuration::from_hours(24)),
            gate_key: None,
            operations: None,
            log: Log::Text,
            enrolments_per_second: const { NonZeroU32::new(20).expect("it is not zero") },
            retention: Length(SignedDuration::from_hours(180 * 24)),
            blast_limit: 10,
            tell: TellConfig::default(),
            sign_in: None,
            simulated_clock: None,
        }
    }
}

impl Config {
    /// Reads a configuration file. A missing file at the default place is the default configuration.
    ///
    /// # Errors
    /// Names the file and the line.
    pub fn load(path: Option<&Path>) -> Result<Self> {
        let path = match path {
            Some(path) => path,
            None if !Path::new(DEFAULT_PATH).exists() => return Ok(Self::default()),
            None => Path::new(DEFAULT_PATH),
        };
        let text = fs_err::read_to_string(path)?;
        toml::from_str(&text).with_context(|| format!("{} is not a valid configuration", path.display()))
    }

    /// Checks what a file can say wrong without being unreadable.
    ///
    /// # Errors
    /// Names the field and what to write instead.
    pub fn check(&self) -> Result<()> {
        self.hosts()?;
        self.read_gate_key()?;
        let (shortest, longest) = SIGNS_OF_LIFE;
        ensure!(
            (shortest..=longest).contains(&self.stream.sign_of_life.0.unsigned_abs()),
            "sign_of_life = \"{}\": write a length from 10s to 15m",
            self.stream.sign_of_life
        );
        ensure!((1..=100).contains(&self.blast_limit), "blast_limit = {}: write 1 to 100", self.blast_limit);
        ensure!(
            self.timestamp_validity.0 >= SignedDuration::from_hours(1),
            "timestamp_validity: devices hold every revoke once it is over; write at least 1h"
        );
        if let Some(store) = &self.store {
            ensure!(store.starts_with("postgres://"), "store: write postgres://user:password@host/name");
        }
        if let Some(webhook) = &self.tell.webhook {
            ensure!(is_protected(webhook), "tell.webhook = \"{webhook}\": write https://…");
        }
        self.sign_in.iter().try_for_each(SignInConfig::check)?;
        if let Some(mail) = &self.tell.mail {
            ensure!(!mail.to.is_empty(), "tell.mail.to: write at least one address");
            ensure!(
                mail.user.is_some() == mail.password_file.is_some(),
                "tell.mail: user and password_file go together"
            );
        }
        Ok(())
    }

    /// The key in [`Config::gate_key`]'s file.
    ///
    /// # Errors
    /// When it can't be read, or is too short to be a secret.
    pub fn read_gate_key(&self) -> Result<Option<String>> {
        let Some(path) = &self.gate_key else { return Ok(None) };
        let key = fs_err::read_to_string(path)?.trim().to_owned();
        ensure!(key.len() >= 16, "{} holds no key of 16 characters or more", path.display());
        Ok(Some(key))
    }

    /// The host part of [`Config::url`].
    ///
    /// # Errors
    /// When the URL is not `https://host` or `https://host:port`.
    pub fn host(&self) -> Result<&str> {
        host(&self.url)
    }

    /// Every host in the addresses that devices use.
    ///
    /// # Errors
    /// As [`Config::host`].
    pub fn hosts(&self) -> Result<Vec<String>> {
        let mut hosts = vec![self.host()?.to_owned()];
        if let Some(url) = &self.stream.url {
            hosts.push(host(url)?.to_owned());
        }
        hosts.dedup();
        Ok(hosts)
    }

    /// Where to listen for devices.
    pub fn stream_listen(&self) -> SocketAddr {
        let port = if self.listen.port() == DEFAULT_PORT { DEFAULT_PORT + 1 } else { 0 };
        self.stream.listen.unwrap_or(SocketAddr::new(self.listen.ip(), port))
    }

    /// The address of the stream for devices, where `port` is listened on.
    ///
    /// # Errors
    /// As [`Config::host`].
    pub fn stream_url(&self, port: u16) -> Result<String> {
        match &self.stream.url {
            Some(url) => Ok(format!("{}/v1/stream", url.trim_end_matches('/'))),
            None => Ok(format!("https://{}:{port}/v1/stream", self.host()?)),
        }
    }
}

/// Whether what goes to an address can be read by nobody on the way.
fn is_protected(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://127.0.0.1:")
}

fn host(url: &str) -> Result<&str> {
    let rest = url.strip_prefix("https://").map(|rest| rest.trim_end_matches('/'));
    let host = rest.map(|rest| rest.rsplit_once(':').map_or(rest, |(host, _)| host));
    host.filter(|host| !host.is_empty() && !host.contains('/'))
        .with_context(|| format!("url = \"{url}\": write https://host:port"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_listen_beside_the_other_port_unless_told_otherwise() {
        let config = Config::default();
        assert_eq!(config.stream_listen().to_string(), "127.0.0.1:7441");
        assert_eq!(config.stream_url(7441).unwrap(), "https://127.0.0.1:7441/v1/stream");
        let elsewhere = Config { listen: ([10, 0, 0, 1], 443).into(), ..Config::default() };
        assert_eq!(elsewhere.stream_listen().to_string(), "10.0.0.1:0");
        let text = "url = \"https://a.example\"\n[stream]\nlisten = \"[::1]:9\"\nurl = \"https://b.example:443/\"";
        let told: Config = toml::from_str(text).unwrap();
        assert_eq!(told.stream_listen().to_string(), "[::1]:9");
        assert_eq!(told.stream_url(9).unwrap(), "https://b.example:443/v1/stream");
        assert_eq!(told.hosts().unwrap(), ["a.example", "b.example"]);
    }
}
