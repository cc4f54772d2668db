//! The server's configuration: `server.toml`, overridden by the command line.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use forewarn_proto::policy::Length;
use jiff::SignedDuration;
use serde::Deserialize;

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
    /// How long the server's word that a bundle is current is good. It is given anew at a quarter of that.
    pub timestamp_validity: Length,
    /// A file with the key by which the company's mail server asks whether a device may log in. Without it nobody may ask.
    pub gate_key: Option<PathBuf>,
    /// A file that moves the clock, for demonstrations and tests.
    pub simulated_clock: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            state: "/var/lib/forewarn-server".into(),
            store: None,
            listen: (Ipv4Addr::LOCALHOST, 7440).into(),
            url: "https://127.0.0.1:7440".into(),
            timestamp_validity: Length(SignedDuration::from_hours(24)),
            gate_key: None,
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
        let rest = self.url.strip_prefix("https://").map(|rest| rest.trim_end_matches('/'));
        let host = rest.map(|rest| rest.rsplit_once(':').map_or(rest, |(host, _)| host));
        host.filter(|host| !host.is_empty() && !host.contains('/'))
            .with_context(|| format!("url = \"{}\": write https://host:port", self.url))
    }
}
