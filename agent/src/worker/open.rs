//! Whether a home is open. One that isn't mounted yet, or is still locked, looks as if nothing were in it: that is no proof that
//! an app is gone, and nothing can be given back there.

use std::path::Path;

use anyhow::{Result, bail};

/// What eCryptfs leaves of a locked home (ecryptfs-utils, `src/utils/ecryptfs-setup-private`).
const ECRYPTFS: [&str; 4] = [".Private", ".ecryptfs", "Access-Your-Private-Data.desktop", "README.txt"];

/// The shortest name that fscrypt shows in a locked folder, in letters: 8 bytes of hash and 16 of the encrypted name, as base64
/// (Linux, `fs/crypto/fname.c`).
const LEAST_FSCRYPT: usize = 32;

/// Why nothing is done in a home.
pub(crate) const NOT_OPEN: &str = "the home folder is not open: it is not mounted, or locked";

/// Makes sure that a home is open.
///
/// # Errors
/// [`NOT_OPEN`]; or that the folder can't be read.
pub(super) fn ensure_open(home: &Path) -> Result<()> {
    for entry in fs_err::read_dir(home)? {
        if !is_of_a_locked_home(&entry?.file_name().to_string_lossy()) {
            return Ok(());
        }
    }
    bail!(NOT_OPEN)
}

fn is_of_a_locked_home(name: &str) -> bool {
    // Older kernels have `+` and `,` where newer ones have `-` and `_`.
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+,".contains(&byte);
    ECRYPTFS.contains(&name) || (name.len() >= LEAST_FSCRYPT && name.bytes().all(is_base64))
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
        check(&ECRYPTFS, false);
        check(&[ECRYPTFS.as_slice(), &[".cache"]].concat(), true);
        let (newer, older) = ("mcXqfvJPyTYBAAAAAAAAAPIQYWrF-L_6", "ZqKUmHYBAAAAAAAAAPIQYWrF,L+6gH7Tc3nAAAAAAAAAAAAA");
        check(&[newer, older], false);
        check(&[newer, older, ".config"], true);
        check(&["a-name-that-is-long-but-ordinary.txt"], true);
    }

    #[test]
    fn a_home_that_can_t_be_read_says_why() {
        let error = ensure_open(Path::new("/nowhere")).unwrap_err();
        assert!(error.to_string().contains("/nowhere"), "{error}");
    }
}
