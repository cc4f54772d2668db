//! Everything that reads bytes which someone else wrote, each as a target that takes one input. Nothing may panic, and
//! what comes out must hold together.
//!
//! `cargo xtask fuzz <target>` runs one under libFuzzer; `cargo xtask test` plays the seeds in `seeds/<target>/`.

mod documents;
mod laid;
mod mail;

use std::path::{Path, PathBuf};

use forewarn_engine::{Listing, Package, Wanted};
use forewarn_inventory::{HomeFolder, Places, list, scopes, sources_of};
use forewarn_proto::{
    inventory::{Person, Source},
    purl::Purl,
};

use crate::laid::Laid;

const ALICE: Person = Person::from_bits(1000);

/// A package in dpkg's database.
const STATUS: (&str, &str) =
    ("var/lib/dpkg/status", "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2\n\n");
/// A package in apk's.
const APK: (&str, &str) = ("lib/apk/db/installed", "P:busybox\nV:1.36.1-r29\nA:x86_64\n\n");

/// Something that reads bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// What it is called, and its folder of seeds.
    pub name: &'static str,
    reads: Reads,
}

#[derive(Debug, Clone, Copy)]
enum Reads {
    /// A source of packages, with the input in its place.
    Source(Source, Laid),
    /// A mail program's file in a home, beside others.
    Mail(&'static str, &'static [(&'static str, &'static str)]),
    /// A document, or a part of one.
    Document(fn(&[u8])),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    source("dpkg", Source::Dpkg, Laid::File("var/lib/dpkg/status")),
    source("dpkg-journal", Source::Dpkg, Laid::Beside("var/lib/dpkg/updates/0001", STATUS)),
    source("rpm-header", Source::Rpm, Laid::RpmHeader),
    source("rpm-ndb", Source::Rpm, Laid::File("var/lib/rpm/Packages.db")),
    source("rpm-sqlite", Source::Rpm, Laid::File("var/lib/rpm/rpmdb.sqlite")),
    source("pacman", Source::Pacman, Laid::Folders("var/lib/pacman/local")),
    source("apk", Source::Apk, Laid::File("lib/apk/db/installed")),
    source(
        "flatpak-metainfo",
        Source::Flatpak,
        Laid::File("var/lib/flatpak/app/org.x.App/x86_64/stable/active/files/share/metainfo/org.x.App.metainfo.xml"),
    ),
    source(
        "flatpak-installations",
        Source::Flatpak,
        Laid::Beside(
            "etc/flatpak/installations.d/a.conf",
            ("opt/extra/app/org.x.App/x86_64/stable/active/metadata", ""),
        ),
    ),
    source("flatpak-refs", Source::Flatpak, Laid::Folders("var/lib/flatpak/app/org.x.App/x86_64")),
    source("snap-state", Source::Snap, Laid::File("var/lib/snapd/state.json")),
    source("snap-yaml", Source::Snap, Laid::File("snap/a/current/meta/snap.yaml")),
    source("appimage", Source::AppImage, Laid::File("home/alice/Applications/a")),
    source("homebrew", Source::Homebrew, Laid::Folders("home/alice/.linuxbrew/Cellar/wget")),
    source(
        "homebrew-receipt",
        Source::Homebrew,
        Laid::File("home/alice/.linuxbrew/Cellar/wget/1.0/INSTALL_RECEIPT.json"),
    ),
    source("nix-json", Source::Nix, Laid::NixManifest("manifest.json")),
    source("nix-env", Source::Nix, Laid::NixManifest("manifest.nix")),
    source("desktop", Source::Desktop, Laid::File("home/alice/.local/share/applications/a.desktop")),
    source("firefox", Source::Browser, Laid::File("home/alice/.mozilla/firefox/x.default/extensions.json")),
    source("firefox-index", Source::Browser, Laid::File("home/alice/.mozilla/firefox/profiles.ini")),
    source(
        "chromium",
        Source::Browser,
        Laid::Folders("home/alice/.config/google-chrome/Default/Extensions/cjpalhdlnbpafiamejdnhcphjbkeiagm"),
    ),
    source("editor", Source::Editor, Laid::File("home/alice/.vscode/extensions/extensions.json")),
    source("editor-folders", Source::Editor, Laid::Folders("home/alice/.cursor/extensions")),
    source("editor-manifest", Source::Editor, Laid::File("home/alice/.vscode/extensions/a/package.json")),
    source("os-release", Source::Apk, Laid::Beside("etc/os-release", APK)),
    mail_file("mail-thunderbird", ".thunderbird/p/prefs.js", mail::PROFILES),
    mail_file("mail-logins", ".thunderbird/p/logins.json", mail::THUNDERBIRD),
    mail_file("mail-outbox", ".thunderbird/p/Mail/Local Folders/Unsent Messages", mail::THUNDERBIRD),
    mail_file("mail-evolution", ".config/evolution/sources/a.source", &[]),
    mail_file("mail-online-accounts", ".config/goa-1.0/accounts.conf", &[]),
    mail_file("mail-geary", ".config/geary/account_01/geary.ini", &[]),
    mail_file("mail-claws", ".claws-mail/accountrc", &[]),
    mail_file("mail-kmail", ".config/emailidentities", &[]),
    mail_file("mail-isync", ".mbsyncrc", &[]),
    mail_file("mail-offlineimap", ".offlineimaprc", &[]),
    mail_file("mail-msmtp", ".msmtprc", &[]),
    mail_file("mail-neomutt", ".neomuttrc", &[]),
    mail_file("mail-aerc", ".config/aerc/accounts.conf", &[]),
    mail_file("mail-himalaya", ".config/himalaya/config.toml", &[]),
    document("policy", documents::policy),
    document("exemptions", documents::exemptions),
    document("notice-word", documents::notice_word),
    document("purl", documents::purl),
    document("vers", documents::vers),
    document("versions", documents::versions),
];

const fn source(name: &'static str, source: Source, laid: Laid) -> Target {
    Target { name, reads: Reads::Source(source, laid) }
}

const fn mail_file(name: &'static str, path: &'static str, beside: &'static [(&'static str, &'static str)]) -> Target {
    Target { name, reads: Reads::Mail(path, beside) }
}

const fn document(name: &'static str, read: fn(&[u8])) -> Target {
    Target { name, reads: Reads::Document(read) }
}

impl Target {
    /// The target of this name.
    pub fn named(name: &str) -> Option<Self> {
        TARGETS.iter().find(|target| target.name == name).copied()
    }

    /// Reads one input. `folder` is scratch space, for this target alone.
    ///
    /// # Panics
    /// When the reader does, or gives what does not hold together.
    pub fn read(&self, input: &[u8], folder: &Path) {
        match self.reads {
            Reads::Document(read) => read(input),
            Reads::Mail(path, beside) => mail::check(path, beside, input, &folder.join(self.name)),
            Reads::Source(source, laid) => {
                let root = folder.join(self.name);
                let places = Places {
                    homes: vec![HomeFolder { person: ALICE, user: 1000, path: root.join("home/alice") }],
                    root,
                };
                fs_err::create_dir_all(&places.homes[0].path).unwrap();
                laid.lay(&places.root, input);
                check(&places, source);
                laid.clear(&places.root);
            }
        }
    }

    /// The seeds that are kept for it, by their paths.
    pub fn seeds(&self) -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(self.name);
        let mut seeds: Vec<PathBuf> = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        seeds.sort_unstable();
        seeds
    }
}

fn check(places: &Places, source: Source) {
    for scope in scopes(places).filter(|scope| sources_of(*scope).any(|s| s == source)) {
        let all = list(places, source, scope, &Wanted::All);
        check_listing(&all);
        // What nobody asks for may be passed over, and damage with it.
        if all.is_complete() {
            let counted = list(places, source, scope, &Wanted::nothing());
            assert_eq!(all.count, counted.count, "what nobody asks for is counted all the same");
            all.packages.first().into_iter().for_each(|package| check_found(places, &all, package));
        }
    }
}

/// Whoever asks for one package is told of all that bear its name.
fn check_found(places: &Places, all: &Listing, package: &Package) {
    let found = list(places, all.source, all.scope, &Wanted::by([&package.purl]));
    let is_named = |p: &&Package| (p.purl.kind(), p.purl.name()) == (package.purl.kind(), package.purl.name());
    assert_eq!(found.packages, all.packages.iter().filter(is_named).cloned().collect::<Vec<_>>());
}

fn check_listing(listing: &Listing) {
    assert!(listing.packages.len() <= listing.count, "more packages than were counted");
    assert!(listing.packages.is_sorted(), "packages come sorted");
    for package in &listing.packages {
        let again: Purl = package.purl.as_str().parse().unwrap_or_else(|error| panic!("{:?}: {error}", package.purl));
        assert_eq!(again, package.purl, "a purl is read as it was written");
    }
}
