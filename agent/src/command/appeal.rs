use anyhow::{Result, bail};
use clap::Args;
use forewarn_core::words::Localizer;
use forewarn_proto::{
    api::MAX_APPEAL_CHARS,
    ipc::{Appealed, Question},
};
use forewarn_terminal::say;

use crate::{config::Config, ipc::ask};

/// Options of `appeal`.
#[derive(Args)]
pub(crate) struct Options {
    /// The app, in any case: TikTok.
    app: String,
    /// Why, in your own words. The admins read this, with your device's name.
    #[arg(value_parser = reason)]
    reason: String,
}

fn reason(text: &str) -> Result<String, String> {
    let length = text.chars().count();
    if length > MAX_APPEAL_CHARS {
        return Err(format!("it has {length} characters; at most {MAX_APPEAL_CHARS} are sent"));
    }
    Ok(text.to_owned())
}

pub(crate) async fn run(config: &Config, options: &Options) -> Result<()> {
    let Options { app, reason } = options;
    let question = Question::Appeal { app: app.clone(), reason: reason.clone() };
    if let Appealed { problem: Some(problem) } = ask(config, &question).await? {
        bail!("{}", problem.line());
    }
    say!("{}", Localizer::new(&config.languages).say("appealed"));
    Ok(())
}
