//! `inbox`: what waits for this admin's signature.

use anyhow::Result;
use forewarn_proto::api::DraftStatus;
use forewarn_terminal::{say, say_lines};
use forewarn_trust::{Admins, signers};
use jiff::SignedDuration;

use super::appeals::spared_until;
use crate::{home::Home, server::Server, show};

/// How long before the admins' signatures run out they are reminded. Past that moment devices revoke nothing more.
const RENEW_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 60);

pub(crate) async fn run(home: &Home) -> Result<()> {
    let server = Server::signed_in(home)?;
    let in_force = server.in_force(home).await?;
    let (admins, mine) = (Admins::of_root(&in_force.root)?, home.public()?);
    let mut waiting = 0;
    for draft in server.drafts().await? {
        let signed_by = signers(&draft.draft, &admins.keys)?;
        // A stale draft's signatures are lost, mine too.
        if draft.stale || !signed_by.iter().any(|key| key.public == mine.public) {
            waiting += 1;
            say_lines(show::progress(&draft));
            let names: Vec<&str> = signed_by.iter().map(|key| key.name.as_str()).collect();
            say!("  {}", origin(&draft, &names));
            say!("  forewarn-admin sign {}", draft.number);
        }
    }
    if waiting == 0 {
        say!("Nothing waits for your signature.");
    }
    if in_force.admins_until.duration_since(home.clock()?.wall()) < RENEW_AHEAD {
        say!("What the admins signed is good until {}: forewarn-admin admins renew", in_force.admins_until);
    }
    let appeals = server.appeals().await?;
    let open = appeals.iter().filter(|appeal| spared_until(&in_force, appeal).is_none()).count();
    if open > 0 {
        say!("Contested and not answered: {open}. See `forewarn-admin appeals`.");
    }
    Ok(())
}

fn origin(draft: &DraftStatus, names: &[&str]) -> String {
    let by = if names.is_empty() { "nobody whose signature holds".to_owned() } else { names.join(" and ") };
    let since = draft.draft.posted.map(|at| format!(", proposed {at:.0}")).unwrap_or_default();
    format!("signed by {by}{since}")
}
