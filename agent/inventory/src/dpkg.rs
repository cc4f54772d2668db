//! Debian's package database: `pkg:deb/<vendor>/<name>@<version>?arch=<architecture>`.
//!
//! `status` holds a stanza for each package that dpkg knows of. While dpkg works it writes changed stanzas to
//! `updates/0000`, `updates/0001`, ... and merges them at the end by renaming a new `status` into place, so both are
//! read, and read again if `status` was replaced meanwhile. Format: dpkg's `lib/dpkg/dbmodify.c`.

mod asked;
mod stanza;

use forewarn_engine::Gap;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::{
    draft::{Draft, Item},
    folder::{self, Kind, Opened, ReadError, Root},
    limits::{MAX_DPKG_FILE_BYTES, MAX_JOURNAL_FILES, MAX_STANZA_BYTES},
    os_release,
    site::{Site, paths},
};
use asked::Asked;
use stanza::{Stanza, is_whole, skim};

/// How many bytes are read at once.
const CHUNK_BYTES: usize = 128 * 1024;

/// The most gaps of one database that are kept; the draft names fewer.
const MAX_UNREAD: usize = 100_000;

/// How often the database is read again because dpkg changed it meanwhile.
const ATTEMPTS: usize = 4;

/// dpkg's database, below the system's root.
const STATUS: &str = "var/lib/dpkg/status";
const JOURNAL: &str = "var/lib/dpkg/updates";

/// What the journal says: by name and architecture what is installed; or that nothing is.
type Journal = BTreeMap<(String, Option<String>), Option<Entry>>;

/// What a journal's file says of a package that is installed.
#[derive(Debug)]
struct Entry {
    version: String,
    state: Option<&'static str>,
    file: PathBuf,
}

pub(crate) fn read(site: &Site<'_>, draft: &mut Draft<'_>) {
    let root = &site.root;
    let path = Path::new(STATUS);
    for _ in 0..ATTEMPTS {
        match root.open(path) {
            Err(error) => return draft.gap(&root.path(path), None, error),
            Ok(Opened::Missing) => return,
            Ok(Opened::Folder | Opened::Special) => return draft.gap(&root.path(path), None, ReadError::NotAFile),
            Ok(Opened::File(status)) => {
                // Nothing goes into the draft before it is sure that journal and status belong together.
                if let Some(journal) = settled_journal(root, &status, draft) {
                    let vendor = os_release::vendor(root, draft);
                    return merge(root, status, journal, &vendor, draft);
                }
            }
        }
    }
    draft.gap(&root.path(path), None, "it was replaced while it was read, each time");
}

pub(crate) fn watch(_: &Site<'_>) -> Vec<PathBuf> {
    // `status` is replaced by a rename, so its folder is what changes. The file itself does if somebody edits it.
    paths(&["var/lib/dpkg", STATUS, JOURNAL, os_release::PATH])
}

/// The journal, if `status` is still the one that was opened: else a journal file that was merged meanwhile may have been
/// seen by neither. Its gaps count only if it does.
fn settled_journal(root: &Root, status: &File, draft: &mut Draft<'_>) -> Option<Journal> {
    let mut gaps = Vec::new();
    let journal = read_journal(root, &mut gaps);
    let unchanged = match root.open(Path::new(STATUS)) {
        Ok(Opened::File(now)) => folder::is_same(status, &now).unwrap_or(false),
        Ok(Opened::Missing | Opened::Folder | Opened::Special) | Err(_) => false,
    };
    unchanged.then(|| {
        draft.gaps(gaps);
        journal
    })
}

/// Lists `status`, with the journal's last word on each package.
fn merge(root: &Root, status: File, journal: Journal, vendor: &str, draft: &mut Draft<'_>) {
    let path = root.path(Path::new(STATUS));
    let found_in = path.to_string_lossy();
    let overridden = |stanza: &Stanza<'_>| {
        let of = |arch: Option<&str>| journal.get(&(stanza.package.to_owned(), arch.map(str::to_owned)));
        // Of what was purged dpkg forgets the architecture before it merges the journal.
        !journal.is_empty() && (of(stanza.arch).is_some() || of(None).is_some_and(Option::is_none))
    };
    let mut gaps = Vec::new();
    // What the journal speaks of has to be found to be passed over.
    let asked = draft.wanted().named("deb").filter(|_| journal.is_empty()).map(Asked::new);
    let asks = |name: &[u8]| asked.as_ref().is_none_or(|asked| asked.contains(name));
    let passed = scan_file(&path, status, &mut gaps, asks, |stanza| match stanza.installed {
        Some(version) if !overridden(&stanza) => {
            let Stanza { package, arch, state, .. } = stanza;
            offer((package, arch), (version, state), vendor, &found_in, draft)
        }
        Some(_) | None => Ok(()),
    });
    draft.count(passed);
    draft.gaps(gaps);
    for ((name, arch), installed) in journal {
        let Some(Entry { version, state, file }) = installed else { continue };
        let package = (name.as_str(), arch.as_deref());
        if let Err(reason) = offer(package, (&version, state), vendor, &file.to_string_lossy(), draft) {
            draft.gap(&file, None, reason);
        }
    }
}

fn offer(
    (name, arch): (&str, Option<&str>),
    (version, state): (&str, Option<&'static str>),
    vendor: &str,
    found_in: &str,
    draft: &mut Draft<'_>,
) -> Result<(), String> {
    let qualifier = arch.map(|arch| ("arch", arch));
    let item = Item {
        namespace: Some(vendor),
        version: Some(version),
        qualifiers: qualifier.as_slice(),
        state,
        ..Item::new("deb", name)
    };
    draft.offer(&item, found_in)
}

/// Reads the journal's files in their order, so that the last word on a package stands.
fn read_journal(root: &Root, gaps: &mut Vec<Gap>) -> Journal {
    let mut journal = Journal::new();
    let folder = Path::new(JOURNAL);
    let unread = |path: &Path, reason: String| Gap { path: path.to_string_lossy().into_owned(), offset: None, reason };
    let names = root.names(folder, MAX_JOURNAL_FILES).unwrap_or_else(|error| {
        gaps.push(unread(&root.path(folder), error.to_string()));
        None
    });
    let names = names.unwrap_or_default();
    if names.len() > MAX_JOURNAL_FILES {
        gaps.push(unread(&root.path(folder), format!("it holds more than {MAX_JOURNAL_FILES} files")));
    }
    // Of a dpkg that works there is also `tmp.i`, not yet valid.
    let is_journal = |name: &&String| name.bytes().all(|b| b.is_ascii_digit());
    let files = names.iter().filter(|n| n.kind != Kind::Folder).filter_map(|n| n.text.as_ref());
    for name in files.filter(is_journal) {
        let path = folder.join(name);
        let shown = root.path(&path);
        match root.open(&path) {
            // Merged since the folder was read; `status` was replaced before.
            Ok(Opened::Missing) => {}
            Ok(Opened::Folder | Opened::Special) => gaps.push(unread(&shown, ReadError::NotAFile.to_string())),
            Err(error) => gaps.push(unread(&shown, error.to_string())),
            Ok(Opened::File(file)) => {
                let take = |stanza: Stanza<'_>| {
                    let key = (stanza.package.to_owned(), stanza.arch.map(str::to_owned));
                    let entry =
                        |version: &str| Entry { version: version.to_owned(), state: stanza.state, file: shown.clone() };
                    journal.insert(key, stanza.installed.map(entry));
                    Ok(())
                };
                scan_file(&shown, file, gaps, |_| true, take);
            }
        }
    }
    journal
}

/// Reads a file chunk by chunk, so that memory stays flat however many packages there are. What `found` rejects, and
/// what is damaged, becomes a gap. Gives how many installed packages nobody `asks` for.
fn scan_file(
    path: &Path,
    file: File,
    gaps: &mut Vec<Gap>,
    asks: impl Fn(&[u8]) -> bool,
    mut found: impl FnMut(Stanza<'_>) -> Result<(), String>,
) -> usize {
    let mut file = file.take(MAX_DPKG_FILE_BYTES + 1);
    // Read into as it is: `read_to_end` would begin with small pieces, each time.
    let (mut buffer, mut filled) = (vec![0; 2 * CHUNK_BYTES], 0);
    let (mut base, mut passed) = (0, 0);
    let found_in = path.to_string_lossy();
    let unread =
        |offset: u64, reason: String| Gap { path: found_in.clone().into_owned(), offset: Some(offset), reason };
    loop {
        if buffer.len() - filled < CHUNK_BYTES {
            // Doubling, so that a long stanza isn't scanned again and again.
            buffer.resize(2 * buffer.len(), 0);
        }
        let last = match file.read(&mut buffer[filled..]) {
            Ok(count) => {
                filled += count;
                count == 0
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                gaps.push(unread(base, ReadError::Read(error).to_string()));
                return passed;
            }
        };
        if base + filled as u64 > MAX_DPKG_FILE_BYTES {
            gaps.push(unread(base, ReadError::TooLarge(MAX_DPKG_FILE_BYTES).to_string()));
            return passed;
        }
        let (used, more) =
            skim(&buffer[..filled], (is_whole(&buffer[..filled], base), last), &asks, |offset, stanza| {
                let outcome = stanza.map_err(|damage| damage.to_string()).and_then(&mut found);
                if let Err(reason) = outcome {
                    note(gaps, unread(base + offset as u64, reason));
                }
            });
        passed += more;
        if last {
            // dpkg refuses such a file: what comes after it was lost.
            if filled > 0 && buffer[filled - 1] != b'\n' {
                note(gaps, unread(base + filled as u64, "it ends within a line".to_owned()));
            }
            return passed;
        }
        buffer.copy_within(used..filled, 0);
        filled -= used;
        base += used as u64;
        if filled > MAX_STANZA_BYTES {
            gaps.push(unread(base, format!("stanza has more than {MAX_STANZA_BYTES} bytes")));
            return passed;
        }
    }
}

/// A file of nothing but damage must not fill the memory with its gaps.
fn note(gaps: &mut Vec<Gap>, gap: Gap) {
    if gaps.len() <= MAX_UNREAD {
        gaps.push(gap);
    }
}
