use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use clap::Args;

use crate::{cargo, packages, workspace};

/// What the tests need of Python's packages, in versions that Debian 12's Python can run: schemathesis asks the server what
/// nobody should, the others are an identity provider and a mail server for it.
const PYTHON_PACKAGES: [&str; 4] =
    ["schemathesis==4.32.5", "oidc-provider-mock==0.3.4", "authlib==1.9.10", "aiosmtpd==1.4.6"];

/// The room, in MiB, that a disk has to have: at first, for what is built (3,100) and installed (1,100) and what the tests
/// write; then for what changes.
const ROOM: [u64; 2] = [5_000, 1_000];

/// Options of `test`.
#[derive(Args)]
pub(crate) struct Options {
    /// Also what is too long for every change: more tries of what happens by chance, minutes of attacks.
    #[arg(long)]
    long: bool,
}

/// One of the steps, with its name.
type Step = (&'static str, fn(bool) -> Result<()>);

/// Everything that has to hold before a change lands.
const STEPS: [Step; 6] = [
    ("install what the tests need", |_| {
        packages::install(&packages::FOR_TESTS).and_then(|()| install_python_packages())
    }),
    ("check the formatting", |_| cargo(&["fmt", "--all", "--check"])),
    ("check the lints", |_| cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])),
    // What is shipped has to build without what the tests bring in.
    ("check what is shipped", |_| cargo(&["check", "--quiet"])),
    // With the tests, so that both are made of the same parts, each built once.
    ("build", |_| cargo(&["build", "--workspace", "--bins", "--tests"])),
    ("test", run_tests),
];

/// Does every step, and says at the end how long each took.
pub(crate) fn run(options: &Options) -> Result<()> {
    check_room()?;
    let mut took = Vec::new();
    for (name, step) in STEPS {
        let begun = Instant::now();
        let done = step(options.long);
        took.push((name, begun.elapsed()));
        if done.is_err() {
            print_times(&took);
            return done;
        }
    }
    print_times(&took);
    Ok(())
}

fn print_times(took: &[(&str, Duration)]) {
    anstream::println!("\nMinutes a step:");
    took.iter().for_each(|(name, length)| anstream::println!("{:>6.1}  {name}", length.as_secs_f32() / 60.0));
}

fn run_tests(long: bool) -> Result<()> {
    let mut test = Command::new(env!("CARGO"));
    test.args(["test", "--workspace", "--no-fail-fast"]).current_dir(workspace()?);
    if long {
        test.env(forewarn_tests::LONG, "1");
    }
    anstream::println!("\n$ cargo test --workspace{}", if long { ", at length" } else { "" });
    if !test.status()?.success() {
        bail!("a test failed");
    }
    Ok(())
}

/// Without room, a linker is killed after a quarter of an hour, and does not say why.
fn check_room() -> Result<()> {
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or(workspace()?.join("target"), PathBuf::from);
    let needed = ROOM[usize::from(folder.join("debug/forewarn-server").exists())];
    let disk = rustix::fs::statvfs(&folder)?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize) >> 20;
    if free < needed {
        bail!("the tests need {needed} MiB of the disk that holds {}; {free} MiB are free", folder.display());
    }
    Ok(())
}

/// Makes a Python environment in target/python, unless it is there.
fn install_python_packages() -> Result<()> {
    let folder = workspace()?.join("target/python");
    let (list, wanted) = (folder.join("forewarn.txt"), PYTHON_PACKAGES.join("\n"));
    if fs_err::read_to_string(&list).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    anstream::println!("\n{} go into {}", PYTHON_PACKAGES.join(", "), folder.display());
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&folder);
    let mut fill = Command::new(folder.join("bin/pip"));
    fill.args(["install", "--quiet", "--disable-pip-version-check"]).args(PYTHON_PACKAGES);
    for mut step in [make, fill] {
        if !step.status()?.success() {
            bail!("{step:?} failed; is there a network, and python3-venv?");
        }
    }
    Ok(fs_err::write(list, wanted)?)
}

/// Writes the transcripts of the engine's stories as they go now.
pub(crate) fn record_scenarios() -> Result<()> {
    let mut record = Command::new(env!("CARGO"));
    record.args(["test", "-p", "forewarn-engine", "every_scenario"]).env("FOREWARN_RECORD", "1");
    let status = record.current_dir(workspace()?).status()?;
    if !status.success() {
        bail!("a story could not be played");
    }
    Ok(())
}

/// Checks what we depend on.
pub(crate) fn deny() -> Result<()> {
    install_tool("cargo-deny")?;
    cargo(&["deny", "check", "bans", "licenses", "sources"])
}

/// Changes the engine in every small way, and runs its tests on each. What is left out, and why, is in
/// `.cargo/mutants.toml`.
pub(crate) fn mutants() -> Result<()> {
    install_tool("cargo-mutants")?;
    // The random and the exhaustive tests are long; a mutant that they notice, they notice early.
    let mut mutants = Command::new(env!("CARGO"));
    mutants.args(["mutants", "--package", "forewarn-engine", "--jobs", "2", "--output", "target"]);
    let status = mutants.env("FOREWARN_QUICK", "1").current_dir(workspace()?).status()?;
    if !status.success() {
        bail!("a mutant survived, and .cargo/mutants.toml does not say why; see target/mutants.out/missed.txt");
    }
    Ok(())
}

fn install_tool(name: &str) -> Result<()> {
    if Command::new(name).arg("--version").output().is_err() {
        cargo(&["install", "--locked", name])?;
    }
    Ok(())
}
