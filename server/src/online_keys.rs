//! The keys of the online TUF roles, in the database. New ones come beside the old, and sign from when the admins have put
//! them into the root.

use anyhow::{Context, Result};
use forewarn_proto::api::OnlineKeys;
use forewarn_trust::{OnlineSigner, SigningKey};

use crate::{Server, config::Config, store::Store};

/// The roles.
const SNAPSHOT: &str = "snapshot";
const TIMESTAMP: &str = "timestamp";

/// The fingerprints of the newest keys, with their roles' names; of `new` ones, which are made then.
///
/// # Errors
/// When the state can't be opened.
pub async fn fingerprints(config: &Config, new: bool) -> Result<Vec<(&'static str, String)>> {
    let store = Store::open(config).await?;
    let mut newest = Vec::new();
    for role in [SNAPSHOT, TIMESTAMP] {
        let number = keys_of(&store, role).await?.len() + usize::from(new);
        let key = read(&store.secret_or(&name(role, number), generate).await?)?;
        newest.push((role, key.public().fingerprint()?));
    }
    Ok(newest)
}

impl Server {
    /// The newest of the server's own public keys, which admins put into a root.
    pub(crate) async fn online_keys(&self) -> Result<OnlineKeys> {
        let newest = async |role| -> Result<String> {
            let keys = keys_of(&self.store, role).await?;
            Ok(keys.last().context("there is always one")?.public().public)
        };
        Ok(OnlineKeys { snapshot: newest(SNAPSHOT).await?, timestamp: newest(TIMESTAMP).await? })
    }

    /// All online keys, with the time until which their word is good from now.
    pub(crate) async fn signer(&self) -> Result<OnlineSigner> {
        let now = self.clock.wall();
        let valid_until = now.saturating_add(self.config.timestamp_validity.0).unwrap_or(now);
        let mut keys = keys_of(&self.store, SNAPSHOT).await?;
        keys.extend(keys_of(&self.store, TIMESTAMP).await?);
        Ok(OnlineSigner { keys, now, valid_until })
    }
}

/// A role's keys, from the first to the newest. The first is made if there is none.
async fn keys_of(store: &Store, role: &str) -> Result<Vec<SigningKey>> {
    let mut keys = vec![read(&store.secret_or(&name(role, 1), generate).await?)?];
    while let Some(next) = store.secret(&name(role, keys.len() + 1)).await? {
        keys.push(read(&next)?);
    }
    Ok(keys)
}

/// What a role's key of this number is called in the database.
fn name(role: &str, number: usize) -> String {
    match number {
        1 => format!("{role} key"),
        later => format!("{role} key {later}"),
    }
}

fn generate() -> Result<String> {
    Ok(hex::encode(SigningKey::generate("server")?.to_pkcs8()?))
}

fn read(text: &str) -> Result<SigningKey> {
    Ok(SigningKey::from_pkcs8("server", &hex::decode(text)?)?)
}
