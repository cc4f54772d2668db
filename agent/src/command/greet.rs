//! `greet`: what waits for a person, at the terminal at which they log in. A login must never fail or wait because of it.

use std::{
    io::{IsTerminal as _, stdout},
    time::Duration,
};

use anyhow::Result;
use forewarn_core::words::{Localizer, Words};
use forewarn_host::local_zone;
use forewarn_proto::{
    ipc::{Order, Word},
    report::Medium,
};
use forewarn_terminal::{say, say_lines};
use tokio::time::timeout;

use crate::{config::Config, ipc::attend};

/// How long a login may be held up.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) async fn run(config: &Config) -> Result<()> {
    // What no terminal shows is seen by nobody.
    if stdout().is_terminal()
        && let Ok(Err(error)) = timeout(PATIENCE, greet(config)).await
    {
        tracing::debug!("{error:#}");
    }
    Ok(())
}

async fn greet(config: &Config) -> Result<()> {
    let (localizer, zone) = (Localizer::new(&config.languages), local_zone());
    let mut daemon = attend(config, Medium::Login).await?;
    while let Some(order) = daemon.orders.recv().await {
        match order {
            Order::Show(notice, _) => {
                let Words { summary, body } = localizer.notice(&notice, &zone);
                say!("[forewarn] {summary}");
                say_lines(body.lines().map(|line| format!("  {line}")));
                daemon.say(&Word::Shown(notice.id)).await?;
            }
            Order::Settled | Order::Replaced => return Ok(()),
            Order::Withdraw(_) => {}
        }
    }
    Ok(())
}
