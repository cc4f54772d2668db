//! RPM's package database: `pkg:rpm/<vendor>/<name>@<version>-<release>?arch=<arch>&epoch=<epoch>`.
//!
//! A database holds one header for each installed package. Which of rpm's back ends keeps them is told by the file's
//! name (rpm's `lib/backend/dbi.c`): `rpmdb.sqlite`, `Packages.db` (ndb) or `Packages` (Berkeley DB, which rpm itself
//! gave up in 4.17 and which is not read).

mod header;
mod ndb;
mod sqlite;

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use crate::{
    draft::{Draft, Item},
    folder::{Opened, ReadError},
    limits::MAX_RPM_BYTES,
    os_release,
    site::{Site, paths},
};
use header::Header;

/// Below the system's root; Fedora and SUSE moved it to `usr`. One may be a link to the other.
const FOLDERS: [&str; 2] = ["var/lib/rpm", "usr/lib/sysimage/rpm"];

/// How the database is kept.
#[derive(Debug, Clone, Copy)]
enum BackEnd {
    Sqlite,
    Ndb,
    BerkeleyDb,
}

const FILES: [(&str, BackEnd); 3] =
    [("rpmdb.sqlite", BackEnd::Sqlite), ("Packages.db", BackEnd::Ndb), ("Packages", BackEnd::BerkeleyDb)];

pub(crate) fn read(site: &Site<'_>, draft: &mut Draft<'_>) {
    let names = FOLDERS.iter().flat_map(|folder| FILES.map(|(name, end)| (Path::new(folder).join(name), end)));
    for (path, back_end) in names {
        let shown = site.root.path(&path);
        match site.root.open(&path) {
            Ok(Opened::Missing) => continue,
            Ok(Opened::File(file)) => {
                // SQLite writes beside the file first; to look is to note it.
                site.root.is_there(&path.with_file_name("rpmdb.sqlite-wal"));
                let vendor = os_release::vendor(&site.root, draft);
                list(back_end, file, &shown, &vendor, draft).unwrap_or_else(|reason| draft.gap(&shown, None, reason));
            }
            Ok(Opened::Folder | Opened::Special) => draft.gap(&shown, None, ReadError::NotAFile),
            Err(error) => draft.gap(&shown, None, error),
        }
        return;
    }
}

pub(crate) fn watch(_: &Site<'_>) -> Vec<PathBuf> {
    paths(&FOLDERS)
}

/// Offers every header in a database. One that doesn't parse is a gap.
fn list(back_end: BackEnd, file: File, path: &Path, vendor: &str, draft: &mut Draft<'_>) -> Result<(), String> {
    let found_in = path.to_string_lossy();
    let mut blob = |offset: Option<u64>, bytes: Result<&[u8], &str>| {
        let header = bytes.map_err(str::to_owned).and_then(Header::parse);
        let offered = header.and_then(|header| offer(&header, vendor, &found_in, draft));
        offered.unwrap_or_else(|reason| draft.gap(path, offset, reason));
    };
    let size = file.metadata().map_err(|error| ReadError::Read(error).to_string())?.len();
    match back_end {
        BackEnd::Sqlite | BackEnd::Ndb if size > MAX_RPM_BYTES => Err(ReadError::TooLarge(MAX_RPM_BYTES).to_string()),
        BackEnd::Sqlite => sqlite::blobs(path, |bytes| blob(None, Ok(bytes))),
        BackEnd::Ndb => ndb::blobs(file, size, |offset, bytes| blob(Some(offset), bytes)),
        BackEnd::BerkeleyDb => Err("it is a Berkeley DB, which is not read; run rpmdb --rebuilddb".to_owned()),
    }
}

fn offer(header: &Header<'_>, vendor: &str, found_in: &str, draft: &mut Draft<'_>) -> Result<(), String> {
    let version = format!("{}-{}", header.version, header.release);
    let epoch = header.epoch.map(|epoch| epoch.to_string());
    let qualifiers: Vec<(&str, &str)> =
        header.arch.map(|arch| ("arch", arch)).into_iter().chain(epoch.as_deref().map(|e| ("epoch", e))).collect();
    let item = Item {
        namespace: Some(vendor),
        version: Some(&version),
        qualifiers: &qualifiers,
        ..Item::new("rpm", header.name)
    };
    draft.offer(&item, found_in)
}
