//! `inventory`: what the agent sees, for the person who asks. It is listed anew, by this command itself, in the way in which
//! the daemon lists; nothing of it goes anywhere.

mod cyclonedx;

use anstyle::{AnsiColor, Style};
use anyhow::{Context, Result};
use clap::Args;
use forewarn_engine::{Listing, Package, Wanted};
use forewarn_host::user;
use forewarn_proto::{
    catalogue,
    foreign::line,
    inventory::{Scope, Source},
    policy::Pattern,
};
use forewarn_terminal::{say_json, say_lines};
use serde::Serialize;

use crate::{
    config::Config,
    people::{self, People},
    scan::Scanner,
};

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
    let people = of_whom(config)?;
    let mut listings = Scanner::new(&config.root, people.clone()).list(options.source, wanted).await;
    if let Some(patterns) = &patterns {
        let is_app = |package: &Package| patterns.iter().any(|pattern| pattern.names(&package.purl));
        listings.iter_mut().for_each(|listing| listing.packages.retain(is_app));
    }
    let is_whole = options.source.is_none() && patterns.is_none();
    match options {
        Options { json: true, .. } => say_json(&Inventory { stays_on_this_device: true, listings: &listings })?,
        Options { cyclonedx: true, .. } => say_json(&cyclonedx::Document::of(&listings, is_whole))?,
        Options { .. } => say_lines(lines(&listings, patterns.as_deref(), &people)),
    }
    Ok(())
}

/// Whose packages to look at: with `--person`, that person's and no other's.
fn of_whom(config: &Config) -> Result<People> {
    Ok(match config.user {
        Some(_) => People::unmet(vec![people::asked_about(config)?]),
        None => People::unmet(people::at_hand(config)),
    })
}

/// The answer as JSON.
#[derive(Serialize)]
struct Inventory<'l> {
    stays_on_this_device: bool,
    listings: &'l [Listing],
}

/// Sources that have nothing and hide nothing are left out.
pub(super) fn lines(listings: &[Listing], patterns: Option<&[Pattern]>, people: &People) -> Vec<String> {
    let mut lines = Vec::new();
    for listing in listings.iter().filter(|listing| listing.count > 0 || !listing.is_complete()) {
        let (source, whose) = (listing.source.name(), whose(listing.scope, people));
        let found = patterns.map(|_| format!("{} of ", listing.packages.len())).unwrap_or_default();
        let state = if listing.is_complete() { "complete" } else { "partial" };
        lines.push(format!("{BOLD}{source}{BOLD:#} {whose}: {found}{} packages, {state}", listing.count));
        for package in &listing.packages {
            lines.push(format!("  {}{}", line(package.purl.as_str()), remarks(package, patterns)));
        }
        for gap in &listing.gaps {
            let offset = gap.offset.map(|offset| format!(" at byte {offset}")).unwrap_or_default();
            let (path, reason) = (line(&gap.path), line(&gap.reason));
            lines.push(format!("  {WARN}not read{WARN:#} {path}{offset}: {reason}"));
        }
    }
    lines.push(
        "This list stays on this device. What the company gets is in `forewarn status --json`, under `report`."
            .to_owned(),
    );
    lines
}

/// What stands behind a package: what people call it, its state, and whether it is certainly the app that was asked for.
fn remarks(package: &Package, patterns: Option<&[Pattern]>) -> String {
    let Package { purl, display_name, state, .. } = package;
    let mut remarks = display_name.as_ref().map(|name| format!("  {}", line(name))).unwrap_or_default();
    if let Some(state) = state {
        remarks += &format!("  [{}]", line(state));
    }
    let mut naming = patterns.into_iter().flatten().filter(|pattern| pattern.names(purl)).peekable();
    if naming.peek().is_some() && !naming.any(Pattern::is_certain) {
        remarks += "  (may be it; a match warns and takes nothing)";
    }
    remarks
}

fn whose(scope: Scope, people: &People) -> String {
    let Scope::Person(person) = scope else { return "(for everyone)".to_owned() };
    let me = user::current();
    match people.account(person).filter(|account| account.user != me) {
        Some(account) => format!("(in {})", line(&account.home.to_string_lossy())),
        None => "(yours)".to_owned(),
    }
}
