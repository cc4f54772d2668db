//! A server that pushes whatever it likes, and the keys of a company with which to make it.

use std::collections::{BTreeMap, BTreeSet};

use forewarn_host::Clock;
use forewarn_proto::{api::Draft, bundle::Bundle};
use forewarn_server::{Config, Running, new_tokens, start};
use forewarn_tests::{Binaries, Device};
use forewarn_trust::{
    OnlineSigner, Repository, SigningKey,
    metadata::{self, Founders, Online},
};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::HOUR;

/// All the keys of a company, in one hand.
pub(crate) struct Keys {
    pub(crate) alice: SigningKey,
    pub(crate) bob: SigningKey,
    /// The server's keys for the snapshot and the timestamp, in PKCS#8.
    online: [Vec<u8>; 2],
}

/// A server of ours in this process, and a device that believes the keys.
pub(crate) struct Hostile {
    pub(crate) device: Device,
    pub(crate) server: Running,
    pub(crate) keys: Keys,
    pub(crate) clock: Clock,
    /// Good, and in force on the device.
    pub(crate) repository: Repository,
    _runtime: tokio::runtime::Runtime,
    folder: TempDir,
}

impl Keys {
    fn new() -> Self {
        let key = |name| SigningKey::generate(name).unwrap();
        let online = [key("server"), key("server")].map(|key| key.to_pkcs8().unwrap());
        Self { alice: key("alice"), bob: key("bob"), online }
    }

    /// A founded repository without policies.
    fn found(&self, now: Timestamp) -> Repository {
        let signer = self.online(now + HOUR * 24);
        let founders = Founders {
            admins: vec![self.alice.public(), self.bob.public()],
            threshold: 2,
            online: Online { snapshot: signer.keys[0].public(), timestamp: signer.keys[1].public() },
        };
        let roles = founders.found(now).unwrap();
        let draft = sign(Draft { roles, ..Draft::default() }, &[&self.alice, &self.bob]);
        let mut repository = Repository::default();
        repository.publish(&draft, &signer).unwrap();
        repository
    }

    fn online(&self, valid_until: Timestamp) -> OnlineSigner {
        let keys = self.online.iter().map(|key| SigningKey::from_pkcs8("server", key).unwrap()).collect();
        OnlineSigner { keys, now: Timestamp::UNIX_EPOCH, valid_until }
    }

    /// `repository` with a policy that `signers` signed, whether that is enough or not.
    pub(crate) fn force(
        &self,
        repository: &Repository,
        name: &str,
        text: &str,
        signers: &[&SigningKey],
        valid_until: Timestamp,
    ) -> Repository {
        let targets = BTreeMap::from([(name.to_owned(), text.to_owned())]);
        let role = name.split('/').next().unwrap();
        let next = metadata::next_targets(role, repository.role(role).unwrap(), &targets, &[], valid_until).unwrap();
        let draft =
            sign(Draft { roles: BTreeMap::from([(role.to_owned(), next)]), targets, ..Draft::default() }, signers);
        let mut files = repository.bundle().files.clone();
        files.extend(draft.targets);
        files.retain(|name, _| !name.ends_with(&format!(".{role}.json")));
        let text = draft.roles[role].clone();
        files.insert(format!("{}.{role}.json", metadata::version_of(role, &text).unwrap()), text);
        self.serve(files, valid_until)
    }

    /// `repository` with what was signed as the role `from` in the place of the role `to`, and of its targets.
    pub(crate) fn swap(&self, repository: &Repository, from: &str, to: &str, valid_until: Timestamp) -> Repository {
        let mut files = repository.bundle().files.clone();
        files.retain(|name, _| !name.ends_with(&format!(".{to}.json")) && !name.starts_with(&format!("{to}/")));
        let text = repository.role(from).unwrap().to_owned();
        files.insert(format!("{}.{to}.json", metadata::version_of(from, &text).unwrap()), text);
        self.serve(files, valid_until)
    }

    fn serve(&self, files: BTreeMap<String, String>, valid_until: Timestamp) -> Repository {
        let mut repository = Repository::new(Bundle { files });
        repository.refresh(&self.online(valid_until)).unwrap();
        repository
    }
}

fn sign(mut draft: Draft, signers: &[&SigningKey]) -> Draft {
    for (role, text) in &mut draft.roles {
        for key in signers {
            *text = metadata::sign(role, text, *key).unwrap();
        }
    }
    draft
}

impl Hostile {
    pub(crate) fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let binaries = Binaries::beside_test().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let port = forewarn_tests::free_port();
        let config = Config {
            state: folder.path().join("server"),
            listen: ([127, 0, 0, 1], port).into(),
            url: format!("https://127.0.0.1:{port}"),
            ..Config::default()
        };
        let token = runtime.block_on(new_tokens(&config, &BTreeSet::new(), 1)).unwrap().remove(0);
        let server = runtime.block_on(start(config)).unwrap();
        let place = folder.path().join("device");
        fs_err::create_dir(&place).unwrap();
        let mut device =
            Device::prepare(&binaries, &place, &forewarn_host::Shift::default(), "notices = \"terminal\"").unwrap();
        let clock = Clock::new(Some(&device.clock_file()));
        let keys = Keys::new();
        let repository = keys.found(clock.wall());
        fs_err::write(place.join("root.json"), repository.role("root").unwrap()).unwrap();
        device.enroll(&token, &place.join("root.json")).unwrap();
        server.feed.push(repository.bundle());
        device.start().unwrap();
        device.wait_for("the good bundle is in force", |status| status.confirmed_at.is_some()).unwrap();
        Self { device, server, keys, clock, repository, _runtime: runtime, folder }
    }

    /// Where everything is.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// A day from now.
    pub(crate) fn tomorrow(&self) -> Timestamp {
        self.clock.wall() + SignedDuration::from_hours(24)
    }
}
