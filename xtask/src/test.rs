use std::process::Command;

use anyhow::{Result, bail};

use crate::{cargo, packages, workspace};

/// The version of schemathesis with which the server's interface is tested. Another one makes other requests.
const SCHEMATHESIS: &str = "4.32.5";

/// Everything that has to hold before a change lands.
pub(crate) fn run() -> Result<()> {
    packages::install(&packages::FOR_TESTS)?;
    install_schemathesis()?;
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])?;
    cargo(&["build", "--workspace"])?;
    cargo(&["test", "--workspace"])
}

/// Makes a Python environment in target/schemathesis, unless it is there.
fn install_schemathesis() -> Result<()> {
    let folder = workspace()?.join("target/schemathesis");
    let version = Command::new(folder.join("bin/schemathesis")).arg("--version").output();
    if version.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).trim().ends_with(SCHEMATHESIS)) {
        return Ok(());
    }
    anstream::println!("\nschemathesis {SCHEMATHESIS} goes into {}", folder.display());
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&folder);
    let mut fill = Command::new(folder.join("bin/pip"));
    fill.args(["install", "--quiet", "--disable-pip-version-check", &format!("schemathesis=={SCHEMATHESIS}")]);
    for mut step in [make, fill] {
        if !step.status()?.success() {
            bail!("{step:?} failed; is there a network, and python3-venv?");
        }
    }
    Ok(())
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
