mod page;

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use clap::Args;
use forewarn_clock::local_zone;
use forewarn_proto::ipc::{Question, Status};
use jiff::tz::TimeZone;

use super::facts;
use crate::{
    config::Config,
    ipc::ask,
    words::{Tongue, device_facts, obligation_in_short},
};

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
    let (tongue, zone) = (Tongue::new(&config.languages), local_zone());
    if options.json {
        anstream::println!("{}", serde_json::to_string_pretty(&status)?);
        return Ok(());
    }
    match &options.page {
        Some(file) => page::write(file, &page::draw(&tongue, &status, &zone)),
        None if options.open => page::open(&page::draw(&tongue, &status, &zone)),
        None => {
            print(&tongue, &status, &zone);
            Ok(())
        }
    }
}

fn print(tongue: &Tongue, status: &Status, zone: &TimeZone) {
    if status.obligations.is_empty() {
        anstream::println!("{GOOD}{}{GOOD:#}", tongue.say("nothing-asked"));
    }
    for obligation in &status.obligations {
        let stage = tongue.stage(obligation.stage);
        anstream::println!("{BOLD}{}{BOLD:#}: {} ({stage})", obligation.app, tongue.title(obligation));
        facts::print(&obligation_in_short(tongue, obligation, status.now, zone), "  ");
    }
    for domain in &status.revoked {
        let text = tongue.fill("in-vault", [("domain", domain.to_string().into())]);
        anstream::println!("{WARN}{text}{WARN:#}");
    }
    facts::print(&device_facts(tongue, status, zone), "");
}
