//! How an input is laid out on a device.

use std::path::Path;

/// More names in one input tell nothing new.
const MAX_NAMES: usize = 16;

/// What an input becomes; paths are below the root.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Laid {
    /// The contents of a file.
    File(&'static str),
    /// The names of folders in a folder, one a line.
    Folders(&'static str),
    /// The header of the only package in an ndb database.
    RpmHeader,
    /// A manifest of this name in the system's Nix profile.
    NixManifest(&'static str),
    /// The contents of a file, beside another one that says why it is read.
    Beside(&'static str, (&'static str, &'static str)),
}

const NDB: &str = "var/lib/rpm/Packages.db";
const NIX_PROFILE: &str = "nix/store/sn94mdryh0kxvmg3blp6cchiy3mpfp1i-profile";
const NIX_LINK: &str = "nix/var/nix/profiles/default";

impl Laid {
    pub(crate) fn lay(self, root: &Path, input: &[u8]) {
        match self {
            Self::File(path) => write(root, path, input),
            Self::Folders(path) => names(input).for_each(|name| {
                // Some names are too long for the file system.
                let _ = fs_err::create_dir_all(root.join(path).join(name).join("active"));
            }),
            Self::RpmHeader => write(root, NDB, &ndb(input)),
            Self::NixManifest(name) => {
                write(root, &format!("{NIX_PROFILE}/{name}"), input);
                link(&root.join(NIX_LINK), Path::new("/").join(NIX_PROFILE).as_path());
            }
            Self::Beside(path, (other, contents)) => {
                write(root, path, input);
                write(root, other, contents.as_bytes());
            }
        }
    }

    /// Takes away what the next input would not replace.
    pub(crate) fn clear(self, root: &Path) {
        if let Self::Folders(path) = self {
            let _ = fs_err::remove_dir_all(root.join(path));
        }
    }
}

fn names(input: &[u8]) -> impl Iterator<Item = &std::ffi::OsStr> {
    use std::os::unix::ffi::OsStrExt as _;
    let lines = input.split(|byte| *byte == b'\n').take(MAX_NAMES);
    let usable =
        |line: &&[u8]| !line.is_empty() && *line != b"." && *line != b".." && !line.iter().any(|b| b"/\0".contains(b));
    lines.filter(usable).map(std::ffi::OsStr::from_bytes)
}

fn write(root: &Path, path: &str, contents: &[u8]) {
    let path = root.join(path);
    if fs_err::write(&path, contents).is_err() {
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, contents).unwrap();
    }
}

fn link(path: &Path, target: &Path) {
    if path.is_symlink() {
        return;
    }
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::os::unix::fs::symlink(target, path).unwrap();
}

/// An ndb database of one package, as rpm's `lib/backend/ndb/rpmpkg.c` lays one out: a page of slots, then the blob.
fn ndb(header: &[u8]) -> Vec<u8> {
    let length = u32::try_from(header.len()).unwrap();
    let slot = [*b"Slot", 1_u32.to_le_bytes(), 256_u32.to_le_bytes(), length.div_ceil(16).to_le_bytes()].concat();
    let mut page = [*b"RpmP", [0; 4], 1_u32.to_le_bytes(), 1_u32.to_le_bytes(), 2_u32.to_le_bytes()].concat();
    page.resize(32, 0);
    page.extend([*b"Slot", [0; 4], [0; 4], [0; 4]].concat());
    page.extend(slot);
    while page.len() < 4096 {
        page.extend([*b"Slot", [0; 4], [0; 4], [0; 4]].concat());
    }
    page.extend([*b"BlbS", 1_u32.to_le_bytes(), 1_u32.to_le_bytes(), length.to_le_bytes()].concat());
    page.extend(header);
    page.resize(page.len().next_multiple_of(16), 0);
    page
}
