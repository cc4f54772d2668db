//! The retraction: one admin takes a policy back. It can only undo.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::foreign::Lines;

use super::{Language, MAX_TITLE_CHARS, PolicyError, PolicyId, check_messages, check_text, message_for, read_toml};

/// Withdraws a policy, up to one of its versions. A later version is a new decision and needs its own signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retraction {
    /// The policy that is withdrawn.
    pub policy: PolicyId,
    /// Every version up to and including this one is withdrawn.
    pub through_version: u64,
    /// Why, for the record: `sent in error`.
    pub reason: String,
    /// What those who saw a notice are told, by language; `en` must be there.
    pub message: BTreeMap<Language, String>,
}

impl Retraction {
    /// Reads a retraction from the bytes that were signed.
    ///
    /// # Errors
    /// Names the line or the field, and what to write instead.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        let retraction: Self = read_toml(bytes)?;
        check_text("reason", &retraction.reason, MAX_TITLE_CHARS, Lines::One)?;
        check_messages(&retraction.message)?;
        Ok(retraction)
    }

    /// The text that is signed.
    ///
    /// # Errors
    /// Never for a retraction that [`Retraction::parse`] would accept.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// Where a policy's retraction stands among a repository's targets: `retractions/no-tiktok.toml`.
    pub fn target_name(id: &PolicyId) -> String {
        format!("retractions/{id}.toml")
    }

    /// The message in the first of `languages` that it is written in, else in English.
    pub fn message_for(&self, languages: &[Language]) -> &str {
        message_for(&self.message, languages)
    }
}
