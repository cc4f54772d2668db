//! The admin's folder: settings, the encrypted key, the root that this admin trusts, the bundle seen last.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use forewarn_host::{Clock, folders, private};
use forewarn_proto::api::{Provider, SignedIn};
use forewarn_trust::PublicKey;
use serde::{Deserialize, Serialize};

/// The fewest characters in a passphrase.
const MIN_PASSPHRASE: usize = 8;
/// The last sign-in, in the folder.
const SIGNED_IN: &str = "signed-in.json";
/// Where people signed in the last time, in the folder.
const PROVIDER: &str = "provider.json";

/// See the module.
pub(crate) struct Home {
    folder: PathBuf,
    passphrase_file: Option<PathBuf>,
    token_file: Option<PathBuf>,
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
    /// The folder, if it isn't the usual one; the file of the key's passphrase; that of a token.
    pub(crate) fn new(
        folder: Option<PathBuf>,
        passphrase_file: Option<PathBuf>,
        token_file: Option<PathBuf>,
    ) -> Result<Self> {
        let folder = match folder {
            Some(folder) => folder,
            None => folders::config("forewarn-admin").context("there is no home folder; say where with --home")?,
        };
        Ok(Self { folder, passphrase_file, token_file })
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

    /// Remembers a server, and nothing of another one.
    pub(crate) fn settle(&self, settings: &Settings, ca: &str) -> Result<()> {
        private::create_folder(&self.folder)?;
        if self.settings().is_ok_and(|known| known.server != settings.server) {
            let of_another = [SIGNED_IN, PROVIDER, "root.json", "seen.json"].map(|name| self.file(name));
            of_another.iter().filter(|file| file.exists()).try_for_each(fs_err::remove_file)?;
        }
        self.write("settings.toml", &toml::to_string(settings)?)?;
        self.write("ca.pem", ca)
    }

    /// The secret of the token in the file that was named.
    pub(crate) fn given_token(&self) -> Result<Option<String>> {
        self.token_file.as_deref().map(first_line).transpose()
    }

    /// The last sign-in here, whether it is good still or not.
    pub(crate) fn sign_in(&self) -> Result<Option<SignedIn>> {
        let path = self.file(SIGNED_IN);
        let Ok(text) = fs_err::read_to_string(&path) else { return Ok(None) };
        let damaged = || format!("{} is damaged; sign in again", path.display());
        serde_json::from_str(&text).map(Some).with_context(damaged)
    }

    pub(crate) fn keep_sign_in(&self, signed_in: &SignedIn) -> Result<()> {
        self.write(SIGNED_IN, &serde_json::to_string(signed_in)?)
    }

    pub(crate) fn forget_sign_in(&self) -> Result<()> {
        Ok(fs_err::remove_file(self.file(SIGNED_IN))?)
    }

    /// Whether people sign in where they did the last time, and are asked for the same. The first time it is remembered: a
    /// server that names another place could get people's codes for something else.
    pub(crate) fn is_same_provider(&self, provider: &Provider) -> Result<bool> {
        match fs_err::read_to_string(self.file(PROVIDER)) {
            Ok(text) => Ok(serde_json::from_str::<Provider>(&text).is_ok_and(|known| known == *provider)),
            Err(_) => self.write(PROVIDER, &serde_json::to_string(provider)?).map(|()| true),
        }
    }

    /// The public half of the key in use, for which nobody is asked.
    pub(crate) fn public(&self) -> Result<PublicKey> {
        read_public(&self.file(&format!("{}.pub", self.settings()?.name)))
    }

    /// The root that this admin trusts, if one was founded and signed.
    pub(crate) fn root(&self) -> Option<String> {
        fs_err::read_to_string(self.file("root.json")).ok()
    }

    /// Writes a file that nobody else may read, in one step.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<()> {
        Ok(private::write(&self.file(name), text.as_bytes())?)
    }

    pub(crate) fn new_passphrase(&self) -> Result<String> {
        let passphrase = self.passphrase("New passphrase for your key: ")?;
        if passphrase.chars().count() < MIN_PASSPHRASE {
            bail!("the passphrase has fewer than {MIN_PASSPHRASE} characters; take a longer one");
        }
        if self.passphrase_file.is_none() && prompt_for("Once more: ")? != passphrase {
            bail!("the two differ; nothing was made");
        }
        Ok(passphrase)
    }

    pub(crate) fn passphrase(&self, prompt: &str) -> Result<String> {
        match &self.passphrase_file {
            Some(file) => first_line(file),
            None => prompt_for(prompt),
        }
    }
}

/// Reads the public key in a file that `init` made.
pub(crate) fn read_public(path: &Path) -> Result<PublicKey> {
    let text = fs_err::read_to_string(path)?;
    let mut key: PublicKey = serde_json::from_str(&text)
        .with_context(|| format!("{} is not a public key made by `init`", path.display()))?;
    key.id()?;
    // As metadata writes it; signatures are over the text.
    key.public.make_ascii_lowercase();
    Ok(key)
}

fn prompt_for(prompt: &str) -> Result<String> {
    let remedy = "there is no terminal to ask for the passphrase; give it with --passphrase-file";
    rpassword::prompt_password(prompt).context(remedy)
}

fn first_line(file: &Path) -> Result<String> {
    let text = fs_err::read_to_string(file)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
