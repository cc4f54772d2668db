//! The repository as the server keeps it: what is in force, and how a draft becomes that.

use std::collections::{BTreeMap, BTreeSet};

use forewarn_proto::{
    api::{Draft, NEW_ADMINS},
    audit::SignedRole,
    bundle::Bundle,
    policy::Header,
};
use jiff::Timestamp;
use tough::schema::{RoleType, Root, Signed};

use crate::{
    Admins, DraftError, PublicKey, SigningKey, digest,
    draft::{Authority, check_shape, check_targets, check_versions, describe},
    keys,
    metadata::{self, MetadataError, Online, listed_targets, version_of},
};

/// All that is in force, ready to be pushed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repository {
    bundle: Bundle,
}

impl Repository {
    /// A repository from the bundle that was in force; from an empty one, a repository that is not founded yet.
    pub fn new(bundle: Bundle) -> Self {
        Self { bundle }
    }

    /// What is pushed to devices.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Whether there is a root.
    pub fn is_founded(&self) -> bool {
        self.bundle.files.contains_key("1.root.json")
    }

    /// The current text of a role.
    pub fn role(&self, role: &str) -> Option<&str> {
        current_files(&self.bundle).get(role).copied()
    }

    /// When the timestamp, and with it the word that all this is current, runs out.
    pub fn timestamp_expires(&self) -> Option<Timestamp> {
        let text = self.bundle.files.get("timestamp.json")?;
        let metadata: serde_json::Value = serde_json::from_str(text).ok()?;
        metadata["signed"]["expires"].as_str()?.parse().ok()
    }

    /// Checks a draft and says how many signatures each of its roles has and needs.
    ///
    /// # Errors
    /// When the draft does not follow what is in force, or carries a role that nobody who may has signed.
    pub fn check(&self, draft: &Draft) -> Result<BTreeMap<String, (usize, usize)>, DraftError> {
        let current = current_files(&self.bundle);
        check_shape(draft)?;
        check_versions(draft, &current)?;
        check_targets(draft, &self.targets()?)?;
        let signatures = self.signatures(draft)?;
        if self.is_signed(draft)? {
            return Ok(signatures);
        }
        Err(DraftError::Unsigned { role: draft.roles.keys().next().cloned().unwrap_or_default() })
    }

    /// The draft with only those of its signatures that hold: of admins in force, and of those whom its root names.
    ///
    /// # Errors
    /// When a role's text is not metadata, or larger than any that admins make.
    pub fn trimmed(&self, draft: &Draft) -> Result<Draft, DraftError> {
        check_shape(draft)?;
        let roots = [self.role("root"), draft.roles.get("root").map(String::as_str)].into_iter().flatten();
        let mut keys: Vec<(String, PublicKey)> = Vec::new();
        for root in roots {
            for key in Admins::of_root(root)?.keys {
                let id = key.id().map_err(MetadataError::from)?;
                if keys.iter().all(|(known, _)| *known != id) {
                    keys.push((id, key));
                }
            }
        }
        let mut trimmed = draft.clone();
        for (role, text) in &mut trimmed.roles {
            *text = metadata::trimmed(role, text, &keys)?;
        }
        Ok(trimmed)
    }

    /// Whether admins have signed each role of a draft: those in force, or the founders while there are none.
    ///
    /// # Errors
    /// When a role's text is not metadata.
    pub fn is_signed(&self, draft: &Draft) -> Result<bool, MetadataError> {
        Ok(self.signed_roles(draft)?.values().all(|role| !role.signed_by.is_empty()))
    }

    /// For each role of a draft, valid signatures and signatures needed, whether the draft follows what is in force or not.
    /// A new root needs those of the admins whom it names as well (TUF, 5.3.4): they stand under [`NEW_ADMINS`].
    ///
    /// # Errors
    /// When a role's text is not metadata.
    pub fn signatures(&self, draft: &Draft) -> Result<BTreeMap<String, (usize, usize)>, DraftError> {
        let (old, new) = self.authorities(draft)?;
        let mut signatures = BTreeMap::new();
        for (role, text) in &draft.roles {
            let judge = if role == "root" { &old } else { &new };
            signatures.insert(role.clone(), judge.signatures(role, text)?);
            if role == "root" && self.is_founded() {
                signatures.insert(NEW_ADMINS.to_owned(), new.signatures(role, text)?);
            }
        }
        Ok(signatures)
    }

    /// What a draft signs, and the names of the admins in force whose signatures on it hold. Whom a new root names is for
    /// those to decide. Only a founding names its own.
    ///
    /// # Errors
    /// When a role's text is not metadata.
    pub fn signed_roles(&self, draft: &Draft) -> Result<BTreeMap<String, SignedRole>, MetadataError> {
        let root = self.role("root").or(draft.roles.get("root").map(String::as_str));
        let admins = root.map(Admins::of_root).transpose()?.map(|admins| admins.keys).unwrap_or_default();
        let signed = |(role, text): (&String, &String)| {
            let mut signed_by = BTreeSet::new();
            for key in &admins {
                if metadata::is_signed_by(role, text, key)? {
                    signed_by.insert(key.name.clone());
                }
            }
            let (version, digest) = (version_of(role, text)?, digest(text.as_bytes()));
            Ok((role.clone(), SignedRole { version, digest, signed_by: signed_by.into_iter().collect() }))
        };
        draft.roles.iter().map(signed).collect()
    }

    /// The draft with what it takes out and what it is made over, worked out from what is in force.
    ///
    /// # Errors
    /// When a role's text is not metadata.
    pub fn describe(&self, draft: &Draft) -> Result<Draft, DraftError> {
        let (removes, over) = describe(draft, &self.targets()?)?;
        Ok(Draft { removes, over, ..draft.clone() })
    }

    /// Adds the signatures of another copy of the same draft.
    ///
    /// # Errors
    /// When the copies differ in what is signed.
    pub fn merge(&self, draft: &Draft, other: &Draft) -> Result<Draft, DraftError> {
        if !draft.roles.keys().eq(other.roles.keys()) || draft.targets != other.targets {
            return Err(DraftError::Role("another draft".to_owned()));
        }
        let mut merged = draft.clone();
        for (role, text) in &mut merged.roles {
            let theirs = other.roles.get(role).ok_or_else(|| DraftError::Role(role.clone()))?;
            *text = metadata::merge(role, text, theirs)?;
        }
        Ok(merged)
    }

    /// Puts a draft in force.
    ///
    /// # Errors
    /// As [`Repository::check`], and when a role has fewer signatures than it needs.
    pub fn publish(&mut self, draft: &Draft, online: &OnlineSigner) -> Result<(), DraftError> {
        for (role, (have, need)) in self.check(draft)? {
            if have < need {
                return Err(DraftError::Threshold { role, have, need });
            }
        }
        let mut files = self.bundle.files.clone();
        files.extend(draft.targets.clone());
        for (role, text) in &draft.roles {
            if role != "root" {
                files.retain(|name, _| !name.ends_with(&format!(".{role}.json")));
            }
            files.insert(format!("{}.{role}.json", version_of(role, text)?), text.clone());
        }
        let mut next = Self { bundle: Bundle { files } };
        next.drop_unlisted()?;
        next.sign_snapshot(online)?;
        *self = next;
        Ok(())
    }

    /// Takes what an admin has seen in force, in the place of what a backup brought back: the admins' roles and their
    /// targets of `seen`, which has to be verified before, with the online roles signed anew. Where the root names keys that
    /// were lost with what the backup had not, the online roles stay as they were seen, until a root names others.
    ///
    /// # Errors
    /// When some role of `seen` is older than what is in force.
    pub fn bring_back(&mut self, seen: Bundle, online: &OnlineSigner) -> Result<(), DraftError> {
        let mut next = Self { bundle: seen };
        let ours = current_files(&self.bundle);
        let theirs = current_files(&next.bundle);
        for (role, text) in ours {
            let current = version_of(role, text)?;
            let offered = theirs.get(role).map(|text| version_of(role, text)).transpose()?.unwrap_or_default();
            if offered < current && role != "timestamp" && role != "snapshot" {
                return Err(DraftError::OutOfDate { role: role.to_owned(), current, offered });
            }
        }
        match next.sign_snapshot(online) {
            Err(DraftError::NotTheServers { .. }) => {}
            signed => signed?,
        }
        *self = next;
        Ok(())
    }

    /// Which admin made the `Authorization` header of this request, and the second that it states.
    pub fn admin_of(&self, header: &str, method: &str, path: &str, body: &[u8]) -> Option<(String, i64)> {
        let root: Signed<Root> = serde_json::from_str(self.role("root")?).ok()?;
        let mut admins = root.signed.keys(RoleType::Root);
        admins.find_map(|key| {
            let second = keys::authorized_at(header, key, method, path, body)?;
            Some((keys::name_of(key).unwrap_or_default(), second))
        })
    }

    /// Gives the word anew that all this is current.
    ///
    /// # Errors
    /// When the repository is not founded.
    pub fn refresh(&mut self, online: &OnlineSigner) -> Result<(), DraftError> {
        self.sign_snapshot(online)
    }

    /// The policies, previews, retractions and exemptions in force, by target name.
    ///
    /// # Errors
    /// When a role's text is not metadata.
    pub fn targets(&self) -> Result<BTreeMap<String, String>, MetadataError> {
        let mut targets = BTreeMap::new();
        for role in crate::DELEGATED {
            for name in self.role(role).map(|text| listed_targets(role, text)).transpose()?.unwrap_or_default().keys() {
                if let Some(text) = self.bundle.files.get(name) {
                    targets.insert(name.clone(), text.clone());
                }
            }
        }
        Ok(targets)
    }

    /// The version and format of each policy and preview in force, by id; `preview/` stands before a preview's.
    ///
    /// # Errors
    /// When a role's text is not metadata.
    pub fn policies_in_force(&self) -> Result<BTreeMap<String, Header>, MetadataError> {
        let mut policies = BTreeMap::new();
        for (name, text) in self.targets()? {
            let (prefix, id) = match name.split_once('/') {
                Some(("policies", file)) => ("", file),
                Some(("previews", file)) => ("preview/", file),
                Some(_) | None => continue,
            };
            if let (Some(id), Ok(header)) = (id.strip_suffix(".toml"), Header::read(text.as_bytes())) {
                policies.insert(format!("{prefix}{id}"), header);
            }
        }
        Ok(policies)
    }

    /// By whose signatures a draft is judged: those of the admins in force, and those of the admins that will be. A draft
    /// of the founding brings its own.
    fn authorities(&self, draft: &Draft) -> Result<(Authority, Authority), DraftError> {
        let offered = |role: &str| draft.roles.get(role).map(String::as_str);
        let judged_by = |text: Option<&str>, role: &str| {
            text.map(str::to_owned).ok_or_else(|| DraftError::Role(format!("no {role} to judge by")))
        };
        let old = |role: &str| judged_by(self.role(role).or(offered(role)), role);
        let new = |role: &str| judged_by(offered(role).or(self.role(role)), role);
        Ok((Authority::read(&old("root")?, &old("targets")?)?, Authority::read(&new("root")?, &new("targets")?)?))
    }

    fn drop_unlisted(&mut self) -> Result<(), MetadataError> {
        let listed = self.targets()?;
        self.bundle.files.retain(|name, _| name.ends_with(".json") || listed.contains_key(name));
        Ok(())
    }

    fn sign_snapshot(&mut self, online: &OnlineSigner) -> Result<(), DraftError> {
        // Seconds, so that a server that was restored from a backup is not behind what devices have seen of it.
        let seconds = u64::try_from(online.now.as_second()).unwrap_or_default();
        let next = |role: &str| -> Result<u64, MetadataError> {
            let former = self.role(role).map(|text| version_of(role, text)).transpose()?.unwrap_or_default();
            Ok(former.saturating_add(1).max(seconds))
        };
        let (snapshot_version, timestamp_version) = (next("snapshot")?, next("timestamp")?);
        let mut roles = current_files(&self.bundle);
        let names = Online::of_root(roles.get("root").copied().unwrap_or_default())?;
        roles.retain(|role, _| !["root", "snapshot", "timestamp"].contains(role));
        let snapshot = metadata::unsigned(&metadata::snapshot(snapshot_version, &roles, online.valid_until)?);
        let snapshot = metadata::sign("snapshot", &snapshot, online.key(&names.snapshot, "snapshot")?)?;
        let timestamp = metadata::unsigned(&metadata::timestamp(timestamp_version, &snapshot, online.valid_until)?);
        let timestamp = metadata::sign("timestamp", &timestamp, online.key(&names.timestamp, "timestamp")?)?;
        self.bundle.files.retain(|name, _| !name.ends_with(".snapshot.json"));
        self.bundle.files.insert(format!("{snapshot_version}.snapshot.json"), snapshot);
        self.bundle.files.insert("timestamp.json".to_owned(), timestamp);
        Ok(())
    }
}

/// The server's own keys, and until when its word shall be good.
pub struct OnlineSigner {
    /// Each online role is signed with the one that the root names.
    pub keys: Vec<SigningKey>,
    /// The present time.
    pub now: Timestamp,
    /// When what is signed expires.
    pub valid_until: Timestamp,
}

impl OnlineSigner {
    fn key(&self, named: &PublicKey, role: &'static str) -> Result<&SigningKey, DraftError> {
        self.keys.iter().find(|key| key.public() == *named).ok_or(DraftError::NotTheServers { role })
    }
}

/// The current text of each role, by role name, in a bundle that was made here.
fn current_files(bundle: &Bundle) -> BTreeMap<&str, &str> {
    let mut newest: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    for (name, text) in &bundle.files {
        let Some(stem) = name.strip_suffix(".json") else {
            continue;
        };
        let role = stem.split_once('.').map_or(stem, |(_, role)| role);
        let version = version_of(role, text).unwrap_or_default();
        if newest.get(role).is_none_or(|(known, _)| version >= *known) {
            newest.insert(role, (version, text));
        }
    }
    newest.into_iter().map(|(role, (_, text))| (role, text)).collect()
}
