//! A repository made by real keys, and every way in which a bundle can be wrong. Promises 2, 3 and 7.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod admins;
mod company;
mod drafts;
mod one_key;
mod roles;
mod unknown;

use std::collections::BTreeMap;

use company::Company;
use forewarn_proto::{api::Draft, report::Refusal};
use forewarn_trust::{
    DELEGATED, DraftError, Repository, ReviewError, SigningKey, metadata, review, review_founding, verify,
};
use jiff::SignedDuration;

const POLICY: &str = "id = \"ban\"\nversion = 1\ntitle = \"t\"\n[message]\nen = \"m\"\n[[rule]]\nid = \"r\"\napp = \"A\"\npurls = [\"pkg:deb/a\"]\n";
const EXEMPTIONS: &str =
    "policy = \"ban\"\n[[exemption]]\ndevice = \"device-a\"\nrule = \"r\"\nuntil = \"2027-01-31T16:00:00Z\"\n";
const RETRACTION: &str = "policy = \"ban\"\nthrough_version = 1\nreason = \"error\"\n[message]\nen = \"m\"\n";

fn published() -> Company {
    let mut company = Company::new();
    let draft = company.sign(company.draft("policies", "policies/ban.toml", POLICY), &["alice", "bob"]);
    company.publish(&draft).unwrap();
    company
}

#[tokio::test]
async fn promise_2_two_admins_start_and_both_are_named() {
    let company = published();
    let verified = company.verify(company.repository.bundle()).await.unwrap();
    let document = &verified.documents["policies/ban.toml"];
    assert_eq!(document.bytes, POLICY.as_bytes());
    assert_eq!(document.signed_by, ["alice", "bob"]);
}

#[tokio::test]
async fn promise_2_one_admin_is_not_enough_for_server_or_device() {
    let mut company = Company::new();
    let draft = company.sign(company.draft("policies", "policies/ban.toml", POLICY), &["alice"]);
    assert!(matches!(company.publish(&draft), Err(DraftError::Threshold { have: 1, need: 2, .. })));
    let forced = company.force(&draft);
    assert!(matches!(company.verify(&forced).await, Err(Refusal::NotSigned(_))));
    let twice = company.sign(draft, &["alice", "alice"]);
    assert!(matches!(company.verify(&company.force(&twice)).await, Err(Refusal::NotSigned(_))));
}

#[tokio::test]
async fn promise_2_one_admin_is_enough_to_withdraw_and_to_preview() {
    let mut company = published();
    for (role, name, text) in
        [("retractions", "retractions/ban.toml", RETRACTION), ("previews", "previews/ban.toml", POLICY)]
    {
        let draft = company.sign(company.draft(role, name, text), &["bob"]);
        company.publish(&draft).unwrap();
        let verified = company.verify(company.repository.bundle()).await.unwrap();
        assert_eq!(verified.documents[name].signed_by, ["bob"]);
    }
}

#[tokio::test]
async fn promise_2_a_role_that_one_admin_signs_can_not_carry_a_policy() {
    let company = Company::new();
    for role in ["previews", "retractions", "exemptions"] {
        let draft = company.sign(company.draft(role, "policies/ban.toml", POLICY), &["alice"]);
        assert!(company.verify(&company.force(&draft)).await.is_err(), "{role}");
    }
}

#[tokio::test]
async fn promise_7_a_signature_by_an_unknown_key_does_not_count() {
    let company = Company::new();
    let mallory = SigningKey::generate("alice").unwrap();
    let mut draft = company.sign(company.draft("policies", "policies/ban.toml", POLICY), &["bob"]);
    for (role, text) in &mut draft.roles {
        *text = metadata::sign(role, text, &mallory).unwrap();
    }
    assert!(matches!(company.verify(&company.force(&draft)).await, Err(Refusal::NotSigned(_))));
}

#[tokio::test]
async fn promise_7_one_flipped_byte_anywhere_is_refused_or_changes_nothing() {
    let company = published();
    let bundle = company.repository.bundle();
    let good = company.verify(bundle).await.unwrap();
    for (name, text) in &bundle.files {
        for at in (0..text.len()).step_by(text.len() / 12 + 1) {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(flipped) = String::from_utf8(bytes) else {
                continue;
            };
            let mut offered = bundle.clone();
            offered.files.insert(name.clone(), flipped);
            if let Ok(verified) = company.verify(&offered).await {
                assert_eq!(verified.documents, good.documents, "{name} at {at}");
                assert_eq!(verified.expires, good.expires, "{name} at {at}");
            }
        }
    }
}

#[tokio::test]
async fn promise_7_an_older_bundle_is_refused() {
    let mut company = published();
    let older = company.repository.bundle().clone();
    let draft = company.sign(company.draft("retractions", "retractions/ban.toml", RETRACTION), &["alice"]);
    company.publish(&draft).unwrap();
    let newer = &company.verify(company.repository.bundle()).await.unwrap();
    let result = verify(company.root(), Some(newer), &older, &std::env::temp_dir()).await;
    assert!(matches!(result, Err(Refusal::Older(_))), "{result:?}");
    // A server that hides the retraction behind a fresh timestamp is seen as well.
    let mut hidden = Repository::new(older);
    for _ in 0..5 {
        hidden.refresh(&company.online).unwrap();
    }
    let result = verify(company.root(), Some(newer), hidden.bundle(), &std::env::temp_dir()).await;
    assert!(matches!(result, Err(Refusal::Older(_))), "{result:?}");
}

#[tokio::test]
async fn promise_7_an_expired_bundle_is_not_current() {
    let company = published();
    let verified = company.verify(company.repository.bundle()).await.unwrap();
    assert!(verified.check_expiry(company.now).is_ok());
    let later = company.now + SignedDuration::from_hours(24);
    assert!(matches!(verified.check_expiry(later), Err(Refusal::Expired(_))));
}

#[tokio::test]
async fn promise_7_a_role_that_is_left_out_is_missed() {
    let company = published();
    for role in DELEGATED {
        let mut offered = company.repository.bundle().clone();
        offered.files.retain(|name, _| !name.ends_with(&format!(".{role}.json")));
        assert!(company.verify(&offered).await.is_err(), "{role}");
    }
}

#[tokio::test]
async fn what_does_not_follow_is_not_taken() {
    let mut company = published();
    let stale = Company::new();
    let draft = company.sign(stale.draft("policies", "policies/ban.toml", POLICY), &["alice", "bob"]);
    assert!(matches!(company.publish(&draft), Err(DraftError::OutOfDate { .. })));
    let changed = POLICY.replace("\"m\"", "\"other\"");
    let draft = company.sign(company.draft("policies", "policies/ban.toml", &changed), &["alice", "bob"]);
    assert!(matches!(company.publish(&draft), Err(DraftError::PolicyVersion { offered: 1, .. })));
    let draft = company.sign(company.draft("policies", "policies/other.toml", POLICY), &["alice", "bob"]);
    assert!(matches!(company.publish(&draft), Err(DraftError::Name { .. })));
    let draft = company.draft("policies", "policies/ban.toml", POLICY);
    assert!(matches!(company.publish(&draft), Err(DraftError::Unsigned { .. })));
}

#[test]
fn a_key_survives_being_written() {
    let key = SigningKey::generate("alice").unwrap();
    let read = SigningKey::from_pkcs8("alice", &key.to_pkcs8().unwrap()).unwrap();
    assert_eq!(key.public(), read.public());
    assert_ne!(key.public().id().unwrap(), SigningKey::generate("alice").unwrap().public().id().unwrap());
}

#[tokio::test]
async fn promise_7_a_file_that_nothing_lists_is_refused() {
    let company = published();
    for name in ["z.policies.json", "z.timestamp.json", "9.policies.json", "policies/evil.toml", "2.root.json", "x"] {
        let mut offered = company.repository.bundle().clone();
        let text = company.repository.role("policies").unwrap().to_owned();
        offered.files.insert(name.to_owned(), text);
        assert!(company.verify(&offered).await.is_err(), "{name}");
    }
}

#[tokio::test]
async fn promise_2_a_draft_that_says_more_than_it_shows_is_not_signed() {
    let company = published();
    let in_force = company.verify(company.repository.bundle()).await.unwrap();
    let text = POLICY.replace("version = 1", "version = 2");
    let honest = company.draft("policies", "policies/ban.toml", &text);
    let changes = review(&honest, &in_force).unwrap();
    assert_eq!(changes.added.keys().collect::<Vec<_>>(), ["policies/ban.toml"]);
    let tampered = |change: &dyn Fn(&mut Draft)| {
        let mut draft = honest.clone();
        change(&mut draft);
        review(&draft, &in_force).unwrap_err()
    };
    let other_text = |draft: &mut Draft| {
        draft.targets.insert("policies/ban.toml".into(), POLICY.replace("version = 1", "version = 3"));
    };
    assert!(matches!(tampered(&other_text), ReviewError::Differs(_)));
    let hidden_entry = |draft: &mut Draft| {
        let both =
            BTreeMap::from([("policies/ban.toml".into(), text.clone()), ("policies/evil.toml".into(), text.clone())]);
        let current = company.repository.role("policies").unwrap();
        let next = metadata::next_targets("policies", current, &both, &[], company.now).unwrap();
        draft.roles.insert("policies".into(), next);
    };
    assert!(matches!(tampered(&hidden_entry), ReviewError::Differs(_)));
    let more_roles = |draft: &mut Draft| {
        draft.roles.insert("targets".into(), company.repository.role("targets").unwrap().to_owned());
    };
    assert!(matches!(tampered(&more_roles), ReviewError::Role(_)));
}

#[test]
fn promise_2_a_founding_that_gives_the_server_a_vote_is_not_signed() {
    let company = Company::new();
    let founders = company.founders();
    let roles = founders.found(company.now).unwrap();
    let draft = Draft { roles, ..Draft::default() };
    assert_eq!(review_founding(&draft).unwrap(), founders.admins);
    for (from, to) in [("\"threshold\":2", "\"threshold\":1"), ("policies/*", "*")] {
        let mut tampered = draft.clone();
        let targets = tampered.roles.get_mut("targets").unwrap();
        *targets = targets.replace(from, to);
        assert!(matches!(review_founding(&tampered), Err(ReviewError::Differs(_))), "{from}");
    }
}

#[tokio::test]
async fn promise_3_a_retraction_is_not_taken_back() {
    let mut company = published();
    let draft = company.sign(company.draft("retractions", "retractions/ban.toml", RETRACTION), &["bob"]);
    company.publish(&draft).unwrap();
    let current = company.repository.role("retractions").unwrap();
    let name = "retractions/ban.toml".to_owned();
    let next = metadata::next_targets("retractions", current, &BTreeMap::new(), &[name], company.now).unwrap();
    let draft = Draft { roles: BTreeMap::from([("retractions".into(), next)]), ..Draft::default() };
    let in_force = company.verify(company.repository.bundle()).await.unwrap();
    assert!(matches!(review(&draft, &in_force), Err(ReviewError::Unretract)));
    assert!(matches!(company.publish(&company.sign(draft, &["alice"])), Err(DraftError::Unretract(_))));
    let shorter = RETRACTION.replace("through_version = 1", "through_version = 0");
    let draft = company.sign(company.draft("retractions", "retractions/ban.toml", &shorter), &["alice"]);
    assert!(matches!(company.publish(&draft), Err(DraftError::Unretract(_))));
}

#[tokio::test]
async fn promise_2_one_admin_spares_a_device_and_nobody_makes_that_shorter() {
    let mut company = published();
    let name = "exemptions/ban.toml";
    let draft = company.sign(company.draft("exemptions", name, EXEMPTIONS), &["bob"]);
    company.publish(&draft).unwrap();
    let verified = company.verify(company.repository.bundle()).await.unwrap();
    assert_eq!(verified.documents[name].signed_by, ["bob"]);
    for worse in [EXEMPTIONS.replace("2027-01-31", "2026-12-31"), "policy = \"ban\"\nexemption = []\n".to_owned()] {
        let draft = company.sign(company.draft("exemptions", name, &worse), &["alice"]);
        assert!(matches!(company.publish(&draft), Err(DraftError::Unexempt(_))), "{worse}");
    }
    let longer = EXEMPTIONS.replace("2027-01-31", "2027-02-28");
    let draft = company.sign(company.draft("exemptions", name, &longer), &["alice"]);
    company.publish(&draft).unwrap();
    let draft = company.draft("exemptions", "exemptions/other.toml", EXEMPTIONS);
    assert!(matches!(company.publish(&company.sign(draft, &["bob"])), Err(DraftError::Name { .. })));
    let draft = company.draft("exemptions", name, &longer.replace("until", "since"));
    assert!(matches!(company.publish(&company.sign(draft, &["bob"])), Err(DraftError::Policy { .. })));
    assert!(matches!(company.publish(&company.draft("exemptions", name, &longer)), Err(DraftError::Unsigned { .. })));
}

#[test]
fn a_draft_of_nothing_or_with_strange_files_is_not_taken() {
    let mut company = Company::new();
    let nothing = Draft::default();
    assert!(matches!(company.publish(&nothing), Err(DraftError::Role(_))));
    let mut draft = company.sign(company.draft("previews", "previews/ban.toml", POLICY), &["alice"]);
    draft.targets.insert("2.root.json".into(), "{}".into());
    assert!(matches!(company.publish(&draft), Err(DraftError::Target(_))));
    assert!(company.repository.merge(&nothing, &draft).is_err());
}
