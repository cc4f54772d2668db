//! One of our processes with ever more devices: what each costs must not grow.

use std::{thread::sleep, time::Duration};

use anyhow::Result;

use super::{
    Size,
    child::memory,
    compare::{connect, push},
    keys::{Lab, Who},
    median,
};

/// With so many devices.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) devices: usize,
    /// Bytes for each that came since the step before. What the first ones cost includes what is there once.
    pub(crate) further: f64,
    /// Microseconds of processor time for each, of a push to all.
    pub(crate) push: f64,
    /// How many got it.
    pub(crate) delivered: f64,
}

pub(crate) fn run(lab: &Lab, size: Size) -> Result<Vec<Step>> {
    anstream::println!(
        "\nforewarn-server alone\n{:>10}{:>14}{:>18}{:>18}{:>12}",
        "devices",
        "B/device",
        "B/further one",
        "us cpu/device",
        "got it"
    );
    let (mut server, mut load) = (lab.start(Who::Ours)?, lab.load()?);
    let (id, mut steps, mut round) = (server.process.id(), Vec::<Step>::new(), 0);
    let before = memory(id)?;
    let mut last = before;
    for devices in size.steps {
        connect(&mut load, Who::Ours, devices - steps.last().map_or(0, |step| step.devices))?;
        sleep(Duration::from_secs(2));
        let (now, since) = (memory(id)?, steps.last().map_or(0, |step| step.devices));
        let (each, further) = ((now - before) / devices as f64, (now - last) / (devices - since) as f64);
        last = now;
        let (mut costs, mut delivered) = (Vec::new(), f64::INFINITY);
        for _ in 0..5 {
            round += 1;
            let (count, cost, _) = push(&mut server, &mut load, round)?;
            costs.push(cost * 1000.0 / devices as f64);
            delivered = delivered.min(count);
        }
        let step = Step { devices, further, push: median(costs), delivered };
        anstream::println!("{devices:>10}{each:>14.0}{further:>18.0}{:>18.1}{delivered:>12}", step.push);
        steps.push(step);
    }
    Ok(steps)
}
