//! Verifies a bundle on the device (TUF specification, section 5), before anything in it is parsed.
//!
//! Two steps depart from what `tough` does by itself:
//! - *Expiry* is checked by [`Verified::check_expiry`] against trusted time, not by `tough` against the wall clock,
//!   which anyone may have set. Until that check a bundle counts for nothing that could hurt.
//! - What `tough` remembers between updates (to see a rollback) is laid out for it anew each time from the bundle that
//!   was accepted last, because its own store is written without care for a power cut.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use forewarn_proto::{bundle::Bundle, report::Refusal};
use jiff::Timestamp;
use tough::{
    ExpirationEnforcement, IntoVec, Limits, Repository, RepositoryLoader, TargetName, error,
    schema::{Delegations, RoleType, Root, Signed, Targets},
};

use crate::{
    DELEGATED,
    admins::check_root,
    keys,
    metadata::version_of,
    role,
    transport::{BundleTransport, METADATA_URL, TARGETS_URL},
};

/// The largest metadata file, in bytes. A bundle is smaller than this anyway; it stops `tough` from reading on.
const MAX_METADATA_BYTES: u64 = 4 * 1024 * 1024;

/// The most changes of the admins that one update may bring. Stops an endless chain of roots; a company that changes its
/// admins every month is far from it for twenty years.
const MAX_ROOT_UPDATES: u64 = 256;

/// A bundle whose signatures, digests and versions hold.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The newest root, as JSON text. Trust starts from it next time.
    pub root: String,
    /// The timestamp role's version.
    pub version: u64,
    /// When the first of its roles expires.
    pub expires: Timestamp,
    /// When the first of the admins' roles expires. The server renews the other two, and can't go beyond this.
    pub admins_until: Timestamp,
    /// The current metadata of each role, as JSON text, by role name. What else the bundle's files say is not in it.
    pub roles: BTreeMap<String, String>,
    /// The targets of each delegated role, by target name.
    pub documents: BTreeMap<String, Document>,
    /// The names of targets of roles that this version does not know. Their digests were checked, and their text is not
    /// read.
    pub unknown: Vec<String>,
}

/// A target whose digest was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The exact bytes that were signed.
    pub bytes: Vec<u8>,
    /// The names of those whose signatures on the role hold, or their key ids.
    pub signed_by: Vec<String>,
}

impl Verified {
    /// Whether the bundle may be called current.
    ///
    /// # Errors
    /// [`Refusal::Expired`] when a role has expired at `now`, which must be trusted time.
    pub fn check_expiry(&self, now: Timestamp) -> Result<(), Refusal> {
        if now < self.expires {
            return Ok(());
        }
        Err(Refusal::Expired(format!("it was good until {}, now it is {now}", self.expires).into()))
    }

    /// The documents of one delegated role.
    pub fn of_role<'v>(&'v self, role: &str) -> impl Iterator<Item = (&'v str, &'v Document)> {
        let prefix = format!("{role}/");
        self.documents.iter().filter(move |(name, _)| name.starts_with(&prefix)).map(|(name, d)| (name.as_str(), d))
    }
}

/// A folder for what verification writes down for a moment. It goes with this value.
#[derive(Debug)]
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    /// In the first of these folders that has room. None where none has.
    pub fn in_one_of(folders: &[std::path::PathBuf]) -> Option<Self> {
        folders.iter().find_map(|folder| tempfile::tempdir_in(folder).ok()).map(Self)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Verifies `offered`, starting from the trusted `root` (JSON text) and, if there is one, what was `accepted` last.
///
/// `scratch` is a folder in which a temporary one is made for `tough`.
///
/// # Errors
/// Says why the bundle must not be used; nothing has changed then.
pub async fn verify(
    root: &str,
    accepted: Option<&Verified>,
    offered: &Bundle,
    scratch: &Path,
) -> Result<Verified, Refusal> {
    let store =
        tempfile::tempdir_in(scratch).map_err(|e| Refusal::Unreadable(format!("no scratch folder: {e}").into()))?;
    if let Some(accepted) = accepted {
        lay_out(accepted, store.path()).map_err(|e| Refusal::Unreadable(format!("scratch folder: {e}").into()))?;
    }
    let bytes = root.as_bytes();
    let repository = RepositoryLoader::new(&bytes, url(METADATA_URL)?, url(TARGETS_URL)?)
        .transport(BundleTransport(Arc::new(offered.clone())))
        .limits(Limits {
            max_root_size: MAX_METADATA_BYTES,
            max_targets_size: MAX_METADATA_BYTES,
            max_timestamp_size: MAX_METADATA_BYTES,
            max_snapshot_size: MAX_METADATA_BYTES,
            max_root_updates: MAX_ROOT_UPDATES,
        })
        .datastore(store.path())
        .expiration_enforcement(ExpirationEnforcement::Unsafe)
        .load()
        .await
        .map_err(|e| refusal(&e))?;
    check_roots(root, &repository, offered)?;
    let verified = collect(&repository).await?;
    accepted.map_or(Ok(()), |accepted| refuse_older(accepted, &verified))?;
    refuse_unlisted(&repository, &verified, offered)?;
    Ok(verified)
}

/// One key is one admin in every root on the way, or one person could have chosen the admins of the next one alone.
fn check_roots(trusted: &str, repository: &Repository, offered: &Bundle) -> Result<(), Refusal> {
    let newest = repository.root().signed.version.get();
    let on_the_way = (1..=newest).filter_map(|version| offered.files.get(&format!("{version}.root.json")));
    for root in on_the_way.map(String::as_str).chain([trusted]) {
        check_root(root).map_err(|error| Refusal::NotSigned(format!("root: {error}").into()))?;
        check_role("root", root)?;
    }
    Ok(())
}

fn url(text: &str) -> Result<url::Url, Refusal> {
    text.parse().map_err(|e| Refusal::Unreadable(format!("{text}: {e}").into()))
}

/// Writes the files by which `tough` recognises a rollback, under the names that it uses.
fn lay_out(accepted: &Verified, store: &Path) -> std::io::Result<()> {
    for role in ["timestamp", "snapshot", "targets"] {
        if let Some(text) = accepted.roles.get(role) {
            fs_write(&store.join(format!("{role}.json")), text)?;
        }
    }
    Ok(())
}

/// What admins signed may not be older than what was accepted. `tough` sees that by the snapshot, and forgets the snapshot
/// when the root names another key for it.
fn refuse_older(accepted: &Verified, verified: &Verified) -> Result<(), Refusal> {
    for role in DELEGATED.into_iter().chain(["targets"]) {
        let version = |roles: &BTreeMap<String, String>| roles.get(role).map(|text| version_of(role, text)).transpose();
        let versions = version(&accepted.roles).and_then(|before| Ok((before, version(&verified.roles)?)));
        let (before, now) = versions.map_err(|error| Refusal::Unreadable(error.to_string().into()))?;
        if now < before {
            let number = Option::unwrap_or_default;
            return Err(Refusal::Older(
                format!("{role} is at version {}, and was at {}", number(now), number(before)).into(),
            ));
        }
    }
    Ok(())
}

/// A file that verification did not use, for a role that is known or for one that is not, has no business in a bundle: somebody could take it for one that it did.
fn refuse_unlisted(repository: &Repository, verified: &Verified, offered: &Bundle) -> Result<(), Refusal> {
    let newest_root = repository.root().signed.version.get();
    let is_used = |name: &str| {
        let version_and_role = name.strip_suffix(".json").and_then(|stem| stem.split_once('.'));
        match version_and_role {
            Some((version, "root")) => version.parse().is_ok_and(|version: u64| (1..=newest_root).contains(&version)),
            Some((version, role)) => {
                let text = verified.roles.get(role).filter(|_| role != "timestamp");
                text.is_some_and(|text| version_of(role, text).is_ok_and(|v| v.to_string() == version))
            }
            None => {
                name == "timestamp.json"
                    || verified.documents.contains_key(name)
                    || verified.unknown.iter().any(|known| known == name)
            }
        }
    };
    match offered.files.keys().find(|name| !is_used(name)) {
        Some(name) => Err(Refusal::Unreadable(format!("nothing lists its file {name}").into())),
        None => Ok(()),
    }
}

#[expect(clippy::disallowed_methods, reason = "the caller names the place; there is one file and one try")]
fn fs_write(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::write(path, text)
}

async fn collect(repository: &Repository) -> Result<Verified, Refusal> {
    let root = &repository.root().signed;
    let (timestamp, snapshot) = (&repository.timestamp().signed, &repository.snapshot().signed);
    let targets = &repository.targets().signed;
    let delegations = targets.delegations.as_ref().ok_or_else(|| missing_role("policies"))?;
    check_delegations(root, delegations)?;
    let mut admins = vec![root.expires, targets.expires];
    let mut documents = BTreeMap::new();
    let mut roles = BTreeMap::from([
        ("timestamp".to_owned(), to_text(repository.timestamp())?),
        ("snapshot".to_owned(), to_text(repository.snapshot())?),
        ("targets".to_owned(), to_text(repository.targets())?),
    ]);
    roles.iter().try_for_each(|(role, text)| check_role(role, text))?;
    let mut unknown = Vec::new();
    for (role, signed) in delegated(delegations) {
        let text = to_text(signed)?;
        check_role(role, &text)?;
        roles.insert(role.to_owned(), text);
        let is_known = DELEGATED.contains(&role);
        admins.extend(is_known.then_some(signed.signed.expires));
        let signed_by = signers(delegations, role, signed);
        for name in signed.signed.targets.keys() {
            let document = Document { bytes: read(repository, name).await?, signed_by: signed_by.clone() };
            let name = name.resolved().to_owned();
            if is_known { drop(documents.insert(name, document)) } else { unknown.push(name) }
        }
    }
    if let Some(role) = DELEGATED.iter().find(|role| !roles.contains_key(**role)) {
        return Err(missing_role(role));
    }
    let seconds = admins.into_iter().map(|expires| expires.as_second()).min().unwrap_or_default();
    let admins_until = Timestamp::from_second(seconds).map_err(|e| Refusal::Unreadable(e.to_string().into()))?;
    let online = timestamp.expires.as_second().min(snapshot.expires.as_second());
    let online_until = Timestamp::from_second(online).map_err(|e| Refusal::Unreadable(e.to_string().into()))?;
    Ok(Verified {
        root: to_text(repository.root())?,
        version: timestamp.version.get(),
        expires: admins_until.min(online_until),
        admins_until,
        roles,
        documents,
        unknown,
    })
}

/// The delegated roles that were loaded. One that this version does not know comes from a newer admin's program.
fn delegated(delegations: &Delegations) -> impl Iterator<Item = (&str, &Signed<Targets>)> {
    delegations.roles.iter().filter_map(|role| Some((role.name.as_str(), role.targets.as_ref()?)))
}

/// Each delegated role governs its own folder. Only admins whom the root names sign those that are known, and as many start a policy as change the root. Otherwise a server
/// could put the list of who signs from before a change of the admins beside the root from after it, where enough of the
/// same people signed both.
fn check_delegations(root: &Root, delegations: &Delegations) -> Result<(), Refusal> {
    let admins = root.roles.get(&RoleType::Root).ok_or_else(|| missing_role("root"))?;
    for (place, role) in delegations.roles.iter().enumerate() {
        role::check_delegated(role).map_err(|error| Refusal::NotSigned(error.to_string().into()))?;
        if delegations.roles[..place].iter().any(|other| other.name == role.name) {
            return Err(Refusal::NotSigned(format!("{} is delegated twice", role.name).into()));
        }
        if !DELEGATED.contains(&role.name.as_str()) {
            continue;
        }
        let stranger = role.keyids.iter().find(|id| !admins.keyids.contains(id));
        if let Some(id) = stranger {
            let (name, id) = (&role.name, hex::encode(id));
            return Err(Refusal::NotSigned(format!("{name} could be signed by {id}, who is no admin").into()));
        }
        if role.name == "policies" && role.threshold < admins.threshold {
            let (have, need) = (role.threshold, admins.threshold);
            return Err(Refusal::NotSigned(format!("{have} could start a policy, and it takes {need} admins").into()));
        }
    }
    Ok(())
}

/// What was signed as one role counts as no other.
fn check_role(role: &str, text: &str) -> Result<(), Refusal> {
    role::check(role, text).map_err(|error| Refusal::NotSigned(error.to_string().into()))
}

fn to_text<T: serde::Serialize>(signed: &Signed<T>) -> Result<String, Refusal> {
    serde_json::to_string(signed).map_err(|e| Refusal::Unreadable(e.to_string().into()))
}

async fn read(repository: &Repository, name: &TargetName) -> Result<Vec<u8>, Refusal> {
    let missing = || Refusal::Unreadable(format!("the target {} is missing", name.resolved()).into());
    let stream = repository.read_target(name).await.map_err(|e| refusal(&e))?.ok_or_else(missing)?;
    stream.into_vec().await.map_err(|e| refusal(&e))
}

/// Whose signatures on a delegated role hold. A role may carry more signatures than it needs, and false ones.
pub(crate) fn signers(delegations: &Delegations, role: &str, signed: &Signed<Targets>) -> Vec<String> {
    let mut one = delegations.clone();
    one.roles.iter_mut().for_each(|role| role.threshold = std::num::NonZeroU64::MIN);
    let holds = |signature: &&tough::schema::Signature| {
        let alone = Signed { signed: signed.signed.clone(), signatures: vec![(*signature).clone()] };
        one.verify_role(&alone, role).is_ok()
    };
    let name = |signature: &tough::schema::Signature| {
        let key = delegations.keys.get(&signature.keyid);
        key.and_then(keys::name_of).unwrap_or_else(|| hex::encode(&signature.keyid))
    };
    signed.signatures.iter().filter(holds).map(name).collect()
}

fn missing_role(role: &str) -> Refusal {
    Refusal::Unreadable(format!("the role {role} is missing").into())
}

/// Sorts what `tough` found wrong into what the person and the admin are told.
fn refusal(error: &error::Error) -> Refusal {
    use error::Error;
    let text = error.to_string();
    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is the library's and open; what is new is unreadable")]
    match error {
        Error::VerifyMetadata { .. }
        | Error::VerifyTrustedMetadata { .. }
        | Error::VerifyRoleMetadata { .. }
        | Error::HashMismatch { .. }
        | Error::InvalidPath { .. } => Refusal::NotSigned(with_cause(error).into()),
        Error::Transport { .. } => Refusal::NotSigned(with_cause(error).into()),
        Error::OlderMetadata { .. }
        | Error::OlderSnapshotInTimestamp { .. }
        | Error::SnapshotRoleMissing { .. }
        | Error::SnapshotRoleRollback { .. } => Refusal::Older(text.into()),
        Error::MaxSizeExceeded { .. } | Error::MaxUpdatesExceeded { .. } => Refusal::TooLarge(text.into()),
        _ => Refusal::Unreadable(with_cause(error).into()),
    }
}

fn with_cause(error: &error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        let more = next.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = next.source();
    }
    text
}
