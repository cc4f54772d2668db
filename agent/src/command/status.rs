pub(super) mod page;

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use clap::Args;
use forewarn_core::words::{Localizer, device_facts, obligation_in_short};
use forewarn_host::local_zone;
use forewarn_proto::{
    foreign::line,
    ipc::{Question, Status},
};
use forewarn_terminal::{say_json, say_lines};
use jiff::tz::TimeZone;

use super::facts;
use crate::{config::Config, ipc::ask};

const BOLD: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const WARN: Style = AnsiColor::Yellow.on_default();

/// Options of `status`.
#[derive(Args)]
pub(crate) struct Options {
    /// Print the answer as JSON, the last report included.
    #[arg(long)]
    json: bool,
    /// Open it as a page, with a timeline, in your browser.
    #[arg(long, conflicts_with = "json")]
    open: bool,
    /// Write that page to a file instead.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "open"])]
    page: Option<std::path::PathBuf>,
}

pub(crate) async fn run(config: &Config, options: &Options) -> Result<()> {
    let status: Status = ask(config, &Question::Status).await?;
    let zone = local_zone();
    if options.json {
        say_json(&status)?;
        return Ok(());
    }
    let page = || page::draw(&Localizer::for_screens(&config.languages), &status, &zone);
    match &options.page {
        Some(file) => page::write(file, &page()),
        None if options.open => page::open(&page()),
        None => {
            say_lines(lines(&Localizer::new(&config.languages), &status, &zone));
            Ok(())
        }
    }
}

/// What stands on the terminal.
pub(super) fn lines(localizer: &Localizer, status: &Status, zone: &TimeZone) -> Vec<String> {
    let mut lines = Vec::new();
    if status.obligations.is_empty() {
        lines.push(format!("{GOOD}{}{GOOD:#}", localizer.say("nothing-asked")));
    }
    for obligation in &status.obligations {
        let (app, title) = (line(&obligation.app), localizer.title(obligation));
        lines.push(format!("{BOLD}{app}{BOLD:#}: {title} ({})", localizer.stage(obligation.stage)));
        lines.extend(facts::lines(&obligation_in_short(localizer, obligation, status.now, zone), "  "));
    }
    for domain in &status.revoked {
        let text = localizer.fill("in-vault", [("domain", domain.to_string().into())]);
        lines.push(format!("{WARN}{text}{WARN:#}"));
    }
    lines.extend(facts::lines(&device_facts(localizer, status, zone), ""));
    lines
}
