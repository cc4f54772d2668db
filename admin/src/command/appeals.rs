use anstyle::Style;
use anyhow::Result;
use forewarn_proto::{
    api::{Appeal, AppealRequest},
    foreign::line,
    policy::Exemptions,
};
use forewarn_terminal::{say, say_lines};

use forewarn_trust::Verified;
use jiff::Timestamp;

use crate::{home::Home, server::Server};

const BOLD: Style = Style::new().bold();

pub(crate) async fn run(home: &Home) -> Result<()> {
    let server = Server::looking(home)?;
    let appeals = server.appeals().await?;
    let in_force = server.in_force(home).await?;
    if appeals.is_empty() {
        say!("Nobody contests anything.");
    }
    for appeal in appeals {
        let until = spared_until(&in_force, &appeal);
        say_lines(lines(&appeal, until));
    }
    Ok(())
}

/// What a person wrote, and what can be done.
pub(crate) fn lines(appeal: &Appeal, until: Option<Timestamp>) -> Vec<String> {
    let Appeal { device, at, request: AppealRequest { policy, rule, reason } } = appeal;
    let device = line(device);
    let heading = format!("{BOLD}{device}{BOLD:#} contests {rule} of {policy}, {at:.0}");
    let answer = match until {
        Some(until) => format!("  spared until {until}"),
        None => {
            format!("  forewarn-admin exempt {device} {policy} {rule} --until 2027-01-31T17:00[Europe/Berlin]")
        }
    };
    let words = reason.block().into_iter().map(|line| format!("  {line}"));
    [heading].into_iter().chain(words).chain([answer]).collect()
}

/// Until when the device is spared what it contests, if it is.
pub(super) fn spared_until(in_force: &Verified, appeal: &Appeal) -> Option<Timestamp> {
    let Appeal { device, request: AppealRequest { policy, rule, .. }, .. } = appeal;
    let document = in_force.documents.get(&Exemptions::target_name(policy))?;
    let exemptions = Exemptions::parse(&document.bytes).ok()?.exemptions;
    exemptions.into_iter().find(|e| e.device == *device && e.rule == *rule).map(|exemption| exemption.until)
}
