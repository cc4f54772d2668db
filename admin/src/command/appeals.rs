use anstyle::Style;
use anyhow::Result;
use forewarn_proto::{
    api::{Appeal, AppealRequest},
    policy::Exemptions,
};

use forewarn_trust::Verified;
use jiff::Timestamp;

use crate::{home::Home, server::Server};

const BOLD: Style = Style::new().bold();

pub(crate) async fn run(home: &Home) -> Result<()> {
    let server = Server::looking(home)?;
    let appeals = server.appeals().await?;
    let in_force = server.in_force(home).await?;
    if appeals.is_empty() {
        anstream::println!("Nobody contests anything.");
    }
    for appeal in appeals {
        let until = spared_until(&in_force, &appeal);
        let Appeal { device, at, request: AppealRequest { policy, rule, reason } } = appeal;
        anstream::println!("{BOLD}{device}{BOLD:#} contests {rule} of {policy}, {at:.0}");
        reason.lines().for_each(|line| anstream::println!("  {line}"));
        match until {
            Some(until) => anstream::println!("  spared until {until}"),
            None => anstream::println!(
                "  forewarn-admin exempt {device} {policy} {rule} --until 2027-01-31T17:00[Europe/Berlin]"
            ),
        }
    }
    Ok(())
}

/// Until when the device is spared what it contests, if it is.
pub(super) fn spared_until(in_force: &Verified, appeal: &Appeal) -> Option<Timestamp> {
    let Appeal { device, request: AppealRequest { policy, rule, .. }, .. } = appeal;
    let document = in_force.documents.get(&Exemptions::target_name(policy))?;
    let exemptions = Exemptions::parse(&document.bytes).ok()?.exemptions;
    exemptions.into_iter().find(|e| e.device == *device && e.rule == *rule).map(|exemption| exemption.until)
}
