//! What comes due by itself: the word that the bundle is current is given anew, long before it runs out; and what devices
//! that are heard of no more had reported is deleted.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};

use crate::Server;

/// How often the clock is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// The same with a simulated clock, which can jump.
const LOOK_EVERY_SIMULATED: Duration = Duration::from_millis(50);

/// How often old reports are looked for.
const CLEAN_EVERY: SignedDuration = SignedDuration::from_hours(1);

pub(crate) async fn keep_fresh(server: Arc<Server>) {
    let pause = if server.clock.is_simulated() { LOOK_EVERY_SIMULATED } else { LOOK_EVERY };
    let mut cleaned = Timestamp::MIN;
    loop {
        let now = server.clock.wall();
        if now.duration_since(cleaned).abs() >= CLEAN_EVERY {
            cleaned = now;
            if let Err(error) = delete_old(&server, now).await {
                tracing::error!("old reports could not be deleted: {error:#}");
            }
        }
        if let Err(error) = refresh_if_due(&server).await {
            tracing::error!("the timestamp could not be signed anew; devices will hold revocation: {error:#}");
        }
        tokio::time::sleep(pause).await;
    }
}

async fn delete_old(server: &Server, now: Timestamp) -> Result<()> {
    let limit = now.saturating_sub(server.config.retention.0).unwrap_or(Timestamp::MIN);
    let deleted = server.store.delete_before(limit).await?;
    if deleted > 0 {
        tracing::info!("deleted {deleted} reports and appeals that came before {limit:.0}");
    }
    Ok(())
}

async fn refresh_if_due(server: &Server) -> Result<()> {
    let seen = server.in_force.lock().await.clone();
    let Some(expires) = seen.repository.timestamp_expires() else {
        return Ok(());
    };
    let validity = server.config.timestamp_validity.0;
    if expires.duration_since(server.clock.wall()) > validity * 3 / 4 {
        return Ok(());
    }
    let mut fresh = seen.repository.clone();
    fresh.refresh(&server.signer().await?)?;
    server.put_in_force(&seen, fresh, None).await.map(drop)
}
