use anstyle::Style;
use anyhow::{Result, bail};
use clap::Args;
use forewarn_core::words::{Localizer, obligation_facts};
use forewarn_host::local_zone;
use forewarn_proto::{
    foreign::line,
    ipc::{ObligationStatus, Question, Status},
};
use forewarn_terminal::{say, say_lines};

use super::facts;
use crate::{config::Config, ipc::ask};

const BOLD: Style = Style::new().bold();

/// Options of `why`.
#[derive(Args)]
pub(crate) struct Options {
    /// The app, in any case: TikTok.
    app: String,
}

pub(crate) async fn run(config: &Config, options: &Options) -> Result<()> {
    let status: Status = ask(config, &Question::Status).await?;
    let (localizer, zone) = (Localizer::new(&config.languages), local_zone());
    let about = |obligation: &&ObligationStatus| obligation.app.eq_ignore_ascii_case(&options.app);
    let obligations: Vec<_> = status.obligations.iter().filter(about).collect();
    if obligations.is_empty() {
        let rule = status.rules.iter().find(|rule| rule.app.eq_ignore_ascii_case(&options.app));
        let Some(rule) = rule else { bail!("no policy here speaks of `{}`; see `forewarn status`", options.app) };
        say!("{}", localizer.nothing_now(rule, &zone));
    }
    for obligation in obligations {
        say!("{BOLD}{}{BOLD:#}: {}", line(&obligation.app), localizer.title(obligation));
        say_lines(facts::lines(&obligation_facts(&localizer, obligation, status.now, &zone), "  "));
    }
    Ok(())
}
