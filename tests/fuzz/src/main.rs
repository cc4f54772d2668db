//! One target under libFuzzer; which one, and where its scratch folder is, stand in the environment.
#![no_main]

use std::{panic, path::PathBuf, sync::LazyLock};

use forewarn_fuzz::Target;
use libfuzzer_sys::fuzz_target;

/// What the reader of AppImages uses. It catches their panics, and makes them a gap.
const CAUGHT: [&str; 2] = ["/backhand-", "/deku-"];

static TARGET: LazyLock<(Target, PathBuf)> = LazyLock::new(|| {
    let name = std::env::var("FOREWARN_FUZZ_TARGET").expect("FOREWARN_FUZZ_TARGET names no target");
    let folder = std::env::var_os("FOREWARN_FUZZ_FOLDER").expect("FOREWARN_FUZZ_FOLDER is not set");
    (Target::named(&name).expect("there is such a target"), folder.into())
});

fuzz_target!(
    init: {
        let abort = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let is_caught = |file: &str| CAUGHT.iter().any(|name| file.contains(name));
            if !panic.location().is_some_and(|location| is_caught(location.file())) {
                abort(panic);
            }
        }));
    },
    |input: &[u8]| {
        let (target, folder) = &*TARGET;
        target.read(input, folder);
    }
);
