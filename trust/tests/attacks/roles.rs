//! What was signed for one thing counts for no other: each role says which it is, and keeps to its folder. Promise 7.

use std::collections::BTreeMap;

use forewarn_proto::{api::Draft, report::Refusal};
use forewarn_trust::{Ahead, DELEGATED, DraftError, ReviewError, metadata, review};
use serde_json::{Value, json};

use crate::{EXEMPTIONS, POLICY, RETRACTION, company::Company, published};

/// The field of a role's signed text that names the role.
const ROLE: &str = "x-forewarn-role";
const PAUSE: &str = "policy = \"ban\"\n[[pause]]\nat = \"2026-12-01T09:00:00Z\"\nthrough_version = 1\n";

/// A company in which every role lists something.
fn busy() -> Company {
    let mut company = published();
    for (role, text) in [("previews", POLICY), ("retractions", RETRACTION), ("exemptions", EXEMPTIONS)] {
        let draft = company.sign(company.draft(role, &format!("{role}/ban.toml"), text), &["alice", "bob"]);
        company.publish(&draft).unwrap();
    }
    company
}

/// `text`, unsigned, with what it says changed.
fn changed(text: &str, change: impl Fn(&mut Value)) -> String {
    let mut metadata: Value = serde_json::from_str(text).unwrap();
    change(&mut metadata["signed"]);
    metadata["signatures"] = json!([]);
    metadata.to_string()
}

/// A draft of one role, signed by both, that says something else.
fn draft_of(company: &Company, role: &str, change: impl Fn(&mut Value)) -> Draft {
    let current = company.repository.role(role).unwrap();
    let next = metadata::next_targets(role, current, &BTreeMap::new(), &[], company.now).unwrap();
    let draft = Draft { roles: BTreeMap::from([(role.to_owned(), changed(&next, change))]), ..Draft::default() };
    company.sign(draft, &["alice", "bob"])
}

/// Neither device, nor server, nor another admin takes the draft; the device says both of `names`.
#[track_caller]
fn check_refused(company: &Company, draft: &Draft, device: &Result<(), Refusal>, names: [&str; 2]) {
    let said = |text: &str| names.iter().all(|name| text.contains(name));
    assert!(matches!(device, Err(Refusal::NotSigned(why)) if said(why.as_data())), "{names:?}: {device:?}");
    let server = company.repository.check(draft);
    assert!(matches!(&server, Err(DraftError::Metadata(error)) if said(&error.to_string())), "{names:?}: {server:?}");
}

#[tokio::test]
async fn promise_7_no_role_is_taken_for_another() {
    // Where nothing is listed, the name alone tells them apart: a new device would never hear of a retraction.
    for company in [busy(), Company::new()] {
        let in_force = company.in_force().await;
        for (from, to) in DELEGATED.iter().flat_map(|from| DELEGATED.map(|to| (*from, to))).filter(|(a, b)| a != b) {
            let text = company.repository.role(from).unwrap().to_owned();
            let swapped = Draft { roles: BTreeMap::from([(to.to_owned(), text)]), ..Draft::default() };
            let device = company.verify(&company.force(&swapped)).await.map(drop);
            check_refused(&company, &swapped, &device, [from, to]);
            let reviewed = review(&swapped, &in_force);
            assert!(matches!(reviewed, Err(ReviewError::Metadata(_))), "{from} as {to}: {reviewed:?}");
        }
    }
}

#[tokio::test]
async fn promise_7_a_role_without_its_name_is_refused() {
    let company = busy();
    for role in DELEGATED {
        let nameless = draft_of(&company, role, |signed| drop(signed.as_object_mut().unwrap().remove(ROLE)));
        let device = company.verify(&company.force(&nameless)).await.map(drop);
        check_refused(&company, &nameless, &device, [role, "does not say"]);
        for name in [json!("root"), json!(1), json!("")] {
            let misnamed = draft_of(&company, role, |signed| signed[ROLE] = name.clone());
            assert!(matches!(company.verify(&company.force(&misnamed)).await, Err(Refusal::NotSigned(_))), "{role}");
        }
    }
}

#[tokio::test]
async fn promise_7_a_role_lists_nothing_outside_its_folder() {
    let company = busy();
    let target = |signed: &Value| signed["targets"].as_object().unwrap().values().next().unwrap().clone();
    for role in DELEGATED {
        for stranger in ["policies/ban.toml", "previews/ban.toml", "retractions/ban.toml", "ban.toml"] {
            if stranger.starts_with(role) {
                continue;
            }
            let strange = draft_of(&company, role, |signed| signed["targets"][stranger] = target(signed));
            let device = company.verify(&company.force(&strange)).await.map(drop);
            assert!(device.is_err(), "{role} lists {stranger}");
            let server = company.repository.check(&strange);
            assert!(matches!(server, Err(DraftError::Metadata(_))), "{role} lists {stranger}: {server:?}");
            let reviewed = review(&strange, &company.in_force().await);
            assert!(matches!(reviewed, Err(ReviewError::Metadata(_))), "{role} lists {stranger}: {reviewed:?}");
        }
    }
    // What another role lists in truth is in nobody else's list either.
    let copied = draft_of(&company, "exemptions", |signed| {
        let policies: Value = serde_json::from_str(company.repository.role("policies").unwrap()).unwrap();
        signed["targets"] = policies["signed"]["targets"].clone();
    });
    let device = company.verify(&company.force(&copied)).await.map(drop);
    check_refused(&company, &copied, &device, ["exemptions", "policies/ban.toml"]);
}

#[tokio::test]
async fn promise_7_another_version_of_tuf_is_refused() {
    let company = busy();
    for (version, is_good) in [("1.0.99", true), ("1.0", true), ("1.1.0", false), ("2.0.0", false), ("10.0.0", false)] {
        let draft = draft_of(&company, "exemptions", |signed| signed["spec_version"] = version.into());
        let device = company.verify(&company.force(&draft)).await.map(drop);
        assert_eq!(device.is_ok(), is_good, "{version}: {device:?}");
        assert_eq!(company.repository.check(&draft).is_ok(), is_good, "{version}");
    }
}

#[tokio::test]
async fn promise_2_nothing_that_is_to_come_is_undone() {
    let (further, paused) = (RETRACTION.replace("= 1", "= 2"), PAUSE.replace("= 1", "= 2"));
    for (role, id, text, is_good) in [
        ("retractions", "ban", RETRACTION.to_owned(), true),
        ("retractions", "ban", further, false),
        ("retractions", "ban", RETRACTION.replace("= 1", "= 9223372036854775807"), false),
        ("retractions", "other", RETRACTION.replace("ban", "other"), false),
        ("exemptions", "ban", PAUSE.to_owned(), true),
        ("exemptions", "ban", paused, false),
        ("exemptions", "other", PAUSE.replace("ban", "other"), false),
        ("exemptions", "other", EXEMPTIONS.replace("ban", "other"), true),
    ] {
        let company = published();
        let draft = company.sign(company.draft(role, &format!("{role}/{id}.toml"), &text), &["alice"]);
        let server = company.repository.check(&draft);
        let admin = review(&draft, &company.in_force().await);
        assert_eq!((server.is_ok(), admin.is_ok()), (is_good, is_good), "{text}: {server:?} {admin:?}");
        let is_ahead = |error: &dyn std::error::Error| error.to_string().contains("reaches up to version");
        assert!(server.err().is_none_or(|error| is_ahead(&error)) && admin.err().is_none_or(|error| is_ahead(&error)));
        // A device does not judge that: whatever undoes is heard.
        assert!(company.verify(&company.force(&draft)).await.is_ok(), "{text}");
    }
}

#[tokio::test]
async fn promise_3_what_reaches_further_already_stays_and_can_be_said_again() {
    let mut company = busy();
    let gone = draft_of(&company, "policies", |signed| signed["targets"] = json!({}));
    company.publish(&gone).unwrap();
    let reworded = RETRACTION.replace("\"m\"", "\"it was a mistake\"");
    let draft = company.sign(company.draft("retractions", "retractions/ban.toml", &reworded), &["bob"]);
    company.publish(&draft).unwrap();
    let further = company.draft("retractions", "retractions/ban.toml", &RETRACTION.replace("= 1", "= 2"));
    let refused = company.publish(&company.sign(further, &["bob"]));
    assert!(matches!(refused, Err(DraftError::Ahead(Ahead { .. }))), "{refused:?}");
}
