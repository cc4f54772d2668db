//! The device's identity: made at enrolment, kept in the state folder, where only its owner can read it.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use forewarn_host::private;
use forewarn_proto::policy::Group;
use serde::{Deserialize, Serialize};

/// Everything that the device needs to speak with its server and to know its admins.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identity {
    /// The server's address.
    pub(crate) server: String,
    /// The name that the server gave to this device.
    pub(crate) device: String,
    /// The server's CA certificate, in PEM.
    pub(crate) ca: String,
    /// The groups that the token of the enrolment put this device into. They came with its set-up: no server can change
    /// them, and with them whom a rollout reaches.
    #[serde(default)]
    pub(crate) groups: BTreeSet<Group>,
    /// This device's certificate, in PEM.
    pub(crate) certificate: String,
    /// This device's private key, in PEM. It was made here and never leaves.
    pub(crate) key: String,
    /// The pair before or after this one, from a renewal until the server has taken the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) former: Option<Credentials>,
    /// The root from which trust in the admins starts, as JSON text. It came with the device's set-up, not from the
    /// server.
    pub(crate) root: String,
}

/// A certificate and its private key, both in PEM.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Identity {
    fn path(state: &Path) -> PathBuf {
        state.join("identity.json")
    }

    /// Whether this device is enrolled.
    pub(crate) fn exists(state: &Path) -> bool {
        Self::path(state).exists()
    }

    pub(crate) fn load(state: &Path) -> Result<Self> {
        let path = Self::path(state);
        let text = fs_err::read_to_string(&path).context("this device is not enrolled; run `forewarn enroll`")?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged; run `forewarn enroll` again", path.display()))
    }

    /// Stores the identity, all of it or nothing.
    pub(crate) fn save(&self, state: &Path) -> Result<()> {
        private::create_folder(state)?;
        Ok(private::write(&Self::path(state), &serde_json::to_vec(self)?)?)
    }
}
