use anstyle::Style;
use anyhow::{Result, bail};
use clap::Args;
use forewarn_clock::local_zone;
use forewarn_proto::{
    ipc::{ObligationStatus, Question, Status},
    report::Stage,
};
use jiff::tz::TimeZone;

use super::status::distance;
use crate::{config::Config, ipc::ask, notice::local};

const BOLD: Style = Style::new().bold();

/// Options of `why`.
#[derive(Args)]
pub(crate) struct Options {
    /// The app, in any case: TikTok.
    app: String,
}

pub(crate) async fn run(config: &Config, options: &Options) -> Result<()> {
    let status = ask(config, &Question::Status).await?;
    let about = |obligation: &&ObligationStatus| obligation.app.eq_ignore_ascii_case(&options.app);
    let obligations: Vec<_> = status.obligations.iter().filter(about).collect();
    if obligations.is_empty() {
        let rule = status.rules.iter().find(|rule| rule.app.eq_ignore_ascii_case(&options.app));
        match rule {
            Some(rule) => anstream::println!("{} is banned by {}, and asks nothing of you now.", rule.app, rule.policy),
            None => bail!("no policy here speaks of `{}`; see `forewarn status`", options.app),
        }
    }
    obligations.into_iter().for_each(|obligation| explain(obligation, &status, &local_zone()));
    Ok(())
}

fn sealed(obligation: &ObligationStatus) -> &'static str {
    if obligation.seals { ", its stored mail closed until it is back" } else { "" }
}

fn explain(obligation: &ObligationStatus, status: &Status, zone: &TimeZone) {
    anstream::println!("{BOLD}{}{BOLD:#}: {}", obligation.app, obligation.title);
    anstream::println!(
        "  rule       {} of policy {}, version {}",
        obligation.rule,
        obligation.policy,
        obligation.version
    );
    anstream::println!("  signed by  {}", obligation.signed_by.join(", "));
    for matched in &obligation.matched {
        anstream::println!("  matched    {matched}");
    }
    match obligation.shown {
        Some(shown) => anstream::println!("  told       {}", local(shown, zone)),
        None => anstream::println!("  told       not yet"),
    }
    if let Some(read) = obligation.acknowledged {
        anstream::println!("  read       {}", local(read, zone));
    }
    if let Some(deadline) = obligation.deadline.filter(|_| !obligation.takes.is_empty()) {
        anstream::println!(
            "  deadline   {} ({})",
            local(deadline, zone),
            distance(deadline.duration_since(status.now))
        );
    }
    for domain in &obligation.takes {
        anstream::println!(
            "  takes      the mail account of {domain}; private accounts and all mail stay{}",
            sealed(obligation)
        );
    }
    anstream::println!("  now        {}", obligation.stage.text());
    if obligation.stage != Stage::Revoked {
        for hold in &obligation.holds {
            anstream::println!("             {}", hold.text());
        }
    }
    if !obligation.waiting_for.is_empty() {
        anstream::println!("             waiting for {} to close", obligation.waiting_for.join(", "));
    }
    anstream::println!("  undo       remove {}; what was taken comes back by itself, unchanged", obligation.app);
    anstream::println!("  contest    ask {}: any one of them can withdraw it", obligation.signed_by.join(" or "));
}
