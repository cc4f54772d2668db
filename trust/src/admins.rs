//! Who the admins are, and how that changes: one more, one less, another key, another threshold, other keys of the server,
//! or the same for longer.
//!
//! A new root is believed by who has the old one only with a threshold of both the old and the new admins' signatures
//! (TUF, 5.3.4). What the delegated roles say stays; a role whose signatures would not be enough any more is signed anew
//! along with the change, so that nothing falls out of force.

use std::collections::{BTreeMap, BTreeSet};

use forewarn_proto::api::Draft;
use jiff::Timestamp;

use crate::{
    DELEGATED, KeyError, PublicKey, Verified,
    draft::{Authority, DraftError},
    metadata::{self, Founders, MAX_ADMINS, MetadataError, Online, admins_of, next_targets, next_version},
};

/// The fewest admins who start a policy together. (Promise 2)
pub const MIN_THRESHOLD: usize = 2;

/// The admins, and how many of them start a policy or change the admins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admins {
    /// Their keys.
    pub keys: Vec<PublicKey>,
    /// How many signatures a policy and a root need.
    pub threshold: usize,
}

/// What a new root shall say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Who the admins are.
    pub admins: Admins,
    /// What the server's keys are.
    pub online: Online,
    /// Delegated roles that are signed anew, saying the same, whether their signatures would be enough or not.
    pub renewed: BTreeSet<&'static str>,
}

/// Why the admins can't be changed like this.
#[derive(Debug, thiserror::Error)]
pub enum AdminsError {
    /// One admin could start a policy alone.
    #[error("a threshold of {0} is refused: at least {MIN_THRESHOLD} admins have to start a policy")]
    Threshold(usize),
    /// There would not be enough admins.
    #[error("{admins} admins can't give {threshold} signatures; add an admin first, or lower the threshold")]
    TooFew {
        /// How many there would be.
        admins: usize,
        /// How many have to sign.
        threshold: usize,
    },
    /// There would be too many.
    #[error("{0} admins are too many; the limit is {MAX_ADMINS}")]
    TooMany(usize),
    /// Two keys, one name.
    #[error("there is an admin called {0} already; names must differ")]
    SameName(String),
    /// Two names, one key.
    #[error("{0}'s key is another admin's already")]
    SameKey(String),
    /// An admin whose key the server holds.
    #[error("{0}'s key is the server's own; admins' keys are made on their machines")]
    ServersKey(String),
    /// Nobody is called that.
    #[error("no admin is called {name}; the admins are {known}")]
    Unknown {
        /// Who was asked for.
        name: String,
        /// Who there is.
        known: String,
    },
    /// Metadata can't be made or read.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// What is in force can't be judged.
    #[error(transparent)]
    Draft(#[from] DraftError),
}

impl From<KeyError> for AdminsError {
    fn from(error: KeyError) -> Self {
        Self::Metadata(error.into())
    }
}

impl Admins {
    /// The admins whom a root names.
    ///
    /// # Errors
    /// When `root` is not a root.
    pub fn of_root(root: &str) -> Result<Self, MetadataError> {
        let (keys, threshold) = admins_of(root)?;
        Ok(Self { keys, threshold: usize::try_from(threshold).unwrap_or(usize::MAX) })
    }

    /// Checks that they can start a policy together, that none can alone, and that each has one name and one key.
    ///
    /// # Errors
    /// What does not hold.
    pub fn check(&self) -> Result<(), AdminsError> {
        let Self { keys, threshold } = self;
        if *threshold < MIN_THRESHOLD {
            return Err(AdminsError::Threshold(*threshold));
        }
        if keys.len() < *threshold {
            return Err(AdminsError::TooFew { admins: keys.len(), threshold: *threshold });
        }
        if keys.len() > MAX_ADMINS {
            return Err(AdminsError::TooMany(keys.len()));
        }
        for (index, key) in keys.iter().enumerate() {
            key.bytes()?;
            let earlier = &keys[..index];
            if earlier.iter().any(|other| other.name == key.name) {
                return Err(AdminsError::SameName(key.name.clone()));
            }
            if earlier.iter().any(|other| other.is_same_key(key)) {
                return Err(AdminsError::SameKey(key.name.clone()));
            }
        }
        Ok(())
    }

    /// Where in [`Admins::keys`] the admin of this name stands.
    ///
    /// # Errors
    /// Names those whom there are.
    pub fn position(&self, name: &str) -> Result<usize, AdminsError> {
        self.keys.iter().position(|key| key.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.keys.iter().map(|key| key.name.as_str()).collect();
            AdminsError::Unknown { name: name.to_owned(), known: known.join(", ") }
        })
    }
}

/// Checks whom a root names: as [`Admins::check`], and that the server holds the key of none.
///
/// # Errors
/// What does not hold.
pub fn check_root(root: &str) -> Result<(), AdminsError> {
    Wanted::of_root(root)?.check()
}

impl Wanted {
    fn check(&self) -> Result<(), AdminsError> {
        self.admins.check()?;
        let Online { snapshot, timestamp } = &self.online;
        let is_servers = |key: &&PublicKey| key.is_same_key(snapshot) || key.is_same_key(timestamp);
        self.admins.keys.iter().find(is_servers).map_or(Ok(()), |key| Err(AdminsError::ServersKey(key.name.clone())))
    }

    /// That everything is as this root says, and nothing signed anew.
    ///
    /// # Errors
    /// When `root` is not a root.
    pub fn of_root(root: &str) -> Result<Self, MetadataError> {
        Ok(Self { admins: Admins::of_root(root)?, online: Online::of_root(root)?, renewed: BTreeSet::new() })
    }

    /// What a draft with this root wants.
    pub(crate) fn of_draft(draft: &Draft, root: &str) -> Result<Self, MetadataError> {
        let renewed = DELEGATED.into_iter().filter(|role| draft.roles.contains_key(*role)).collect();
        Ok(Self { renewed, ..Self::of_root(root)? })
    }
}

/// What an admin reads of such a draft before signing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminsChange {
    /// Keys that come. A key that is exchanged is here and in `removed`, under one name.
    pub added: Vec<PublicKey>,
    /// Keys that go.
    pub removed: Vec<PublicKey>,
    /// The threshold, before and after.
    pub threshold: (usize, usize),
    /// The server's keys, before and after, if they change.
    pub online: Option<(Online, Online)>,
    /// Roles that are signed anew and say what they said.
    pub renewed: Vec<String>,
    /// When the new root expires.
    pub until: Timestamp,
}

impl AdminsChange {
    pub(crate) fn between(old: &Wanted, new: &Wanted, root: &str) -> Result<Self, MetadataError> {
        let without = |these: &Admins, others: &Admins| -> Vec<PublicKey> {
            these.keys.iter().filter(|key| !others.keys.contains(key)).cloned().collect()
        };
        Ok(Self {
            added: without(&new.admins, &old.admins),
            removed: without(&old.admins, &new.admins),
            threshold: (old.admins.threshold, new.admins.threshold),
            online: (new.online != old.online).then(|| (old.online.clone(), new.online.clone())),
            renewed: new.renewed.iter().map(|role| (*role).to_owned()).collect(),
            until: metadata::expires_of("root", root)?,
        })
    }
}

/// The draft, unsigned, of a root that says what is `wanted`: root, targets, and the next version of each delegated role
/// that is to be renewed or whose signatures would no longer be enough.
///
/// # Errors
/// As [`Admins::check`], and when what is in force can't be read.
pub fn change_admins(in_force: &Verified, wanted: &Wanted, now: Timestamp) -> Result<Draft, AdminsError> {
    wanted.check()?;
    let Wanted { admins, online, renewed } = wanted;
    let text = |role: &str| in_force.roles.get(role).ok_or_else(|| DraftError::Role(format!("no {role}")));
    let founders = Founders { admins: admins.keys.clone(), threshold: admins.threshold, online: online.clone() };
    let root = founders.root(next_version("root", &in_force.root)?, now)?;
    let targets = founders.delegating_targets(next_version("targets", text("targets")?)?, now)?;
    let authority = Authority::read(&root, &targets)?;
    let mut roles = BTreeMap::from([("root".to_owned(), root), ("targets".to_owned(), targets)]);
    for role in DELEGATED {
        let current = text(role)?;
        let (have, need) = authority.signatures(role, current)?;
        if have < need || renewed.contains(role) {
            roles.insert(role.to_owned(), next_targets(role, current, &BTreeMap::new(), &[], now)?);
        }
    }
    Ok(Draft { roles, ..Draft::default() })
}
