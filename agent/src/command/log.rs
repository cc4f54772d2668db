use anyhow::Result;
use clap::Args;
use forewarn_core::words::Localizer;
use forewarn_host::local_zone;
use forewarn_proto::ipc::{Entry, Question};
use forewarn_terminal::{say, say_json};

use crate::{config::Config, ipc::ask};

/// Options of `log`.
#[derive(Args)]
pub(crate) struct Options {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(config: &Config, options: &Options) -> Result<()> {
    let entries: Vec<Entry> = ask(config, &Question::Log).await?;
    if options.json {
        say_json(&entries)?;
        return Ok(());
    }
    let (localizer, zone) = (Localizer::new(&config.languages), local_zone());
    if entries.is_empty() {
        say!("{}", localizer.say("log-nothing"));
    }
    for Entry { at, about, event } in &entries {
        say!("{}  {about}: {}", localizer.moment(*at, &zone), localizer.event(event, &zone));
    }
    Ok(())
}
