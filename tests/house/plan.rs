//! ARCHITECTURE.md, and the sizes of files.

use std::collections::BTreeSet;

use super::{is_of_tests, product, root, sources};

/// The most lines of a file that are built into the product.
const MOST_LINES: usize = 500;

/// The folders in which a path of ARCHITECTURE.md may begin.
const ROOMS: [&str; 14] = [
    "",
    "agent/",
    "agent/src/",
    "agent/core/src/",
    "agent/engine/src/",
    "agent/engine/src/tests/",
    "agent/mail/src/",
    "agent/mail/tests/",
    "agent/inventory/src/",
    "server/src/",
    "admin/src/",
    "trust/src/",
    "proto/src/",
    "tests/e2e/",
];

/// Files that programs make, and that so are in no folder here.
const MADE: [&str; 1] = ["people.json"];

/// What stands between backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

fn is_path(quoted: &str) -> bool {
    let ends = [".rs", ".toml", ".sh", ".md", ".txt", ".ftl", ".json", "/"].iter().any(|end| quoted.ends_with(end));
    ends && !quoted.starts_with('/') && !quoted.contains(' ')
}

#[test]
fn every_place_that_the_plan_names_is_there() {
    let plan = fs_err::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let named: Vec<&str> =
        quoted(&plan).into_iter().filter(|quoted| is_path(quoted) && !MADE.contains(quoted)).collect();
    assert!(named.len() > 60, "{named:?}");
    let exists = |path: &str| {
        let path = path.split("/*").next().unwrap_or(path);
        ROOMS.iter().any(|room| root().join(room).join(path).exists())
    };
    let missing: Vec<_> = named.into_iter().filter(|path| !exists(path)).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names what is not there: {missing:?}");
}

/// `promise_4_*` and `whoever_is_shut_in…` stand for every test that begins so.
#[test]
fn every_invariant_names_a_test_that_is_there() {
    let plan = fs_err::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, invariants) = plan.split_once("## Invariants").unwrap();
    let (invariants, _) = invariants.split_once("\n## ").unwrap();
    let all = sources();
    let lines = || all.iter().flat_map(|(_, text)| text.lines());
    let functions: BTreeSet<&str> = lines().filter_map(function).chain(lines().filter_map(row)).collect();
    let named: Vec<&str> = quoted(invariants).into_iter().filter(|name| is_test(name)).collect();
    assert!(named.len() > 60, "{named:?}");
    let is_there = |name: &str| {
        let begins = name.trim_end_matches(['…', '*']);
        functions.iter().any(|function| if begins == name { *function == name } else { function.starts_with(begins) })
    };
    let missing: Vec<_> = named.into_iter().filter(|name| !is_there(name)).collect();
    assert!(missing.is_empty(), "these tests are named, and are not there: {missing:?}");
    let unheld: Vec<&str> = points(invariants).into_iter().filter(|point| !is_held(point)).collect();
    assert!(unheld.is_empty(), "nothing holds these invariants: {unheld:#?}");
}

/// The function that a line begins.
fn function(line: &str) -> Option<&str> {
    line.trim_start().trim_start_matches("async ").strip_prefix("fn ")?.split(['(', '<']).next()
}

/// The test that a row of a table names, where tests start themselves.
fn row(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("(\"")?.split('"').next()
}

fn is_test(name: &str) -> bool {
    name.contains('_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_…*".contains(c))
        && name.matches('_').count() >= 2
}

/// The list's points.
fn points(invariants: &str) -> Vec<&str> {
    let begins = |line: &str| {
        let line = line.trim_start();
        line.starts_with("- ") || line.split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok())
    };
    invariants.lines().filter(|line| begins(line)).collect()
}

/// By a test, by a file of tests, or by a lint.
fn is_held(point: &str) -> bool {
    quoted(point).iter().any(|quoted| is_test(quoted) || (is_path(quoted) && quoted.ends_with(".rs")))
        || point.contains("lints")
}

#[test]
fn no_file_is_longer_than_a_reader_can_keep_in_mind() {
    let long = |(place, text): &(String, String)| !is_of_tests(place) && product(text).lines().count() > MOST_LINES;
    let long: Vec<String> = sources().into_iter().filter(long).map(|(place, _)| place).collect();
    assert!(long.is_empty(), "{long:?} have more than {MOST_LINES} lines");
}
