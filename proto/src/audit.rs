//! The record of decisions: append-only, each entry chained to the one before by its hash.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{api::Role, moment::Moment};

/// One entry as it is sent: its text, whose bytes the hash covers, and that hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Chained {
    /// An [`Entry`] as JSON.
    #[schemars(schema_with = "entry_as_text")]
    pub entry: String,
    /// SHA-256, in hexadecimal, of the former entry's hash (nothing for the first), a line feed, and [`Chained::entry`].
    pub hash: String,
}

fn entry_as_text(generator: &mut SchemaGenerator) -> Schema {
    let entry = generator.subschema_for::<Entry>();
    json_schema!({ "type": "string", "contentMediaType": "application/json", "contentSchema": entry })
}

/// What was decided, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Counts from 1, without a gap.
    pub number: u64,
    /// When, by the server's clock.
    #[schemars(with = "Moment")]
    pub at: Timestamp,
    /// What.
    pub decision: Decision,
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// A draft was put before the admins, or signed by one more, or made anew.
    Proposed {
        /// Its number.
        draft: i64,
        /// Who sent it.
        by: String,
        /// What it changes.
        roles: BTreeMap<String, SignedRole>,
    },
    /// A draft that was not in force was taken off the table.
    Withdrawn {
        /// Its number.
        draft: i64,
        /// Who did it.
        by: String,
    },
    /// A draft came into force.
    Published {
        /// Its number.
        draft: i64,
        /// Whose request it was.
        by: String,
        /// What it changed.
        roles: BTreeMap<String, SignedRole>,
        /// SHA-256 of the bundle that was pushed, in hexadecimal.
        bundle: String,
    },
    /// After a backup was restored, what an admin had seen in force came back.
    BroughtBack {
        /// Who sent it.
        by: String,
        /// SHA-256 of the bundle that was pushed, in hexadecimal.
        bundle: String,
    },
    /// A device's certificate counts no longer.
    DeviceRevoked {
        /// The device.
        device: String,
        /// Who asked for it.
        by: String,
    },
    /// Everything that was known of a device was deleted; so this does not say which.
    DeviceForgotten {
        /// Who asked for it.
        by: String,
    },
    /// A token for the admins' interface was made.
    TokenMade {
        /// Whose it is.
        name: String,
        /// What it may do.
        role: Role,
        /// Who made it.
        by: String,
    },
    /// A person signed in at the company's identity provider, and has a token.
    SignedIn {
        /// Who.
        name: String,
        /// What they may do, as the provider's groups say.
        role: Role,
    },
    /// A token counts no longer.
    TokenEnded {
        /// Whose it was.
        name: String,
        /// Who ended it.
        by: String,
    },
}

/// One TUF role in a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignedRole {
    /// Its version.
    pub version: u64,
    /// SHA-256 of its text, in hexadecimal.
    pub digest: String,
    /// The names of those whose signatures on it hold.
    pub signed_by: Vec<String>,
}
