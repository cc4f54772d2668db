//! Makes and signs TUF metadata, as JSON text. Formats: TUF specification, section 4.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use olpc_cjson::CanonicalFormatter;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    DELEGATED, KeyError, PublicKey, RoleError, Signer, digest,
    keys::NAME_FIELD,
    role::{ROLE_FIELD, SPEC_VERSION},
};

/// How long what the admins sign stays valid. Past that, devices warn and no longer revoke.
pub const ADMIN_VALIDITY: SignedDuration = SignedDuration::from_hours(24 * 366);

/// Why metadata can't be made or signed.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// A key can't be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The text is another role's.
    #[error(transparent)]
    Role(#[from] RoleError),
    /// The text is not metadata of the expected form.
    #[error("the metadata of {role} can't be read: {reason}")]
    Malformed {
        /// The role.
        role: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Who founds a repository.
#[derive(Debug, Clone)]
pub struct Founders {
    /// The admins' keys.
    pub admins: Vec<PublicKey>,
    /// How many of them a policy, and a change of the admins themselves, needs.
    pub threshold: usize,
    /// The server's keys.
    pub online: Online,
}

/// The server's keys for the online roles, one for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Online {
    /// Says which version of each role is current.
    pub snapshot: PublicKey,
    /// Says which snapshot is current, and until when that is good.
    pub timestamp: PublicKey,
}

impl Online {
    /// Those that a root names.
    ///
    /// # Errors
    /// When `root` is not a root with exactly one key for each online role.
    pub fn of_root(root: &str) -> Result<Self, MetadataError> {
        Ok(Self { snapshot: online_key_of(root, "snapshot")?, timestamp: online_key_of(root, "timestamp")? })
    }
}

impl Founders {
    /// The first version of every role that admins sign, unsigned, by role name.
    ///
    /// # Errors
    /// When a key is malformed.
    pub fn found(&self, now: Timestamp) -> Result<BTreeMap<String, String>, MetadataError> {
        let mut roles = BTreeMap::from([
            ("root".to_owned(), self.root(1, now)?),
            ("targets".to_owned(), self.delegating_targets(1, now)?),
        ]);
        for role in DELEGATED {
            roles.insert(role.to_owned(), unsigned(&targets(role, 1, now, &Map::new())));
        }
        Ok(roles)
    }

    /// A version of the root, unsigned.
    pub(crate) fn root(&self, version: u64, now: Timestamp) -> Result<String, MetadataError> {
        let admins = ids(&self.admins)?;
        let Online { snapshot, timestamp } = &self.online;
        let mut keys = keys(&self.admins)?;
        keys.insert(snapshot.id()?, snapshot.to_json());
        keys.insert(timestamp.id()?, timestamp.to_json());
        let role = |keyids: &[String], threshold: usize| json!({ "keyids": keyids, "threshold": threshold });
        Ok(unsigned(&json!({
            "_type": "root",
            "spec_version": SPEC_VERSION,
            "consistent_snapshot": true,
            "version": version,
            "expires": expires(now, ADMIN_VALIDITY),
            "keys": keys,
            "roles": {
                "root": role(&admins, self.threshold),
                "targets": role(&admins, self.threshold),
                "snapshot": role(&[snapshot.id()?], 1),
                "timestamp": role(&[timestamp.id()?], 1),
            },
        })))
    }

    /// A version of the role that says who signs the delegated ones, unsigned.
    pub(crate) fn delegating_targets(&self, version: u64, now: Timestamp) -> Result<String, MetadataError> {
        let admins = ids(&self.admins)?;
        let role = |name: &str| {
            let threshold = if name == "policies" { self.threshold } else { 1 };
            json!({
                "name": name,
                "keyids": admins,
                "threshold": threshold,
                "paths": [format!("{name}/*")],
                "terminating": true,
            })
        };
        let mut metadata = targets("targets", version, now, &Map::new());
        metadata["delegations"] = json!({ "keys": keys(&self.admins)?, "roles": DELEGATED.map(role) });
        Ok(unsigned(&metadata))
    }
}

/// The next version of a delegated role, unsigned: `current` with `added` put in and `removed` taken out.
///
/// # Errors
/// When `current` is not metadata.
pub fn next_targets(
    role: &str,
    current: &str,
    added: &BTreeMap<String, String>,
    removed: &[String],
    now: Timestamp,
) -> Result<String, MetadataError> {
    let current = signed_part(role, current)?;
    let mut listed = current["targets"].as_object().cloned().unwrap_or_default();
    listed.retain(|name, _| !removed.contains(name));
    for (name, text) in added {
        listed.insert(name.clone(), describe(text));
    }
    Ok(unsigned(&targets(role, grown(role, &current)?, now, &listed)))
}

/// The version after the one that a role's text states.
///
/// # Errors
/// When `text` is not metadata.
pub(crate) fn next_version(role: &str, text: &str) -> Result<u64, MetadataError> {
    grown(role, &signed_part(role, text)?)
}

fn grown(role: &str, signed: &Value) -> Result<u64, MetadataError> {
    let version = signed["version"].as_u64().and_then(|version| version.checked_add(1));
    version.ok_or_else(|| malformed(role, "its version can't grow"))
}

/// When a role's text expires.
///
/// # Errors
/// When `text` is not metadata.
pub fn expires_of(role: &str, text: &str) -> Result<Timestamp, MetadataError> {
    let signed = signed_part(role, text)?;
    let expires = signed["expires"].as_str().and_then(|expires| expires.parse().ok());
    expires.ok_or_else(|| malformed(role, "it does not say when it expires"))
}

/// The snapshot: which version of each role is current. `files` has each role's text.
pub(crate) fn snapshot(
    version: u64,
    files: &BTreeMap<&str, &str>,
    valid_until: Timestamp,
) -> Result<Value, MetadataError> {
    let mut meta = Map::new();
    for (role, text) in files {
        let mut entry = describe(text);
        entry["version"] = version_of(role, text)?.into();
        meta.insert(format!("{role}.json"), entry);
    }
    Ok(json!({
        "_type": "snapshot",
        "spec_version": SPEC_VERSION,
        "version": version,
        "expires": expires(valid_until, SignedDuration::ZERO),
        "meta": meta,
    }))
}

/// The timestamp: which snapshot is current, and until when that word is good.
pub(crate) fn timestamp(version: u64, snapshot: &str, valid_until: Timestamp) -> Result<Value, MetadataError> {
    let mut entry = describe(snapshot);
    entry["version"] = version_of("snapshot", snapshot)?.into();
    Ok(json!({
        "_type": "timestamp",
        "spec_version": SPEC_VERSION,
        "version": version,
        "expires": expires(valid_until, SignedDuration::ZERO),
        "meta": { "snapshot.json": entry },
    }))
}

/// Adds a signature to metadata; one that this key made before is replaced.
///
/// # Errors
/// When `text` is not metadata, or whoever holds the key does not sign.
pub fn sign(role: &str, text: &str, key: &dyn Signer) -> Result<String, MetadataError> {
    let mut metadata = parse(role, text)?;
    let signature = hex::encode(key.sign(&canonical(role, &metadata["signed"])?)?);
    let signature = json!({ "keyid": key.public().id()?, "sig": signature });
    let signatures = metadata["signatures"].as_array().cloned().unwrap_or_default();
    let others = signatures.into_iter().filter(|other| other["keyid"] != signature["keyid"]);
    metadata["signatures"] = others.chain([signature.clone()]).collect();
    Ok(metadata.to_string())
}

/// Whether this key has signed this metadata.
///
/// # Errors
/// When `text` is not metadata.
pub fn is_signed_by(role: &str, text: &str, key: &PublicKey) -> Result<bool, MetadataError> {
    let metadata = parse(role, text)?;
    let (id, message) = (key.id()?, canonical(role, &metadata["signed"])?);
    let holds = |signature: &Value| {
        let bytes = signature["sig"].as_str().and_then(|sig| hex::decode(sig).ok()).unwrap_or_default();
        signature["keyid"] == id && key.verifies(&message, &bytes)
    };
    Ok(metadata["signatures"].as_array().is_some_and(|signatures| signatures.iter().any(holds)))
}

/// A role's text with only those of its signatures that hold under one of `keys`, each with its id; one for each.
///
/// # Errors
/// When `text` is not metadata.
pub(crate) fn trimmed(role: &str, text: &str, keys: &[(String, PublicKey)]) -> Result<String, MetadataError> {
    let mut metadata = parse(role, text)?;
    let message = canonical(role, &metadata["signed"])?;
    let offered = metadata["signatures"].as_array().cloned().unwrap_or_default();
    let holds = |signature: &&Value, (id, key): &(String, PublicKey)| {
        let bytes = || signature["sig"].as_str().and_then(|sig| hex::decode(sig).ok()).unwrap_or_default();
        signature["keyid"] == *id && key.verifies(&message, &bytes())
    };
    let valid = keys.iter().filter_map(|key| offered.iter().find(|signature| holds(signature, key)).cloned());
    metadata["signatures"] = valid.collect();
    Ok(metadata.to_string())
}

/// How many signatures a role's text carries, whether they hold or not.
///
/// # Errors
/// When `text` is not metadata.
pub(crate) fn signatures_on(role: &str, text: &str) -> Result<usize, MetadataError> {
    Ok(parse(role, text)?["signatures"].as_array().map_or(0, Vec::len))
}

/// The most admins. Bounds the work of checking signatures.
pub const MAX_ADMINS: usize = 100;

/// The admins that a root names, each with a fingerprint, and the threshold for policies and for the root itself.
///
/// # Errors
/// When `text` is not a root.
pub fn admins_of(text: &str) -> Result<(Vec<PublicKey>, u64), MetadataError> {
    let root = signed_part("root", text)?;
    let role = &root["roles"]["root"];
    let ids = role["keyids"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let key = |id: &str| {
        let key = &root["keys"][id];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        PublicKey { name: text(&key[NAME_FIELD]), public: text(&key["keyval"]["public"]) }
    };
    Ok((ids.map(key).collect(), role["threshold"].as_u64().unwrap_or_default()))
}

fn online_key_of(text: &str, role: &str) -> Result<PublicKey, MetadataError> {
    let root = signed_part("root", text)?;
    let ids = root["roles"][role]["keyids"].as_array().map(Vec::as_slice);
    let Some([id]) = ids else { return Err(malformed("root", "an online role has not exactly one key")) };
    let key = &root["keys"][id.as_str().unwrap_or_default()];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(PublicKey { name: text(&key[NAME_FIELD]), public: text(&key["keyval"]["public"]) })
}

/// Puts the signatures of two copies of the same metadata together.
///
/// # Errors
/// When a text is not metadata, or what they sign differs.
pub(crate) fn merge(role: &str, ours: &str, theirs: &str) -> Result<String, MetadataError> {
    let (mut ours, theirs) = (parse(role, ours)?, parse(role, theirs)?);
    if canonical(role, &ours["signed"])? != canonical(role, &theirs["signed"])? {
        return Err(malformed(role, "the two copies differ in what is signed"));
    }
    let mut all = ours["signatures"].as_array().cloned().unwrap_or_default();
    let known: Vec<Value> = all.iter().map(|s| s["keyid"].clone()).collect();
    let new = theirs["signatures"].as_array().cloned().unwrap_or_default();
    all.extend(new.into_iter().filter(|signature| !known.contains(&signature["keyid"])));
    ours["signatures"] = all.into();
    Ok(ours.to_string())
}

/// The version that a role's text states.
///
/// # Errors
/// When `text` is not metadata.
pub fn version_of(role: &str, text: &str) -> Result<u64, MetadataError> {
    signed_part(role, text)?["version"].as_u64().ok_or_else(|| malformed(role, "it has no version"))
}

/// The names, and SHA-256 digests in hexadecimal, of the targets that a role's text lists.
///
/// # Errors
/// When `text` is not metadata.
pub fn listed_targets(role: &str, text: &str) -> Result<BTreeMap<String, String>, MetadataError> {
    let signed = signed_part(role, text)?;
    let listed = signed["targets"].as_object().into_iter().flatten();
    Ok(listed.map(|(name, t)| (name.clone(), t["hashes"]["sha256"].as_str().unwrap_or_default().to_owned())).collect())
}

pub(crate) fn unsigned(signed: &Value) -> String {
    json!({ "signed": signed, "signatures": [] }).to_string()
}

/// `role` is the text's own name, so that nobody can serve it in another's place.
fn targets(role: &str, version: u64, now: Timestamp, listed: &Map<String, Value>) -> Value {
    json!({
        "_type": "targets",
        ROLE_FIELD: role,
        "spec_version": SPEC_VERSION,
        "version": version,
        "expires": expires(now, ADMIN_VALIDITY),
        "targets": listed,
    })
}

fn ids(keys: &[PublicKey]) -> Result<Vec<String>, KeyError> {
    keys.iter().map(PublicKey::id).collect()
}

fn keys(keys: &[PublicKey]) -> Result<Map<String, Value>, KeyError> {
    keys.iter().map(|key| Ok((key.id()?, key.to_json()))).collect()
}

fn describe(text: &str) -> Value {
    json!({ "length": text.len(), "hashes": { "sha256": digest(text.as_bytes()) } })
}

/// Whole seconds, because that is how the specification writes times.
fn expires(now: Timestamp, validity: SignedDuration) -> String {
    let expires = now.saturating_add(validity).unwrap_or(Timestamp::MAX);
    Timestamp::from_second(expires.as_second()).unwrap_or(expires).to_string()
}

fn parse(role: &str, text: &str) -> Result<Value, MetadataError> {
    let metadata: Value = serde_json::from_str(text).map_err(|e| malformed(role, &e.to_string()))?;
    if metadata["signed"].is_object() { Ok(metadata) } else { Err(malformed(role, "it has no `signed` object")) }
}

pub(crate) fn signed_part(role: &str, text: &str) -> Result<Value, MetadataError> {
    Ok(parse(role, text)?["signed"].take())
}

fn malformed(role: &str, reason: &str) -> MetadataError {
    MetadataError::Malformed { role: role.to_owned(), reason: reason.to_owned() }
}

/// OLPC canonical JSON, the form that TUF signs. It has no fractions, so metadata with one can't be signed.
fn canonical(role: &str, value: &Value) -> Result<Vec<u8>, MetadataError> {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, CanonicalFormatter::new());
    value.serialize(&mut serializer).map_err(|e| malformed(role, &e.to_string()))?;
    Ok(bytes)
}
