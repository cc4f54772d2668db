use anstyle::Style;
use anyhow::Result;
use forewarn_proto::{
    api::{Appeal, AppealRequest},
    policy::Exemptions,
};

use crate::{home::Home, server::Server};

const BOLD: Style = Style::new().bold();

pub(crate) async fn run(home: &Home) -> Result<()> {
    let server = Server::signed_in(home)?;
    let appeals = server.appeals().await?;
    let in_force = server.in_force(home).await?;
    if appeals.is_empty() {
        anstream::println!("Nobody contests anything.");
    }
    for Appeal { device, at, request: AppealRequest { policy, rule, reason } } in appeals {
        anstream::println!("{BOLD}{device}{BOLD:#} contests {rule} of {policy}, {at:.0}");
        reason.lines().for_each(|line| anstream::println!("  {line}"));
        let document = in_force.documents.get(&Exemptions::target_name(&policy));
        let exemptions = document.and_then(|document| Exemptions::parse(&document.bytes).ok());
        let spared = exemptions.into_iter().flat_map(|e| e.exemptions).find(|e| e.device == device && e.rule == rule);
        match spared {
            Some(exemption) => anstream::println!("  spared until {}", exemption.until),
            None => anstream::println!(
                "  forewarn-admin exempt {device} {policy} {rule} --until 2027-01-31T17:00[Europe/Berlin]"
            ),
        }
    }
    Ok(())
}
