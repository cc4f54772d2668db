//! The devices that may listen, in memory: a fleet that comes back after a restart would otherwise ask the database as often
//! as there are devices. One that enrolled at another server meanwhile is asked for; what an admin revokes or forgets, at any server, leaves at once.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Result;

use crate::{
    push::{Feed, Register},
    store::{Standing, Store},
};

/// Names of enrolled devices, about 60 bytes each.
#[derive(Debug)]
pub(crate) struct Known {
    store: Store,
    names: Mutex<HashSet<Box<str>>>,
}

impl Known {
    /// All that are enrolled now.
    pub(crate) async fn load(store: Store) -> Result<Self> {
        let names = Mutex::new(store.enrolled().await?);
        Ok(Self { store, names })
    }

    /// One has just enrolled here.
    pub(crate) fn add(&self, device: &str) {
        self.names().insert(device.into());
    }

    /// These may listen no longer, and those of them who do hear nothing more.
    pub(crate) fn drop_devices(&self, feed: &Feed, devices: &[String]) {
        let mut names = self.names();
        for device in devices {
            names.remove(device.as_str());
        }
        drop(names);
        feed.drop_devices(devices);
    }

    /// Reads all anew, where the word that some left may have been missed.
    pub(crate) async fn reload(&self, feed: &Feed) -> Result<()> {
        let fresh = self.store.enrolled().await?;
        let gone: Vec<String> = self.names().difference(&fresh).map(ToString::to_string).collect();
        *self.names() = fresh;
        feed.drop_devices(&gone);
        Ok(())
    }

    fn names(&self) -> MutexGuard<'_, HashSet<Box<str>>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Register for Arc<Known> {
    async fn is_device(&self, name: &str) -> Result<bool> {
        if self.names().contains(name) {
            return Ok(true);
        }
        // Not kept: it could be revoked between the answer and the keeping.
        Ok(self.store.standing(name).await? == Standing::Enrolled)
    }
}
