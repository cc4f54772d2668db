//! Nix profiles: `pkg:nix/<name>@<version>`.
//!
//! A profile is a link to a generation, which is a link to a folder in the store; its manifest names the store paths of
//! what the person, or the system, installed. `nix profile` writes `manifest.json`, `nix-env` writes `manifest.nix`.
//! Which link is the person's: Nix's `src/libstore/profiles.cc` (`getDefaultProfile`).
//!
//! What NixOS makes of its configuration has no manifest: `system-path` (nixpkgs' `nixos/modules/config/system-path.nix`)
//! and the people's `user-environment` (`nixos/modules/config/users-groups.nix`) are folders of links. Nor has what Home
//! Manager puts into a profile as one package (its `modules/home-environment.nix`).

mod manifest;

use std::path::{Component, Path, PathBuf};

use crate::{
    draft::{Draft, Item},
    folder::Root,
    limits::{Budget, MAX_MANIFEST_BYTES},
    site::{Site, paths},
};
use manifest::{Outputs, from_json, from_nix, split};

/// Where the system has its profile.
const IN_SYSTEM: &[&str] = &["nix/var/nix/profiles/default"];
/// Where a home has its profile, or a link to it.
const IN_HOME: &[&str] = &[".local/state/nix/profiles/profile", ".local/state/nix/profile", ".nix-profile"];
/// The running system of NixOS, and the folder of profiles that its configuration has for people.
const NIXOS: &str = "run/current-system";
const NIXOS_PEOPLE: &str = "etc/profiles/per-user";
/// The package that Home Manager puts into a profile.
const HOME_MANAGER: &str = "home-manager-path";
/// How many links lead from a profile to the store, at most.
const MAX_LINKS: usize = 5;

pub(crate) fn read(site: &Site<'_>, draft: &mut Draft<'_>) {
    let Some(system) = site.system() else {
        return draft.gap(
            &site.root.path(Path::new("")),
            None,
            "the system's root folder, with the store, is not there",
        );
    };
    let mut listed = Vec::new();
    for profile in site.choose(IN_SYSTEM, IN_HOME).iter().map(Path::new) {
        match follow(&site.root, &system, profile) {
            // `.nix-profile` leads to the same.
            Ok(Some(generation)) if !listed.contains(&generation) => {
                list(&system, &generation, "it has no manifest", draft);
                listed.push(generation);
            }
            Ok(_) => {}
            Err(reason) => draft.gap(&site.root.path(profile), None, reason),
        }
    }
    if !site.is_home() {
        nixos(&system, draft);
    }
}

/// What the configuration of NixOS installs.
fn nixos(system: &Root, draft: &mut Draft<'_>) {
    let path = |running: Option<PathBuf>| running.map_or(Ok(None), |at| follow(system, system, &at.join("sw")));
    match follow(system, system, Path::new(NIXOS)).and_then(path) {
        Ok(Some(packages)) => list(system, &packages, "it is a NixOS system profile; its packages are not read", draft),
        Ok(None) => {}
        Err(reason) => draft.gap(&system.path(Path::new(NIXOS)), None, reason),
    }
    let people = Path::new(NIXOS_PEOPLE);
    match draft.names(system, people, &mut Budget::new(), |_| true) {
        Err(exhausted) => draft.gap(&system.path(people), None, exhausted),
        Ok(names) => names.iter().for_each(|name| {
            let reason = "it is a person's NixOS profile; its packages are not read";
            draft.gap(&system.path(&people.join(name)), None, reason);
        }),
    }
}

pub(crate) fn watch(site: &Site<'_>) -> Vec<PathBuf> {
    paths(site.choose(&["nix/var/nix/profiles"], &[".local/state/nix/profiles"]))
}

/// The folder in the store that a profile leads to. Links in a home are read and never followed: what they say counts
/// only if it is a name in the store, where root alone writes.
///
/// None if there is no profile: Nix makes `.nix-profile` before there is anything for it to lead to.
///
/// # Errors
/// When it leads elsewhere, or a link can't be read, in words.
fn follow(root: &Root, system: &Root, profile: &Path) -> Result<Option<PathBuf>, String> {
    let (mut at, mut link) = (root, profile.to_owned());
    for _ in 0..MAX_LINKS {
        let Some(target) = at.link(&link).map_err(|error| format!("the profile's link can't be read: {error}"))? else {
            return if at.is_there(&link) { Err("the profile is not a link".to_owned()) } else { Ok(None) };
        };
        let elsewhere = || format!("the profile leads to `{}`, which is not in the store", target.display());
        let Ok(absolute) = target.strip_prefix("/") else {
            link = link.parent().map(|folder| folder.join(&target)).ok_or_else(elsewhere)?;
            continue;
        };
        let plain = absolute.components().all(|part| matches!(part, Component::Normal(_)));
        if absolute.starts_with("nix/store") {
            let is_name = plain && absolute.components().count() == 3;
            return if is_name { Ok(Some(absolute.to_owned())) } else { Err(elsewhere()) };
        }
        (at, link) = if plain && absolute.starts_with("nix/var/nix/profiles") {
            (system, absolute.to_owned())
        } else {
            (root, in_home(root, absolute).ok_or_else(elsewhere)?)
        };
    }
    Err(format!("the profile leads over more than {MAX_LINKS} links"))
}

/// The place below a home of a profile that a link in it names in full: `/home/alice/.local/state/nix/profiles/profile`.
/// The home's own name tells: above it are links on some systems (`/home` to `/var/home`).
fn in_home(home: &Root, absolute: &Path) -> Option<PathBuf> {
    let home = home.path(Path::new(""));
    let name = Path::new(home.file_name()?);
    IN_HOME.iter().map(PathBuf::from).find(|profile| absolute.ends_with(name.join(profile)))
}

/// Lists a folder of the store by its manifest; if it has none, `without` says what that means.
fn list(system: &Root, generation: &Path, without: &str, draft: &mut Draft<'_>) {
    for (name, outputs) in [("manifest.json", from_json as Outputs), ("manifest.nix", from_nix)] {
        let path = generation.join(name);
        let Some(bytes) = draft.file(system, &path, MAX_MANIFEST_BYTES) else { continue };
        let shown = system.path(&path);
        match outputs(&bytes, &shown, draft) {
            Err(reason) => draft.gap(&shown, None, reason),
            Ok(outputs) => outputs.iter().for_each(|output| offer(output, &shown, draft)),
        }
        return;
    }
    draft.gap(&system.path(generation), None, without);
}

fn offer(output: &str, shown: &Path, draft: &mut Draft<'_>) {
    match split(output) {
        Some((name, version)) => {
            draft.offer_at(shown, &Item { version, ..Item::new("nix", name) });
            if name == HOME_MANAGER {
                draft.gap(Path::new(output), None, "it is a profile of Home Manager's; its packages are not read");
            }
        }
        None => draft.gap(shown, None, format!("`{output}` is not a path in the store")),
    }
}
