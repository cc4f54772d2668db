//! How many reports a server takes in a second, each answered once it is on the disk, beside the same route without a
//! database. Devices with certificates over TLS 1.3, keep-alive, so many in flight. The stores take turns, so that whatever
//! else the machine does meets all of them; only ratios of one run mean something elsewhere.
#![expect(clippy::disallowed_methods, reason = "a benchmark starts programs and measures real time")]

#[expect(dead_code, reason = "the other benchmark uses more of it")]
#[path = "../push/child.rs"]
mod child;
mod devices;
mod load;
mod server;

use anyhow::{Context, Result};
use child::Process;
use clap::{Parser, Subcommand};

/// The parts of this program.
#[derive(Parser)]
struct Arguments {
    /// How many devices report at once.
    #[arg(long, default_value_t = 64)]
    devices: usize,
    /// Rounds in which all stores take turns.
    #[arg(long, default_value_t = 4)]
    rounds: usize,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    part: Option<Part>,
}

/// What this program starts itself as.
#[derive(Subcommand)]
enum Part {
    /// A server.
    #[command(hide = true)]
    Server(server::Options),
    /// The devices.
    #[command(hide = true)]
    Load(load::Options),
}

/// What is compared.
#[derive(Debug, Clone)]
struct Row {
    name: &'static str,
    /// Where its state is, and its store if that is not SQLite; none for the route without a database.
    store: Option<String>,
    bare: bool,
    rates: Vec<f64>,
    /// Microseconds of the server's processor time for each report.
    costs: Vec<f64>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match &arguments.part {
        Some(Part::Server(options)) => server::run(options),
        Some(Part::Load(options)) => load::run(options),
        None => measure(&arguments),
    }
}

fn measure(arguments: &Arguments) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let database = forewarn_tests::Postgres::start(&folder.path().join("postgres"))?;
    let row = |name, bare, store| Row { name, store, bare, rates: Vec::new(), costs: Vec::new() };
    let mut rows =
        [row("no database", true, None), row("SQLite", false, None), row("PostgreSQL", false, Some(database.url()))];
    for row in &rows {
        let place = folder.path().join(row.name);
        fs_err::create_dir(&place)?;
        devices::enroll(&place, row.store.as_deref(), arguments.devices)?;
    }
    for round in 1..=arguments.rounds {
        for row in &mut rows {
            let place = folder.path().join(row.name).display().to_string();
            let mut server = start(&place, row)?;
            let mut load = Process::part(&["load", &place])?;
            let before = child::processor(server.id())?;
            let [reports, seconds] = load.ask("go", "done")?[..] else { anyhow::bail!("no figures") };
            let cost = (child::processor(server.id())? - before) / reports;
            anstream::println!(
                "round {round}: {:<12} {:>8.0} reports/s, {cost:>5.0} us each",
                row.name,
                reports / seconds
            );
            row.rates.push(reports / seconds);
            row.costs.push(cost);
            server.tell("stop")?;
        }
    }
    print(&rows)
}

fn start(place: &str, row: &Row) -> Result<Process> {
    let mut arguments = vec!["server", place];
    if row.bare {
        arguments.push("--bare");
    }
    if let Some(store) = &row.store {
        arguments.extend(["--store", store]);
    }
    let mut server = Process::part(&arguments)?;
    server.hear("listening")?;
    Ok(server)
}

fn print(rows: &[Row]) -> Result<()> {
    anstream::println!("\nBy the medians of all rounds, to the same route without a database:");
    let bare = rows.first().context("there is a row")?;
    let middle = |values: &[f64]| {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    };
    for row in rows.iter().skip(1) {
        let rate = middle(&row.rates) / middle(&bare.rates);
        let met = if rate >= 0.25 { "met" } else { "NOT MET" };
        anstream::println!(
            "  {:<12} {rate:.2} of its reports (at least 0.25: {met}), {:.2} times its processor time",
            row.name,
            middle(&row.costs) / middle(&bare.costs),
        );
    }
    Ok(())
}
