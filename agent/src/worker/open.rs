//! Whether a home is open. One that isn't mounted yet, or is still locked, looks as if nothing were in it: that is no proof that
//! an app is gone, and nothing can be given back there.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

/// The link that eCryptfs leaves where a locked home is, whatever else programs have left there (ecryptfs-utils,
/// `src/utils/ecryptfs-setup-private`).
const ECRYPTFS: &str = "Access-Your-Private-Data.desktop";

/// The shortest name that fscrypt shows in a locked folder, in letters: 16 bytes of the encrypted name, as base64. Newer
/// kernels put 8 bytes of hash before it (Linux, `fs/crypto/fname.c`).
const LEAST_FSCRYPT: usize = 22;

/// Why nothing is done in a home.
pub(crate) const NOT_OPEN: &str = "the home folder is not open: it is not mounted, locked, or can't be read";

/// Makes sure that a home is open.
///
/// # Errors
/// [`NOT_OPEN`], and why.
pub(super) fn ensure_open(home: &Path) -> Result<()> {
    ensure!(fs_err::symlink_metadata(home.join(ECRYPTFS)).is_err(), "{NOT_OPEN}");
    for entry in fs_err::read_dir(home).context(NOT_OPEN)? {
        if !is_of_fscrypt(&entry.context(NOT_OPEN)?.file_name().to_string_lossy()) {
            return Ok(());
        }
    }
    bail!(NOT_OPEN)
}

fn is_of_fscrypt(name: &str) -> bool {
    // Older kernels have `+` and `,` where newer ones have `-` and `_`.
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+,".contains(&byte);
    name.len() >= LEAST_FSCRYPT && name.bytes().all(is_base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&str], open: bool) {
        let home = tempfile::tempdir().unwrap();
        names.iter().for_each(|name| fs_err::write(home.path().join(name), "").unwrap());
        let result = ensure_open(home.path());
        assert_eq!(result.map_err(|error| error.to_string()), if open { Ok(()) } else { Err(NOT_OPEN.to_owned()) });
    }

    #[test]
    fn a_home_in_which_there_is_nothing_is_not_open() {
        check(&[], false);
        check(&[".bashrc"], true);
        check(&["Applications"], true);
        check(&[".ecryptfs", ".Private", "README.txt", ECRYPTFS, ".cache", ".ssh"], false);
        check(&[".ecryptfs", ".Private", ".cache", ".config"], true);
        let (newer, older) = ("mcXqfvJPyTYBAAAAAAAAAPIQYWrF-L_6", "ZqKUmHYBAAAAPIQYWrF,L+");
        check(&[newer, older], false);
        check(&[newer, older, ".config"], true);
        check(&["a-name-that-is-long-but-ordinary.txt"], true);
    }

    #[test]
    fn a_home_that_can_t_be_read_says_why() {
        let error = ensure_open(Path::new("/nowhere")).unwrap_err();
        assert!(format!("{error:#}").contains("/nowhere"), "{error:#}");
    }
}
