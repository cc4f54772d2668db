//! `fleet synthetic` and `fleet export`: a fleet to simulate with.

use anyhow::{Result, anyhow, ensure};
use clap::{Args, Subcommand};
use forewarn_proto::{catalogue, policy::PolicyId};
use forewarn_terminal::{say_json, warn};

use crate::{
    home::Home,
    server::Server,
    simulate::{App, Days, Fleet, Leave, Recipe, Share, Zone, export, synthesize},
};

/// Which fleet.
#[derive(Subcommand)]
pub(crate) enum Kind {
    /// A fleet that nobody has, of so many devices: the same for the same options.
    Synthetic(Options),
    /// The company's own fleet, as far as its devices' answers to a preview tell. It names no device and no app.
    Export(Exported),
}

/// Options of `fleet export`.
#[derive(Args)]
pub(crate) struct Exported {
    /// The policy that was previewed; of one that has no preview any more, what devices say of it in force.
    #[arg(value_name = "POLICY")]
    policy: PolicyId,
    /// The zone in which the people are; no device tells it: Europe/Berlin.
    #[arg(long, value_name = "ZONE")]
    zone: Zone,
}

/// Options of `fleet synthetic`.
#[derive(Args)]
pub(crate) struct Options {
    /// How many devices (at most 200000).
    #[arg(long, default_value_t = 1000)]
    devices: u32,
    /// An app, by its id in the catalogue or its purl, and on how many devices it is: tiktok=8%. May be repeated.
    #[arg(long = "share", value_name = "APP=SHARE", value_parser = app)]
    shares: Vec<(App, Share)>,
    /// A zone and how many devices are in it: Europe/Berlin=60%. May be repeated; the rest is in the first.
    #[arg(long = "zone", value_name = "ZONE=SHARE", value_parser = zone)]
    zones: Vec<(Zone, Share)>,
    /// Days and how many people are on leave then: 2026-12-21/2026-12-31=30%. May be repeated.
    #[arg(long = "away", value_name = "FROM/TO=SHARE", value_parser = leave)]
    leave: Vec<Leave>,
    /// How many devices are off whenever nobody is there.
    #[arg(long, value_name = "SHARE", default_value = "30%", value_parser = share)]
    off_at_night: Share,
    /// How many of the people who are told remove the app.
    #[arg(long, value_name = "SHARE", default_value = "0%", value_parser = share)]
    complies: Share,
    /// Another seed makes another fleet.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) async fn run(home: &Home, kind: &Kind) -> Result<()> {
    let fleet = match kind {
        Kind::Synthetic(options) => synthetic(options)?,
        Kind::Export(options) => {
            let answers = Server::looking(home)?.fleet(&options.policy).await?;
            ensure!(
                !answers.alike.is_empty(),
                "no device has said anything of {} yet; preview it first",
                options.policy
            );
            let (fleet, notes) = export(&answers, &options.zone);
            notes.iter().for_each(|note| warn!("{note}"));
            fleet
        }
    };
    say_json(&fleet)?;
    Ok(())
}

fn synthetic(options: &Options) -> Result<Fleet> {
    let recipe = Recipe {
        devices: options.devices,
        apps: options.shares.clone(),
        zones: options.zones.clone(),
        leave: options.leave.clone(),
        off_at_night: options.off_at_night,
        complies: options.complies,
        seed: options.seed,
    };
    synthesize(&recipe).map_err(|problem| anyhow!("{problem}"))
}

fn share(text: &str) -> Result<Share, String> {
    text.parse()
}

/// The part before the last `=`, and the share behind it.
fn shared<'t>(text: &'t str, example: &str) -> Result<(&'t str, Share), String> {
    let (what, share) = text.rsplit_once('=').ok_or_else(|| format!("`{text}` has no share; write {example}"))?;
    Ok((what, share.parse()?))
}

fn app(text: &str) -> Result<(App, Share), String> {
    let (name, share) = shared(text, "tiktok=8%")?;
    if name.starts_with("pkg:") {
        return Ok((App::Package(name.parse().map_err(|e| format!("{e}"))?), share));
    }
    match catalogue::find(name) {
        Some(app) => Ok((App::Named(app.id), share)),
        None => Err(format!("no app of the catalogue is called `{name}`; look with `forewarn-admin app search`")),
    }
}

fn zone(text: &str) -> Result<(Zone, Share), String> {
    let (name, share) = shared(text, "Europe/Berlin=60%")?;
    Ok((name.parse()?, share))
}

fn leave(text: &str) -> Result<Leave, String> {
    let example = "2026-12-21/2026-12-31=30%";
    let (days, share) = shared(text, example)?;
    let days =
        days.split_once('/').and_then(|(from, to)| Some(Days { from: from.parse().ok()?, to: to.parse().ok()? }));
    let days = days.filter(|days| days.from <= days.to);
    Ok(Leave { days: days.ok_or_else(|| format!("`{text}` has no first and last day; write {example}"))?, share })
}
