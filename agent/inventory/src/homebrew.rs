//! Homebrew on Linux: `pkg:brew/<name>@<version>?kind=<formula or cask>` of Homebrew's own taps, `homebrew/core` and
//! `homebrew/cask`, and `pkg:brew/<tap>/<name>@<version>?kind=<formula or cask>` of others.
//!
//! A prefix holds `Cellar/<formula>/<version>/` and `Caskroom/<cask>/<version>/`. Which tap a package is from, its receipt
//! says. Format: Homebrew's `Library/Homebrew/keg.rb`, `cask/cask.rb`, and `tab.rb` and `cask/tab.rb` for the receipts.

use std::path::{Path, PathBuf};

use forewarn_proto::purl::OWN_TAPS;
use serde::Deserialize;

use crate::{
    Places,
    draft::{Draft, Item},
    folder::{Opened, Root, read_at},
    limits::{Budget, Exhausted, MAX_RECEIPT_BYTES},
    site::Site,
};

/// The folder of the prefix that Homebrew's `install.sh` makes. The prefix belongs to whoever ran that, and is theirs alone:
/// of the system it is a part only where that was root.
const SHARED: &str = "home/linuxbrew";
/// The prefix, in that folder and in a home.
const PREFIX: &str = ".linuxbrew";
/// What a prefix has packages in, and of which kind. A cask and a formula of one name are two packages.
const ROOMS: [(&str, &str); 2] = [("Cellar", "formula"), ("Caskroom", "cask")];
/// The type of the packages' purls.
const TYPE: &str = "brew";
/// Beside a cask's versions, what is known of it.
const METADATA: &str = ".metadata";
const RECEIPT: &str = "INSTALL_RECEIPT.json";
/// What `homebrew/core` was called in old receipts (`Tab.from_file_content` in Homebrew's `tab.rb`).
const FORMER_CORE: [&str; 2] = ["Homebrew/homebrew", "mxcl/master"];

/// What Homebrew noted when it installed a package.
#[derive(Debug, Deserialize)]
struct Receipt {
    source: Origin,
}

#[derive(Debug, Deserialize)]
struct Origin {
    /// `ory/tap`; none for a formula that was installed from a file.
    tap: Option<String>,
}

pub(crate) fn read(site: &Site<'_>, draft: &mut Draft<'_>) {
    each_room(site, |root, room, kind| {
        if let Err(exhausted) = list(root, room, kind, draft) {
            draft.gap(&root.path(room), None, exhausted);
        }
    });
    if !site.is_home() {
        for room in ROOMS.map(|(room, _)| Path::new(SHARED).join(PREFIX).join(room)) {
            unlisted(site, &room).into_iter().for_each(|reason| draft.gap(&site.root.path(&room), None, reason));
        }
    }
}

/// Why a folder of the shared prefix is listed neither here nor in a home, if it is there: it belongs to an account for
/// installing, say, and everybody runs what is in it.
fn unlisted(site: &Site<'_>, room: &Path) -> Option<String> {
    if matches!(site.root.open(room), Ok(Opened::Missing)) {
        return None;
    }
    let shared = Root::home(&site.of_system(SHARED)).ok().flatten();
    let owner = shared.and_then(|shared| shared.owner(room.strip_prefix(SHARED).ok()?));
    match owner {
        Some(owner) if site.owner() == Some(owner) || site.is_listed_for(owner) => None,
        Some(owner) => Some(format!("it belongs to user {owner}, whose home is not looked into, so nobody lists it")),
        None => Some("whose it is can't be told, so nobody lists it".to_owned()),
    }
}

pub(crate) fn watch(site: &Site<'_>) -> Vec<PathBuf> {
    let mut points = Vec::new();
    each_room(site, |root, room, _| points.extend(root.is_there(room).then(|| root.path(room))));
    points
}

/// The folder of the shared prefix, and where below it packages are.
pub(crate) fn shared(places: &Places) -> (PathBuf, Vec<PathBuf>) {
    (places.root.join(SHARED), ROOMS.map(|(room, _)| Path::new(PREFIX).join(room)).into())
}

/// Hands over each folder of packages that is this site's, below a root, with the kind of its packages.
fn each_room(site: &Site<'_>, mut found: impl FnMut(&Root, &Path, &str)) {
    // Whoever owns it chooses every link in it.
    let shared = Root::home(&site.of_system(SHARED)).ok().flatten();
    for (room, kind) in ROOMS {
        let room = Path::new(PREFIX).join(room);
        let owner = shared.as_ref().and_then(|shared| shared.owner(&room));
        let is_theirs = owner.is_some() && owner == site.owner();
        if site.is_home() {
            found(&site.root, &room, kind);
            shared.iter().filter(|_| is_theirs).for_each(|shared| found(shared, &room, kind));
            continue;
        }
        // By the system's own root, which remembers what it has seen.
        let room = Path::new(SHARED).join(room);
        if is_theirs {
            found(&site.root, &room, kind);
        } else {
            site.root.is_there(&room);
        }
    }
}

fn list(root: &Root, room: &Path, kind: &str, draft: &mut Draft<'_>) -> Result<(), Exhausted> {
    let mut budget = Budget::new();
    for name in draft.folders(root, room, &mut budget)? {
        let rack = room.join(&name);
        // Of a cask, `.metadata` is not a version.
        for version in draft.folders(root, &rack, &mut budget)?.iter().filter(|version| !version.starts_with('.')) {
            if draft.wanted().asks_for(TYPE, &name, None) {
                offer(root, &rack, (&name, version, kind), draft, &mut budget)?;
            } else {
                draft.count(1);
            }
        }
    }
    Ok(())
}

/// Offers a package by its name and its tap. Whoever makes a tap gives names to what is in it: `ory/tap/hydra` is another
/// program than `homebrew/core`'s `hydra`, so what does not say where it is from is taken for neither.
fn offer(
    root: &Root,
    rack: &Path,
    (name, version, kind): (&str, &str, &str),
    draft: &mut Draft<'_>,
    budget: &mut Budget,
) -> Result<(), Exhausted> {
    let keg = rack.join(version);
    let receipt = if kind == "cask" { rack.join(METADATA).join(RECEIPT) } else { keg.join(RECEIPT) };
    let bytes = match read_at(root, &receipt, MAX_RECEIPT_BYTES) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            draft.gap(&root.path(&receipt), None, "it is not there, so it is not known which tap the package is from");
            return Ok(());
        }
        Err(error) => {
            draft.gap(&root.path(&receipt), None, error);
            return Ok(());
        }
    };
    budget.spend_bytes(bytes.len() as u64)?;
    match tap(&bytes) {
        Err(reason) => draft.gap(&root.path(&receipt), None, reason),
        Ok(tap) => {
            let namespace = Some(tap.as_str()).filter(|tap| !OWN_TAPS.contains(&(kind, *tap)));
            let item =
                Item { namespace, version: Some(version), qualifiers: &[("kind", kind)], ..Item::new(TYPE, name) };
            draft.offer_at(&root.path(&keg), &item);
        }
    }
    Ok(())
}

/// The tap that a receipt names: `homebrew/core`.
fn tap(bytes: &[u8]) -> Result<String, String> {
    let receipt: Receipt = serde_json::from_slice(bytes).map_err(|error| format!("it is not a receipt: {error}"))?;
    let tap = receipt.source.tap.filter(|tap| is_tap(tap)).ok_or("it names no tap")?;
    Ok(if FORMER_CORE.contains(&tap.as_str()) { "homebrew/core".to_owned() } else { tap })
}

/// `ory/tap` (`HOMEBREW_TAP_NAME_REGEX` in Homebrew's `tap_constants.rb`).
fn is_tap(name: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    name.split_once('/').is_some_and(|(owner, tap)| is_part(owner) && is_part(tap))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_names_the_tap() {
        let of =
            |tap: &str| tap_of(&format!(r#"{{"homebrew_version":"4.6.0","source":{{"tap":{tap},"spec":"stable"}}}}"#));
        assert_eq!(of(r#""homebrew/core""#), Ok("homebrew/core".to_owned()));
        assert_eq!(of(r#""ory/tap""#), Ok("ory/tap".to_owned()));
        assert_eq!(of(r#""mxcl/master""#), Ok("homebrew/core".to_owned()));
        for none in ["null", r#""""#, r#""ory""#, r#""../x""#, r#""ory/tap/x""#] {
            assert_eq!(of(none), Err("it names no tap".to_owned()), "{none}");
        }
        for broken in ["", "{}", "[]", r#"{"source":7}"#, r#"{"source":{"tap":7}}"#] {
            assert!(tap_of(broken).unwrap_err().starts_with("it is not a receipt: "), "{broken}");
        }
    }

    fn tap_of(text: &str) -> Result<String, String> {
        tap(text.as_bytes())
    }

    #[test]
    fn no_bytes_break_it() {
        crate::mutated::check(&[br#"{"source":{"tap":"ory/tap"}}"#], |bytes| drop(tap(bytes)));
    }
}
