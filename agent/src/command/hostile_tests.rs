//! Texts of policies, packages and servers, as ugly as they come, through what a person, or root, reads on a terminal.

use forewarn_core::words::Localizer;
use forewarn_engine::{Gap, Listing};
use forewarn_proto::{
    foreign::guarded,
    inventory::{Scope, Source},
    ipc::Status,
};
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::{inventory, status};
use crate::people::People;

fn ugly() -> impl Strategy<Value = String> {
    let bad = prop::sample::select(vec![
        "\u{1b}[2J",
        "\u{1b}]0;x\u{7}",
        "\n",
        "\r",
        "\u{9b}3A",
        "\u{202e}",
        "\u{2069}",
        "\u{200d}",
        "\u{feff}",
        "\u{e0041}",
        "\n(yours): 0 packages, complete\n",
        "ü日本تيك",
    ]);
    let part = prop_oneof![bad.prop_map(str::to_owned), any::<char>().prop_map(String::from)];
    prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

/// Every line is as it comes to a terminal already: nothing is left for the last line of defence but to let our styles pass.
#[track_caller]
fn check(lines: &[String]) {
    lines.iter().for_each(|line| assert_eq!(guarded(line), line.as_str()));
}

/// A desktop entry's package, as the daemon lists it.
fn listing(name: &str, path: &str) -> Listing {
    let package =
        serde_json::json!({ "purl": "pkg:desktop/clock", "display_name": name, "found_in": path, "state": name });
    let gap = Gap { path: path.to_owned(), offset: None, reason: name.to_owned() };
    Listing {
        source: Source::Desktop,
        scope: Scope::System,
        count: 1,
        packages: vec![serde_json::from_value(package).unwrap()],
        gaps: vec![gap],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn promise_7_no_desktop_entry_reaches_root_s_terminal_raw(name in ugly(), path in ugly()) {
        let people = People::of([]);
        check(&inventory::lines(&[listing(&name, &path)], None, &people));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn promise_7_no_policy_and_no_server_reaches_a_person_s_terminal_raw(text in ugly(), other in ugly()) {
        let mut status: Status = serde_json::from_str(include_str!("status/page_status.json")).unwrap();
        status.server = text.as_str().into();
        status.mail_notes = vec![other.as_str().into()];
        status.sources[0].gaps = vec![text.as_str().into()];
        let obligation = &mut status.obligations[0];
        obligation.title = text.as_str().into();
        obligation.app.clone_from(&other);
        obligation.matched[0].found_in.clone_from(&text);
        obligation.signed_by = vec![other.clone(), text.clone()];
        for language in ["en", "ar"] {
            let localizer = Localizer::new(&[language.parse().unwrap()]);
            check(&status::lines(&localizer, &status, &TimeZone::UTC));
            let facts = forewarn_core::words::obligation_facts(&localizer, &status.obligations[0], status.now, &TimeZone::UTC);
            check(&super::facts::lines(&facts, "  "));
        }
    }
}

/// On a screen the same texts steer nothing but themselves.
#[test]
fn promise_7_on_a_page_a_title_steers_nothing_but_itself() {
    let mut status: Status = serde_json::from_str(include_str!("status/page_status.json")).unwrap();
    status.obligations[0].title = "\u{202e}kotkiT\u{2069} تيك\u{200d}".into();
    let page = status::page::draw(&Localizer::for_screens(&[]), &status, &TimeZone::UTC);
    assert!(page.contains("<h2><bdi>kotkiT تيك\u{200d}</bdi></h2>") && !page.contains('\u{202e}'), "{page}");
}
