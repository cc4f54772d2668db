//! Two admins are two keys: one key under two names, or written in two ways, is one vote. Promise 2.

use forewarn_proto::{api::Draft, bundle::Bundle, report::Refusal};
use forewarn_trust::{
    Admins, AdminsError, DraftError, PublicKey, Repository, ReviewError, Wanted, change_admins,
    metadata::{self, Founders},
    review, review_founding, verify,
};
use serde_json::Value;

use crate::{company::Company, published};

/// alice's key under another name, in small and in capital letters.
fn alice_again(company: &Company) -> [PublicKey; 2] {
    let PublicKey { public, .. } = company.public("alice");
    [public.clone(), public.to_uppercase()].map(|public| PublicKey { name: "carol".into(), public })
}

/// Founders who were never checked, as a hostile admin's own program would name them.
fn founders(company: &Company, second: PublicKey) -> Founders {
    let mut founders = company.founders();
    founders.admins.push(second);
    founders
}

/// The root of these founders and its targets, in `version`, signed by alice under her name and under `second`'s.
fn forged(company: &Company, by: &Founders, second: &PublicKey, version: u64) -> Draft {
    let found = by.found(company.now).unwrap();
    let text = |role: &str| {
        let next = found[role].replace("\"version\":1", &format!("\"version\":{version}"));
        let signed = metadata::sign(role, &next, company.key("alice")).unwrap();
        let mut metadata: Value = serde_json::from_str(&signed).unwrap();
        let mut again = metadata["signatures"][0].clone();
        again["keyid"] = second.id().unwrap().into();
        metadata["signatures"].as_array_mut().unwrap().push(again);
        (role.to_owned(), metadata.to_string())
    };
    Draft { roles: ["root", "targets"].map(text).into(), ..Draft::default() }
}

#[test]
fn promise_2_a_key_under_two_names_founds_nothing() {
    let company = Company::new();
    for second in alice_again(&company) {
        let roles = founders(&company, second.clone()).found(company.now).unwrap();
        let draft = Draft { roles, ..Draft::default() };
        let reviewed = review_founding(&draft);
        assert!(matches!(&reviewed, Err(ReviewError::Admins(AdminsError::SameKey(name))) if name == "carol"));
        let signed = company.sign(draft, &["alice", "bob"]);
        let server = Repository::default().publish(&signed, &company.online);
        assert!(matches!(&server, Err(DraftError::Root(why)) if why.contains("carol's key")), "{server:?}");
    }
}

#[test]
fn promise_2_the_server_s_key_is_no_admin_s() {
    let company = Company::new();
    let servers = PublicKey { name: "carol".into(), ..company.online(0, 1).timestamp };
    let roles = founders(&company, servers).found(company.now).unwrap();
    let reviewed = review_founding(&Draft { roles, ..Draft::default() });
    assert!(matches!(&reviewed, Err(ReviewError::Admins(AdminsError::ServersKey(name))) if name == "carol"));
}

#[tokio::test]
async fn promise_2_no_change_of_admins_gives_a_key_two_votes() {
    let company = published();
    let in_force = company.in_force().await;
    for second in alice_again(&company) {
        let mut keys = company.admins(&["alice", "bob"], 2).keys;
        keys.push(second.clone());
        let wanted = Wanted { admins: Admins { keys, threshold: 2 }, ..Wanted::of_root(company.root()).unwrap() };
        let made = change_admins(&in_force, &wanted, company.now);
        assert!(matches!(made, Err(AdminsError::SameKey(_))), "{made:?}");
        let draft = company.sign(forged(&company, &founders(&company, second.clone()), &second, 2), &["bob"]);
        let reviewed = review(&draft, &in_force);
        assert!(matches!(reviewed, Err(ReviewError::Admins(AdminsError::SameKey(_)))), "{reviewed:?}");
        let server = company.repository.check(&draft);
        assert!(matches!(server, Err(DraftError::Root(_))), "{server:?}");
        let device = verify(company.root(), Some(&in_force), &company.force(&draft), &std::env::temp_dir()).await;
        assert!(
            matches!(&device, Err(Refusal::NotSigned(why)) if why.as_data().contains("another admin's")),
            "{device:?}"
        );
    }
}

#[tokio::test]
async fn promise_2_a_root_on_the_way_gives_a_key_two_votes_neither() {
    let company = published();
    let device = company.in_force().await;
    let [second, _] = alice_again(&company);
    let on_the_way = company.sign(forged(&company, &founders(&company, second.clone()), &second, 2), &["bob"]);
    // The newest root looks as it should, so that the one before is all that is wrong.
    let newest = company.sign(forged(&company, &company.founders(), &second, 3), &["bob"]);
    let mut files = company.repository.bundle().files.clone();
    files.retain(|name, _| !name.ends_with(".targets.json"));
    files.insert("2.root.json".to_owned(), on_the_way.roles["root"].clone());
    for (role, text) in newest.roles {
        files.insert(format!("3.{role}.json"), text);
    }
    let mut repository = Repository::new(Bundle { files });
    repository.refresh(&company.online).unwrap();
    let result = verify(&device.root, Some(&device), repository.bundle(), &std::env::temp_dir()).await;
    assert!(matches!(&result, Err(Refusal::NotSigned(why)) if why.as_data().contains("another admin's")), "{result:?}");
}

#[test]
fn promise_2_a_key_that_signs_under_two_ids_counts_once() {
    let company = Company::new();
    let [second, _] = alice_again(&company);
    let forged = forged(&company, &founders(&company, second.clone()), &second, 1);
    let counted = Repository::default().signatures(&forged).unwrap();
    assert_eq!((counted["root"], counted["targets"]), ((1, 2), (1, 2)));
}
