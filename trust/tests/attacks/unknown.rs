//! A role that this version does not know: it is verified, its documents are not read, and it can be nothing else. Promise 7.

use forewarn_proto::{api::Draft, report::Refusal};
use forewarn_trust::{Verified, metadata};
use serde_json::{Value, json};

use crate::{company::Company, published};

const NAME: &str = "surveys/ban.toml";
const TEXT: &str = "format = 9\n";

/// What a newer admin's program makes: one more delegated role, `change`d, that lists a target.
fn of_the_future(company: &Company, change: impl Fn(&mut Value)) -> Draft {
    let read = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    let mut targets = read(company.repository.role("targets").unwrap());
    let mut delegated = targets["signed"]["delegations"]["roles"][1].clone();
    delegated["name"] = "surveys".into();
    delegated["paths"] = json!(["surveys/*"]);
    change(&mut delegated);
    targets["signed"]["version"] = 2.into();
    // Before those that are known: where it stands must not matter.
    targets["signed"]["delegations"]["roles"].as_array_mut().unwrap().insert(0, delegated.clone());
    let role = delegated["name"].as_str().unwrap().to_owned();
    let mut surveys = read(company.repository.role("previews").unwrap());
    surveys["signed"]["x-forewarn-role"] = role.clone().into();
    surveys["signed"]["targets"] = json!({});
    let surveys =
        metadata::next_targets(&role, &surveys.to_string(), &[(NAME.into(), TEXT.into())].into(), &[], company.now);
    let roles = [("targets".to_owned(), targets.to_string()), (role, surveys.unwrap())];
    let unsigned = roles.map(|(role, text)| {
        let mut metadata = read(&text);
        metadata["signatures"] = json!([]);
        (role, metadata.to_string())
    });
    let draft = Draft { roles: unsigned.into(), targets: [(NAME.into(), TEXT.into())].into(), ..Draft::default() };
    company.sign(draft, &["alice", "bob"])
}

async fn device(company: &Company, draft: &Draft) -> Result<Verified, Refusal> {
    company.verify(&company.force(draft)).await
}

#[tokio::test]
async fn promise_7_a_role_that_is_not_known_breaks_nothing_and_says_nothing() {
    let company = published();
    let before = company.in_force().await;
    let after = device(&company, &of_the_future(&company, |_| {})).await.unwrap();
    assert_eq!(after.documents, before.documents);
    assert_eq!((after.unknown.as_slice(), before.unknown.len()), ([NAME.to_owned()].as_slice(), 0));
    // Who signs it is not this version's business.
    let server = company.online(0, 1).timestamp.id().unwrap();
    let by_another = of_the_future(&company, |role| role["keyids"].as_array_mut().unwrap().push(server.clone().into()));
    assert!(device(&company, &by_another).await.is_ok());
}

#[tokio::test]
async fn promise_7_a_role_that_is_not_known_governs_its_own_folder_alone() {
    let company = published();
    for (field, value) in [
        ("paths", json!(["*"])),
        ("paths", json!(["policies/*"])),
        ("paths", json!(["surveys/*", "retractions/*"])),
        ("name", json!("timestamp")),
        ("name", json!("targets")),
        ("name", json!("policies")),
        ("name", json!("../policies")),
    ] {
        let result = device(&company, &of_the_future(&company, |role| role[field] = value.clone())).await;
        assert!(result.is_err(), "{field} = {value}: {result:?}");
    }
}

#[tokio::test]
async fn promise_7_a_file_that_no_role_lists_is_refused_beside_one_that_is_not_known() {
    let company = published();
    let good = company.force(&of_the_future(&company, |_| {}));
    for name in ["surveys/other.toml", "1.surveys.json", "9.surveys.json", "other/ban.toml", "1.other.json"] {
        let mut offered = good.clone();
        offered.files.insert(name.to_owned(), TEXT.to_owned());
        assert!(company.verify(&offered).await.is_err(), "{name}");
    }
    let mut other_text = good.clone();
    other_text.files.insert(NAME.to_owned(), "format = 8\n".to_owned());
    assert!(company.verify(&other_text).await.is_err(), "its digest is checked");
}
