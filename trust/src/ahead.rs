//! A document that only undoes reaches versions that are published, and none that is to come: those are decisions of their
//! own, and nobody may take them back before they were made.

use forewarn_proto::policy::{Exemptions, Header, Policy, PolicyId, Retraction};

/// A retraction or a pause that reaches further than what is published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} reaches up to version {through} of {policy}, and {}; name a version that is published", newest(.published))]
pub struct Ahead {
    /// The target's name.
    name: String,
    /// The policy.
    policy: PolicyId,
    /// How far it reaches.
    through: u64,
    /// The newest version that is published; none where the policy is not.
    published: Option<u64>,
}

fn newest(published: &Option<u64>) -> String {
    published.map_or_else(|| "none is published".to_owned(), |version| format!("the newest is {version}"))
}

/// Checks the document `text` that is to stand under `name`; `in_force` gives the texts of the targets in force.
///
/// # Errors
/// When it reaches a version above the newest published, and above what stands under its name already.
pub(crate) fn check<'t>(name: &str, text: &[u8], in_force: impl Fn(&str) -> Option<&'t [u8]>) -> Result<(), Ahead> {
    let Some((policy, through)) = reach(name, text) else { return Ok(()) };
    let published = in_force(&Policy::target_name(&policy)).and_then(|text| Header::read(text).ok()?.version);
    let already = in_force(name).and_then(|former| reach(name, former)).map(|(_, through)| through);
    if Some(through) <= published.max(already) {
        return Ok(());
    }
    Err(Ahead { name: name.to_owned(), policy, through, published })
}

/// The policy and the highest of its versions that a document undoes, if it undoes versions.
fn reach(name: &str, text: &[u8]) -> Option<(PolicyId, u64)> {
    match name.split_once('/')?.0 {
        "retractions" => {
            let retraction = Retraction::hear(text).ok()?;
            Some((retraction.policy, retraction.through_version))
        }
        "exemptions" => {
            let (exemptions, _) = Exemptions::hear(text).ok()?;
            let through = exemptions.pauses.iter().map(|pause| pause.through_version).max()?;
            Some((exemptions.policy, through))
        }
        _ => None,
    }
}
