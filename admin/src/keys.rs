//! The admin's keys: the one in use, and beside it, while it is being exchanged, the next. Each is either in a file of the
//! folder, encrypted with a passphrase, or held by an ssh-agent; then the folder only says which.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use forewarn_trust::{PublicKey, Signer, SigningKey};
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, SecretDocument};

use crate::{
    agent::{self, AgentKey},
    home::{Home, Settings, read_public},
};

/// The label of a PEM document with an encrypted key (RFC 7468, section 11).
const PEM_LABEL: &str = "ENCRYPTED PRIVATE KEY";
/// The public half of the next key, while there is one.
const NEXT_PUBLIC: &str = "next-key.pub";

/// Which of the admin's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The one in use.
    Current,
    /// The one that comes after it, once that is published.
    Next,
}

/// Where a key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A new key, in an encrypted file.
    File,
    /// A key that the ssh-agent holds, by its fingerprint or comment; the only one, if this is empty.
    SshAgent(String),
}

impl Source {
    /// From the option `--ssh-agent`.
    pub(crate) fn of(ssh_agent: Option<&str>) -> Self {
        ssh_agent.map_or(Self::File, |wanted| Self::SshAgent(wanted.to_owned()))
    }
}

impl Place {
    fn stem(self) -> &'static str {
        match self {
            Self::Current => "key",
            Self::Next => "next-key",
        }
    }
}

impl Home {
    /// Makes the folder, with a key in it.
    pub(crate) fn create(&self, settings: &Settings, ca: &str, source: &Source) -> Result<PublicKey> {
        self.meet(settings, ca)?;
        let public = self.make_key(Place::Current, source)?;
        self.write(&format!("{}.pub", settings.name), &serde_json::to_string(&public)?)?;
        Ok(public)
    }

    /// Makes the folder, without one. Where there is a key nothing is changed.
    pub(crate) fn meet(&self, settings: &Settings, ca: &str) -> Result<()> {
        if let Some(key) = self.key_file(Place::Current) {
            bail!("there is a key in {} already; it is not replaced", key.display());
        }
        self.settle(settings, ca)
    }

    /// Whether there is a key here.
    pub(crate) fn has_key(&self) -> bool {
        self.key_file(Place::Current).is_some()
    }

    /// Opens the key in use: a file's with its passphrase; an agent's asks by its own means.
    pub(crate) fn key(&self) -> Result<Box<dyn Signer>> {
        self.key_at(Place::Current)
    }

    /// The file that is, or names, the key at this place, if there is one.
    pub(crate) fn key_file(&self, place: Place) -> Option<PathBuf> {
        [self.pem(place), self.agent_file(place)].into_iter().find(|path| path.exists())
    }

    /// Makes a key, or takes one that an agent holds.
    pub(crate) fn make_key(&self, place: Place, source: &Source) -> Result<PublicKey> {
        let name = self.settings()?.name;
        match source {
            Source::File => {
                let key = SigningKey::generate(&name)?;
                self.write(&format!("{}.pem", place.stem()), &seal(&key, self.new_passphrase()?)?)?;
                Ok(key.public())
            }
            Source::SshAgent(wanted) => {
                let public = agent::find(&agent::socket()?, wanted)?.public;
                let key = PublicKey { name, public };
                self.write(&format!("{}.agent", place.stem()), &serde_json::to_string(&key)?)?;
                Ok(key)
            }
        }
    }

    /// Opens the key at this place.
    pub(crate) fn key_at(&self, place: Place) -> Result<Box<dyn Signer>> {
        let agent = self.agent_file(place);
        if agent.exists() {
            return Ok(Box::new(AgentKey::new(read_public(&agent)?, agent::socket()?)));
        }
        let path = self.pem(place);
        let pem = fs_err::read_to_string(&path).context("run `forewarn-admin init` first")?;
        let damaged = || format!("{} is not an encrypted PKCS#8 key", path.display());
        let (_, sealed) = SecretDocument::from_pem(&pem).ok().with_context(damaged)?;
        let sealed = EncryptedPrivateKeyInfoRef::try_from(sealed.as_bytes()).ok().with_context(damaged)?;
        let der = sealed.decrypt(self.passphrase("Passphrase: ")?).ok().context("the passphrase is wrong")?;
        Ok(Box::new(SigningKey::from_pkcs8(&self.settings()?.name, der.as_bytes())?))
    }

    /// The public half of the next key, if one was made.
    pub(crate) fn next_public(&self) -> Option<PublicKey> {
        read_public(&self.file(NEXT_PUBLIC)).ok()
    }

    /// Makes the next key beside the one in use, or finds the one that was made before.
    pub(crate) fn make_next_key(&self, source: &Source) -> Result<PublicKey> {
        if let Some(made) = self.next_public() {
            return Ok(made);
        }
        let public = self.make_key(Place::Next, source)?;
        self.write(NEXT_PUBLIC, &serde_json::to_string(&public)?)?;
        Ok(public)
    }

    /// Puts the next key in the place of the one in use, which is kept under its fingerprint: it opens nothing any more,
    /// but somebody may want to know what it signed. Can be done again after a power cut at any step.
    pub(crate) fn exchange_keys(&self, next: &PublicKey) -> Result<()> {
        let old = self.public()?.fingerprint()?.replace(' ', "");
        if let Some(new) = self.key_file(Place::Next) {
            if let Some(path) = self.key_file(Place::Current) {
                fs_err::rename(&path, self.file(&format!("old-key-{old}.{}", kind(&path))))?;
            }
            fs_err::rename(&new, self.file(&format!("{}.{}", Place::Current.stem(), kind(&new))))?;
        }
        self.write(&format!("{}.pub", self.settings()?.name), &serde_json::to_string(next)?)?;
        fs_err::remove_file(self.file(NEXT_PUBLIC))?;
        Ok(())
    }

    fn pem(&self, place: Place) -> PathBuf {
        self.file(&format!("{}.pem", place.stem()))
    }

    fn agent_file(&self, place: Place) -> PathBuf {
        self.file(&format!("{}.agent", place.stem()))
    }
}

/// `pem` or `agent`.
fn kind(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().into_owned()
}

/// The key in an encrypted PEM document.
fn seal(key: &SigningKey, passphrase: String) -> Result<String> {
    let der = key.to_pkcs8()?;
    let info = PrivateKeyInfoRef::try_from(der.as_slice()).map_err(|e| anyhow!("the new key: {e}"))?;
    let sealed = info.encrypt(passphrase).map_err(|e| anyhow!("the key can't be encrypted: {e}"))?;
    Ok(sealed.to_pem(PEM_LABEL, LineEnding::LF).map_err(|e| anyhow!("{e}"))?.to_string())
}
