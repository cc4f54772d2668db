//! From verified documents to what they say. One that can't be read takes nothing and is named; it keeps no other one from
//! being read, and nothing that undoes from being heard.

use forewarn_engine::{PolicySet, SignedPolicy, Spared, Undoing};
use forewarn_proto::{
    policy::{Exemptions, Policy, PolicyError, Retraction},
    report::{Misread, Unread},
};
use forewarn_trust::{Document, Verified};

/// How much of why a document does not parse is kept, in characters.
const MAX_WHY_CHARS: usize = 200;

/// Everything that a bundle says to this device.
pub(super) fn read(verified: &Verified, device: &str) -> PolicySet {
    let mut set = PolicySet { bundle: verified.version, undoing: undoing(verified, device), ..PolicySet::default() };
    let mut unread = Vec::new();
    for (policy, document) in policies(verified, "policies", &mut unread) {
        let (signed_by, expires) = (document.signed_by.clone(), verified.admins_until);
        set.policies.insert(policy.id.clone(), SignedPolicy { policy: policy.into(), signed_by, expires });
    }
    let previews = policies(verified, "previews", &mut unread).into_iter();
    set.previews = previews.map(|(preview, _)| (preview.id.clone(), preview)).collect();
    unread.extend(unheard(verified));
    let folder = |document: &String| Unread { document: document.clone(), why: Misread::Folder };
    unread.extend(verified.unknown.iter().map(folder));
    set.unread = unread;
    // Who can't say whether a policy was withdrawn, or who is spared it, does not act by it.
    let acting = std::mem::take(&mut set.policies);
    set.policies = acting.into_iter().filter(|(id, _)| !set.is_unread(id)).collect();
    set
}

/// What a bundle says that can only undo, as far as it can be read.
pub(super) fn undoing(verified: &Verified, device: &str) -> Undoing {
    let mut undoing = Undoing::default();
    for (_, document) in verified.of_role("retractions") {
        Retraction::hear(&document.bytes).iter().for_each(|retraction| undoing.retract(retraction));
    }
    for (_, document) in verified.of_role("exemptions") {
        let Ok((Exemptions { policy, pauses, exemptions, .. }, _)) = Exemptions::hear(&document.bytes) else {
            continue;
        };
        pauses.iter().for_each(|pause| undoing.pause(&policy, pause));
        for exemption in exemptions.into_iter().filter(|exemption| exemption.device == device) {
            let spared = Spared { until: exemption.until, signed_by: document.signed_by.clone() };
            undoing.spare(&policy, &exemption.rule, &spared);
        }
    }
    undoing
}

/// The policies of a role; those that can't be read are `unread`.
fn policies<'v>(verified: &'v Verified, role: &str, unread: &mut Vec<Unread>) -> Vec<(Policy, &'v Document)> {
    let mut policies = Vec::new();
    for (name, document) in verified.of_role(role) {
        match parse(role, name, document) {
            Ok(policy) => policies.push((policy, document)),
            Err(why) => unread.push(Unread { document: name.to_owned(), why }),
        }
    }
    policies
}

/// A document under another's name could stand in for it.
fn parse(role: &str, name: &str, document: &Document) -> Result<Policy, Misread> {
    let policy = Policy::parse(&document.bytes).map_err(|error| misread(&error))?;
    let expected = format!("{role}/{}.toml", policy.id);
    if name == expected { Ok(policy) } else { Err(Misread::Text(format!("it holds {expected}"))) }
}

/// Documents that can only undo, and of which something could not be heard.
fn unheard(verified: &Verified) -> impl Iterator<Item = Unread> {
    let retractions = verified.of_role("retractions").filter_map(|(name, document)| {
        let error = Retraction::hear(&document.bytes).err()?;
        Some(Unread { document: name.to_owned(), why: misread(&error) })
    });
    let exemptions = verified.of_role("exemptions").filter_map(|(name, document)| {
        let why = match Exemptions::hear(&document.bytes) {
            Ok((_, 0)) => return None,
            Ok((_, missed)) => Misread::Text(format!("{missed} of its entries can't be read")),
            Err(error) => misread(&error),
        };
        Some(Unread { document: name.to_owned(), why })
    });
    retractions.chain(exemptions)
}

fn misread(error: &PolicyError) -> Misread {
    match error {
        PolicyError::Format(format) => Misread::Format(*format),
        PolicyError::TooLarge(_) | PolicyError::NotText | PolicyError::Field(_) | PolicyError::Document { .. } => {
            Misread::Text(error.to_string().chars().take(MAX_WHY_CHARS).collect())
        }
    }
}
