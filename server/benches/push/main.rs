//! What it costs to keep a fleet connected and to reach all of it, beside a floor that does the least possible, mosquitto
//! and nats-server. Real TLS 1.3; ours and the floor ask for device certificates, the brokers for none. The servers take
//! turns, so that whatever else the machine does meets all of them; only ratios of one run mean something elsewhere.
#![expect(clippy::disallowed_methods, reason = "a benchmark starts programs and measures real time")]

mod child;
mod clients;
mod compare;
mod floor;
mod goals;
mod keys;
mod load;
mod restart;
mod retract;
mod scale;
mod server;
mod wire;

use anyhow::Result;
use clap::{Parser, Subcommand};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What `cargo xtask bench push` runs.
#[derive(Parser)]
struct Arguments {
    /// How many devices there are in the comparison.
    #[arg(long, default_value_t = 10_000)]
    devices: usize,
    /// A tenth of the devices, and one round.
    #[arg(long)]
    quick: bool,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    part: Option<Part>,
}

/// What this program starts itself as. Each reads commands on its standard input.
#[derive(Subcommand)]
enum Part {
    /// Our server, with its state in a folder.
    #[command(hide = true)]
    Server(server::Options),
    /// The least that a server can do.
    #[command(hide = true)]
    Floor(floor::Options),
    /// The devices.
    #[command(hide = true)]
    Load(load::Options),
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Devices in the comparison.
    pub(crate) devices: usize,
    /// Rounds in which all servers take turns.
    pub(crate) rounds: usize,
    /// Devices in the growing row, the last the most.
    pub(crate) steps: [usize; 5],
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let limit = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: limit, maximum: limit })?;
    match &arguments.part {
        Some(Part::Server(options)) => server::run(options),
        Some(Part::Floor(options)) => floor::run(options),
        Some(Part::Load(options)) => load::run(options),
        None => measure(arguments.size()),
    }
}

impl Arguments {
    fn size(&self) -> Size {
        let share = if self.quick { 10 } else { 1 };
        let steps = [1000, 2000, 5000, 10_000, 18_000].map(|devices| devices / share);
        Size { devices: self.devices / share, rounds: if self.quick { 1 } else { 2 }, steps }
    }
}

fn measure(size: Size) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let lab = keys::Lab::prepare(folder.path(), size.devices.max(size.steps[4]))?;
    let rows = compare::run(&lab, size)?;
    let waves = compare::waves(&lab, size.devices)?;
    let growth = scale::run(&lab, size)?;
    let back = restart::run(&lab, size.devices)?;
    let undone = retract::run(&lab, size.devices)?;
    goals::print(&rows, waves, &growth, &back, size);
    goals::print_undone(&undone, size);
    Ok(())
}

/// The middle one, or what is between the two in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
    f64::midpoint(at(values.len() / 2), at(values.len().saturating_sub(1) / 2))
}
