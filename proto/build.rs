//! Gathers the catalogue's files into one list.

#![expect(clippy::expect_used, reason = "a build that can't go on stops")]

use std::{env, fmt::Write as _, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=catalogue");
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("catalogue");
    let names = fs_err::read_dir(&folder).expect("the catalogue is there").map(|entry| entry.expect("a file").path());
    let mut paths: Vec<_> = names.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    paths.sort();
    let mut list = String::from("&[\n");
    for path in paths {
        let id = path.file_stem().and_then(|stem| stem.to_str()).expect("an id in ASCII");
        writeln!(list, "({id:?}, include_str!({path:?})),").expect("text grows");
    }
    list.push(']');
    let target = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("catalogue.rs");
    fs_err::write(target, list).expect("the target folder can be written");
}
