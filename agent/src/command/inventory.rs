//! `inventory`: what the agent sees, for the person who asks. It is listed anew, by this command itself, in the way in which
//! the daemon lists; nothing of it goes anywhere.

mod cyclonedx;

use std::io::Write as _;

use anstyle::{AnsiColor, Style};
use anyhow::{Context, Result};
use clap::Args;
use forewarn_proto::{
    catalogue,
    inventory::{Listing, Package, Scope, Source, Wanted},
    policy::Pattern,
};
use serde::Serialize;

use crate::{config::Config, scan::Scanner};

const BOLD: Style = Style::new().bold();
const WARN: Style = AnsiColor::Yellow.on_default();

/// Options of `inventory`.
#[derive(Args)]
pub(crate) struct Options {
    /// Only one source, such as `dpkg` or `flatpak`.
    #[arg(long, value_parser = source)]
    source: Option<Source>,
    /// Only packages that are, or may be, this app of the catalogue: `tiktok`.
    #[arg(long, conflicts_with = "count")]
    app: Option<String>,
    /// Print JSON.
    #[arg(long, conflicts_with = "cyclonedx")]
    json: bool,
    /// Print a software bill of materials in CycloneDX 1.5, as JSON.
    #[arg(long)]
    cyclonedx: bool,
    /// Only count.
    #[arg(long, conflicts_with_all = ["json", "cyclonedx"])]
    count: bool,
}

fn source(name: &str) -> Result<Source, String> {
    let known = || Source::ALL.map(Source::name).join(", ");
    Source::ALL.into_iter().find(|s| s.name() == name).ok_or_else(|| format!("`{name}` is none of {}", known()))
}

fn patterns_of(app: &str) -> Result<Vec<Pattern>> {
    let app = catalogue::find(app).with_context(|| format!("no app of the catalogue is called `{app}`"))?;
    Ok(app.patterns())
}

pub(crate) async fn run(config: &Config, options: &Options) -> Result<()> {
    let patterns = options.app.as_deref().map(patterns_of).transpose()?;
    let wanted = match &patterns {
        Some(patterns) => Wanted::by(patterns.iter().map(|pattern| &pattern.purl)),
        None if options.count => Wanted::nothing(),
        None => Wanted::All,
    };
    let mut listings = Scanner::new(config.places.clone()).list(options.source, wanted).await;
    if let Some(patterns) = &patterns {
        let is_app = |package: &Package| patterns.iter().any(|pattern| pattern.names(&package.purl));
        listings.iter_mut().for_each(|listing| listing.packages.retain(is_app));
    }
    match options {
        Options { json: true, .. } => print_json(&Inventory { stays_on_this_device: true, listings: &listings }),
        Options { cyclonedx: true, .. } => print_json(&cyclonedx::Document::of(&listings)),
        Options { .. } => print_table(&listings),
    }
}

/// The answer as JSON.
#[derive(Serialize)]
struct Inventory<'l> {
    stays_on_this_device: bool,
    listings: &'l [Listing],
}

fn print_json(value: &impl Serialize) -> Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    Ok(())
}

/// Sources that have nothing and hide nothing are left out.
fn print_table(listings: &[Listing]) -> Result<()> {
    let mut out = anstream::stdout().lock();
    for listing in listings.iter().filter(|listing| listing.count > 0 || !listing.is_complete()) {
        let (source, count) = (listing.source.name(), listing.count);
        let state = if listing.is_complete() { "complete" } else { "partial" };
        writeln!(out, "{BOLD}{source}{BOLD:#} {}: {count} packages, {state}", whose(listing.scope))?;
        for Package { purl, display_name, .. } in &listing.packages {
            match display_name {
                Some(name) => writeln!(out, "  {purl}  {name}")?,
                None => writeln!(out, "  {purl}")?,
            }
        }
        for gap in &listing.gaps {
            let offset = gap.offset.map(|offset| format!(" at byte {offset}")).unwrap_or_default();
            writeln!(out, "  {WARN}not read{WARN:#} {}{offset}: {}", gap.path, gap.reason)?;
        }
    }
    writeln!(
        out,
        "This list stays on this device. What the company gets is in `forewarn status --json`, under `report`."
    )?;
    Ok(())
}

fn whose(scope: Scope) -> &'static str {
    match scope {
        Scope::System => "(for everyone)",
        Scope::Person(_) => "(yours)",
    }
}
