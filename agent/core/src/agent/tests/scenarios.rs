//! The stories of `tests/scenarios/*.txt`, played through the loop: what the engine decides is what people see.

use super::story::{files, tell};

/// A transcript in which what happens at the same moment has one order: here it is done side by side.
fn side_by_side(transcript: &str) -> Vec<String> {
    let lines: Vec<&str> = transcript.lines().collect();
    // `  Tue 1 Dec 2026 09:00 UTC  ann is shown ...`
    let moment =
        |line: &str| line.strip_prefix("  ").and_then(|line| line.split_once("  ")).map(|(at, _)| at.to_owned());
    let of_one_moment = lines.chunk_by(|one, next| moment(one).is_some() && moment(one) == moment(next));
    let sorted = of_one_moment.map(|lines| {
        let mut lines = lines.to_vec();
        lines.sort_unstable();
        lines
    });
    sorted.flatten().map(str::to_owned).collect()
}

#[test]
fn every_scenario_goes_through_the_loop_as_through_the_engine() {
    let mut wrong = Vec::new();
    for path in files() {
        let text = fs_err::read_to_string(&path).unwrap();
        let (told, expected) = (side_by_side(&tell(&text).0), side_by_side(&text));
        if told != expected {
            let first = told.iter().zip(&expected).position(|(now, then)| now != then).unwrap_or_default();
            wrong.push((path, told[first..].to_vec(), expected[first..].to_vec()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
