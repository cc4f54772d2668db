//! The house is what it says of itself: ARCHITECTURE.md names places that exist and tests that are there, files keep their size,
//! and one system's code stands where that system's code belongs.
#![expect(clippy::unwrap_used, reason = "tests")]

mod plan;
mod systems;

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Every Rust file of the house, as a path from its root, with its text.
fn sources() -> Vec<(String, String)> {
    let root = root();
    let mut all = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".rs") {
                let place = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                all.push((place, fs_err::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(all.len() > 300, "only {} files were found", all.len());
    all
}

/// Whether a file is there for tests alone.
fn is_of_tests(place: &str) -> bool {
    let parts: Vec<&str> = place.split('/').collect();
    let in_folder = parts.iter().any(|part| ["tests", "benches", "fuzz", "xtask"].contains(part));
    in_folder || parts.last().is_some_and(|name| *name == "tests.rs" || name.ends_with("_tests.rs"))
}

/// What of a file is built into the product.
fn product(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}
