//! Snaps: `pkg:snap/<name>@<version>?channel=<channel>&revision=<revision>`.
//!
//! Which snaps are installed stands in snapd's `state.json`, which only root may read; everyone sees which are active,
//! by the links `/snap/<name>/current`. The version is in the mounted snap's `meta/snap.yaml`. snapd itself is never
//! asked: it may be down, and then it does not answer. Format: snapd's `overlord/snapstate/snapmgr.go` (`SnapState`),
//! `overlord/snapstate/sequence` and `snap/info_snap_yaml.go`.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{
    draft::{Draft, Item},
    elements::Elements,
    folder::{ReadError, Root, read_at},
    limits::{Budget, Exhausted, MAX_ENTRY_BYTES, MAX_SNAPD_STATE_BYTES},
    site::{Site, paths},
};

/// Below the system's root.
const STATE: &str = "var/lib/snapd/state.json";
/// Where snaps are mounted; the second where the first is not a name that the distribution has.
const MOUNTS: [&str; 2] = ["snap", "var/lib/snapd/snap"];

/// The part of snapd's state that matters.
#[derive(Debug, Deserialize)]
struct State<'a> {
    #[serde(borrow)]
    data: Option<Data<'a>>,
}

#[derive(Debug, Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    snaps: Option<Elements<'a, SnapState>>,
}

#[derive(Debug, Deserialize)]
struct SnapState {
    #[serde(default)]
    sequence: Vec<SideInfo>,
    current: String,
    channel: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SideInfo {
    name: Option<String>,
    revision: String,
}

/// An installed snap.
#[derive(Debug, PartialEq, Eq)]
struct Snap {
    name: String,
    revision: String,
    channel: Option<String>,
}

pub(crate) fn read(site: &Site<'_>, draft: &mut Draft<'_>) {
    let root = &site.root;
    let shown = root.path(Path::new(STATE));
    let snaps = match read_at(root, Path::new(STATE), MAX_SNAPD_STATE_BYTES) {
        Ok(Some(bytes)) => listed(&bytes, &shown, draft),
        Ok(None) => return,
        Err(ReadError::Read(error)) if error.kind() == ErrorKind::PermissionDenied => match active(root, draft) {
            Ok(snaps) => snaps,
            Err(exhausted) => return draft.gap(&shown, None, exhausted),
        },
        Err(error) => return draft.gap(&shown, None, error),
    };
    for snap in snaps {
        let (found_in, version) = version_of(root, &snap, &shown, draft);
        let mut qualifiers = vec![("revision", snap.revision.as_str())];
        qualifiers.extend(snap.channel.as_deref().map(|channel| ("channel", channel)));
        let item =
            Item { version: version.as_deref(), qualifiers: &qualifiers, ..Item::new("snap", plain(&snap.name)) };
        draft.offer_at(&found_in, &item);
    }
}

pub(crate) fn watch(_: &Site<'_>) -> Vec<PathBuf> {
    // The state is replaced by a rename, and a change ends with the link `current`.
    let mut points = paths(&["var/lib/snapd"]);
    points.extend(paths(&MOUNTS));
    points
}

/// `spotify_work` is a second instance of `spotify`.
fn plain(instance: &str) -> &str {
    instance.split('_').next().unwrap_or(instance)
}

/// The snaps in a state, each with its current revision.
fn listed(bytes: &[u8], path: &Path, draft: &mut Draft<'_>) -> Vec<Snap> {
    match parse(bytes) {
        Ok(states) => states.noted(bytes, "a snap's state", path, draft).into_iter().map(snap).collect(),
        Err(reason) => {
            draft.gap(path, None, reason);
            Vec::new()
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Elements<'_, SnapState>, String> {
    let unlike = |error: &dyn std::fmt::Display| format!("it is not snapd's state: {error}");
    let state: State<'_> = serde_json::from_slice(bytes).map_err(|error| unlike(&error))?;
    let snaps = state.data.and_then(|data| data.snaps).unwrap_or_default();
    snaps.object().map_err(|error| unlike(&error))
}

fn snap((name, state): (Option<String>, SnapState)) -> Snap {
    let current = |side: &&SideInfo| side.revision == state.current;
    let known = state.sequence.iter().find(current).and_then(|side| side.name.clone()).unwrap_or_default();
    let name = name.filter(|name| name.contains('_') || known.is_empty()).unwrap_or(known);
    Snap { name, revision: state.current, channel: state.channel.filter(|channel| !channel.is_empty()) }
}

/// The snaps whose link `current` leads to a revision.
fn active(root: &Root, draft: &mut Draft<'_>) -> Result<Vec<Snap>, Exhausted> {
    let mut snaps = Vec::new();
    for mount in MOUNTS.map(Path::new) {
        // `snap/bin` holds commands, and on some systems `snap` itself is a link to the other.
        if leads_to(root, mount, draft).is_some() {
            continue;
        }
        for name in draft.folders(root, mount, &mut Budget::new())?.into_iter().filter(|name| name != "bin") {
            let current = leads_to(root, &mount.join(&name).join("current"), draft);
            let revision = current.as_deref().and_then(Path::to_str).map(str::to_owned);
            snaps.extend(revision.map(|revision| Snap { name, revision, channel: None }));
        }
    }
    Ok(snaps)
}

/// Where a link leads; one that can't be read is a gap.
fn leads_to(root: &Root, link: &Path, draft: &mut Draft<'_>) -> Option<PathBuf> {
    root.link(link).unwrap_or_else(|error| {
        draft.gap(&root.path(link), None, error);
        None
    })
}

/// The version of a mounted snap, and the file that has it. A snap that isn't mounted is disabled, and has none.
fn version_of(root: &Root, snap: &Snap, state: &Path, draft: &mut Draft<'_>) -> (PathBuf, Option<String>) {
    for mount in MOUNTS {
        let path = Path::new(mount).join(&snap.name).join(&snap.revision).join("meta/snap.yaml");
        if let Some(yaml) = draft.file(root, &path, MAX_ENTRY_BYTES) {
            return (root.path(&path), version(&yaml));
        }
    }
    (state.to_owned(), None)
}

/// The value of the top-level key `version` in a `snap.yaml`, which snapd writes on one line.
fn version(yaml: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(yaml).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix("version:"))?.trim();
    let quoted = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    let value = quoted('"').or_else(|| quoted('\'')).unwrap_or(value);
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_revision_of_each_snap_counts() {
        let state = r#"{"data":{"snaps":{
            "spotify":{"type":"app","sequence":[
                {"name":"spotify","snap-id":"x","revision":"78"},{"name":"spotify","revision":"79"}],
                "active":true,"current":"79","channel":"latest/stable"},
            "spotify_work":{"sequence":[{"name":"spotify","revision":"79"}],"current":"79"}}},"changes":{}}"#;
        let snap = |name: &str, channel: Option<&str>| Snap {
            name: name.into(),
            revision: "79".into(),
            channel: channel.map(str::to_owned),
        };
        let parsed = |bytes| parse(bytes).map(|states| states.good.into_iter().map(super::snap).collect::<Vec<_>>());
        assert_eq!(
            parsed(state.as_bytes()).unwrap(),
            [snap("spotify", Some("latest/stable")), snap("spotify_work", None)]
        );
        assert!(parsed(b"{\"data\": 1}").unwrap_err().contains("not snapd's state"));
        assert_eq!(parsed(b"{}").unwrap(), []);
    }

    #[test]
    fn a_version_may_be_quoted() {
        assert_eq!(version(b"name: a\nversion: '1.10'\n").unwrap(), "1.10");
        assert_eq!(version(b"version: 2.0 \n").unwrap(), "2.0");
        assert_eq!(version(b"apps:\n  version: 1\n"), None);
    }

    #[test]
    fn no_bytes_break_it() {
        let state = br#"{"data":{"snaps":{"a":{"sequence":[{"name":"a","revision":"1"}],"current":"1"}}}}"#;
        crate::mutated::check(&[state, b"version: '1'\n"], |bytes| {
            drop(parse(bytes));
            drop(version(bytes));
        });
    }
}
