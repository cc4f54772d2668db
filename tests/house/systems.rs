//! One system's code stands where that system's code belongs.

use std::collections::BTreeSet;

use super::{is_of_tests, product, sources};

/// Where it is said for which system something is: the folders whose files are named after systems.
const PLACES: [&str; 1] = ["agent/inventory/src/folder/mod.rs"];

/// What says so, in an attribute.
const SAYS: [&str; 5] = ["cfg(target_os", "cfg(not(target_os", "cfg(unix)", "cfg(not(unix)", "cfg(windows)"];

/// A simulated fleet has people of its own.
const MAKE_PEOPLE: [&str; 3] = ["host/src/person.rs", "proto/src/person.rs", "admin/src/simulate/apps.rs"];

#[test]
fn a_person_is_made_by_host_alone() {
    let makes = |(place, text): &&(String, String)| !is_of_tests(place) && made_up(text).contains("from_bits");
    let makers: BTreeSet<String> = sources().iter().filter(makes).map(|(place, _)| place.clone()).collect();
    assert_eq!(makers, MAKE_PEOPLE.map(str::to_owned).into());
}

/// What of a file makes people, if anything does: other types too are made from bits.
fn made_up(text: &str) -> &str {
    if product(text).contains("Person") { product(text) } else { "" }
}

#[test]
fn nothing_else_asks_which_system_it_is_built_for() {
    let says = |text: &str| SAYS.iter().any(|word| product(text).contains(&format!("#[{word}")));
    let all = sources();
    let saying: Vec<&str> = all.iter().filter(|(_, text)| says(text)).map(|(place, _)| place.as_str()).collect();
    let elsewhere: Vec<_> = saying.iter().filter(|place| !PLACES.contains(place)).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    assert_eq!(saying.len(), PLACES.len(), "it is found where it is");
}
