//! The story on real parts: server, admins and device are the release binaries, the packages are this machine's, the
//! mail profiles are what Thunderbird and isync use. Only the clocks are moved, so that hours pass in seconds.

mod chapters;
mod program;
mod timeline;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::mpsc,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use forewarn_host::Shift;
use forewarn_tests::{Binaries, Company, Device};

pub(crate) use program::hold_lock;

use crate::cargo;
use timeline::Timeline;

/// Options of `demo`.
#[derive(Args)]
pub(crate) struct Options {
    /// End when the story is told, with exit code 1 if any step was not as told.
    #[arg(long)]
    once: bool,
}

/// Everything that the story is played with.
struct Stage {
    company: Company,
    device: Device,
    timeline: Timeline,
    /// The mail profile's files as they were before anything was taken.
    mail: BTreeMap<PathBuf, String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    cargo(&["build", "--release", "--quiet", "-p", "forewarn", "-p", "forewarn-admin", "-p", "forewarn-server"])?;
    let scratch = tempfile::Builder::new().prefix("forewarn-demo-").tempdir()?;
    let mut stage = set(scratch.path())?;
    let told = chapters::tell(&mut stage);
    if let Err(error) = &told {
        stage.timeline.failed(&format!("{error:#}"));
    }
    let as_told = stage.timeline.finish();
    if !options.once {
        explore(&stage)?;
    }
    if as_told { Ok(()) } else { bail!("the story did not go as told") }
}

fn set(scratch: &Path) -> Result<Stage> {
    let folder = std::env::current_exe()?;
    let target = folder.ancestors().nth(2).context("xtask has no target folder")?;
    let binaries = Binaries::in_folder(&target.join("release"))?;
    let timeline = Timeline::begin(scratch);
    let mut company = Company::prepare(binaries.clone(), scratch)?;
    company.start_server()?;
    let place = scratch.join("device");
    fs_err::create_dir(&place)?;
    let device = Device::prepare(&binaries, &place, &Shift::default(), "notices = \"terminal\"")?;
    Ok(Stage { company, device, timeline, mail: BTreeMap::new() })
}

/// Leaves everything running until Ctrl-C.
fn explore(stage: &Stage) -> Result<()> {
    let (sender, receiver) = mpsc::channel();
    ctrlc::set_handler(move || sender.send(()).unwrap_or_default())?;
    let folder = stage.company.folder.display();
    anstream::println!("\nEverything still runs. In another terminal, for example:");
    anstream::println!("  target/release/forewarn --config {folder}/device/agent.toml status");
    anstream::println!(
        "  target/release/forewarn-admin --home {folder}/alice --passphrase-file {folder}/passphrase status"
    );
    anstream::println!("  tail -f {folder}/device/terminal");
    anstream::println!("Ctrl-C ends it and removes the scratch folder.");
    receiver.recv()?;
    Ok(())
}
