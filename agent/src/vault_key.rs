//! The key with which this device's vaults are sealed.
//!
//! Where systemd gives the daemon a credential of this name, which it keeps encrypted with the TPM or the host's key
//! (systemd-creds(1)), that is the key. Else it is a file that only the daemon's user can read, made at first use: it keeps
//! the vault from being understood where only the vault is copied, and from nobody who has the whole disk.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use forewarn_host::private;
use forewarn_mail::KEY_BYTES;

/// The credential's name.
const CREDENTIAL: &str = "forewarn.vault-key";

/// The key that seals, and then those that sealed before. A key in a file is kept for what it has sealed.
///
/// # Errors
/// When a key is there and can't be read, or isn't one: another in its place would not open what it sealed.
pub(crate) fn load(state: &Path, credentials: Option<&Path>) -> Result<Vec<[u8; KEY_BYTES]>> {
    let file = state.join("vault.key");
    let given = credentials.map(|folder| read(&folder.join(CREDENTIAL))).transpose()?.flatten();
    let mut keys: Vec<_> = given.into_iter().chain(read(&file)?).collect();
    if keys.is_empty() {
        let mut key = [0; KEY_BYTES];
        aws_lc_rs::rand::fill(&mut key).ok().context("no random numbers can be had")?;
        private::write(&file, &key)?;
        keys.push(key);
    }
    Ok(keys)
}

/// The folder of the credentials that systemd gives.
pub(crate) fn credentials() -> Option<PathBuf> {
    std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from)
}

fn read(path: &Path) -> Result<Option<[u8; KEY_BYTES]>> {
    match fs_err::read(path) {
        Ok(bytes) => {
            let wrong = || format!("{} isn't a key of {KEY_BYTES} bytes; put the right one back", path.display());
            Ok(Some(<[u8; KEY_BYTES]>::try_from(bytes).ok().with_context(wrong)?))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_a_credential_goes_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let made = load(folder.path(), None).unwrap();
        assert_eq!(load(folder.path(), None).unwrap(), made);
        let given = folder.path().join("given");
        fs_err::create_dir(&given).unwrap();
        assert_eq!(load(folder.path(), Some(&given)).unwrap(), made, "systemd has none of this name");
        fs_err::write(given.join(CREDENTIAL), [7; KEY_BYTES]).unwrap();
        assert_eq!(load(folder.path(), Some(&given)).unwrap(), [[7; KEY_BYTES], made[0]]);
        fs_err::write(folder.path().join("vault.key"), b"short").unwrap();
        let error = load(folder.path(), None).unwrap_err().to_string();
        assert!(error.contains("vault.key") && error.contains("put the right one back"), "{error}");
    }
}
