//! One system's code stands where that system's code belongs.

use super::{product, sources};

/// Where it is said for which system something is: the folders whose files are named after systems.
const PLACES: [&str; 1] = ["agent/inventory/src/folder/mod.rs"];

/// What says so, in an attribute.
const SAYS: [&str; 5] = ["cfg(target_os", "cfg(not(target_os", "cfg(unix)", "cfg(not(unix)", "cfg(windows)"];

#[test]
fn nothing_else_asks_which_system_it_is_built_for() {
    let says = |text: &str| SAYS.iter().any(|word| product(text).contains(&format!("#[{word}")));
    let all = sources();
    let saying: Vec<&str> = all.iter().filter(|(_, text)| says(text)).map(|(place, _)| place.as_str()).collect();
    let elsewhere: Vec<_> = saying.iter().filter(|place| !PLACES.contains(place)).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    assert_eq!(saying.len(), PLACES.len(), "it is found where it is");
}
