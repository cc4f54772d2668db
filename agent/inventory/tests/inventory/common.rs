//! What the tests of this crate share: places in a scratch folder, and the real tools to compare with.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use forewarn_engine::{Listing, Wanted};
use forewarn_inventory::{HomeFolder, Places, list, scopes, sources_of};
use forewarn_proto::inventory::{Person, Scope, Source};

/// The person whose home `places` has.
pub(crate) const ALICE: Person = Person::from_bits(1000);

/// A home of Alice's.
pub(crate) fn alice_s(path: PathBuf) -> HomeFolder {
    HomeFolder { person: ALICE, user: 1000, path }
}

/// Places below `root`, none of which exist yet but Alice's home and an `os-release` of Debian's.
pub(crate) fn places(root: &Path) -> Places {
    fs_err::create_dir_all(root.join("home/alice")).unwrap();
    write(root, "etc/os-release", "ID=debian\n");
    Places { root: root.to_owned(), homes: vec![alice_s(root.join("home/alice"))] }
}

/// Writes a file below `root`, with its folders.
pub(crate) fn write(root: &Path, name: &str, contents: impl AsRef<[u8]>) {
    let path = root.join(name);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, contents).unwrap();
}

/// Makes a symbolic link below `root`, with its folder.
pub(crate) fn link(root: &Path, name: &str, target: &str) {
    let path = root.join(name);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::os::unix::fs::symlink(target, path).unwrap();
}

/// One source's listing in one scope.
pub(crate) fn listing(places: &Places, source: Source, scope: Scope) -> Listing {
    list(places, source, scope, &Wanted::All)
}

/// Every source's listing in every scope.
pub(crate) fn everything(places: &Places) -> Vec<Listing> {
    let of = |scope| sources_of(scope).map(move |source| listing(places, source, scope));
    scopes(places).flat_map(of).collect()
}

/// The purls of a listing, as text.
pub(crate) fn purls(listing: &Listing) -> Vec<&str> {
    listing.packages.iter().map(|package| package.purl.as_str()).collect()
}

/// The gaps of a listing, as `path below root (@offset): reason`.
pub(crate) fn gaps(listing: &Listing, root: &Path) -> Vec<String> {
    let root = format!("{}/", root.display());
    let line = |gap: &forewarn_engine::Gap| {
        let offset = gap.offset.map_or(String::new(), |offset| format!(" @{offset}"));
        format!("{}{offset}: {}", gap.path.replace(&root, ""), gap.reason)
    };
    listing.gaps.iter().map(line).collect()
}

/// A real tool, in an environment of its own. Its Debian package is named if it is missing.
pub(crate) struct Tool {
    name: &'static str,
    debian_package: &'static str,
    command: Command,
}

impl Tool {
    #[expect(clippy::disallowed_methods, reason = "the real tool is what the crate is compared with")]
    pub(crate) fn new(name: &'static str, debian_package: &'static str) -> Self {
        let mut command = Command::new(name);
        command.env("LC_ALL", "C.UTF-8");
        Self { name, debian_package, command }
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        self.command.env(name, value.as_ref());
        self
    }

    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Runs it and returns what it writes to standard output. Fails the test unless it succeeds.
    #[track_caller]
    pub(crate) fn run(mut self, arguments: &[&str]) -> String {
        let Self { name, debian_package, .. } = self;
        let output = match self.command.args(arguments).output() {
            Ok(output) => output,
            Err(error) => {
                panic!("{name} can't be run ({error}): install the Debian package {debian_package}")
            }
        };
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name} {arguments:?}: {}\n{errors}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }
}
