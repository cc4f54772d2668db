//! Fuzzing: libFuzzer feeds a target with what it makes of seeds, and looks where that leads in our code.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{packages, workspace};

/// What cargo-fuzz passes to the compiler: count each edge, and show comparisons to the fuzzer.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Coverflow-checks -Ccodegen-units=1";
/// Seconds that one input may take, and MiB that the process may use.
const LIMITS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=1024"];
/// Longer inputs, in bytes, find nothing that shorter ones don't, and slow all down.
const MAX_LENGTH: &str = "-max_len=16384";

#[derive(Args)]
pub(crate) struct Options {
    /// What to fuzz: a folder's name in tests/fuzz/seeds. All of them, one after another, if none is named.
    target: Option<String>,
    /// How long to fuzz each.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let targets = targets(options.target.as_deref())?;
    packages::install(&packages::FOR_FUZZING)?;
    let home = workspace()?.join("target/fuzz");
    let program = build(&home)?;
    for target in &targets {
        fuzz(&program, &home, target, options.seconds)?;
    }
    Ok(())
}

/// The named target, or all.
fn targets(named: Option<&str>) -> Result<Vec<String>> {
    let folder = workspace()?.join("tests/fuzz/seeds");
    let mut all = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        all.push(entry?.file_name().to_string_lossy().into_owned());
    }
    all.sort_unstable();
    match named {
        None => Ok(all),
        Some(name) if all.iter().any(|target| target == name) => Ok(vec![name.to_owned()]),
        Some(name) => bail!("there is no target `{name}`; there are {}", all.join(", ")),
    }
}

fn build(home: &Path) -> Result<std::path::PathBuf> {
    let host = host()?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--package", "forewarn-fuzz", "--features", "libfuzzer", "--target", &host]);
    // Its own folder: these flags would make cargo build everything else anew.
    cargo.arg("--target-dir").arg(home.join("build")).env("RUSTFLAGS", COVERAGE).current_dir(workspace()?);
    if !cargo.status()?.success() {
        bail!("the fuzz targets can't be built");
    }
    Ok(home.join("build").join(host).join("release/forewarn-fuzz"))
}

/// The compiler's own target: with one given, build scripts are built without coverage.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("rustc can't be run")?;
    let text = String::from_utf8(output.stdout)?;
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned).context("rustc names no host")
}

fn fuzz(program: &Path, home: &Path, target: &str, seconds: u64) -> Result<()> {
    anstream::println!("{target}, for {seconds} s");
    let (corpus, crashes) = (home.join("corpus").join(target), home.join("crashes").join(target));
    let log = home.join(format!("{target}.log"));
    fs_err::create_dir_all(&corpus)?;
    fs_err::create_dir_all(&crashes)?;
    // In memory where that is possible: each input is a file.
    let memory = Path::new("/dev/shm");
    let scratch = if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? };
    let mut fuzzer = Command::new(program);
    fuzzer.arg(&corpus).arg(workspace()?.join("tests/fuzz/seeds").join(target));
    fuzzer.arg(format!("-max_total_time={seconds}")).arg(format!("-artifact_prefix={}/", crashes.display()));
    fuzzer.args(LIMITS).args([MAX_LENGTH, "-print_final_stats=1", "-verbosity=0"]);
    fuzzer.env("FOREWARN_FUZZ_TARGET", target).env("FOREWARN_FUZZ_FOLDER", scratch.path());
    let status = fuzzer.stderr(fs_err::File::create(&log)?.into_parts().0).status()?;
    let said = String::from_utf8_lossy(&fs_err::read(&log)?).into_owned();
    if !status.success() {
        anstream::println!("{said}");
        bail!(
            "{target}: the input that broke it is in {}; once it is mended, keep it in tests/fuzz/seeds/{target}",
            crashes.display()
        );
    }
    let figures = said.lines().filter_map(|line| line.strip_prefix("stat::"));
    anstream::println!(
        "  {}",
        figures.map(|f| f.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", ")
    );
    Ok(())
}
