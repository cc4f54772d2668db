//! Plan, then execute: a folder of policy files beside what is in force, and what would have to change. Data in, data out.
//!
//! ```text
//! files ──read──► wanted ─┐
//!                         ├──► Plan ──► printed, or one draft
//! what is in force ───────┘
//! ```

mod read;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use forewarn_proto::policy::{Policy, PolicyId, Retraction};
use forewarn_trust::Verified;
use jiff::Timestamp;
use serde::Serialize;

use crate::diff::{FieldChange, changed};
use read::Wanted;
pub(crate) use read::{MAX_FILES, PolicyFile};

/// Policies in force, each with its exact text.
#[derive(Debug, Clone, Default)]
pub(crate) struct InForce {
    policies: BTreeMap<PolicyId, (Policy, Vec<u8>)>,
    /// Through which version each policy was withdrawn.
    retracted: BTreeMap<PolicyId, u64>,
}

/// What would have to change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Plan {
    /// Policies that are not in force yet.
    pub(crate) additions: Vec<Addition>,
    /// Policies that are in force in another version.
    pub(crate) changes: Vec<PolicyChange>,
    /// Policies in force that have no file.
    pub(crate) deletions: Vec<Deletion>,
    /// Policies that are in force as their files say.
    pub(crate) unchanged: Vec<PolicyId>,
    /// What an admin should know, though nothing has to change for it.
    pub(crate) notes: Vec<String>,
    /// The texts to publish, by target name.
    #[serde(skip)]
    pub(crate) texts: BTreeMap<String, String>,
}

/// A policy that is not in force yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Addition {
    pub(crate) id: PolicyId,
    pub(crate) version: u64,
    pub(crate) file: String,
    #[serde(skip)]
    pub(crate) policy: Policy,
}

/// A policy that is in force in another version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PolicyChange {
    pub(crate) id: PolicyId,
    pub(crate) from_version: u64,
    pub(crate) to_version: u64,
    pub(crate) file: String,
    /// None: only comments or layout differ.
    pub(crate) fields: Vec<FieldChange>,
}

/// A policy in force that has no file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Deletion {
    pub(crate) id: PolicyId,
    pub(crate) version: u64,
    pub(crate) title: String,
}

impl InForce {
    /// What a verified bundle has in force.
    ///
    /// # Errors
    /// Names the document that does not parse.
    pub(crate) fn of(verified: &Verified) -> Result<Self, String> {
        let mut in_force = Self::default();
        for (name, document) in verified.of_role("policies") {
            let policy = Policy::parse(&document.bytes).map_err(|e| format!("{name}, which is in force: {e}"))?;
            in_force.policies.insert(policy.id.clone(), (policy, document.bytes.clone()));
        }
        for (name, document) in verified.of_role("retractions") {
            let retraction =
                Retraction::parse(&document.bytes).map_err(|e| format!("{name}, which is in force: {e}"))?;
            in_force.retracted.insert(retraction.policy, retraction.through_version);
        }
        Ok(in_force)
    }

    /// The least version that a changed policy can have.
    fn next_version(&self, id: &PolicyId) -> u64 {
        let in_force = self.policies.get(id).map(|(policy, _)| policy.version);
        in_force.max(self.retracted.get(id).copied()).unwrap_or_default().saturating_add(1)
    }
}

impl Plan {
    /// Compares files with what is in force. `now` says whether a deadline is still ahead where something changes.
    ///
    /// # Errors
    /// Everything that is wrong with the files, each with its file, its line or field, and what to write instead.
    pub(crate) fn of(files: &[PolicyFile], in_force: &InForce, now: Timestamp) -> Result<Self, Vec<String>> {
        let (wanted, mut problems) = read::read(files);
        let mut plan = Self::default();
        for (id, wanted) in &wanted {
            problems.extend(plan.want(id, wanted, in_force, now).err());
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let missing = in_force.policies.values().filter(|(policy, _)| !wanted.contains_key(&policy.id));
        plan.deletions.extend(missing.map(|(policy, _)| Deletion {
            id: policy.id.clone(),
            version: policy.version,
            title: policy.title.english().to_owned(),
        }));
        Ok(plan)
    }

    /// Whether the files are what is in force.
    pub(crate) fn is_empty(&self) -> bool {
        self.additions.is_empty() && self.changes.is_empty() && self.deletions.is_empty()
    }

    /// The target names of policies that go.
    pub(crate) fn removed(&self) -> Vec<String> {
        self.deletions.iter().map(|deletion| Policy::target_name(&deletion.id)).collect()
    }

    fn want(&mut self, id: &PolicyId, wanted: &Wanted, in_force: &InForce, now: Timestamp) -> Result<(), String> {
        let Wanted { file, policy, text } = wanted;
        let next = in_force.next_version(id);
        let former = in_force.policies.get(id);
        if former.is_some_and(|(_, bytes)| bytes == text.as_bytes()) {
            self.unchanged.push(id.clone());
            self.notes.extend(in_force.withdrawn(policy).map(|through| {
                format!(
                    "{file}: {id} was withdrawn through version {through}, so it does nothing; write version = {next} to \
                     start anew, or remove the file"
                )
            }));
            return Ok(());
        }
        if policy.version < next {
            let why = match former {
                Some((former, _)) => format!("version {} is in force with another text", former.version),
                None => format!("it was withdrawn through version {}", next - 1),
            };
            return Err(format!("{file}: version: {id}: {why}; write version = {next}"));
        }
        policy.check_ahead(now).map_err(|e| format!("{file}: {e}"))?;
        match former {
            Some((former, _)) => self.changes.push(PolicyChange {
                id: id.clone(),
                from_version: former.version,
                to_version: policy.version,
                file: file.clone(),
                fields: changed(former, policy),
            }),
            None => self.additions.push(Addition {
                id: id.clone(),
                version: policy.version,
                file: file.clone(),
                policy: policy.clone(),
            }),
        }
        self.texts.insert(Policy::target_name(id), text.clone());
        Ok(())
    }
}

impl InForce {
    /// Through which version this policy was withdrawn, if that reaches it.
    fn withdrawn(&self, policy: &Policy) -> Option<u64> {
        self.retracted.get(&policy.id).copied().filter(|through| policy.version <= *through)
    }
}
