//! Makes a draft anew over what is in force, when something else was published since it was made.

use std::collections::{BTreeMap, BTreeSet};

use forewarn_proto::api::Draft;
use jiff::Timestamp;

use crate::{
    AdminsError, DraftError, PublicKey, Verified,
    admins::{Wanted, change_admins},
    digest,
    metadata::{MetadataError, is_signed_by, next_targets, next_version, version_of},
};

/// Why a draft can't be made anew.
#[derive(Debug, thiserror::Error)]
pub enum RebaseError {
    /// Somebody else changed the same.
    #[error("{} changed since this was proposed, by another draft; look at what is in force and propose it again", .0.join(", "))]
    Conflict(Vec<String>),
    /// Metadata can't be made or read.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The admins can't be changed like this any more.
    #[error(transparent)]
    Admins(#[from] AdminsError),
    /// The draft or what is in force lacks a role.
    #[error(transparent)]
    Draft(#[from] DraftError),
}

/// The same changes over what is in force now, unsigned.
///
/// # Errors
/// [`RebaseError::Conflict`] when what the draft changes is not what it was when the draft was made.
pub fn rebase(draft: &Draft, in_force: &Verified, now: Timestamp) -> Result<Draft, RebaseError> {
    if let Some(root) = draft.roles.get("root") {
        if version_of("root", root)? != next_version("root", &in_force.root)? {
            return Err(RebaseError::Conflict(vec!["the root".to_owned()]));
        }
        return Ok(change_admins(in_force, &Wanted::of_draft(draft, root)?, now)?);
    }
    let conflicts = conflicts(draft, in_force);
    if !conflicts.is_empty() {
        return Err(RebaseError::Conflict(conflicts));
    }
    let mut roles = BTreeMap::new();
    for role in draft.roles.keys() {
        let current = in_force.roles.get(role).ok_or_else(|| DraftError::Role(role.clone()))?;
        let is_of_role = |name: &str| name.split('/').next() == Some(role.as_str());
        let added = draft.targets.iter().filter(|(name, _)| is_of_role(name));
        let added = added.map(|(name, text)| (name.clone(), text.clone())).collect();
        let removed: Vec<String> = draft.removes.iter().filter(|name| is_of_role(name)).cloned().collect();
        roles.insert(role.clone(), next_targets(role, current, &added, &removed, now)?);
    }
    let (targets, removes, over) = (draft.targets.clone(), draft.removes.clone(), draft.over.clone());
    Ok(Draft { roles, targets, removes, over, ..Draft::default() })
}

/// The targets that the draft changes, and that are not what it was made over.
fn conflicts(draft: &Draft, in_force: &Verified) -> Vec<String> {
    let now = |name: &str| in_force.documents.get(name).map(|document| digest(&document.bytes));
    let touched: BTreeSet<&String> = draft.targets.keys().chain(&draft.removes).collect();
    touched.into_iter().filter(|name| now(name).as_ref() != draft.over.get(*name)).cloned().collect()
}

/// Who of these has signed every role of the draft.
///
/// # Errors
/// When a role's text is not metadata.
pub fn signers<'k>(draft: &Draft, admins: &'k [PublicKey]) -> Result<Vec<&'k PublicKey>, MetadataError> {
    let mut signers = Vec::new();
    for admin in admins {
        let mut all = !draft.roles.is_empty();
        for (role, text) in &draft.roles {
            all &= is_signed_by(role, text, admin)?;
        }
        if all {
            signers.push(admin);
        }
    }
    Ok(signers)
}
