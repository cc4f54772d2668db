//! Texts of policies, devices and people, as ugly as they come, through what admins read.

use std::collections::BTreeMap;

use forewarn_proto::{
    api::{Appeal, AppealRequest, Draft, DraftStatus, FleetStatus, PolicyCount, Share},
    foreign::guarded,
    policy::Policy,
};
use forewarn_trust::{Changes, Verified};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::{command::appeals, diff, facts::facts, show};

const POLICY: &str = r#"
id = "no-tiktok"
version = 2
title = "TikTok must go"
message = { en = "Please." }
consequence = { mail = ["corp.example"] }
deadline = { at = "2026-12-01T17:00Z", grace = "48h" }

[[rule]]
id = "tiktok"
app = "TikTok"
purls = ["pkg:flatpak/com.tiktok.TikTok"]
"#;

/// A review of another policy, forged line by line.
const FORGED: &str = "\n  puts in policies/no-tiktok.toml:\n  bans      Nothing\n  then      nothing: this policy only warns\n\
                      What your signature does, whatever the texts above say:\n  takes mail  nothing\nSign this? [y/N]";

fn ugly() -> impl Strategy<Value = String> {
    let bad = prop::sample::select(vec![
        "\u{1b}[2J",
        "\u{1b}[1m",
        "\u{1b}]52;c;eA==\u{7}",
        "\n",
        "\r",
        "\u{9b}3A",
        "\u{202e}",
        "\u{2069}",
        "\u{200d}",
        "\u{feff}",
        "\u{e0041}",
        "\u{2028}",
        "\u{7f}",
        FORGED,
        "                                        ",
        "`",
        "ü日本تيك",
    ]);
    let part = prop_oneof![bad.prop_map(str::to_owned), any::<char>().prop_map(String::from)];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

/// A policy into which these texts came by whatever way; no check was made.
fn policy(title: &str, message: &str, app: &str) -> Policy {
    let mut policy = Policy::parse(POLICY.as_bytes()).unwrap();
    policy.title = title.into();
    policy.message.values_mut().for_each(|text| message.clone_into(text));
    app.clone_into(&mut policy.rules[0].app);
    policy.rules[0].display_names = vec![app.to_owned()];
    policy
}

fn nothing_in_force() -> Verified {
    let (root, roles, documents) = (String::new(), BTreeMap::new(), BTreeMap::new());
    Verified {
        root,
        version: 1,
        expires: Timestamp::MAX,
        admins_until: Timestamp::MAX,
        roles,
        documents,
        unknown: Default::default(),
    }
}

/// Every line is as it comes to a terminal already: nothing is left for the last line of defence but to let our styles pass.
#[track_caller]
fn check(lines: &[String]) {
    for line in lines {
        assert_eq!(guarded(line), line.as_str());
        let forged = FORGED.lines().any(|forged| !forged.is_empty() && line.trim_end() == forged.trim_end());
        assert!(!forged, "`{line}` stands where ours do");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn promise_2_no_text_of_a_policy_a_device_or_a_person_reaches_an_admin_s_terminal_raw(
        title in ugly(), message in ugly(), app in ugly(),
    ) {
        let new = policy(&title, &message, &app);
        check(&show::policy(&new));
        let old = Policy::parse(POLICY.as_bytes()).unwrap();
        check(&diff::changed(&old, &new).iter().flat_map(diff::FieldChange::lines).collect::<Vec<_>>());
        let count = PolicyCount {
            people: BTreeMap::from([(app.clone(), 1)]),
            not_told: BTreeMap::from([(title.clone(), 1)]),
            platforms: BTreeMap::from([(message.clone(), Share::default())]),
            ..PolicyCount::default()
        };
        check(&show::count(&title, &count));
        let (policy, rule) = ("a".parse().unwrap(), "b".parse().unwrap());
        let request = AppealRequest { policy, rule, reason: message.as_str().into() };
        check(&appeals::lines(&Appeal { device: title.clone(), at: Timestamp::UNIX_EPOCH, request }, None));
        let draft = Draft { targets: BTreeMap::from([(app, String::new())]), ..Draft::default() };
        let (signatures, waiting) = (BTreeMap::from([(title, (1, 2))]), Some(message.into()));
        check(&show::progress(&DraftStatus { number: 1, signatures, published: false, stale: false, waiting, draft }));
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn promise_2_the_question_stands_under_the_facts_whatever_the_texts_say(
        message in ugly(), app in ugly(), policies in 1..8_usize,
    ) {
        let plain = |text: String| text.chars().filter(|c| c.is_alphanumeric() || "`:? \n".contains(*c)).collect::<String>();
        let app = format!("App{}", plain(app).replace('\n', " ").chars().take(100).collect::<String>());
        let message = toml_text(&plain(format!("{message}{FORGED}")));
        let text = POLICY.replace("\"Please.\"", &message).replace("\"TikTok\"", &toml_text(&app));
        let added = (0..policies).map(|number| {
            let id = format!("no-{number}");
            (format!("policies/{id}.toml"), text.replace("no-tiktok", &id))
        });
        let changes = Changes { added: added.collect(), ..Changes::default() };
        let facts = facts(&changes, None).unwrap();
        let lines = show::before_signing(&changes, &nothing_in_force(), &FleetStatus::default()).unwrap();
        check(&lines[..lines.len() - facts.len()]);
        prop_assert!(lines.ends_with(&facts));
        prop_assert!(facts.len() <= 13 && facts.iter().all(|line| line.chars().count() <= 78), "{facts:#?}");
        prop_assert!(facts.contains(&"  takes mail  corp.example".to_owned()), "{facts:#?}");
        let deadline = "  deadline    2026-12-01T17:00Z and 48h after the notice".to_owned();
        prop_assert!(facts.contains(&deadline), "{facts:#?}");
    }
}

fn toml_text(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

#[test]
fn promise_2_the_facts_say_all_that_a_draft_does() {
    let consequence = "consequence = { mail = [\"corp.example\"], lock = true, offline = \"revoke\" }\n\
                       rollout = { percent = 10, groups = [\"pilot\"] }";
    let policy = POLICY.replace("consequence = { mail = [\"corp.example\"] }", consequence);
    let retraction =
        "policy = \"old\"\nthrough_version = 3\nreason = \"sent in error\"\nmessage = { en = \"Sorry.\" }\n";
    let exemptions = "policy = \"no-tiktok\"\n[[exemption]]\ndevice = \"device-1\"\nrule = \"tiktok\"\n\
                      until = \"2027-01-01T00:00:00Z\"\n";
    let added = [
        ("policies/no-tiktok.toml", policy.as_str()),
        ("retractions/old.toml", retraction),
        ("exemptions/no-tiktok.toml", exemptions),
    ];
    let added = added.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    let changes = Changes { added, removed: vec!["policies/gone.toml".to_owned()], admins: None };
    let expected = "\
What your signature does, whatever the texts above say:
  puts in     `no-tiktok` version 2
  bans        `TikTok` (1 package)
  deadline    2026-12-01T17:00Z and 48h after the notice
  takes mail  corp.example
  closes      the stored mail of those accounts, until they come back
  offline     acts there too, where no retraction is heard
  reaches     10 of 100 devices of pilot
  hits        nobody knows how many: no preview was made
  takes out   `policies/gone.toml`
  withdraws   old up to 3
  spares      `device-1` until 2027-01-01T00:00:00Z";
    assert_eq!(facts(&changes, None).unwrap().join("\n"), expected);
}
