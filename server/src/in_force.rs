//! What is in force, as this process last read it from the database.

use anyhow::Result;
use forewarn_proto::audit::Decision;
use forewarn_trust::Repository;

use crate::Server;

/// The repository, and the revision of its row in the database.
#[derive(Debug, Clone)]
pub(crate) struct InForce {
    pub(crate) repository: Repository,
    revision: i64,
}

impl InForce {
    /// Reads it.
    pub(crate) async fn load(store: &crate::store::Store) -> Result<Self> {
        let (bundle, revision) = store.bundle().await?;
        Ok(Self { repository: Repository::new(bundle), revision })
    }
}

impl Server {
    /// Puts `next` in the place of what was `seen` in force, in the database first, and pushes it. False if anybody was
    /// first, here or at another server process, so that their word is in force and is pushed; or if the draft that it is
    /// made from is not open any more.
    pub(crate) async fn put_in_force(
        &self,
        seen: &InForce,
        next: Repository,
        from: Option<(i64, Decision)>,
    ) -> Result<bool> {
        let mut in_force = self.in_force.lock().await;
        let first = self.store.set_bundle(next.bundle(), seen.revision, from, self.clock.wall()).await?;
        let now = match first {
            true => InForce { repository: next, revision: seen.revision + 1 },
            false => InForce::load(&self.store).await?,
        };
        self.take(&mut in_force, now);
        Ok(first)
    }

    /// Reads what another server process has put in force, and pushes it.
    pub(crate) async fn reload(&self) -> Result<()> {
        let mut in_force = self.in_force.lock().await;
        let now = InForce::load(&self.store).await?;
        self.take(&mut in_force, now);
        Ok(())
    }

    /// Pushes what is in force now, if that is news here: to a whole fleet nothing is sent twice.
    fn take(&self, in_force: &mut InForce, now: InForce) {
        if now.revision != in_force.revision {
            self.feed.push(now.repository.bundle());
            *in_force = now;
        }
    }
}
