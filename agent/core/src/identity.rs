//! The device's identity: made at enrolment, kept in the state folder, where only its owner can read it.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::ports::Device;
use anyhow::{Context, Result};
use forewarn_proto::policy::Group;
use serde::{Deserialize, Serialize};

/// Everything that the device needs to speak with its server and to know its admins.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The server's address.
    pub server: String,
    /// The name that the server gave to this device.
    pub device: String,
    /// The server's CA certificate, in PEM.
    pub ca: String,
    /// The groups that the token of the enrolment put this device into. They came with its set-up: no server can change
    /// them, and with them whom a rollout reaches.
    #[serde(default)]
    pub groups: BTreeSet<Group>,
    /// This device's certificate, in PEM.
    pub certificate: String,
    /// This device's private key, in PEM. It was made here and never leaves.
    pub key: String,
    /// The pair before or after this one, from a renewal until the server has taken the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<Credentials>,
    /// The root from which trust in the admins starts, as JSON text. It came with the device's set-up, not from the
    /// server.
    pub root: String,
}

/// A certificate and its private key, both in PEM.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The certificate, in PEM.
    pub certificate: String,
    /// Its private key, in PEM.
    pub key: String,
}

impl Identity {
    fn path(state: &Path) -> PathBuf {
        state.join("identity.json")
    }

    /// Whether this device is enrolled.
    pub fn exists(state: &Path) -> bool {
        Self::path(state).exists()
    }

    /// Reads what was stored at the enrolment.
    ///
    /// # Errors
    /// When this device is not enrolled, or the file is damaged.
    pub fn load(state: &Path) -> Result<Self> {
        let path = Self::path(state);
        let text = fs_err::read_to_string(&path).context("this device is not enrolled; run `forewarn enroll`")?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged; run `forewarn enroll` again", path.display()))
    }

    /// Stores the identity, all of it or nothing.
    ///
    /// # Errors
    /// When it can't be stored; the former one stays.
    pub fn save(&self, state: &Path, device: &dyn Device) -> Result<()> {
        device.write_private(&Self::path(state), &serde_json::to_vec(self)?)
    }
}
