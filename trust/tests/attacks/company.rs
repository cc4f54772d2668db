//! A company with real keys.

use std::collections::BTreeMap;

use forewarn_proto::{api::Draft, bundle::Bundle, report::Refusal};
use forewarn_trust::{
    Admins, DraftError, OnlineSigner, PublicKey, Repository, SigningKey, Verified, Wanted,
    metadata::{self, Founders, Online},
    verify,
};
use jiff::{SignedDuration, Timestamp};

/// alice and bob have founded it; carol, dave and mallory have keys that nobody knows.
pub(crate) struct Company {
    keys: BTreeMap<&'static str, SigningKey>,
    /// The server's keys: for the snapshot, for the timestamp, and what came later.
    pub(crate) online: OnlineSigner,
    pub(crate) repository: Repository,
    pub(crate) now: Timestamp,
}

impl Company {
    /// A founded repository without policies.
    pub(crate) fn new() -> Self {
        let key = |name| SigningKey::generate(name).unwrap();
        let now: Timestamp = "2026-12-01T09:00Z".parse().unwrap();
        let mut company = Self {
            keys: ["alice", "bob", "carol", "dave", "mallory"].map(|name| (name, key(name))).into(),
            online: OnlineSigner {
                keys: vec![key("server"), key("server")],
                now: Timestamp::UNIX_EPOCH,
                valid_until: now + SignedDuration::from_hours(24),
            },
            repository: Repository::default(),
            now,
        };
        let roles = company.founders().found(company.now).unwrap();
        let draft = company.sign(Draft { roles, ..Draft::default() }, &["alice", "bob"]);
        company.publish(&draft).unwrap();
        company
    }

    pub(crate) fn founders(&self) -> Founders {
        Founders { admins: self.admins(&["alice", "bob"], 2).keys, threshold: 2, online: self.online(0, 1) }
    }

    /// The keys of the server's that stand at these places.
    pub(crate) fn online(&self, snapshot: usize, timestamp: usize) -> Online {
        let public = |place: usize| self.online.keys[place].public();
        Online { snapshot: public(snapshot), timestamp: public(timestamp) }
    }

    pub(crate) fn key(&self, name: &str) -> &SigningKey {
        &self.keys[name]
    }

    pub(crate) fn public(&self, name: &str) -> PublicKey {
        self.keys[name].public()
    }

    pub(crate) fn admins(&self, names: &[&str], threshold: usize) -> Admins {
        Admins { keys: names.iter().map(|name| self.public(name)).collect(), threshold }
    }

    /// That these are the admins, and that nothing else changes.
    pub(crate) fn wanted(&self, names: &[&str], threshold: usize) -> Wanted {
        Wanted { admins: self.admins(names, threshold), ..Wanted::of_root(self.root()).unwrap() }
    }

    pub(crate) fn sign(&self, mut draft: Draft, by: &[&str]) -> Draft {
        for name in by {
            for (role, text) in &mut draft.roles {
                *text = metadata::sign(role, text, self.key(name)).unwrap();
            }
        }
        draft
    }

    pub(crate) fn draft(&self, role: &str, name: &str, text: &str) -> Draft {
        let added = BTreeMap::from([(name.to_owned(), text.to_owned())]);
        let next = metadata::next_targets(role, self.repository.role(role).unwrap(), &added, &[], self.now).unwrap();
        Draft { roles: BTreeMap::from([(role.to_owned(), next)]), targets: added, ..Draft::default() }
    }

    pub(crate) fn publish(&mut self, draft: &Draft) -> Result<(), DraftError> {
        self.repository.publish(draft, &self.online)
    }

    /// Publishes without asking whether it may, as a broken or hostile server would.
    pub(crate) fn force(&self, draft: &Draft) -> Bundle {
        let mut files = self.repository.bundle().files.clone();
        files.extend(draft.targets.clone());
        for (role, text) in &draft.roles {
            if role != "root" {
                files.retain(|name, _| !name.ends_with(&format!(".{role}.json")));
            }
            files.insert(format!("{}.{role}.json", metadata::version_of(role, text).unwrap()), text.clone());
        }
        let mut repository = Repository::new(Bundle { files });
        repository.refresh(&self.online).unwrap();
        repository.bundle().clone()
    }

    pub(crate) fn root(&self) -> &str {
        self.repository.role("root").unwrap()
    }

    /// As a device that has nothing but the newest root.
    pub(crate) async fn verify(&self, offered: &Bundle) -> Result<Verified, Refusal> {
        verify(self.root(), None, offered, &std::env::temp_dir()).await
    }

    /// What is in force, verified.
    pub(crate) async fn in_force(&self) -> Verified {
        self.verify(self.repository.bundle()).await.unwrap()
    }
}
