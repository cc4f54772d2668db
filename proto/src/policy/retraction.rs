//! The retraction: one admin takes a policy back. It can only undo.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    FORMAT, Header, Language, MAX_MESSAGE_CHARS, MAX_TITLE_CHARS, PolicyError, PolicyId, check_messages, check_text,
    format, heard, message_for, read_toml,
};
use crate::foreign::Lines;

/// Withdraws a policy, up to one of its versions. A later version is a new decision and needs its own signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retraction {
    /// The document's format. Without it, the first.
    #[serde(default = "format::first")]
    pub format: u32,
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
    /// Reads a retraction as somebody who writes or reviews it: whole, or not at all.
    ///
    /// # Errors
    /// Names the line or the field, and what to write instead.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        let retraction: Self = read_toml(bytes)?;
        check_text("reason", &retraction.reason, MAX_TITLE_CHARS, Lines::One)?;
        check_messages(&retraction.message)?;
        Ok(retraction)
    }

    /// Reads a retraction as somebody who has to heed it, of whatever format, from the bytes that were signed: which policy
    /// is withdrawn, and how far. Nothing else in it keeps it from being heard; of the words to people, those count that can
    /// be shown.
    ///
    /// # Errors
    /// When it does not say what is withdrawn.
    pub fn hear(bytes: &[u8]) -> Result<Self, PolicyError> {
        let table = heard::table(bytes)?;
        let reason = heard::text(&table, "reason")
            .filter(|text| check_text("reason", text, MAX_TITLE_CHARS, Lines::One).is_ok());
        let message = table.get("message").and_then(toml::Value::as_table).into_iter().flatten();
        let message = message.filter_map(|(language, text)| {
            let text =
                text.as_str().filter(|text| check_text("message", text, MAX_MESSAGE_CHARS, Lines::Many).is_ok())?;
            Some((language.parse().ok()?, text.to_owned()))
        });
        Ok(Self {
            format: Header::read(bytes).map_or(FORMAT, |header| header.format),
            policy: heard::parsed(&table, "policy")?,
            through_version: heard::whole(&table, "through_version")
                .ok_or_else(|| heard::missing("through_version"))?,
            reason: reason.unwrap_or_default().to_owned(),
            message: message.collect(),
        })
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
