//! The admin's folder: settings, the encrypted key, the root that this admin trusts, the bundle seen last.

use std::{
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use forewarn_clock::Clock;
use forewarn_trust::{PublicKey, SigningKey};
use fs_err::os::unix::fs::OpenOptionsExt;
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, SecretDocument};
use serde::{Deserialize, Serialize};

/// The label of a PEM document with an encrypted key (RFC 7468, section 11).
const PEM_LABEL: &str = "ENCRYPTED PRIVATE KEY";
/// The fewest characters in a passphrase.
const MIN_PASSPHRASE: usize = 8;

/// See the module.
pub(crate) struct Home {
    folder: PathBuf,
    passphrase_file: Option<PathBuf>,
}

/// `settings.toml` in the folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The admin's name.
    pub(crate) name: String,
    /// The server's address.
    pub(crate) server: String,
    /// A file that moves the clock, for demonstrations and tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) simulated_clock: Option<PathBuf>,
}

impl Home {
    pub(crate) fn new(folder: Option<PathBuf>, passphrase_file: Option<PathBuf>) -> Result<Self> {
        let folder = match folder {
            Some(folder) => folder,
            None => directories::ProjectDirs::from("", "", "forewarn-admin")
                .context("there is no home folder; say where with --home")?
                .config_dir()
                .to_owned(),
        };
        Ok(Self { folder, passphrase_file })
    }

    /// A file in the folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn settings(&self) -> Result<Settings> {
        let text = fs_err::read_to_string(self.file("settings.toml")).context("run `forewarn-admin init` first")?;
        toml::from_str(&text).with_context(|| format!("{} is damaged", self.file("settings.toml").display()))
    }

    pub(crate) fn clock(&self) -> Result<Clock> {
        Ok(Clock::new(self.settings()?.simulated_clock.as_deref()))
    }

    /// Makes the folder with a new key in it. Never replaces one.
    pub(crate) fn create(&self, settings: &Settings, ca: &str) -> Result<PublicKey> {
        if self.file("key.pem").exists() {
            bail!("there is a key in {} already; it is not replaced", self.folder.display());
        }
        fs_err::create_dir_all(&self.folder)?;
        fs_err::set_permissions(&self.folder, PermissionsExt::from_mode(0o700))?;
        let key = SigningKey::generate(&settings.name)?;
        let passphrase = self.new_passphrase()?;
        let public = key.public();
        let der = key.to_pkcs8()?;
        let info = PrivateKeyInfoRef::try_from(der.as_slice()).map_err(|e| anyhow::anyhow!("the new key: {e}"))?;
        let sealed = info.encrypt(passphrase).map_err(|e| anyhow::anyhow!("the key can't be encrypted: {e}"))?;
        let pem = sealed.to_pem(PEM_LABEL, LineEnding::LF).map_err(|e| anyhow::anyhow!("{e}"))?;
        self.write("settings.toml", &toml::to_string(settings)?)?;
        self.write("ca.pem", ca)?;
        self.write("key.pem", &pem)?;
        self.write(&format!("{}.pub", settings.name), &serde_json::to_string(&public)?)?;
        Ok(public)
    }

    /// Opens the key with its passphrase.
    pub(crate) fn key(&self) -> Result<SigningKey> {
        let path = self.file("key.pem");
        let pem = fs_err::read_to_string(&path).context("run `forewarn-admin init` first")?;
        let damaged = || format!("{} is not an encrypted PKCS#8 key", path.display());
        let (_, sealed) = SecretDocument::from_pem(&pem).ok().with_context(damaged)?;
        let sealed = EncryptedPrivateKeyInfoRef::try_from(sealed.as_bytes()).ok().with_context(damaged)?;
        let der = sealed.decrypt(self.passphrase("Passphrase: ")?).ok().context("the passphrase is wrong")?;
        Ok(SigningKey::from_pkcs8(&self.settings()?.name, der.as_bytes())?)
    }

    /// The root that this admin trusts, if one was founded and signed.
    pub(crate) fn root(&self) -> Option<String> {
        fs_err::read_to_string(self.file("root.json")).ok()
    }

    /// Writes a file that nobody else may read, in one step.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<()> {
        let (path, new) = (self.file(name), self.file(&format!(".{name}.new")));
        let _ = fs_err::remove_file(&new);
        let mut options = fs_err::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs_err::rename(&new, &path)?;
        Ok(())
    }

    fn new_passphrase(&self) -> Result<String> {
        let passphrase = self.passphrase("New passphrase for your key: ")?;
        if passphrase.chars().count() < MIN_PASSPHRASE {
            bail!("the passphrase has fewer than {MIN_PASSPHRASE} characters; take a longer one");
        }
        if self.passphrase_file.is_none() && prompt_for("Once more: ")? != passphrase {
            bail!("the two differ; nothing was made");
        }
        Ok(passphrase)
    }

    fn passphrase(&self, prompt: &str) -> Result<String> {
        match &self.passphrase_file {
            Some(file) => first_line(file),
            None => prompt_for(prompt),
        }
    }
}

fn prompt_for(prompt: &str) -> Result<String> {
    let remedy = "there is no terminal to ask for the passphrase; give it with --passphrase-file";
    rpassword::prompt_password(prompt).context(remedy)
}

fn first_line(file: &Path) -> Result<String> {
    let text = fs_err::read_to_string(file)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
