//! The newest of what can only undo, apart from its bundle: a few documents and the metadata of their roles, so that a
//! retraction reaches devices at once however large the bundle is.
//!
//! It is a container as a [`Bundle`] is: `7.retractions.json`, `retractions/no-tiktok.toml`. A device verifies it against the
//! bundle that it holds, whose admins sign it; where they have changed since, it waits for the bundle. Neither snapshot nor
//! timestamp is needed: what can only undo counts however old it is.

use std::collections::BTreeMap;

use forewarn_proto::{bundle::Bundle, push::MAX_UNDO_BYTES, report::Refusal};
use tough::{
    TargetName,
    schema::{Signed, Targets},
};

use crate::{
    keys::digest,
    metadata::version_of,
    role,
    verify::{Document, Verified, signers},
};

/// The roles whose documents can only undo.
pub const UNDOING: [&str; 2] = ["retractions", "exemptions"];

/// Of a bundle's files, what undoes and was not so in the `former` bundle, with the metadata that verifies it. None where there
/// is nothing new, or it is over [`MAX_UNDO_BYTES`].
pub fn newest_undo(former: &Bundle, bundle: &Bundle) -> Option<String> {
    let is_new = |(name, text): &(&String, &String)| former.files.get(*name) != Some(*text);
    let mut files = BTreeMap::new();
    for role in UNDOING {
        let of_role = bundle.files.iter().filter(|(name, _)| name.starts_with(&format!("{role}/")));
        let new: Vec<_> = of_role.filter(is_new).collect();
        let suffix = format!(".{role}.json");
        let metadata = bundle.files.iter().filter(|(name, _)| !new.is_empty() && name.ends_with(&suffix));
        files.extend(new.iter().copied().chain(metadata).map(|(name, text)| (name.clone(), text.clone())));
    }
    let text = serde_json::to_string(&Bundle { files: files.clone() }).ok()?;
    (!files.is_empty() && text.len() <= MAX_UNDO_BYTES).then_some(text)
}

/// Verifies what [`newest_undo`] has made, by what was `accepted`: gives that, with these documents in their places. Nothing but
/// what undoes is to be read of it.
///
/// # Errors
/// When it is too large, or not signed by those whom the accepted bundle names, or older than what that has.
pub fn verify_undo(accepted: &Verified, text: &str) -> Result<Verified, Refusal> {
    if text.len() > MAX_UNDO_BYTES {
        return Err(Refusal::TooLarge(
            format!("{} bytes of what undoes, the limit is {MAX_UNDO_BYTES}", text.len()).into(),
        ));
    }
    let offered = Bundle::parse(text.as_bytes())?;
    let mut verified = accepted.clone();
    verified.documents.clear();
    for role in UNDOING {
        let suffix = format!(".{role}.json");
        if let Some((_, metadata)) = offered.files.iter().find(|(name, _)| name.ends_with(&suffix)) {
            verified.documents.extend(of_role(accepted, role, metadata, &offered)?);
        }
    }
    Ok(verified)
}

/// The documents of a role that are in the container.
fn of_role(
    accepted: &Verified,
    role: &str,
    metadata: &str,
    offered: &Bundle,
) -> Result<BTreeMap<String, Document>, Refusal> {
    let unreadable = |error: String| Refusal::Unreadable(error.into());
    let not_signed = |error: String| Refusal::NotSigned(error.into());
    role::check(role, metadata).map_err(|error| not_signed(error.to_string()))?;
    let signed: Signed<Targets> = serde_json::from_str(metadata).map_err(|error| unreadable(error.to_string()))?;
    let delegating = accepted.roles.get("targets").ok_or_else(|| unreadable("no admins are known".to_owned()))?;
    let delegating: Signed<Targets> =
        serde_json::from_str(delegating).map_err(|error| unreadable(error.to_string()))?;
    let delegations = delegating.signed.delegations.ok_or_else(|| unreadable("no admins are known".to_owned()))?;
    delegations.verify_role(&signed, role).map_err(|error| not_signed(error.to_string()))?;
    let held = accepted.roles.get(role).and_then(|held| version_of(role, held).ok());
    if Some(signed.signed.version.get()) < held {
        return Err(Refusal::Older(format!("{role} is at version {}", signed.signed.version).into()));
    }
    let signed_by = signers(&delegations, role, &signed);
    let mut documents = BTreeMap::new();
    for (name, text) in offered.files.iter().filter(|(name, _)| name.starts_with(&format!("{role}/"))) {
        let target = TargetName::new(name.as_str()).ok().and_then(|name| signed.signed.targets.get(&name));
        let is_it = |target: &tough::schema::Target| {
            target.length == text.len() as u64 && hex::encode(&target.hashes.sha256) == digest(text.as_bytes())
        };
        if !target.is_some_and(is_it) {
            return Err(not_signed(format!("{name} is not what {role} lists")));
        }
        let document = Document { bytes: text.clone().into_bytes(), signed_by: signed_by.clone() };
        documents.insert(name.clone(), document);
    }
    Ok(documents)
}
