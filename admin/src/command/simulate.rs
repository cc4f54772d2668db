//! `simulate`: what a policy would do, and when.

use std::{io::Read, path::PathBuf, sync::Mutex};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use forewarn_host::Clock;
use forewarn_proto::policy::{At, Length, Policy};
use forewarn_terminal::{say, say_json, say_lines, warn};
use jiff::{SignedDuration, Timestamp, ZonedDateTime, tz::TimeZone};

use super::policy::File;
use crate::simulate::{self, Figures, Fleet, MAX_FLEET_BYTES, Period, SPANS, Zone, chart, sentences, spans, svg};

/// After so long an admin is told that it goes on, and then again.
const PATIENCE: SignedDuration = SignedDuration::from_secs(2);

/// Options of `simulate`.
#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    file: File,
    /// The fleet, in JSON; `-` reads it from standard input. `forewarn-admin fleet synthetic` makes one.
    #[arg(long, value_name = "FLEET.json")]
    fleet: PathBuf,
    /// When the policy is sent, with a zone: 2026-12-01T09:00[Europe/Berlin] or 2026-12-01T08:00Z.
    #[arg(long, value_parser = start)]
    from: Start,
    /// How far to look ahead, such as 14d or 36h.
    #[arg(long = "for", default_value = "14d", value_parser = |text: &str| text.parse::<Length>())]
    length: Length,
    /// The zone whose clocks are shown [default: that of --from, else of the policy's deadline, else UTC].
    #[arg(long, value_parser = |text: &str| text.parse::<Zone>())]
    zone: Option<Zone>,
    /// Draw it into this file, too.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
    /// The chart's width, in columns (40 to 400).
    #[arg(long, default_value_t = 80)]
    width: usize,
    /// Another seed lets other people comply.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// An instant, and the zone in which it was written, if it was.
#[derive(Debug, Clone)]
struct Start {
    instant: Timestamp,
    zone: Option<TimeZone>,
}

fn start(text: &str) -> Result<Start, String> {
    if let Ok(zoned) = text.parse::<ZonedDateTime>() {
        return Ok(Start { instant: zoned.timestamp(), zone: Some(zoned.time_zone().clone()) });
    }
    let instant = text.parse().map_err(|error| format!("{error}; write 2026-12-01T09:00[Europe/Berlin]"))?;
    Ok(Start { instant, zone: None })
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let from = options.from.instant;
    let (policy, _) = options.file.read(from)?;
    let fleet = read_fleet(&options.fleet)?;
    let until = from.checked_add(options.length.0).context("--for: it ends after the end of time")?;
    let period = Period { from, until };
    let progress = Progress::begin(fleet.size());
    let simulation = simulate::run(&policy, &fleet, period, options.seed, &|done| progress.tell(done));
    let simulation = simulation.map_err(|problem| anyhow!("{}: {problem}", options.fleet.display()))?;
    let zone = options.shown_zone(&policy);
    let figures = |spans| Figures::of(&policy, &fleet, period, &simulation, spans);
    if let Some(file) = &options.svg {
        fs_err::write(file, svg(&figures(SPANS), &zone))?;
    }
    let figures = figures(spans(options.width));
    if options.json {
        say_json(&figures)?;
        return Ok(());
    }
    say_lines(sentences(&figures, &zone));
    say!();
    say_lines(chart(&figures, &zone).lines().map(str::to_owned));
    say!("This was a simulation. Nothing was sent to anybody.");
    Ok(())
}

impl Options {
    fn shown_zone(&self, policy: &Policy) -> TimeZone {
        let given = self.zone.as_ref().map(|zone| zone.zone.clone());
        let written = || match policy.deadline.at.as_ref()? {
            At::Instant { written, .. } => Some(written.parse::<ZonedDateTime>().ok()?.time_zone().clone()),
            At::Floating(_) => None,
        };
        given.or_else(|| self.from.zone.clone()).or_else(written).unwrap_or(TimeZone::UTC)
    }
}

/// Reads no more than a fleet may have.
fn read_fleet(path: &std::path::Path) -> Result<Fleet> {
    let reader: Box<dyn Read> =
        if path.as_os_str() == "-" { Box::new(std::io::stdin()) } else { Box::new(fs_err::File::open(path)?) };
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_FLEET_BYTES)?.saturating_add(1);
    reader.take(limit).read_to_end(&mut bytes).with_context(|| path.display().to_string())?;
    Fleet::parse(&bytes).map_err(|problem| anyhow!("{}: {problem}", path.display()))
}

/// Says on standard error how far a long simulation has come.
struct Progress {
    devices: u64,
    clock: Clock,
    told: Mutex<SignedDuration>,
}

impl Progress {
    fn begin(devices: u64) -> Self {
        let clock = Clock::Real;
        let told = Mutex::new(clock.read().boot);
        Self { devices, clock, told }
    }

    fn tell(&self, done: u64) {
        let now = self.clock.read().boot;
        // Whoever else is telling tells enough.
        let Ok(mut told) = self.told.try_lock() else { return };
        if now - *told >= PATIENCE {
            *told = now;
            warn!("{done} of {} devices are simulated", self.devices);
        }
    }
}
