//! Where this system keeps whose files: the folders of whoever runs this (XDG Base Directory Specification), and the system's.

use std::path::PathBuf;

use directories::{BaseDirs, ProjectDirs};

/// The home of whoever runs this.
pub fn home() -> Option<PathBuf> {
    Some(BaseDirs::new()?.home_dir().to_owned())
}

/// Where their programs keep data of this device: `~/.local/share`.
pub fn data() -> Option<PathBuf> {
    Some(BaseDirs::new()?.data_local_dir().to_owned())
}

/// Where their programs keep what ends with the session, and can listen: `/run/user/1000`.
pub fn runtime() -> Option<PathBuf> {
    BaseDirs::new()?.runtime_dir().map(ToOwned::to_owned)
}

/// Where they keep what can be made anew: `~/.cache`.
pub fn cache() -> Option<PathBuf> {
    Some(BaseDirs::new()?.cache_dir().to_owned())
}

/// Where they configure this program: `~/.config/forewarn`.
pub fn config(program: &str) -> Option<PathBuf> {
    Some(ProjectDirs::from("", "", program)?.config_dir().to_owned())
}
