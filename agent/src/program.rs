//! Where this program is, and the other one that comes with it.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// The same program as this one, even if a newer one has taken its place on disk.
pub(crate) fn own() -> PathBuf {
    "/proc/self/exe".into()
}

/// The program of that name in this one's folder, as it is on disk now.
///
/// # Errors
/// When the system does not say where this program is.
pub(crate) fn beside(name: &str) -> Result<PathBuf> {
    Ok(std::env::current_exe().context("where this program is can't be told")?.with_file_name(name))
}
