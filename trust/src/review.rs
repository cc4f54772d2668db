//! What an admin checks before signing a draft that came from the server: that the metadata says what is shown, and
//! nothing else. Each role is made anew from what this admin has verified, and has to come out the same.

use std::collections::BTreeMap;

use forewarn_proto::api::Draft;
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    AdminsError, DELEGATED, PublicKey, Verified,
    admins::{AdminsChange, Wanted, change_admins, check_root},
    ahead::{self, Ahead},
    digest,
    metadata::{self, Founders, MetadataError, Online, admins_of, listed_targets},
    role,
};

/// Why a draft must not be signed.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// A role's text is not metadata.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The draft has roles that this command does not sign.
    #[error("the draft changes {0}, which is not signed here; ask who made it")]
    Role(String),
    /// The draft's metadata differs from what its shown changes make of the metadata in force.
    #[error("{0} says more, or other, than what is shown; do not sign, and find out who changed the draft")]
    Differs(String),
    /// The admins would be changed in a way that is never right.
    #[error(transparent)]
    Admins(#[from] AdminsError),
    /// A retraction would be taken back.
    #[error("the draft takes a retraction back; a retraction stays")]
    Unretract,
    /// A document that can only undo would undo what nobody has decided yet.
    #[error(transparent)]
    Ahead(#[from] Ahead),
}

/// What a draft changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// New or changed targets, with their text.
    pub added: BTreeMap<String, String>,
    /// Targets that are no longer listed.
    pub removed: Vec<String>,
    /// Who the admins are; then the draft changes nothing else.
    pub admins: Option<AdminsChange>,
}

/// Checks a draft against what is in force and verified, and gives all that it changes.
///
/// # Errors
/// When signing it would sign anything but these changes.
pub fn review(draft: &Draft, in_force: &Verified) -> Result<Changes, ReviewError> {
    if let Some(root) = draft.roles.get("root") {
        let change = review_admins(draft, root, in_force)?;
        return Ok(Changes { admins: Some(change), ..Changes::default() });
    }
    let mut changes = Changes::default();
    for (role, text) in &draft.roles {
        let current = in_force.roles.get(role).filter(|_| DELEGATED.contains(&role.as_str()));
        let current = current.ok_or_else(|| ReviewError::Role(role.clone()))?;
        role::check(role, text)?;
        let (before, after) = (listed_targets(role, current)?, listed_targets(role, text)?);
        let added: BTreeMap<String, String> = draft
            .targets
            .iter()
            .filter(|(name, _)| after.contains_key(*name))
            .map(|(n, t)| (n.clone(), t.clone()))
            .collect();
        let removed: Vec<String> = before.keys().filter(|name| !after.contains_key(*name)).cloned().collect();
        if role == "retractions" && !removed.is_empty() {
            return Err(ReviewError::Unretract);
        }
        let remade = metadata::next_targets(role, current, &added, &removed, Timestamp::UNIX_EPOCH)?;
        if !is_same(&remade, text) {
            return Err(ReviewError::Differs(role.clone()));
        }
        check_not_ahead(&added, in_force)?;
        let changed = |(name, text): &(String, String)| before.get(name) != Some(&digest(text.as_bytes()));
        changes.added.extend(added.into_iter().filter(changed));
        changes.removed.extend(removed);
    }
    Ok(changes)
}

fn check_not_ahead(added: &BTreeMap<String, String>, in_force: &Verified) -> Result<(), Ahead> {
    let former = |name: &str| in_force.documents.get(name).map(|document| document.bytes.as_slice());
    added.iter().try_for_each(|(name, text)| ahead::check(name, text.as_bytes(), former))
}

/// Checks a draft with a new root: beside the admins, the threshold and the server's keys that the root names, nothing
/// changes.
fn review_admins(draft: &Draft, root: &str, in_force: &Verified) -> Result<AdminsChange, ReviewError> {
    if let Some(name) = draft.targets.keys().chain(&draft.removes).next() {
        return Err(ReviewError::Differs(name.clone()));
    }
    let (old, new) = (Wanted::of_root(&in_force.root)?, Wanted::of_draft(draft, root)?);
    let remade = change_admins(in_force, &new, Timestamp::UNIX_EPOCH)?;
    find_difference(draft, &remade.roles)?;
    Ok(AdminsChange::between(&old, &new, root)?)
}

/// Checks that the draft has the roles that were made anew, and that they say the same.
fn find_difference(draft: &Draft, remade: &BTreeMap<String, String>) -> Result<(), ReviewError> {
    let is_extra = |role: &&String| !remade.contains_key(*role);
    let differs = |(role, ours): &(&String, &String)| !draft.roles.get(*role).is_some_and(|text| is_same(ours, text));
    let extra = draft.roles.keys().find(is_extra);
    match extra.or_else(|| remade.iter().find(differs).map(|(role, _)| role)) {
        Some(role) => Err(ReviewError::Differs(role.clone())),
        None => Ok(()),
    }
}

/// Checks a founding draft: beside the admins that its root names, it gives nobody anything.
///
/// # Errors
/// When the roles are not those that these admins and the server's two keys make.
pub fn review_founding(draft: &Draft) -> Result<Vec<PublicKey>, ReviewError> {
    let root = draft.roles.get("root").ok_or_else(|| ReviewError::Role("no root".to_owned()))?;
    check_root(root)?;
    let (admins, threshold) = admins_of(root)?;
    let founders = Founders {
        admins: admins.clone(),
        threshold: usize::try_from(threshold).unwrap_or_default(),
        online: Online::of_root(root)?,
    };
    if founders.threshold < 2 || !draft.targets.is_empty() {
        return Err(ReviewError::Differs("root".to_owned()));
    }
    find_difference(draft, &founders.found(Timestamp::UNIX_EPOCH)?)?;
    Ok(admins)
}

/// Whether two texts sign the same, but for when it expires: that is for whoever made it to say, and hurts nobody.
fn is_same(ours: &str, theirs: &str) -> bool {
    let signed = |text: &str| {
        let mut metadata: Value = serde_json::from_str(text).ok()?;
        let mut signed = metadata["signed"].take();
        signed.as_object_mut()?.remove("expires")?;
        Some(signed)
    };
    signed(ours).is_some_and(|ours| signed(theirs) == Some(ours))
}
