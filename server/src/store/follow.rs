//! What another server process on the same database changed. Nothing is kept between them but what is in the database: a
//! process that was gone reads it again.

use std::time::Duration;

use anyhow::{Context, Result};
use sqlx::{AnyConnection, postgres::PgListener};
use tokio::sync::mpsc;

use super::Store;

/// The channel on which servers tell each other.
const CHANNEL: &str = "forewarn";
/// How long to wait before the database is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// A change that others have to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// Another bundle is in force.
    Bundle,
    /// This device may no longer speak.
    Device(String),
    /// Something may have been missed: all is to be read again.
    Anything,
}

impl Change {
    fn to_text(&self) -> String {
        match self {
            Self::Bundle => "bundle".to_owned(),
            Self::Device(name) => format!("device {name}"),
            Self::Anything => "anything".to_owned(),
        }
    }

    fn from_text(text: &str) -> Self {
        match text.split_once(' ') {
            Some(("device", name)) => Self::Device(name.to_owned()),
            _ if text == "bundle" => Self::Bundle,
            _ => Self::Anything,
        }
    }
}

impl Store {
    /// Tells the other servers, once this transaction is committed.
    pub(super) async fn tell(&self, transaction: &mut AnyConnection, change: &Change) -> Result<()> {
        if self.shared.is_some() {
            let notify = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(change.to_text());
            notify.execute(transaction).await?;
        }
        Ok(())
    }

    /// Hands on what other servers change, for ever; [`Change::Anything`] after each time that something may have been
    /// missed. Returns at once where there are no others.
    pub(crate) async fn follow(&self, changes: mpsc::Sender<Change>) {
        let Some(url) = &self.shared else { return };
        while !changes.is_closed() {
            if let Err(error) = listen(url, &changes).await {
                tracing::warn!("other servers' changes are not heard now: {error:#}");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn listen(url: &str, changes: &mpsc::Sender<Change>) -> Result<()> {
    let mut listener = PgListener::connect(url).await.context("the database can't be reached")?;
    listener.listen(CHANNEL).await?;
    changes.send(Change::Anything).await?;
    // None: the connection was lost. What came meanwhile is not repeated, so all is read again.
    while let Some(notification) = listener.try_recv().await? {
        changes.send(Change::from_text(notification.payload())).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_survives_the_trip() {
        for change in [Change::Bundle, Change::Device("device-1".to_owned()), Change::Anything] {
            assert_eq!(Change::from_text(&change.to_text()), change);
        }
    }
}
