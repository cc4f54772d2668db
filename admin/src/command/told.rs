use anyhow::Result;
use clap::Args;
use forewarn_proto::{
    api::{Told, ToldCorrection, ToldPerson},
    policy::PolicyId,
    report::{Medium, Obstacle, PersonReport},
};
use forewarn_terminal::{say, say_json};
use jiff::Timestamp;

use crate::{home::Home, server::Server};

/// Options of `told`.
#[derive(Args)]
pub(crate) struct Options {
    /// The policy's id.
    #[arg(value_parser = |text: &str| text.parse::<PolicyId>())]
    policy: PolicyId,
    /// Print the server's answer as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(home: &Home, options: &Options) -> Result<()> {
    let told = Server::looking(home)?.told(&options.policy).await?;
    if options.json {
        say_json(&told)?;
        return Ok(());
    }
    let Told { people, corrections } = told;
    if people.is_empty() && corrections.is_empty() {
        say!("{} obliges nobody, and nobody is owed a correction.", options.policy);
    }
    people.iter().for_each(|person| say!("{}", line(person)));
    for ToldCorrection { device, report } in &corrections {
        let when = report.shown.map_or("not yet corrected".to_owned(), |at| format!("corrected {at:.0}"));
        say!("{device}, person {}: {when}", report.person);
    }
    Ok(())
}

/// What one person was told, and when.
fn line(ToldPerson { device, rule, report }: &ToldPerson) -> String {
    let PersonReport { person, stage, shown, shown_on, obstacle, acknowledged, deadline, .. } = report;
    let part = |what: &str, at: &Option<Timestamp>| at.map(|at| format!(", {what} {at:.0}")).unwrap_or_default();
    let place = |medium: &Medium| match medium {
        Medium::Desktop => " on the desktop",
        Medium::Terminal => " on a terminal",
        Medium::Login => " at a login",
    };
    let told = match shown {
        Some(at) => format!("told {at:.0}{}", shown_on.as_ref().map(place).unwrap_or_default()),
        None => format!("not yet told: {}", obstacle.map_or("the notice is on its way", Obstacle::text)),
    };
    let (read, until) = (part("read", acknowledged), part("deadline", deadline));
    format!("{device}, person {person}, {rule}: {told}{read}{until}; {}", stage.text())
}
