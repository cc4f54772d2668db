//! Where packages come from, and whom they are installed for. Packages themselves have no type here: they never leave the device.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::person::Person;

/// Whom a package is installed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everyone on the device.
    System,
    /// One person, in their home.
    Person(Person),
}

impl Scope {
    /// Whether what is installed in this scope is installed for `person`.
    pub fn reaches(self, person: Person) -> bool {
        self == Self::System || self == Self::Person(person)
    }
}

/// A package source: one way in which software gets onto a device and is listed there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Debian's package database.
    Dpkg,
    /// RPM's package database.
    Rpm,
    /// Arch Linux's package database.
    Pacman,
    /// Alpine Linux's package database.
    Apk,
    /// Flatpak installations.
    Flatpak,
    /// Snaps.
    Snap,
    /// AppImage files, where people keep them.
    AppImage,
    /// Homebrew's cellar and cask room.
    Homebrew,
    /// Nix profiles.
    Nix,
    /// Desktop entries, and the web apps among them.
    Desktop,
    /// Extensions of browsers.
    Browser,
    /// Extensions of Visual Studio Code and its forks.
    Editor,
}

impl Source {
    /// Every source, in the order in which they are shown.
    pub const ALL: [Self; 12] = [
        Self::Dpkg,
        Self::Rpm,
        Self::Pacman,
        Self::Apk,
        Self::Flatpak,
        Self::Snap,
        Self::AppImage,
        Self::Homebrew,
        Self::Nix,
        Self::Desktop,
        Self::Browser,
        Self::Editor,
    ];

    /// Those that know what people call a package.
    pub const WITH_DISPLAY_NAMES: [Self; 4] = [Self::Flatpak, Self::AppImage, Self::Desktop, Self::Browser];

    /// Those by which people install for themselves alone, in their homes.
    pub const IN_HOMES: [Self; 7] =
        [Self::Flatpak, Self::AppImage, Self::Homebrew, Self::Nix, Self::Desktop, Self::Browser, Self::Editor];

    /// Whether it has a listing of this scope.
    pub fn lists(self, scope: Scope) -> bool {
        scope == Scope::System || Self::IN_HOMES.contains(&self)
    }

    /// The purl types that this source, and no other, lists.
    pub fn purl_kinds(self) -> &'static [&'static str] {
        match self {
            Self::Dpkg => &["deb"],
            Self::Rpm => &["rpm"],
            Self::Pacman => &["alpm"],
            Self::Apk => &["apk"],
            Self::Flatpak => &["flatpak"],
            Self::Snap => &["snap"],
            Self::AppImage => &["appimage"],
            Self::Homebrew => &["brew"],
            Self::Nix => &["nix"],
            Self::Desktop => &["desktop", "webapp"],
            Self::Browser => &["chrome-extension", "firefox-extension"],
            Self::Editor => &["vscode-extension"],
        }
    }

    /// The source's name, as people read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dpkg => "dpkg",
            Self::Rpm => "rpm",
            Self::Pacman => "pacman",
            Self::Apk => "apk",
            Self::Flatpak => "flatpak",
            Self::Snap => "snap",
            Self::AppImage => "appimage",
            Self::Homebrew => "homebrew",
            Self::Nix => "nix",
            Self::Desktop => "desktop",
            Self::Browser => "browser",
            Self::Editor => "editor",
        }
    }
}
