//! All servers in turn: what a connection costs, what a push costs, and how long it takes.

use std::{thread::sleep, time::Duration};

use anyhow::{Result, ensure};

use super::{
    Size,
    child::{Process, memory, now, processor},
    keys::{Lab, Running, Who},
    median,
};

/// Pushes in each round.
const PUSHES: usize = 6;
/// How long a server is left alone before its memory is looked at.
const SETTLING: Duration = Duration::from_secs(2);

/// What one server cost in one round, or in the median of several.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) who: Who,
    /// Bytes of memory for a connection that is idle, and after the pushes.
    pub(crate) idle: f64,
    pub(crate) after: f64,
    /// Microseconds of processor time for a connection to come about.
    pub(crate) connect: f64,
    /// Milliseconds of processor time for a push to all.
    pub(crate) push: f64,
    /// Milliseconds until half, 99 of 100 and the last had it.
    pub(crate) arrived: [f64; 3],
    /// The fewest devices that got a push.
    pub(crate) delivered: f64,
}

pub(crate) fn run(lab: &Lab, size: Size) -> Result<Vec<Row>> {
    let devices = size.devices;
    anstream::println!(
        "\n{devices} devices, {} rounds of {PUSHES} pushes of 4 KiB; every line is a median",
        size.rounds
    );
    head();
    let mut rows = Vec::new();
    for round in 0..size.rounds {
        for who in Who::ALL {
            let row = one(lab, who, devices)?;
            print(&format!("{} ({})", who.name(), round + 1), &row, devices);
            rows.push(row);
        }
    }
    Ok(Who::ALL.into_iter().map(|who| middle(who, rows.iter().filter(|row| row.who == who))).collect())
}

fn one(lab: &Lab, who: Who, devices: usize) -> Result<Row> {
    let (mut server, mut load) = (lab.start(who)?, lab.load()?);
    let id = server.process.id();
    let (memory_before, processor_before) = (memory(id)?, processor(id)?);
    connect(&mut load, who, devices)?;
    let connect = (processor(id)? - processor_before) / devices as f64;
    sleep(SETTLING);
    let idle = (memory(id)? - memory_before) / devices as f64;
    let (mut pushes, mut arrivals, mut delivered) = (Vec::new(), Vec::new(), f64::INFINITY);
    for round in 1..=PUSHES as u64 {
        let (count, cost, arrived) = push(&mut server, &mut load, round)?;
        pushes.push(cost);
        arrivals.push(arrived);
        delivered = delivered.min(count);
    }
    let after = (memory(id)? - memory_before) / devices as f64;
    let arrived = [0, 1, 2].map(|which: usize| median(arrivals.iter().map(|arrived| arrived[which]).collect()));
    Ok(Row { who, idle, after, connect, push: median(pushes), arrived, delivered })
}

/// Connects so many more devices.
pub(crate) fn connect(load: &mut Process, who: Who, devices: usize) -> Result<()> {
    let protocol = format!("{:?}", who.protocol()).to_lowercase();
    let connected = load.ask(&format!("connect {protocol} {} {devices}", who.port()), "connected")?;
    ensure!(connected.get(1) == Some(&0.0), "{}: {connected:?} of {devices}, errors", who.name());
    Ok(())
}

/// One push: how many got it, its processor time in ms, and after how many ms half, 99 of 100 and the last had it.
pub(crate) fn push(server: &mut Running, load: &mut Process, round: u64) -> Result<(f64, f64, [f64; 3])> {
    let id = server.process.id();
    load.ask(&format!("round {round}"), "ready")?;
    let (before, begun) = (processor(id)?, now());
    server.push(round)?;
    let arrived = load.hear("arrived")?;
    let [count, middle, most, last] = arrived[..] else { anyhow::bail!("{arrived:?}") };
    sleep(Duration::from_millis(300));
    Ok((count, (processor(id)? - before) / 1000.0, [middle - begun, most - begun, last - begun]))
}

/// Memory with all connected after each of three waves, in which all come, hear a push, and go: the third to the first.
pub(crate) fn waves(lab: &Lab, devices: usize) -> Result<f64> {
    let (mut server, mut load) = (lab.start(Who::Ours)?, lab.load()?);
    let id = server.process.id();
    let mut waves = Vec::new();
    for round in 1..=3 {
        connect(&mut load, Who::Ours, devices)?;
        push(&mut server, &mut load, round)?;
        sleep(SETTLING);
        waves.push(memory(id)? / 1024.0 / 1024.0);
        load.ask("drop", "dropped")?;
        sleep(SETTLING);
    }
    let left = memory(id)? / 1024.0 / 1024.0;
    anstream::println!(
        "\nthree waves of {devices}: {:.1}, {:.1}, {:.1} MiB with all connected; {left:.1} when all are gone",
        waves[0],
        waves[1],
        waves[2]
    );
    Ok(waves[2] / waves[0])
}

fn middle<'a>(who: Who, rows: impl Iterator<Item = &'a Row>) -> Row {
    let rows: Vec<&Row> = rows.collect();
    let of = |figure: fn(&Row) -> f64| median(rows.iter().map(|row| figure(row)).collect());
    Row {
        who,
        idle: of(|row| row.idle),
        after: of(|row| row.after),
        connect: of(|row| row.connect),
        push: of(|row| row.push),
        arrived: [of(|row| row.arrived[0]), of(|row| row.arrived[1]), of(|row| row.arrived[2])],
        delivered: rows.iter().map(|row| row.delivered).fold(f64::INFINITY, f64::min),
    }
}

fn head() {
    anstream::println!(
        "{:<20}{:>11}{:>12}{:>12}{:>12}{:>9}{:>9}{:>9}{:>16}",
        "",
        "B/idle",
        "B/after",
        "us/connect",
        "ms cpu/push",
        "p50 ms",
        "p99 ms",
        "last ms",
        "delivered"
    );
}

fn print(name: &str, row: &Row, devices: usize) {
    let [middle, most, last] = row.arrived;
    anstream::println!(
        "{name:<20}{:>11.0}{:>12.0}{:>12.0}{:>12.0}{middle:>9.0}{most:>9.0}{last:>9.0}{:>16}",
        row.idle,
        row.after,
        row.connect,
        row.push,
        format!("{} of {devices}", row.delivered)
    );
}
