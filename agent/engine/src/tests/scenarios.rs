//! The stories of `tests/scenarios/*.txt`, played by the engine. `cargo xtask scenarios` records their transcripts anew.

use std::collections::BTreeSet;

use forewarn_proto::report::{Doubt, Hold, ProfileState, Receipt, Stage};

use super::story::{files, tell};

/// The stories that do not go as their transcripts say, each with the first line that differs. Records them anew where
/// `FOREWARN_RECORD` is set.
fn wrong() -> Vec<String> {
    let record = std::env::var_os("FOREWARN_RECORD").is_some();
    let mut wrong = Vec::new();
    for path in files() {
        let text = fs_err::read_to_string(&path).unwrap();
        let (told, _) = tell(&text);
        if record && told != text {
            fs_err::write(&path, &told).unwrap();
        } else if told != text {
            let first = told.lines().zip(text.lines()).find(|(now, then)| now != then);
            wrong.push(format!("{}: {first:?}", path.display()));
        }
    }
    wrong
}

#[test]
fn every_scenario_goes_as_its_transcript_says() {
    let wrong = wrong();
    assert!(wrong.is_empty(), "see `cargo xtask scenarios` and `git diff`: {wrong:#?}");
    assert!(files().len() >= 30, "there are only {} scenarios", files().len());
}

#[test]
fn every_reason_has_words_and_is_reached_by_a_scenario() {
    let texts = files().into_iter().map(|path| fs_err::read_to_string(path).unwrap());
    let reached: BTreeSet<String> = texts.flat_map(|text| tell(&text).1).collect();
    let source = forewarn_proto::inventory::Source::Desktop;
    let doubts = [Doubt::NoSource, Doubt::NotListed(source), Doubt::Partial(source)];
    let receipts = [Receipt::Queued, Receipt::NotShown, Receipt::Shown, Receipt::Acknowledged];
    let states = [ProfileState::Leaving, ProfileState::Waiting, ProfileState::Vault, ProfileState::Returning];
    let kinds = "first reminder update again, last-call revoked waiting restored correction";
    assert!(Hold::ALL.iter().all(|hold| !hold.text().is_empty()) && Stage::ALL.iter().all(|s| !s.text().is_empty()));
    assert!(doubts.iter().all(|doubt| !doubt.text().is_empty()));
    let wanted = Hold::ALL.iter().map(|hold| format!("{hold:?}"));
    let wanted = wanted.chain(Stage::ALL.iter().map(|stage| format!("{stage:?}")));
    let wanted = wanted.chain(doubts.iter().map(|doubt| format!("{doubt:?}")));
    let wanted = wanted.chain(receipts.iter().map(|receipt| format!("{receipt:?}")));
    let wanted = wanted.chain(states.iter().map(|state| format!("{state:?}")));
    let wanted = wanted.chain(kinds.split(' ').map(str::to_owned));
    let missing: Vec<String> = wanted.filter(|reason| !reached.contains(reason)).collect();
    assert!(missing.is_empty(), "no scenario reaches {missing:?}");
}
