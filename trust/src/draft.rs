//! Checks a draft against the repository that it would change.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use forewarn_proto::{
    api::Draft,
    policy::{Exemptions, Header, Policy, PolicyError, Retraction},
};
use tough::schema::{
    Delegations, Root, Signature, Signed, Targets,
    decoded::{Decoded, Hex},
    key::Key,
};

use crate::{
    DELEGATED,
    admins::check_root,
    ahead::{self, Ahead},
    digest,
    keys::{ADMIN_NAME, is_admin_name, public_bytes},
    metadata::{MAX_ADMINS, MetadataError, admins_of, listed_targets, signatures_on, version_of},
    role,
};

/// The longest text of a role, in bytes: one that lists a thousand policies has a fifth of that.
const MAX_ROLE_BYTES: usize = 1024 * 1024;
/// The most signatures on a role: each admin's, with an old key and a new one.
const MAX_SIGNATURES: usize = 2 * MAX_ADMINS;

/// Why a draft can't be taken or published.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// A role's text is not metadata.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The draft changes nothing, or a role that admins don't sign.
    #[error(
        "a draft changes some of root, targets, policies, previews, retractions and exemptions; this one changes `{0}`"
    )]
    Role(String),
    /// Nobody who may sign has signed some role.
    #[error("{role} carries no valid signature of an admin; sign it with `forewarn-admin`")]
    Unsigned {
        /// The role.
        role: String,
    },
    /// A role's text is longer, carries more signatures or names more keys than any that admins make.
    #[error("{role} is refused: {what}")]
    TooMuch {
        /// The role.
        role: String,
        /// Of what, and how much is allowed.
        what: String,
    },
    /// Fewer than the threshold have signed.
    #[error("{role} has {have} of {need} signatures; another admin has to run `forewarn-admin sign`")]
    Threshold {
        /// The role.
        role: String,
        /// Valid signatures.
        have: usize,
        /// Signatures needed.
        need: usize,
    },
    /// The root names a key for an online role that the server doesn't have.
    #[error(
        "the root names a {role} key that this server does not have; propose its own: `forewarn-admin admins online-keys`"
    )]
    NotTheServers {
        /// The role.
        role: &'static str,
    },
    /// Something else was published since the draft was made.
    #[error("{role} is at version {current}, so the next is {}; this draft has {offered}: propose it again", current.saturating_add(1))]
    OutOfDate {
        /// The role.
        role: String,
        /// The version in force.
        current: u64,
        /// The draft's version.
        offered: u64,
    },
    /// A role lists a target whose text is not there, or another text.
    #[error("the target {0} is listed but its text is missing or differs")]
    Target(String),
    /// A target's text is not what its folder says.
    #[error("{name}: {source}")]
    Policy {
        /// The target's name.
        name: String,
        /// What is wrong with it.
        source: PolicyError,
    },
    /// A policy stands under another policy's name.
    #[error("{name} holds the policy `{id}`; its name must be its id")]
    Name {
        /// The target's name.
        name: String,
        /// The id inside.
        id: String,
    },
    /// A root names admins that can't be.
    #[error("root is refused: {0}")]
    Root(String),
    /// A retraction or a pause reaches versions that nobody has published.
    #[error(transparent)]
    Ahead(#[from] Ahead),
    /// A retraction would be taken back, or reach less far.
    #[error("{0} would be taken back; publish a new version of the policy instead, which two admins sign")]
    Unretract(String),
    /// An exemption would be taken back, or end sooner.
    #[error("{0}: whoever is spared stays so for as long as they were told; an exemption can only be made longer")]
    Unexempt(String),
    /// A policy's version does not grow.
    #[error("{name}: version {offered} is in force or was before; write version = {}", offered.saturating_add(1))]
    PolicyVersion {
        /// The target's name.
        name: String,
        /// The version in the draft.
        offered: u64,
    },
}

/// Who may sign what: a root, and the delegations that its admins sign.
pub(crate) struct Authority {
    root: Signed<Root>,
    delegations: Delegations,
}

impl Authority {
    /// Reads the authority from the texts of `root` and `targets`.
    pub(crate) fn read(root: &str, targets: &str) -> Result<Self, MetadataError> {
        let malformed = |role: &str, e: serde_json::Error| MetadataError::Malformed {
            role: role.to_owned(),
            reason: e.to_string(),
        };
        let root: Signed<Root> = serde_json::from_str(root).map_err(|e| malformed("root", e))?;
        let targets: Signed<Targets> = serde_json::from_str(targets).map_err(|e| malformed("targets", e))?;
        Ok(Self { root, delegations: targets.signed.delegations.unwrap_or_default() })
    }

    /// Valid signatures on a role's text, and signatures needed.
    pub(crate) fn signatures(&self, role: &str, text: &str) -> Result<(usize, usize), DraftError> {
        let malformed =
            |e: serde_json::Error| MetadataError::Malformed { role: role.to_owned(), reason: e.to_string() };
        match role {
            "root" => {
                let signed: Signed<Root> = serde_json::from_str(text).map_err(malformed)?;
                Ok(self.count_by_root(&signed, tough::schema::RoleType::Root))
            }
            "targets" => {
                let signed: Signed<Targets> = serde_json::from_str(text).map_err(malformed)?;
                Ok(self.count_by_root(&signed, tough::schema::RoleType::Targets))
            }
            role if DELEGATED.contains(&role) => {
                let signed: Signed<Targets> = serde_json::from_str(text).map_err(malformed)?;
                Ok(self.count_delegated(role, &signed))
            }
            other => Err(DraftError::Role(other.to_owned())),
        }
    }

    fn count_by_root<T>(&self, signed: &Signed<T>, kind: tough::schema::RoleType) -> (usize, usize)
    where
        T: tough::schema::Role + Clone,
    {
        let mut one = self.root.signed.clone();
        let need = one.roles.get(&kind).map_or(usize::MAX, |keys| threshold(keys.threshold));
        one.roles.values_mut().for_each(|keys| keys.threshold = std::num::NonZeroU64::MIN);
        let have = holders(signed, &one.keys, |copy| one.verify_role(copy).is_ok());
        (have, need)
    }

    fn count_delegated(&self, role: &str, signed: &Signed<Targets>) -> (usize, usize) {
        let mut one = self.delegations.clone();
        let found = one.roles.iter().find(|delegated| delegated.name == role);
        let need = found.map_or(usize::MAX, |delegated| threshold(delegated.threshold));
        one.roles.iter_mut().for_each(|role| role.threshold = std::num::NonZeroU64::MIN);
        let have = holders(signed, &one.keys, |copy| one.verify_role(copy, role).is_ok());
        (have, need)
    }
}

/// How many keys' signatures on the metadata hold. A key counts once, under however many ids it signed.
fn holders<T: Clone>(
    signed: &Signed<T>,
    keys: &HashMap<Decoded<Hex>, Key>,
    holds: impl Fn(&Signed<T>) -> bool,
) -> usize {
    let alone = |signature: &Signature| Signed { signed: signed.signed.clone(), signatures: vec![signature.clone()] };
    let valid = signed.signatures.iter().filter(|signature| holds(&alone(signature)));
    valid.filter_map(|signature| keys.get(&signature.keyid).and_then(public_bytes)).collect::<BTreeSet<_>>().len()
}

fn threshold(threshold: std::num::NonZeroU64) -> usize {
    usize::try_from(threshold.get()).unwrap_or(usize::MAX)
}

/// Checks that the draft changes something, and brings no text but those of targets that its roles list.
pub(crate) fn check_shape(draft: &Draft) -> Result<(), DraftError> {
    if draft.roles.is_empty() {
        return Err(DraftError::Role("nothing".to_owned()));
    }
    let mut listed = BTreeMap::new();
    for (role, text) in &draft.roles {
        if role != "root" && role != "targets" && !DELEGATED.contains(&role.as_str()) {
            return Err(DraftError::Role(role.clone()));
        }
        check_size(role, text)?;
        role::check(role, text)?;
        if DELEGATED.contains(&role.as_str()) {
            listed.extend(listed_targets(role, text)?);
        }
    }
    match draft.targets.keys().find(|name| !listed.contains_key(*name)) {
        Some(name) => Err(DraftError::Target(name.clone())),
        None => Ok(()),
    }
}

/// Bounds the work of checking a role's signatures, and what the record says of who signed.
fn check_size(role: &str, text: &str) -> Result<(), DraftError> {
    let refuse = |what: String| Err(DraftError::TooMuch { role: role.to_owned(), what });
    if text.len() > MAX_ROLE_BYTES {
        return refuse(format!("it has more than {MAX_ROLE_BYTES} bytes"));
    }
    if signatures_on(role, text)? > MAX_SIGNATURES {
        return refuse(format!("it carries more than {MAX_SIGNATURES} signatures"));
    }
    if role != "root" {
        return Ok(());
    }
    let (admins, _) = admins_of(text)?;
    if admins.len() > MAX_ADMINS {
        return refuse(format!("it names more than {MAX_ADMINS} admins"));
    }
    match admins.iter().find(|admin| !is_admin_name(&admin.name)) {
        Some(admin) => refuse(format!("{:?} is no admin's name; {ADMIN_NAME}", admin.name)),
        None => check_root(text).map_err(|error| DraftError::Root(error.to_string())),
    }
}

/// What the draft takes out of its roles, and the digests of what it changes or takes out: what it is made over.
pub(crate) fn describe(
    draft: &Draft,
    existing: &BTreeMap<String, String>,
) -> Result<(BTreeSet<String>, BTreeMap<String, String>), MetadataError> {
    let mut removes = BTreeSet::new();
    for (role, text) in draft.roles.iter().filter(|(role, _)| DELEGATED.contains(&role.as_str())) {
        let listed = listed_targets(role, text)?;
        let was_of_role = existing.keys().filter(|name| name.split('/').next() == Some(role));
        removes.extend(was_of_role.filter(|name| !listed.contains_key(*name)).cloned());
    }
    let touched = draft.targets.keys().chain(&removes);
    let over = touched.filter_map(|name| Some((name.clone(), digest(existing.get(name)?.as_bytes())))).collect();
    Ok((removes, over))
}

/// Checks that each role is the next version of the one in force.
pub(crate) fn check_versions(draft: &Draft, current: &BTreeMap<&str, &str>) -> Result<(), DraftError> {
    for (role, text) in &draft.roles {
        let current = current.get(role.as_str()).map(|text| version_of(role, text)).transpose()?.unwrap_or_default();
        let offered = version_of(role, text)?;
        if Some(offered) != current.checked_add(1) {
            return Err(DraftError::OutOfDate { role: role.clone(), current, offered });
        }
    }
    Ok(())
}

/// Checks that every listed target is there, reads as what it should be, and is newer than what it replaces.
pub(crate) fn check_targets(draft: &Draft, existing: &BTreeMap<String, String>) -> Result<(), DraftError> {
    for (role, text) in draft.roles.iter().filter(|(role, _)| DELEGATED.contains(&role.as_str())) {
        let listed = listed_targets(role, text)?;
        if role == "retractions" || role == "exemptions" {
            check_all_stay(role, &listed, existing)?;
        }
        for (name, expected) in listed {
            let text = draft.targets.get(&name).or_else(|| existing.get(&name));
            let text = text.filter(|text| digest(text.as_bytes()) == expected);
            let text = text.ok_or_else(|| DraftError::Target(name.clone()))?;
            check_document(role, &name, text, existing.get(&name))?;
            ahead::check(&name, text.as_bytes(), |name| existing.get(name).map(String::as_bytes))?;
        }
    }
    Ok(())
}

/// What undoes is never taken back: what a retraction withdrew comes again only as a new version, with signatures of its
/// own.
fn check_all_stay(
    role: &str,
    listed: &BTreeMap<String, String>,
    existing: &BTreeMap<String, String>,
) -> Result<(), DraftError> {
    let is_of_role = |name: &&String| name.split('/').next() == Some(role);
    let gone = existing.keys().filter(is_of_role).find(|name| !listed.contains_key(*name));
    gone.map_or(Ok(()), |name| Err(DraftError::Unretract(name.clone())))
}

fn check_document(role: &str, name: &str, text: &str, former: Option<&String>) -> Result<(), DraftError> {
    let wrong = |source| DraftError::Policy { name: name.to_owned(), source };
    let id = if role == "retractions" {
        let retraction = retraction(text).map_err(wrong)?;
        let former = former.and_then(|former| Retraction::hear(former.as_bytes()).ok());
        if former.is_some_and(|former| former.through_version > retraction.through_version) {
            return Err(DraftError::Unretract(name.to_owned()));
        }
        retraction.policy
    } else if role == "exemptions" {
        let exemptions = exemptions(text).map_err(wrong)?;
        let former = former.and_then(|former| Exemptions::hear(former.as_bytes()).ok());
        if former.is_some_and(|(former, _)| !exemptions.keeps(&former)) {
            return Err(DraftError::Unexempt(name.to_owned()));
        }
        exemptions.policy
    } else {
        let policy = Policy::parse(text.as_bytes()).map_err(wrong)?;
        let former = former.filter(|former| *former != text).and_then(|former| Header::read(former.as_bytes()).ok());
        if former.is_some_and(|former| former.version >= Some(policy.version)) {
            return Err(DraftError::PolicyVersion { name: name.to_owned(), offered: policy.version });
        }
        policy.id
    };
    if name == format!("{role}/{id}.toml") {
        Ok(())
    } else {
        Err(DraftError::Name { name: name.to_owned(), id: id.to_string() })
    }
}

/// What undoes is published whatever its format: the devices that know it may be newer than this server.
fn retraction(text: &str) -> Result<Retraction, PolicyError> {
    match Retraction::parse(text.as_bytes()) {
        Err(PolicyError::Format(_)) => Retraction::hear(text.as_bytes()),
        parsed => parsed,
    }
}

fn exemptions(text: &str) -> Result<Exemptions, PolicyError> {
    match Exemptions::parse(text.as_bytes()) {
        Err(PolicyError::Format(_)) => Exemptions::hear(text.as_bytes()).map(|(heard, _)| heard),
        parsed => parsed,
    }
}
