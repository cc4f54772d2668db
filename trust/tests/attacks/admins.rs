//! The admins change: what has to hold, and what a thief or the server could try.

use std::collections::BTreeMap;

use forewarn_proto::{
    api::{Draft, NEW_ADMINS},
    bundle::Bundle,
    report::Refusal,
};
use forewarn_trust::{
    Admins, AdminsError, DELEGATED, DraftError, PublicKey, Repository, ReviewError, Signer, SigningKey, Wanted,
    change_admins, metadata, review, verify,
};
use jiff::SignedDuration;

use crate::{POLICY, RETRACTION, company::Company, published};

/// The draft, unsigned, by which these become the admins.
async fn change(company: &Company, names: &[&str], threshold: usize) -> Draft {
    change_admins(&company.in_force().await, &company.wanted(names, threshold), company.now).unwrap()
}

/// Makes these the admins, signed by `by`.
async fn become_admins(company: &mut Company, names: &[&str], threshold: usize, by: &[&str]) {
    let draft = company.sign(change(company, names, threshold).await, by);
    company.publish(&draft).unwrap();
}

#[tokio::test]
async fn an_admin_comes_in_and_signs() {
    let mut company = published();
    let draft = change(&company, &["alice", "bob", "carol"], 2).await;
    assert_eq!(draft.roles.keys().collect::<Vec<_>>(), ["root", "targets"], "what is signed stays as it is");
    company.publish(&company.sign(draft, &["alice", "bob"])).unwrap();
    let text = POLICY.replace("version = 1", "version = 2");
    let draft = company.sign(company.draft("policies", "policies/ban.toml", &text), &["bob", "carol"]);
    company.publish(&draft).unwrap();
    assert_eq!(company.in_force().await.documents["policies/ban.toml"].signed_by, ["bob", "carol"]);
}

#[tokio::test]
async fn a_role_that_one_who_goes_has_signed_is_signed_anew_and_says_the_same() {
    let mut company = published();
    become_admins(&mut company, &["alice", "bob", "carol"], 2, &["alice", "bob"]).await;
    let before = company.in_force().await;
    let draft = change(&company, &["alice", "carol"], 2).await;
    let delegated: Vec<&String> = draft.roles.keys().filter(|role| DELEGATED.contains(&role.as_str())).collect();
    assert_eq!(delegated, ["policies"], "the others need one signature, which alice's is");
    company.publish(&company.sign(draft, &["alice", "carol"])).unwrap();
    let after = company.in_force().await;
    assert_eq!(after.documents["policies/ban.toml"].bytes, before.documents["policies/ban.toml"].bytes);
    assert_eq!(after.documents["policies/ban.toml"].signed_by, ["alice", "carol"]);
}

#[tokio::test]
async fn promise_2_who_went_neither_starts_nor_stops_anything() {
    let mut company = published();
    become_admins(&mut company, &["alice", "bob", "carol"], 2, &["alice", "bob"]).await;
    become_admins(&mut company, &["alice", "carol"], 2, &["alice", "carol"]).await;
    let device = company.in_force().await;
    let text = POLICY.replace("version = 1", "version = 2");
    for (role, name, text, by) in [
        ("policies", "policies/ban.toml", text.as_str(), &["alice", "bob"][..]),
        ("retractions", "retractions/ban.toml", RETRACTION, &["bob"]),
    ] {
        let draft = company.sign(company.draft(role, name, text), by);
        let refused = company.publish(&draft);
        assert!(matches!(refused, Err(DraftError::Threshold { .. } | DraftError::Unsigned { .. })), "{refused:?}");
        let offered = company.force(&draft);
        let result = verify(&device.root, Some(&device), &offered, &std::env::temp_dir()).await;
        assert!(matches!(result, Err(Refusal::NotSigned(_))), "{role}: {result:?}");
    }
    let asks = |name: &str| {
        let header = company.key(name).authorize("GET", "/v1/status", 1, b"").unwrap();
        company.repository.admin_of(&header, "GET", "/v1/status", b"").map(|(name, _)| name)
    };
    assert_eq!((asks("alice"), asks("bob")), (Some("alice".to_owned()), None), "nor reads");
}

#[tokio::test]
async fn promise_7_a_device_that_was_away_for_two_changes_follows() {
    let mut company = published();
    let device = company.in_force().await;
    become_admins(&mut company, &["alice", "carol"], 2, &["alice", "bob", "carol"]).await;
    become_admins(&mut company, &["carol", "dave"], 2, &["alice", "carol", "dave"]).await;
    assert_eq!(metadata::version_of("root", company.root()).unwrap(), 3);
    let temporary = std::env::temp_dir();
    let follows = verify(&device.root, Some(&device), company.repository.bundle(), &temporary).await.unwrap();
    assert_eq!(metadata::version_of("root", &follows.root).unwrap(), 3);
    assert_eq!(follows.documents["policies/ban.toml"].signed_by, ["carol", "dave"]);
    // Without the step between, it can't know that the second change is right.
    let mut gap = company.repository.bundle().clone();
    gap.files.remove("2.root.json");
    let result = verify(&device.root, Some(&device), &gap, &temporary).await;
    assert!(result.is_err(), "{result:?}");
}

#[tokio::test]
async fn promise_2_a_root_needs_the_old_admins_and_the_new() {
    let mut company = published();
    let device = company.in_force().await;
    for (by, lacking) in [
        // A thief who names the keys that he has, and the admins in force who were tricked out of one signature.
        (&["carol", "dave"][..], "root"),
        (&["alice", "carol", "dave"], "root"),
        // Nobody has shown that they hold the new keys.
        (&["alice", "bob"], NEW_ADMINS),
        (&["alice", "bob", "carol"], NEW_ADMINS),
    ] {
        let draft = company.sign(change(&company, &["carol", "dave"], 2).await, by);
        let (have, need) = company.repository.signatures(&draft).unwrap()[lacking];
        assert!(have < need, "{by:?}: {have} of {need} for {lacking}");
        let refused = company.publish(&draft);
        assert!(
            matches!(refused, Err(DraftError::Threshold { .. } | DraftError::Unsigned { .. })),
            "{by:?}: {refused:?}"
        );
        let result = verify(&device.root, Some(&device), &company.force(&draft), &std::env::temp_dir()).await;
        assert!(matches!(result, Err(Refusal::NotSigned(_))), "{by:?}: {result:?}");
    }
    let enough = company.sign(change(&company, &["carol", "dave"], 2).await, &["alice", "bob", "carol", "dave"]);
    company.publish(&enough).unwrap();
    assert!(verify(&device.root, Some(&device), company.repository.bundle(), &std::env::temp_dir()).await.is_ok());
}

#[tokio::test]
async fn who_only_names_admins_has_not_their_signatures() {
    let company = published();
    // A thief's root, with the names of alice and bob for keys of the thief's own.
    let thief = ["alice", "bob"].map(|name| SigningKey::generate(name).unwrap());
    let keys = |names: [&str; 2]| {
        thief.iter().zip(names).map(|(key, name)| PublicKey { name: name.to_owned(), ..key.public() }).collect()
    };
    let in_force = company.in_force().await;
    let change = |names| {
        let admins = Admins { keys: keys(names), threshold: 2 };
        let wanted = Wanted { admins, ..Wanted::of_root(company.root()).unwrap() };
        change_admins(&in_force, &wanted, company.now).unwrap()
    };
    let mut draft = change(["alice", "bob"]);
    for (role, text) in &mut draft.roles {
        for key in &thief {
            *text = metadata::sign(role, text, key).unwrap();
        }
    }
    let counted = company.repository.signatures(&draft).unwrap();
    assert_eq!(counted[NEW_ADMINS].0, 2, "they hold for the thief's own root: {counted:?}");
    let signed = company.repository.signed_roles(&draft).unwrap();
    assert!(signed.values().all(|role| role.signed_by.is_empty()), "{signed:?}");
    assert!(matches!(company.repository.check(&draft), Err(DraftError::Unsigned { .. })));
    for name in ["carol\ndave", "ann@corp.example", "", "\u{1b}[2Jcarol"] {
        let refused = company.repository.check(&change([name, "bob"]));
        assert!(matches!(refused, Err(DraftError::TooMuch { .. })), "{name:?}: {refused:?}");
    }
}

#[tokio::test]
async fn what_is_no_metadata_is_refused_and_breaks_nothing() {
    let company = published();
    let draft = |role: &str, text: &str| Draft {
        roles: BTreeMap::from([(role.to_owned(), text.to_owned())]),
        ..Draft::default()
    };
    let version = "{\"signed\":{\"version\":3,\"spec_version\":\"1.0.34\",\"x-forewarn-role\":\"policies\",\"targets\":{}},\"signatures\":[]}";
    for (role, text) in [("policies", "5"), ("policies", "[]"), ("policies", "{\"signed\":7}"), ("more", version)] {
        assert!(company.repository.trimmed(&draft(role, text)).is_err(), "{role}: {text}");
    }
    let incomplete = draft("policies", version);
    let refused = company.repository.check(&company.repository.trimmed(&incomplete).unwrap());
    assert!(matches!(refused, Err(DraftError::Metadata(_))), "{refused:?}");
}

#[tokio::test]
async fn a_signature_that_does_not_hold_keeps_no_good_one_out() {
    let company = published();
    let draft = company.draft("policies", "policies/ban.toml", &POLICY.replace("version = 1", "version = 2"));
    let signed = company.sign(draft.clone(), &["bob"]);
    let of_bob = |draft: &Draft| -> serde_json::Value {
        let role: serde_json::Value = serde_json::from_str(&draft.roles["policies"]).unwrap();
        role["signatures"].clone()
    };
    let mut spoilt = draft.clone();
    let mut role: serde_json::Value = serde_json::from_str(&spoilt.roles["policies"]).unwrap();
    role["signatures"] = of_bob(&signed);
    role["signatures"][0]["sig"] = "00".into();
    spoilt.roles.insert("policies".to_owned(), role.to_string());
    let trimmed = company.repository.trimmed(&spoilt).unwrap();
    assert_eq!(of_bob(&trimmed), serde_json::json!([]));
    let merged = company.repository.merge(&trimmed, &company.repository.trimmed(&signed).unwrap()).unwrap();
    assert_eq!(of_bob(&merged), of_bob(&signed));
    // Thousands of them are not looked at.
    role["signatures"] = vec![role["signatures"][0].clone(); 1000].into();
    spoilt.roles.insert("policies".to_owned(), role.to_string());
    assert!(matches!(company.repository.trimmed(&spoilt), Err(DraftError::TooMuch { .. })));
}

/// bob's key was stolen and he is out. The server is on the thief's side and shows the new root beside what was in force
/// before, when bob could still sign.
#[tokio::test]
async fn promise_7_a_server_can_not_mix_the_new_root_with_what_was_before() {
    let mut company = Company::new();
    become_admins(&mut company, &["alice", "bob", "carol"], 2, &["alice", "bob", "carol"]).await;
    let policy = company.draft("policies", "policies/ban.toml", POLICY);
    company.publish(&company.sign(policy, &["alice", "bob", "carol"])).unwrap();
    let with_bob = company.repository.bundle().clone();
    become_admins(&mut company, &["alice", "carol"], 2, &["alice", "carol"]).await;
    let mut mixed = with_bob;
    let root = company.repository.bundle().files["3.root.json"].clone();
    mixed.files.insert("3.root.json".to_owned(), root);
    // Even a device that is new, and has seen nothing else.
    let result = company.verify(&mixed).await;
    assert!(matches!(&result, Err(Refusal::NotSigned(why)) if why.as_data().contains("who is no admin")), "{result:?}");
}

#[tokio::test]
async fn promise_2_an_old_threshold_is_not_mixed_with_a_new_root() {
    let mut company = Company::new();
    become_admins(&mut company, &["alice", "bob", "carol"], 2, &["alice", "bob", "carol"]).await;
    let two = company.repository.bundle().clone();
    become_admins(&mut company, &["alice", "bob", "carol"], 3, &["alice", "bob", "carol"]).await;
    let mut mixed = two;
    mixed.files.insert("3.root.json".to_owned(), company.repository.bundle().files["3.root.json"].clone());
    let result = company.verify(&mixed).await;
    assert!(
        matches!(&result, Err(Refusal::NotSigned(why)) if why.as_data().contains("it takes 3 admins")),
        "{result:?}"
    );
}

#[tokio::test]
async fn promise_7_a_device_does_not_go_back_to_admins_who_went() {
    let mut company = published();
    let before = company.repository.bundle().clone();
    become_admins(&mut company, &["alice", "carol"], 2, &["alice", "bob", "carol"]).await;
    let device = company.in_force().await;
    let result = verify(&device.root, Some(&device), &before, &std::env::temp_dir()).await;
    assert!(result.is_err(), "{result:?}");
}

#[tokio::test]
async fn promise_2_a_change_of_admins_that_says_more_than_it_shows_is_not_signed() {
    let company = published();
    let in_force = company.in_force().await;
    let honest = change(&company, &["alice", "bob", "carol"], 2).await;
    let shown = review(&honest, &in_force).unwrap().admins.unwrap();
    assert_eq!((shown.added, shown.removed, shown.threshold), (vec![company.public("carol")], vec![], (2, 2)));
    let refused = |change: &dyn Fn(&mut Draft)| {
        let mut draft = honest.clone();
        change(&mut draft);
        review(&draft, &in_force).unwrap_err()
    };
    let replace = |role: &'static str, from: &'static str, to: &'static str| {
        move |draft: &mut Draft| {
            let text = draft.roles.get_mut(role).unwrap();
            assert!(text.contains(from), "{role} has {from}");
            *text = text.replace(from, to);
        }
    };
    // One admin could start a policy; one role could sign for all; the server would keep its old snapshots.
    for (role, from, to) in [
        ("targets", "\"threshold\":2", "\"threshold\":1"),
        ("targets", "policies/*", "*"),
        ("root", "\"consistent_snapshot\":true", "\"consistent_snapshot\":false"),
    ] {
        let error = refused(&replace(role, from, to));
        assert!(matches!(error, ReviewError::Differs(_)), "{role} {to}: {error:?}");
    }
    let all_one = refused(&replace("root", "\"threshold\":2", "\"threshold\":1"));
    assert!(matches!(all_one, ReviewError::Admins(AdminsError::Threshold(1))), "{all_one:?}");
    let policy = company.draft("policies", "policies/evil.toml", &POLICY.replace("ban", "evil"));
    let smuggled = refused(&|draft: &mut Draft| {
        draft.roles.extend(policy.roles.clone());
        draft.targets.extend(policy.targets.clone());
    });
    assert!(matches!(smuggled, ReviewError::Differs(_)), "{smuggled:?}");
    let unlisted = refused(&|draft: &mut Draft| draft.roles.extend(policy.roles.clone()));
    assert!(matches!(unlisted, ReviewError::Differs(_)), "{unlisted:?}");
    let without_targets = refused(&|draft: &mut Draft| drop(draft.roles.remove("targets")));
    assert!(matches!(without_targets, ReviewError::Differs(_)), "{without_targets:?}");
}

#[tokio::test]
async fn promise_2_other_keys_of_the_server_are_shown_with_whatever_else_a_draft_changes() {
    let mut company = published();
    company.online.keys.push(SigningKey::generate("server").unwrap());
    let before = company.in_force().await;
    let wanted = Wanted {
        online: company.online(0, 2),
        renewed: DELEGATED.into(),
        ..company.wanted(&["alice", "bob", "carol"], 2)
    };
    let draft = change_admins(&before, &wanted, company.now).unwrap();
    let shown = review(&draft, &before).unwrap().admins.unwrap();
    assert_eq!(shown.online, Some((company.online(0, 1), company.online(0, 2))));
    assert_eq!((shown.added.len(), shown.renewed.len()), (1, DELEGATED.len()));
}

#[tokio::test]
async fn promise_2_there_are_never_fewer_than_two_and_none_twice() {
    let company = Company::new();
    let in_force = company.in_force().await;
    let refused = |names: &[&str], threshold| {
        change_admins(&in_force, &company.wanted(names, threshold), company.now).unwrap_err()
    };
    assert!(matches!(refused(&["alice", "bob"], 1), AdminsError::Threshold(1)));
    assert!(matches!(refused(&["alice"], 2), AdminsError::TooFew { admins: 1, threshold: 2 }));
    assert!(matches!(refused(&["alice", "bob"], 3), AdminsError::TooFew { admins: 2, threshold: 3 }));
    assert!(matches!(refused(&["alice", "bob", "bob"], 2), AdminsError::SameName(_)));
    let mut twice = company.wanted(&["alice", "bob", "carol"], 2);
    twice.admins.keys[2].public = twice.admins.keys[0].public.to_uppercase();
    let error = change_admins(&in_force, &twice, company.now).unwrap_err();
    assert!(matches!(error, AdminsError::SameKey(_)), "one person would have two votes: {error:?}");
}

#[tokio::test]
async fn what_is_renewed_is_good_for_longer_and_says_the_same() {
    let mut company = published();
    let before = company.in_force().await;
    company.now += SignedDuration::from_hours(24 * 300);
    let wanted = Wanted { renewed: DELEGATED.into(), ..company.wanted(&["alice", "bob"], 2) };
    let draft = change_admins(&before, &wanted, company.now).unwrap();
    let shown = review(&draft, &before).unwrap().admins.unwrap();
    assert_eq!((shown.added.len(), shown.removed.len(), shown.renewed.len()), (0, 0, DELEGATED.len()));
    company.publish(&company.sign(draft, &["alice", "bob"])).unwrap();
    let after = company.in_force().await;
    assert_eq!(after.documents, before.documents);
    assert_eq!(after.admins_until, before.admins_until + SignedDuration::from_hours(24 * 300));
}

#[tokio::test]
async fn promise_7_a_server_whose_keys_were_stolen_gets_others_and_the_thief_is_not_believed() {
    let mut company = published();
    let device = company.in_force().await;
    let mut thief = Repository::new(company.repository.bundle().clone());
    company.online.keys.extend(["server", "server"].map(|name| SigningKey::generate(name).unwrap()));
    let wanted = Wanted { online: company.online(2, 3), ..Wanted::of_root(company.root()).unwrap() };
    let draft = change_admins(&device, &wanted, company.now).unwrap();
    let shown = review(&draft, &device).unwrap().admins.unwrap();
    let keys = Some((company.online(0, 1), wanted.online));
    assert_eq!((shown.online, shown.added, shown.removed), (keys, Vec::new(), Vec::new()));
    assert!(matches!(company.publish(&company.sign(draft.clone(), &["alice"])), Err(DraftError::Threshold { .. })));
    company.publish(&company.sign(draft, &["alice", "bob"])).unwrap();
    let device = verify(&device.root, Some(&device), company.repository.bundle(), &std::env::temp_dir()).await.unwrap();
    assert_eq!(device.documents, company.in_force().await.documents, "what was in force stays");
    // The old keys sign what was before: for who knows the new root, and for who is shown it.
    thief.refresh(&company.online).unwrap();
    let mut shown_the_root = thief.bundle().clone();
    shown_the_root.files.insert("2.root.json".to_owned(), company.root().to_owned());
    for offered in [thief.bundle(), &shown_the_root] {
        let refused = verify(&device.root, Some(&device), offered, &std::env::temp_dir()).await;
        assert!(refused.is_err(), "{refused:?}");
    }
    assert!(company.verify(&shown_the_root).await.is_err(), "nor by one that has seen nothing else");
}

#[tokio::test]
async fn promise_7_new_keys_of_the_server_bring_back_nothing_that_admins_signed_before() {
    let mut company = published();
    let older = company.repository.bundle().clone();
    let draft = company.sign(company.draft("retractions", "retractions/ban.toml", RETRACTION), &["alice"]);
    company.publish(&draft).unwrap();
    let device = company.in_force().await;
    company.online.keys.push(SigningKey::generate("server").unwrap());
    let wanted = Wanted { online: company.online(2, 2), ..Wanted::of_root(company.root()).unwrap() };
    let draft = change_admins(&device, &wanted, company.now).unwrap();
    company.publish(&company.sign(draft, &["alice", "bob"])).unwrap();
    // The server shows the new root, and what was in force before the retraction.
    let mut files = company.repository.bundle().files.clone();
    files.retain(|name, _| !name.ends_with(".retractions.json") && !name.starts_with("retractions/"));
    files.extend(older.files.into_iter().filter(|(name, _)| name.ends_with(".retractions.json")));
    let mut hidden = Repository::new(Bundle { files });
    hidden.refresh(&company.online).unwrap();
    assert!(verify(company.root(), None, hidden.bundle(), &std::env::temp_dir()).await.is_ok(), "signed it is");
    let result = verify(&device.root, Some(&device), hidden.bundle(), &std::env::temp_dir()).await;
    assert!(
        matches!(&result, Err(Refusal::Older(why)) if why.as_data().contains("retractions is at version 1")),
        "{result:?}"
    );
}

#[tokio::test]
async fn a_root_with_keys_that_the_server_does_not_have_is_not_published() {
    let mut company = published();
    let wanted = Wanted { online: company.online(0, 1), ..Wanted::of_root(company.root()).unwrap() };
    let mut other = wanted.clone();
    other.online.timestamp = SigningKey::generate("server").unwrap().public();
    let draft = company.sign(change_admins(&company.in_force().await, &other, company.now).unwrap(), &["alice", "bob"]);
    let before = company.repository.clone();
    let refused = company.publish(&draft);
    assert!(matches!(refused, Err(DraftError::NotTheServers { role: "timestamp" })), "{refused:?}");
    assert_eq!(company.repository, before);
}

#[tokio::test]
async fn a_server_that_restarts_knows_the_newest_admins() {
    let mut company = published();
    become_admins(&mut company, &["alice", "carol"], 2, &["alice", "bob", "carol"]).await;
    let again = Repository::new(company.repository.bundle().clone());
    assert_eq!(again.role("root"), company.repository.role("root"));
}
