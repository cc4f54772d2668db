//! Bundles of the future, and bundles that are refused: whatever can only undo is heard, nothing is taken by what is not
//! understood. Promises 3 and 7.

use std::collections::BTreeMap;

use forewarn_engine::PolicySet;
use forewarn_proto::{api::Draft, report::Misread};
use forewarn_trust::{
    DELEGATED, OnlineSigner, Repository, SigningKey,
    metadata::{self, Founders, Online},
};
use jiff::{SignedDuration, Timestamp};

use super::*;

const DEVICE: &str = "device-a";
const POLICY: &str = "format = 1\nid = \"ban\"\nversion = 1\ntitle = \"t\"\n[message]\nen = \"m\"\n[consequence]\n\
    mail = [\"corp.example\"]\n[[rule]]\nid = \"r\"\napp = \"A\"\npurls = [\"pkg:deb/a\"]\n";
const RETRACTION: &str =
    "format = 1\npolicy = \"ban\"\nthrough_version = 1\nreason = \"error\"\n[message]\nen = \"Never mind.\"\n";
const EXEMPTIONS: &str = "format = 1\npolicy = \"ban\"\n[[pause]]\nat = \"2026-12-01T09:00:00Z\"\nthrough_version = 1\n\
    [[exemption]]\ndevice = \"device-a\"\nrule = \"r\"\nuntil = \"2027-01-31T16:00:00Z\"\n";

/// Two admins and a server, who sign whatever they are given.
struct Company {
    admins: [SigningKey; 2],
    online: OnlineSigner,
    now: Timestamp,
}

impl Company {
    fn new() -> Self {
        let key = |name| SigningKey::generate(name).unwrap();
        let now: Timestamp = "2026-12-01T09:00Z".parse().unwrap();
        let valid_until = now + SignedDuration::from_hours(24);
        let online = OnlineSigner { keys: vec![key("server"), key("server")], now: Timestamp::UNIX_EPOCH, valid_until };
        Self { admins: [key("alice"), key("bob")], online, now }
    }

    fn sign(&self, role: &str, text: &str) -> String {
        self.admins.iter().fold(text.to_owned(), |text, key| metadata::sign(role, &text, key).unwrap())
    }

    fn found(&self) -> Repository {
        let [snapshot, timestamp] = [0, 1].map(|place: usize| self.online.keys[place].public());
        let admins = self.admins.iter().map(SigningKey::public).collect();
        let founders = Founders { admins, threshold: 2, online: Online { snapshot, timestamp } };
        let roles = founders.found(self.now).unwrap().into_iter();
        let roles = roles.map(|(role, text)| (role.clone(), self.sign(&role, &text))).collect();
        let mut repository = Repository::default();
        repository.publish(&Draft { roles, ..Draft::default() }, &self.online).unwrap();
        repository
    }

    /// The bundle with these documents, whatever they are.
    fn bundle(&self, repository: &Repository, documents: &[(&str, &str)]) -> Bundle {
        let mut files = repository.bundle().files.clone();
        for role in DELEGATED {
            let of_role = documents.iter().filter(|(name, _)| name.split('/').next() == Some(role));
            let added: BTreeMap<String, String> =
                of_role.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
            let current = repository.role(role).unwrap();
            let next = metadata::next_targets(role, current, &added, &[], self.now).unwrap();
            files.retain(|name, _| !name.ends_with(&format!(".{role}.json")));
            files.insert(format!("{}.{role}.json", metadata::version_of(role, &next).unwrap()), self.sign(role, &next));
            files.extend(added);
        }
        let mut repository = Repository::new(Bundle { files });
        repository.refresh(&self.online).unwrap();
        repository.bundle().clone()
    }
}

/// What a device makes of these documents.
async fn read(documents: &[(&str, &str)]) -> PolicySet {
    let company = Company::new();
    let repository = company.found();
    let bundle = company.bundle(&repository, documents);
    let verified = verify(repository.role("root").unwrap(), None, &bundle, &std::env::temp_dir()).await.unwrap();
    documents::read(&verified, DEVICE)
}

/// Every way in which a newer version could write a document.
fn futures(text: &str) -> Vec<(&'static str, String)> {
    let first = |from: &str, to: &str| text.replacen(from, to, 1);
    vec![
        ("a newer format", first("format = 1", "format = 2")),
        ("a newer format and fields", first("format = 1", "format = 2\nscope = { region = \"eu\" }\nnew = [1, 2]")),
        ("a field at the head", first("format = 1", "format = 1\nnew = true")),
        ("a table at the end", format!("{text}\n[[group]]\nname = \"pilot\"\n")),
        ("a field in the last table", format!("{text}new = \"x\"\n")),
        ("a format that is no number", first("format = 1", "format = \"one\"")),
    ]
}

fn is_heard(set: &PolicySet) -> (bool, bool, bool) {
    let undoing = &set.undoing;
    (!undoing.retractions.is_empty(), !undoing.pauses.is_empty(), !undoing.exemptions.is_empty())
}

#[tokio::test]
async fn promise_7_a_policy_of_the_future_takes_nothing_and_keeps_no_other_from_counting() {
    let other = POLICY.replace("\"ban\"", "\"other\"");
    for (what, text) in futures(POLICY) {
        for folder in ["policies", "previews"] {
            let name = format!("{folder}/ban.toml");
            let also = [("policies/other.toml", other.as_str()), ("retractions/other.toml", RETRACTION)];
            let set =
                read(&[(name.as_str(), text.as_str()), also[0], also[1], ("exemptions/ban.toml", EXEMPTIONS)]).await;
            assert_eq!(set.policies.keys().map(|id| id.as_str()).collect::<Vec<_>>(), ["other"], "{folder}: {what}");
            assert!(set.previews.is_empty(), "{folder}: {what}");
            assert_eq!(set.unread.iter().map(|unread| &unread.document).collect::<Vec<_>>(), [&name], "{what}");
            assert_eq!(set.is_unread(&"ban".parse().unwrap()), folder == "policies", "{what}");
            assert_eq!(is_heard(&set), (true, true, true), "{folder}: {what}");
        }
    }
    let newer = read(&[("policies/ban.toml", &POLICY.replace("format = 1", "format = 7"))]).await;
    assert_eq!(newer.unread[0].why, Misread::Format(7));
}

#[tokio::test]
async fn promise_3_what_undoes_is_heard_from_the_future_too() {
    for (what, text) in futures(RETRACTION) {
        let set = read(&[("policies/ban.toml", POLICY), ("retractions/ban.toml", &text)]).await;
        assert_eq!((is_heard(&set), set.unread.len()), ((true, false, false), 0), "{what}");
        let heard = &set.undoing.retractions[&"ban".parse().unwrap()];
        assert_eq!((heard.through_version, heard.message_for(&[])), (1, "Never mind."), "{what}");
    }
    for (what, text) in futures(EXEMPTIONS) {
        let set = read(&[("policies/ban.toml", POLICY), ("exemptions/ban.toml", &text)]).await;
        assert_eq!((is_heard(&set), set.unread.len()), ((false, true, true), 0), "{what}");
    }
}

#[tokio::test]
async fn promise_7_nobody_acts_by_a_policy_of_which_it_can_not_be_said_whether_it_is_undone() {
    let unclear = EXEMPTIONS.replace("until = \"2027-01-31T16:00:00Z\"", "until = \"for ever\"");
    for (name, text) in [
        ("retractions/ban.toml", "what is this?"),
        ("retractions/ban.toml", "policy = \"ban\"\nfrom_version = 1\n"),
        ("exemptions/ban.toml", "\u{1}"),
        ("exemptions/ban.toml", "policy = \"ban\"\nexemption = \"all\"\n"),
        ("exemptions/ban.toml", unclear.as_str()),
    ] {
        let set = read(&[("policies/ban.toml", POLICY), (name, text)]).await;
        assert!(set.policies.is_empty() && set.is_unread(&"ban".parse().unwrap()), "{name}: {text}");
        assert_eq!(set.unread.iter().map(|unread| unread.document.as_str()).collect::<Vec<_>>(), [name], "{text}");
    }
    let set = read(&[("policies/ban.toml", POLICY), ("policies/other.toml", POLICY)]).await;
    assert_eq!(set.unread[0].document, "policies/other.toml", "a document under another's name");
    assert_eq!(set.policies.len(), 1);
}

fn identity(root: &str) -> Identity {
    let text = String::new;
    Identity {
        server: text(),
        device: DEVICE.to_owned(),
        ca: text(),
        groups: Default::default(),
        certificate: text(),
        key: text(),
        former: None,
        root: root.to_owned(),
    }
}

/// A device that has enrolled, and what it says to each offer.
struct Device {
    folder: tempfile::TempDir,
    store: Store,
    trust: Trust,
    now: Timestamp,
}

impl Device {
    fn new(company: &Company, repository: &Repository) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let trust = Trust::new(&identity(repository.role("root").unwrap()), vec![folder.path().to_owned()]);
        Self { folder, store, trust, now: company.now }
    }

    async fn hear(&mut self, offer: Offer) -> Verdict {
        let examined = self.trust.examine(offer).await;
        self.trust.judge(examined, self.now, &self.store)
    }

    async fn hear_bundle(&mut self, bundle: &Bundle) -> Verdict {
        self.hear(Offer::Bundle(bundle.to_bytes())).await
    }
}

#[track_caller]
fn undone(verdict: Verdict) -> (bool, bool, bool) {
    let (Verdict::Refused(_, undoing) | Verdict::Undoes(undoing) | Verdict::Postponed(_, undoing, _)) = verdict else {
        panic!("{verdict:?}")
    };
    is_heard(&PolicySet { undoing, ..PolicySet::default() })
}

const ALL: [(&str, &str); 3] =
    [("policies/ban.toml", POLICY), ("retractions/ban.toml", RETRACTION), ("exemptions/ban.toml", EXEMPTIONS)];

#[tokio::test]
async fn promise_3_a_bundle_that_has_expired_undoes_all_the_same() {
    let company = Company::new();
    let repository = company.found();
    let mut device = Device::new(&company, &repository);
    let bundle = company.bundle(&repository, &ALL);
    device.now = company.now + SignedDuration::from_hours(48);
    assert_eq!(undone(device.hear_bundle(&bundle).await), (true, true, true));
    assert!(device.trust.policies().is_none());
    device.now = company.now;
    assert!(matches!(device.hear_bundle(&bundle).await, Verdict::Accepted(_)));
}

#[tokio::test]
async fn promise_3_the_newest_undoing_counts_without_its_bundle_and_nothing_else_does() {
    let company = Company::new();
    let repository = company.found();
    let mut device = Device::new(&company, &repository);
    let before = company.bundle(&repository, &ALL[..1]);
    let after = company.bundle(&Repository::new(before.clone()), &ALL);
    let undo = forewarn_trust::newest_undo(&before, &after).unwrap();
    assert!(!undo.contains("policies/"), "{undo}");
    let offer = || Offer::Undo(undo.clone());
    assert!(matches!(device.hear(offer()).await, Verdict::Unusable(_)), "nobody's admins are known yet");
    assert!(matches!(device.hear_bundle(&before).await, Verdict::Accepted(_)));
    assert_eq!(undone(device.hear(offer()).await), (true, true, true));
    // Of another company's admins, or changed on the way.
    let other = Company::new();
    let theirs = other.bundle(&other.found(), &ALL);
    let theirs = forewarn_trust::newest_undo(&Bundle::default(), &theirs).unwrap();
    for forged in [
        theirs,
        undo.replace("Never mind.", "Never mind!"),
        undo.replace("retractions/ban.toml", "retractions/bam.toml"),
    ] {
        assert!(matches!(device.hear(Offer::Undo(forged)).await, Verdict::Unusable(_)));
    }
    let older = forewarn_trust::newest_undo(&Bundle::default(), &after).unwrap();
    let again = company.bundle(&Repository::new(after), &ALL);
    assert!(matches!(device.hear_bundle(&again).await, Verdict::Accepted(_)));
    assert!(matches!(device.hear(Offer::Undo(older)).await, Verdict::Unusable(Refusal::Older(_))));
    let large = "x".repeat(forewarn_proto::push::MAX_UNDO_BYTES + 1);
    assert!(matches!(device.hear(Offer::Undo(large)).await, Verdict::Unusable(Refusal::TooLarge(_))));
}

#[tokio::test]
async fn promise_7_what_this_device_could_not_read_or_keep_is_read_when_it_can_be() {
    let company = Company::new();
    let repository = company.found();
    let mut device = Device::new(&company, &repository);
    let bundle = company.bundle(&repository, &ALL);
    assert!(matches!(device.hear_bundle(&bundle).await, Verdict::Accepted(_)));
    // A new start: there is no room for what verification needs.
    let full = device.folder.path().join("nowhere");
    device.trust = Trust::new(&identity(repository.role("root").unwrap()), vec![full.clone()]);
    let stored = device.trust.stored(&device.store).unwrap().unwrap();
    let Verdict::Postponed(_, _, offer) = device.hear(stored.clone()).await else { panic!("there is no room") };
    assert_eq!(offer, stored);
    assert!(device.trust.policies().is_none());
    fs_err::create_dir(&full).unwrap();
    assert!(matches!(device.hear(offer).await, Verdict::Restored(_)));
    assert!(device.trust.policies().is_some());
}
