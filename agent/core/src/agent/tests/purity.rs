//! The agent names no system: neither in what it is built from, nor in its text.

use std::path::{Path, PathBuf};

/// What a system's interface is asked through, and the crates of this house that do so.
const SYSTEMS: [&str; 13] = [
    "rustix",
    "libc",
    "nix",
    "zbus",
    "landlock",
    "notify",
    "windows",
    "winreg",
    "jni",
    "close_fds",
    "forewarn-host",
    "forewarn-inventory",
    "forewarn-mail",
];

/// What no line of it has. Errors of files name their paths through `fs_err`.
const FORBIDDEN: [&str; 9] =
    ["std::os", "std::process", "std::fs", "std::env", "target_os", "cfg(unix)", "\"/proc", "\"/run", "\"/etc"];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let of = |path: PathBuf| if path.is_dir() { sources(&path) } else { vec![path] };
    entries.filter(|path| !path.ends_with("tests") && !path.ends_with("tests.rs")).flat_map(of).collect()
}

#[test]
fn nothing_that_it_is_built_from_is_one_system_s_own() {
    let manifest = fs_err::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    let named = |name: &str| manifest.lines().any(|line| line.split(['.', ' ', '=']).next() == Some(name));
    let systems: Vec<_> = SYSTEMS.into_iter().filter(|name| named(name)).collect();
    assert!(systems.is_empty(), "{systems:?} stand in its Cargo.toml");
    assert!(named("tokio") && named("forewarn-engine"), "the manifest was read");
}

#[test]
fn no_line_of_it_names_a_system() {
    let files = sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
    assert!(files.len() > 25, "{files:?}");
    for path in files {
        let text = fs_err::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let found: Vec<_> = FORBIDDEN.iter().filter(|word| text.contains(**word)).collect();
        assert!(found.is_empty(), "{} names {found:?}", path.display());
    }
}
