//! Gives the word that the bundle is current anew, long before it runs out.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use forewarn_trust::OnlineSigner;

use crate::Server;

/// How often the clock is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// The same with a simulated clock, which can jump.
const LOOK_EVERY_SIMULATED: Duration = Duration::from_millis(50);

pub(crate) async fn keep_fresh(server: Arc<Server>) {
    let pause = if server.clock.is_simulated() { LOOK_EVERY_SIMULATED } else { LOOK_EVERY };
    loop {
        if let Err(error) = refresh_if_due(&server).await {
            tracing::error!("the timestamp could not be signed anew; devices will hold revocation: {error:#}");
        }
        tokio::time::sleep(pause).await;
    }
}

async fn refresh_if_due(server: &Server) -> Result<()> {
    let mut in_force = server.in_force.lock().await;
    let Some(expires) = in_force.repository.timestamp_expires() else {
        return Ok(());
    };
    let validity = server.config.timestamp_validity.0;
    if expires.duration_since(server.clock.wall()) > validity * 3 / 4 {
        return Ok(());
    }
    let mut fresh = in_force.repository.clone();
    fresh.refresh(&server.signer())?;
    server.put_in_force(&mut in_force, fresh, None).await.map(drop)
}

impl Server {
    /// The online keys, with the time until which their word is good from now.
    pub(crate) fn signer(&self) -> OnlineSigner<'_> {
        let now = self.clock.wall();
        let valid_until = now.saturating_add(self.config.timestamp_validity.0).unwrap_or(now);
        OnlineSigner { snapshot: &self.own.snapshot, timestamp: &self.own.timestamp, valid_until }
    }
}
