//! Debian's package database: `pkg:deb/<vendor>/<name>@<version>?arch=<architecture>`.
//!
//! `status` holds a stanza for each package that dpkg knows of. While dpkg works it writes changed stanzas to
//! `updates/0000`, `updates/0001`, ... and merges them at the end by renaming a new `status` into place, so both are
//! read, and read again if `status` was replaced meanwhile. Format: dpkg's `lib/dpkg/dbmodify.c`.

mod stanza;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use forewarn_proto::{
    inventory::{Listing, Package, Scope, Source},
    purl::Purl,
};

use crate::{
    Places,
    draft::Draft,
    folder::{Kind, Opened, ReadError, Root},
    limits::{MAX_DPKG_FILE_BYTES, MAX_JOURNAL_FILES, MAX_STANZA_BYTES},
    os_release,
};
use stanza::{Stanza, scan};

/// How many bytes are read at once.
const CHUNK_BYTES: usize = 128 * 1024;

/// How often the database is read again because dpkg changed it meanwhile.
const ATTEMPTS: usize = 4;

/// What the journal says: by name and architecture the package, or that it isn't installed.
type Journal = BTreeMap<(String, Option<String>), Option<Package>>;

pub(crate) fn list(places: &Places) -> Vec<Listing> {
    for _ in 1..ATTEMPTS {
        let (draft, settled) = attempt(places);
        if settled {
            return vec![draft.finish()];
        }
    }
    let (mut draft, settled) = attempt(places);
    if !settled {
        draft.gap(&places.dpkg.join("status"), None, "it was replaced while it was read, each time");
    }
    vec![draft.finish()]
}

pub(crate) fn watch_points(places: &Places) -> Vec<PathBuf> {
    // `status` is replaced by a rename, so its folder is what changes.
    vec![places.dpkg.clone(), places.dpkg.join("updates"), places.os_release.clone()]
}

/// Reads the database once. The second part is false when dpkg replaced `status` meanwhile.
fn attempt(places: &Places) -> (Draft, bool) {
    let mut draft = Draft::new(Source::Dpkg, Scope::System);
    let path = places.dpkg.join("status");
    match Root::system(&places.dpkg).and_then(|root| root.map(|r| Ok((open_status(&r)?, r))).transpose()) {
        Err(error) => draft.gap(&path, None, error),
        Ok(None | Some((Opened::Missing, _))) => {}
        Ok(Some((Opened::Folder | Opened::Special, _))) => draft.gap(&path, None, "it is not a regular file"),
        Ok(Some((Opened::File(status), root))) => {
            let vendor = vendor(places, &mut draft);
            let settled = read(&root, status, &vendor, &mut draft);
            return (draft, settled);
        }
    }
    (draft, true)
}

fn open_status(root: &Root) -> io::Result<Opened> {
    root.open(Path::new("status"))
}

fn vendor(places: &Places, draft: &mut Draft) -> String {
    os_release::vendor(&places.os_release).unwrap_or_else(|reason| {
        draft.gap(&places.os_release, None, reason);
        os_release::UNNAMED.to_owned()
    })
}

/// Reads the journal, then `status`. False when `status` was replaced after it was opened and before the journal was
/// read: then a merged journal file may have been seen by neither.
fn read(root: &Root, status: File, vendor: &str, draft: &mut Draft) -> bool {
    let mut journal = read_journal(root, vendor, draft);
    let unchanged = match open_status(root) {
        Ok(Opened::File(now)) => is_same(&status, &now).unwrap_or(false),
        Ok(Opened::Missing | Opened::Folder | Opened::Special) | Err(_) => false,
    };
    if !unchanged {
        return false;
    }
    let path = root.path(Path::new("status"));
    let found_in = path.to_string_lossy();
    scan_file(&path, status, draft, |stanza, draft| {
        if !overridden(&journal, &stanza) {
            package(&stanza, vendor, &found_in)?.into_iter().for_each(|p| draft.package(p));
        }
        Ok(())
    });
    std::mem::take(&mut journal).into_values().flatten().for_each(|p| draft.package(p));
    true
}

fn overridden(journal: &Journal, stanza: &Stanza<'_>) -> bool {
    let key = || (stanza.package.to_owned(), stanza.arch.map(str::to_owned));
    !journal.is_empty() && journal.contains_key(&key())
}

/// Whether two open files are the same one. dpkg replaces `status` and never writes into it.
fn is_same(one: &File, other: &File) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let (one, other) = (one.metadata()?, other.metadata()?);
        Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
    }
    #[cfg(not(unix))]
    {
        Ok(one.metadata()?.modified()? == other.metadata()?.modified()?)
    }
}

/// Reads the journal's files in their order, so that the last word on a package stands.
fn read_journal(root: &Root, vendor: &str, draft: &mut Draft) -> Journal {
    let mut journal = Journal::new();
    let folder = Path::new("updates");
    let names = root.names(folder, MAX_JOURNAL_FILES).unwrap_or_else(|error| {
        draft.gap(&root.path(folder), None, error);
        None
    });
    let names = names.unwrap_or_default();
    if names.len() > MAX_JOURNAL_FILES {
        draft.gap(&root.path(folder), None, format!("it holds more than {MAX_JOURNAL_FILES} files"));
    }
    // Of a dpkg that works there is also `tmp.i`, not yet valid.
    let is_journal = |name: &&String| name.bytes().all(|b| b.is_ascii_digit());
    let files = names.iter().filter(|n| n.kind != Kind::Folder).filter_map(|n| n.text.as_ref());
    for name in files.filter(is_journal) {
        read_journal_file(root, &folder.join(name), vendor, draft, &mut journal);
    }
    journal
}

fn read_journal_file(root: &Root, name: &Path, vendor: &str, draft: &mut Draft, journal: &mut Journal) {
    let path = root.path(name);
    let found_in = path.to_string_lossy();
    match root.open(name) {
        // Merged since the folder was read; `status` was replaced before.
        Ok(Opened::Missing) => {}
        Ok(Opened::Folder | Opened::Special) => draft.gap(&path, None, "it is not a regular file"),
        Err(error) => draft.gap(&path, None, error),
        Ok(Opened::File(file)) => scan_file(&path, file, draft, |stanza, _| {
            let key = (stanza.package.to_owned(), stanza.arch.map(str::to_owned));
            journal.insert(key, package(&stanza, vendor, &found_in)?);
            Ok(())
        }),
    }
}

/// Reads a file chunk by chunk, so that memory stays flat however many packages there are. What `found` rejects, and
/// what is damaged, becomes a gap.
fn scan_file(
    path: &Path,
    file: File,
    draft: &mut Draft,
    mut found: impl FnMut(Stanza<'_>, &mut Draft) -> Result<(), String>,
) {
    let mut file = file.take(MAX_DPKG_FILE_BYTES + 1);
    let mut buffer = Vec::with_capacity(CHUNK_BYTES);
    let mut base = 0;
    loop {
        // Doubling, so that a long stanza isn't scanned again and again.
        let more = CHUNK_BYTES.max(buffer.len()) as u64;
        let last = match file.by_ref().take(more).read_to_end(&mut buffer) {
            Ok(count) => count == 0,
            Err(error) => return draft.gap(path, Some(base), ReadError::Read(error)),
        };
        if base + buffer.len() as u64 > MAX_DPKG_FILE_BYTES {
            return draft.gap(path, Some(base), ReadError::TooLarge(MAX_DPKG_FILE_BYTES));
        }
        let used = scan(&buffer, last, |offset, stanza| {
            let outcome = stanza.map_err(|damage| damage.to_string()).and_then(|s| found(s, draft));
            if let Err(reason) = outcome {
                draft.gap(path, Some(base + offset as u64), reason);
            }
        });
        if last {
            return;
        }
        buffer.drain(..used);
        base += used as u64;
        if buffer.len() > MAX_STANZA_BYTES {
            return draft.gap(path, Some(base), format!("stanza has more than {MAX_STANZA_BYTES} bytes"));
        }
    }
}

fn package(stanza: &Stanza<'_>, vendor: &str, found_in: &str) -> Result<Option<Package>, String> {
    let Some(version) = stanza.installed else {
        return Ok(None);
    };
    let arch = stanza.arch.map(|arch| ("arch", arch));
    let purl = Purl::new("deb", Some(vendor), stanza.package, Some(version), arch.as_slice());
    let purl = purl.map_err(|error| error.to_string())?;
    Ok(Some(Package { purl, display_name: None, found_in: found_in.to_owned() }))
}
