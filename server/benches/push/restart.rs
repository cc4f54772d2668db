//! The server goes and comes again while all devices are connected, and they come back by the agent's own rule.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread::sleep,
    time::Duration,
};

use anyhow::Result;

use super::{
    child::{now, processor},
    keys::{Lab, Who},
};

/// How often the server's processor time is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How they came back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Back {
    pub(crate) devices: f64,
    pub(crate) seconds: f64,
    pub(crate) errors: f64,
    /// The most in a second, and the mean.
    pub(crate) most: f64,
    pub(crate) mean: f64,
    /// Of the two processors, the part that the server used in the last half, from 0 to 1.
    pub(crate) busy: f64,
}

pub(crate) fn run(lab: &Lab, devices: usize) -> Result<Back> {
    anstream::println!("\n{devices} devices; the server is started anew");
    let (mut server, mut load) = (lab.start(Who::Ours)?, lab.load()?);
    load.ask(&format!("follow {} {devices}", Who::Ours.port()), "connected")?;
    load.tell("back")?;
    let gone = now();
    server.process.tell("stop")?;
    server.process.wait()?;
    let server = lab.start(Who::Ours)?;
    anstream::println!("  it was away for {:.1} s", (now() - gone) / 1000.0 - 1.0);
    let (id, done) = (server.process.id(), AtomicBool::new(false));
    let (heard, samples) = std::thread::scope(|scope| {
        let sampler = scope.spawn(|| {
            let mut samples = Vec::new();
            while !done.load(Ordering::Relaxed) {
                samples.push((now(), processor(id).unwrap_or_default()));
                sleep(LOOK_EVERY);
            }
            samples
        });
        let heard = load.hear("back");
        done.store(true, Ordering::Relaxed);
        (heard, sampler.join().unwrap_or_default())
    });
    let heard = heard?;
    Ok(judge(gone, heard.first().copied().unwrap_or(f64::NAN), heard.get(1..).unwrap_or_default(), &samples))
}

fn judge(gone: f64, errors: f64, times: &[f64], samples: &[(f64, f64)]) -> Back {
    let (first, last) = times.iter().fold((f64::INFINITY, gone), |(a, b), time| (a.min(*time), b.max(*time)));
    let mut seconds = vec![0_usize; ((last - gone) / 1000.0) as usize + 1];
    for time in times {
        seconds[((time - gone) / 1000.0) as usize] += 1;
    }
    anstream::println!("  back in each second: {seconds:?}");
    let half = f64::midpoint(first, last);
    let late: Vec<&(f64, f64)> = samples.iter().filter(|(at, _)| *at >= half && *at <= last).collect();
    let busy = match (late.first(), late.last()) {
        (Some((from, before)), Some((to, after))) if to > from => (after - before) / 1000.0 / (to - from) / 2.0,
        _ => f64::NAN,
    };
    Back {
        devices: times.len() as f64,
        seconds: (last - gone) / 1000.0,
        errors,
        most: seconds.iter().copied().max().unwrap_or_default() as f64,
        mean: times.len() as f64 / ((last - first) / 1000.0).max(0.001),
        busy,
    }
}
