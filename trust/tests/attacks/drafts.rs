//! Several drafts at a time.

use std::collections::{BTreeMap, BTreeSet};

use forewarn_proto::api::Draft;
use forewarn_trust::{DELEGATED, DraftError, RebaseError, Wanted, change_admins, metadata, rebase, review, signers};

use crate::{POLICY, company::Company, published};

const OTHER: &str = "id = \"other\"\nversion = 1\ntitle = \"t\"\n[message]\nen = \"m\"\n[[rule]]\nid = \"r\"\napp = \"B\"\npurls = [\"pkg:deb/b\"]\n";

/// Two drafts over the same repository, as the server keeps them.
fn two_drafts(company: &Company) -> [Draft; 2] {
    let second = POLICY.replace("version = 1", "version = 2");
    [("policies/ban.toml", second.as_str()), ("policies/other.toml", OTHER)]
        .map(|(name, text)| company.sign(company.draft("policies", name, text), &["alice"]))
        .map(|draft| company.repository.describe(&draft).unwrap())
}

#[tokio::test]
async fn drafts_about_different_policies_are_published_in_either_order() {
    for order in [[0, 1], [1, 0]] {
        let mut company = published();
        let drafts = two_drafts(&company);
        let [first, second] = order.map(|index| &drafts[index]);
        company.publish(&company.sign(first.clone(), &["bob"])).unwrap();
        let stale = company.publish(&company.sign(second.clone(), &["bob"]));
        assert!(matches!(stale, Err(DraftError::OutOfDate { .. })), "{stale:?}");
        let in_force = company.in_force().await;
        let remade = rebase(second, &in_force, company.now).unwrap();
        let admins = company.admins(&["alice", "bob"], 2);
        assert_eq!(signers(&remade, &admins.keys).unwrap().len(), 0, "nobody has signed what it is now");
        let names: Vec<String> = review(&remade, &in_force).unwrap().added.into_keys().collect();
        assert_eq!(names, second.targets.keys().cloned().collect::<Vec<_>>(), "it changes what it changed before");
        company.publish(&company.sign(remade, &["alice", "bob"])).unwrap();
        let after = company.in_force().await;
        assert!(after.documents["policies/ban.toml"].bytes.starts_with(b"id = \"ban\"\nversion = 2"));
        assert_eq!(after.documents["policies/other.toml"].bytes, OTHER.as_bytes());
    }
}

#[tokio::test]
async fn a_draft_about_a_policy_that_another_has_changed_is_not_made_anew() {
    let mut company = published();
    let [first, _] = two_drafts(&company);
    let third = company.draft("policies", "policies/ban.toml", &POLICY.replace("version = 1", "version = 3"));
    let third = company.repository.describe(&third).unwrap();
    company.publish(&company.sign(first, &["bob"])).unwrap();
    match rebase(&third, &company.in_force().await, company.now) {
        Err(RebaseError::Conflict(names)) => assert_eq!(names, ["policies/ban.toml"]),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_a_draft_takes_out_is_taken_out_when_it_is_made_anew() {
    let mut company = published();
    let [_, other] = two_drafts(&company);
    let name = "policies/ban.toml".to_owned();
    let current = company.repository.role("policies").unwrap();
    let next = metadata::next_targets("policies", current, &BTreeMap::new(), std::slice::from_ref(&name), company.now)
        .unwrap();
    let removal = Draft { roles: BTreeMap::from([("policies".to_owned(), next)]), ..Draft::default() };
    let removal = company.repository.describe(&removal).unwrap();
    assert_eq!(removal.removes, BTreeSet::from([name.clone()]));
    company.publish(&company.sign(other, &["bob"])).unwrap();
    let in_force = company.in_force().await;
    let remade = rebase(&removal, &in_force, company.now).unwrap();
    assert_eq!(review(&remade, &in_force).unwrap().removed, [name]);
    company.publish(&company.sign(remade, &["alice", "bob"])).unwrap();
    assert_eq!(company.in_force().await.documents.keys().collect::<Vec<_>>(), ["policies/other.toml"]);
}

#[tokio::test]
async fn a_change_of_admins_is_made_anew_over_a_policy_and_not_over_another_change_of_admins() {
    let mut company = published();
    let in_force = company.in_force().await;
    let wanted = Wanted { renewed: DELEGATED.into(), ..company.wanted(&["alice", "bob"], 2) };
    let renewal = change_admins(&in_force, &wanted, company.now).unwrap();
    let add = change_admins(&in_force, &company.wanted(&["alice", "bob", "carol"], 2), company.now).unwrap();
    let [policy, _] = two_drafts(&company);
    company.publish(&company.sign(policy, &["bob"])).unwrap();
    let stale = company.publish(&company.sign(renewal.clone(), &["alice", "bob"]));
    assert!(matches!(stale, Err(DraftError::OutOfDate { .. })), "{stale:?}");
    let remade = rebase(&renewal, &company.in_force().await, company.now).unwrap();
    company.publish(&company.sign(remade, &["alice", "bob"])).unwrap();
    let conflict = rebase(&add, &company.in_force().await, company.now);
    assert!(matches!(conflict, Err(RebaseError::Conflict(_))), "{conflict:?}");
}
