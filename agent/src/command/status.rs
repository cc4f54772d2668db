use anstyle::{AnsiColor, Style};
use anyhow::Result;
use clap::Args;
use forewarn_clock::local_zone;
use forewarn_proto::{
    ipc::{Isolation, ObligationStatus, Question, SourceStatus, Status},
    report::{Finding, Stage},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{
    config::Config,
    ipc::ask,
    notice::{local, quoted},
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
}

pub(crate) async fn run(config: &Config, options: &Options) -> Result<()> {
    let status = ask(config, &Question::Status).await?;
    if options.json {
        anstream::println!("{}", serde_json::to_string_pretty(&status)?);
    } else {
        print(&status, &local_zone());
    }
    Ok(())
}

fn print(status: &Status, zone: &TimeZone) {
    match status.obligations.as_slice() {
        [] => anstream::println!("{GOOD}Nothing is asked of you.{GOOD:#}"),
        obligations => obligations.iter().for_each(|obligation| print_obligation(obligation, status.now, zone)),
    }
    for domain in &status.revoked {
        anstream::println!("{WARN}The mail profile of {domain} is in the vault on this device.{WARN:#}");
    }
    for note in &status.mail_notes {
        anstream::println!("{WARN}mail{WARN:#}      {note}");
    }
    print_server(status, zone);
    if let Some(text) = isolation(status.isolation) {
        anstream::println!("{WARN}worker{WARN:#}    {text}");
    }
    let empty = |source: &&SourceStatus| source.packages == 0 && source.gaps.is_empty();
    let (empty, listed): (Vec<_>, Vec<_>) = status.sources.iter().partition(empty);
    for source in listed {
        let state =
            if source.gaps.is_empty() { "complete".into() } else { format!("partial: {}", source.gaps.join("; ")) };
        anstream::println!(
            "{:<10}{} packages, {state}; the list stays on this device",
            source.source.name(),
            source.packages
        );
    }
    if !empty.is_empty() {
        let names: Vec<&str> = empty.iter().map(|source| source.source.name()).collect();
        anstream::println!("nothing   of {}", names.join(", "));
    }
    for rule in status.rules.iter().filter(|rule| rule.finding == Finding::Unknown) {
        anstream::println!("{WARN}unknown{WARN:#}   whether {} is installed; nothing follows from that", rule.app);
        rule.doubts.iter().for_each(|doubt| anstream::println!("          {}", doubt.text()));
    }
    if status.simulated_clock {
        anstream::println!("{WARN}clock     simulated: time comes from a file{WARN:#}");
    }
}

fn print_obligation(obligation: &ObligationStatus, now: Timestamp, zone: &TimeZone) {
    anstream::println!("{BOLD}{}{BOLD:#}: {} ({})", obligation.app, obligation.title, obligation.stage.text());
    if let Some(deadline) = obligation.deadline.filter(|_| !obligation.takes.is_empty()) {
        anstream::println!("  deadline  {} ({})", local(deadline, zone), distance(deadline.duration_since(now)));
    }
    if obligation.stage == Stage::Revoking && !obligation.waiting_for.is_empty() {
        anstream::println!("  waiting   for {} to close", obligation.waiting_for.join(", "));
    }
    if let Some(until) = obligation.snoozed_until {
        anstream::println!("  snoozed   until {}; a last call comes all the same", local(until, zone));
    }
    anstream::println!("  more      forewarn why {}", quoted(&obligation.app));
}

fn print_server(status: &Status, zone: &TimeZone) {
    let reached = if status.connected { "connected" } else { "not reached; the policies that are here still count" };
    anstream::println!("server    {} ({reached})", status.server);
    match status.confirmed_at {
        Some(time) => anstream::println!("policies  confirmed {}", local(time, zone)),
        None => anstream::println!("policies  never confirmed"),
    }
    if let Some(refusal) = &status.refused {
        anstream::println!("{WARN}refused{WARN:#}   the newest bundle: {refusal}");
    }
}

/// What is worth saying of how far the worker in the home is shut in.
fn isolation(isolation: Option<Isolation>) -> Option<&'static str> {
    match isolation? {
        Isolation::Full => None,
        Isolation::Partial => Some("what works in the home is shut in only as far as this kernel can (Landlock)"),
        Isolation::None => {
            Some("what works in the home has its person's rights, and no narrower ones: no Landlock here")
        }
    }
}

/// `in 2 days 3 h`, `40 min ago`.
pub(super) fn distance(length: SignedDuration) -> String {
    let minutes = length.abs().as_mins();
    let text = match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (1, hours, _) => format!("1 day {hours} h"),
        (days, hours, _) => format!("{days} days {hours} h"),
    };
    if length.is_negative() { format!("{text} ago") } else { format!("in {text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_read_as_people_say_them() {
        let check = |minutes: i64, expected: &str| assert_eq!(distance(SignedDuration::from_mins(minutes)), expected);
        check(40, "in 40 min");
        check(-40, "40 min ago");
        check(61, "in 1 h 1 min");
        check(1440, "in 1 day 0 h");
        check(-2 * 1440 - 180, "2 days 3 h ago");
    }
}
