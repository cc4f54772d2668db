use anyhow::Result;
use clap::Args;
use forewarn_core::words::Localizer;
use forewarn_host::local_zone;
use forewarn_proto::{
    ipc::{Question, Status},
    policy::Length,
};
use forewarn_terminal::say;

use crate::{config::Config, ipc::ask};

/// Options of `snooze`.
#[derive(Args)]
pub(crate) struct Options {
    /// The app; all apps when left out.
    app: Option<String>,
    /// How much later: 30m, 4h, at most 24h.
    #[arg(long = "for", value_name = "LENGTH", default_value = "4h")]
    length: Length,
}

pub(crate) async fn run(config: &Config, options: &Options) -> Result<()> {
    let status: Status = ask(config, &Question::Snooze { app: options.app.clone(), length: options.length }).await?;
    let (localizer, zone) = (Localizer::new(&config.languages), local_zone());
    let snoozed = status.obligations.iter().filter_map(|o| Some((&o.app, o.snoozed_until?)));
    for (app, until) in snoozed.clone() {
        let until = localizer.fill("snoozed", [("moment", localizer.moment(until, &zone).into())]);
        say!("{app}: {until}");
    }
    if snoozed.count() == 0 {
        say!("Nothing was put off: no notice was shown to you about that.");
    }
    say!("This moves no deadline.");
    Ok(())
}
