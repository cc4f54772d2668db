//! A person's home: a profile that Thunderbird made and a `.mbsyncrc`, each with a company and a private account.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Result;
use sha2::{Digest, Sha256};

/// The profile that Thunderbird made.
const PROFILE: &str = "5ee0q7cw.default-default";

/// A web app as Chromium-family browsers install it.
#[derive(Debug, Clone, Copy)]
pub struct WebApp {
    /// What people call it.
    pub name: &'static str,
    /// Its app id.
    pub id: &'static str,
}

/// The app that is banned.
pub const TIKTOK: WebApp = WebApp { name: "TikTok", id: "nlalbmkafgmoifbeooblidblkmlhhpnc" };
/// The app that is banned in error.
pub const INSTAGRAM: WebApp = WebApp { name: "Instagram", id: "akpamiohjfcnimfljfndmaldlcfphjmp" };

/// Where the mail clients' files come from.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../agent/mail/tests/data");

/// A policy that bans an app by its name in the catalogue; `deadline` is the body of its `[deadline]` table. It is filled
/// in by the admin who signs it.
pub fn ban(app: &WebApp, id: &str, version: u64, deadline: &str) -> String {
    policy(app, id, version, deadline, &format!("app = \"{}\"", app.name.to_lowercase()))
}

/// The same policy as it is signed, with the app's purl.
pub fn filled_in(app: &WebApp, id: &str, version: u64, deadline: &str) -> String {
    let WebApp { name, id: app_id } = app;
    let identity = format!("app = \"{name}\"\npurls = [\"pkg:webapp/chromium/{app_id}\"]");
    policy(app, id, version, deadline, &identity)
}

fn policy(app: &WebApp, id: &str, version: u64, deadline: &str, identity: &str) -> String {
    let WebApp { name, .. } = app;
    let rule = name.to_lowercase();
    format!(
        r#"id = "{id}"
version = {version}
title = "{name} is not permitted on devices with company mail"

[deadline]
{deadline}

[message]
en = "Please remove {name} from this device. Questions? Ask the help desk."
de = "Bitte entfernen Sie {name} von diesem Gerät. Fragen? Der Helpdesk hilft."

[consequence]
mail = ["corp.example"]

[[rule]]
id = "{rule}"
{identity}
"#
    )
}

/// Puts both accounts of both clients into a home.
///
/// # Errors
/// When a file can't be copied.
pub fn furnish(home: &Path) -> Result<()> {
    let (thunderbird, data) = (home.join(".thunderbird"), Path::new(DATA).join("thunderbird-two-accounts"));
    copy_folder(&data.join(PROFILE), &thunderbird.join(PROFILE))?;
    for name in ["profiles.ini", "installs.ini"] {
        fs_err::copy(data.join(name), thunderbird.join(name))?;
    }
    fs_err::copy(Path::new(DATA).join("mbsyncrc-two-accounts"), home.join(".mbsyncrc"))?;
    fs_err::create_dir_all(home.join(".local/share/applications"))?;
    Ok(())
}

/// Adds an account of both domains in every other mail program that is known.
///
/// # Errors
/// When a file can't be copied.
pub fn furnish_with_every_client(home: &Path) -> Result<()> {
    copy_folder(&Path::new(DATA).join("every-client"), home)
}

impl WebApp {
    /// Installs it as Chromium does: by a desktop entry (chromium, `shell_integration_linux.cc`).
    ///
    /// # Errors
    /// When the entry can't be written.
    pub fn install(&self, home: &Path) -> Result<()> {
        let Self { name, id } = self;
        let entry = format!(
            "#!/usr/bin/env xdg-open\n[Desktop Entry]\nVersion=1.0\nTerminal=false\nType=Application\nName={name}\n\
             Exec=/usr/bin/chromium --profile-directory=Default --app-id={id}\n\
             Icon=chrome-{id}-Default\nStartupWMClass=crx_{id}\n"
        );
        Ok(fs_err::write(self.entry(home), entry)?)
    }

    /// Removes it.
    ///
    /// # Errors
    /// When it is not there.
    pub fn remove(&self, home: &Path) -> Result<()> {
        Ok(fs_err::remove_file(self.entry(home))?)
    }

    fn entry(&self, home: &Path) -> PathBuf {
        home.join(format!(".local/share/applications/chrome-{}-Default.desktop", self.id))
    }
}

/// The mail clients' files and the SHA-256 of each. The lock that Thunderbird leaves in its profile is not mail.
///
/// # Errors
/// When a file can't be read.
pub fn mail_files(home: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let mut files = BTreeMap::new();
    hash_folder(&home.join(".thunderbird"), &mut files)?;
    hash_file(&home.join(".mbsyncrc"), &mut files)?;
    files.retain(|path, _| path.file_name().is_some_and(|name| name != ".parentlock"));
    Ok(files.into_iter().map(|(path, hash)| (path.strip_prefix(home).unwrap_or(&path).to_owned(), hash)).collect())
}

/// Every file of a home and its SHA-256.
///
/// # Errors
/// When a file can't be read.
pub fn all_files(home: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let mut files = BTreeMap::new();
    hash_folder(home, &mut files)?;
    Ok(files)
}

/// How often an address stands in the mail clients' settings: Thunderbird's `prefs.js` and `.mbsyncrc`.
///
/// # Errors
/// When a file can't be read.
pub fn mentions(home: &Path, address: &str) -> Result<usize> {
    let count = |path: PathBuf| -> Result<usize> {
        Ok(fs_err::read_to_string(path)?.to_ascii_lowercase().matches(address).count())
    };
    Ok(count(home.join(".mbsyncrc"))? + count(home.join(".thunderbird").join(PROFILE).join("prefs.js"))?)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs_err::create_dir_all(to)?;
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_folder(&from, &to)?;
        } else {
            fs_err::copy(&from, &to)?;
        }
    }
    Ok(())
}

fn hash_folder(folder: &Path, files: &mut BTreeMap<PathBuf, String>) -> Result<()> {
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { hash_folder(&path, files)? } else { hash_file(&path, files)? }
    }
    Ok(())
}

fn hash_file(path: &Path, files: &mut BTreeMap<PathBuf, String>) -> Result<()> {
    files.insert(path.to_owned(), hex::encode(Sha256::digest(fs_err::read(path)?)));
    Ok(())
}
