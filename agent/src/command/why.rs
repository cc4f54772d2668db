use anstyle::Style;
use anyhow::{Result, bail};
use clap::Args;
use forewarn_clock::local_zone;
use forewarn_proto::ipc::{ObligationStatus, Question, Status};

use super::facts;
use crate::{
    config::Config,
    ipc::ask,
    words::{Tongue, obligation_facts},
};

const BOLD: Style = Style::new().bold();

/// Options of `why`.
#[derive(Args)]
pub(crate) struct Options {
    /// The app, in any case: TikTok.
    app: String,
}

pub(crate) async fn run(config: &Config, options: &Options) -> Result<()> {
    let status: Status = ask(config, &Question::Status).await?;
    let (tongue, zone) = (Tongue::new(&config.languages), local_zone());
    let about = |obligation: &&ObligationStatus| obligation.app.eq_ignore_ascii_case(&options.app);
    let obligations: Vec<_> = status.obligations.iter().filter(about).collect();
    if obligations.is_empty() {
        let rule = status.rules.iter().find(|rule| rule.app.eq_ignore_ascii_case(&options.app));
        let Some(rule) = rule else { bail!("no policy here speaks of `{}`; see `forewarn status`", options.app) };
        anstream::println!("{}", tongue.nothing_now(rule, &zone));
    }
    for obligation in obligations {
        anstream::println!("{BOLD}{}{BOLD:#}: {}", obligation.app, tongue.title(obligation));
        facts::print(&obligation_facts(&tongue, obligation, status.now, &zone), "  ");
    }
    Ok(())
}
