//! A person's home: a profile that Thunderbird made and a `.mbsyncrc`, each with a company and a private account.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// The app id under which Chromium-family browsers install this company's favourite banned web app.
pub const TIKTOK_ID: &str = "akpamiohjfcnimfljfndmaldlcfphjmp";
/// Where the mail clients' files come from.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../agent/mail/tests/data");

/// A policy that bans the web app; `deadline` is the body of its `[deadline]` table.
pub fn ban(id: &str, version: u64, deadline: &str) -> String {
    format!(
        r#"id = "{id}"
version = {version}
title = "TikTok is not permitted on devices with company mail"

[deadline]
{deadline}

[message]
en = "Please remove TikTok from this device. Questions? Ask the help desk."
de = "Bitte entfernen Sie TikTok von diesem Gerät. Fragen? Der Helpdesk hilft."

[consequence]
mail = ["corp.example"]

[[rule]]
id = "tiktok"
app = "TikTok"
purls = ["pkg:webapp/chromium/{TIKTOK_ID}", "pkg:flatpak/com.tiktok.TikTok", "pkg:deb/tiktok"]
"#
    )
}

/// Puts both accounts of both clients into a home.
///
/// # Errors
/// When a file can't be copied.
pub fn furnish(home: &Path) -> Result<()> {
    copy_folder(&Path::new(DATA).join("thunderbird-two-accounts"), &home.join(".thunderbird"))?;
    fs_err::copy(Path::new(DATA).join("mbsyncrc-two-accounts"), home.join(".mbsyncrc"))?;
    fs_err::create_dir_all(home.join(".local/share/applications"))?;
    Ok(())
}

/// Installs the web app as Chromium does: by a desktop entry (chromium, `shell_integration_linux.cc`).
///
/// # Errors
/// When the entry can't be written.
pub fn install_tiktok(home: &Path) -> Result<()> {
    let entry = format!(
        "#!/usr/bin/env xdg-open\n[Desktop Entry]\nVersion=1.0\nTerminal=false\nType=Application\nName=TikTok\n\
         Exec=/usr/bin/chromium --profile-directory=Default --app-id={TIKTOK_ID}\n\
         Icon=chrome-{TIKTOK_ID}-Default\nStartupWMClass=crx_{TIKTOK_ID}\n"
    );
    Ok(fs_err::write(tiktok_entry(home), entry)?)
}

/// Removes the web app.
///
/// # Errors
/// When it is not there.
pub fn remove_tiktok(home: &Path) -> Result<()> {
    Ok(fs_err::remove_file(tiktok_entry(home))?)
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

/// How often an address stands in the mail clients' settings: Thunderbird's `prefs.js` and `.mbsyncrc`.
///
/// # Errors
/// When a file can't be read.
pub fn mentions(home: &Path, address: &str) -> Result<usize> {
    let count = |path: PathBuf| -> Result<usize> {
        Ok(fs_err::read_to_string(path)?.to_ascii_lowercase().matches(address).count())
    };
    Ok(count(home.join(".mbsyncrc"))? + count(prefs(home)?)?)
}

fn prefs(home: &Path) -> Result<PathBuf> {
    let profiles = fs_err::read_dir(home.join(".thunderbird"))?.flatten().map(|entry| entry.path().join("prefs.js"));
    profiles.into_iter().find(|path| path.exists()).context("there is no prefs.js")
}

fn tiktok_entry(home: &Path) -> PathBuf {
    home.join(format!(".local/share/applications/chrome-{TIKTOK_ID}-Default.desktop"))
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
