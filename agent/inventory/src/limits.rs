//! The limits on what is read, each with the attack that it stops. What lies above one is a gap.

/// Largest `status` or journal file of dpkg that is read, in bytes. Stops: a package script that fills dpkg's folder
/// to keep the agent reading for minutes. A device with 100,000 packages has 88 MB.
pub(crate) const MAX_DPKG_FILE_BYTES: u64 = 100 * 1024 * 1024;

/// Largest stanza of dpkg's that is held in memory, in bytes. Stops: a status file without blank lines, which would
/// be held whole. The largest real stanzas have some 100 KB.
pub(crate) const MAX_STANZA_BYTES: usize = 4 * 1024 * 1024;

/// Most journal files of dpkg that are read. Stops: a folder of millions. dpkg itself merges after 250 (MAXUPDATES in
/// `lib/dpkg/dpkg-db.h`).
pub(crate) const MAX_JOURNAL_FILES: usize = 10_000;

/// Largest `os-release` that is read, in bytes. Stops: the same as [`MAX_DPKG_FILE_BYTES`], for a file of 400 bytes.
pub(crate) const MAX_OS_RELEASE_BYTES: u64 = 64 * 1024;

/// Largest desktop entry that is read, in bytes. Stops: a person's `huge.desktop` filling the agent's memory.
pub(crate) const MAX_ENTRY_BYTES: u64 = 256 * 1024;

/// Largest metainfo file that is read, in bytes. Stops: the same for an application's metainfo. With every
/// translation and release real ones have some 300 KB.
pub(crate) const MAX_METAINFO_BYTES: u64 = 1024 * 1024;

/// Most names that are looked at in one folder tree. Stops: a home with a million small entries, which would keep the
/// agent busy at each scan.
pub(crate) const MAX_TREE_ENTRIES: usize = 20_000;

/// Most packages in a database that is a folder. Stops: the same, for one that only root writes to.
pub(crate) const MAX_DATABASE_ENTRIES: usize = 200_000;

/// Most bytes that are read in one folder tree. Stops: 20,000 sparse files each just below its own limit, 5 GB per
/// scan.
pub(crate) const MAX_TREE_BYTES: u64 = 64 * 1024 * 1024;

/// Most folders below the top that a tree is followed down. Stops: endless nesting, and folders that contain a link
/// to themselves.
pub(crate) const MAX_TREE_DEPTH: usize = 8;

/// Most subfolders of one folder of desktop entries that are named for a watcher. Stops: a home with 20,000 folders,
/// which would use up the system's inotify watches.
pub(crate) const MAX_WATCHED_FOLDERS: usize = 256;

/// Most gaps that one listing names; the rest are counted. Stops: a home with 20,000 broken entries, whose gaps would
/// fill the agent's memory and its reports to the person.
pub(crate) const MAX_GAPS: usize = 100;

/// Longest reason of a gap, in characters; a longer one is cut. Stops: an extension's id of megabytes, which the reason
/// repeats.
pub(crate) const MAX_REASON_CHARS: usize = 500;

/// Longest display name, in characters; a longer one is cut. Stops: a notice as large as the screen.
pub(crate) const MAX_NAME_CHARS: usize = 200;

/// Largest RPM database that is read, in bytes. Stops: the same as [`MAX_DPKG_FILE_BYTES`]. 5,000 packages have 200 MB.
pub(crate) const MAX_RPM_BYTES: u64 = 1024 * 1024 * 1024;

/// Largest header of an RPM package, in bytes; rpm's own limit (`headerMaxbytes` in `lib/header.c`).
pub(crate) const MAX_RPM_HEADER_BYTES: usize = 256 * 1024 * 1024;

/// Largest database of apk that is read, in bytes. Stops: the same. 10,000 packages have 30 MB.
pub(crate) const MAX_APK_BYTES: u64 = 100 * 1024 * 1024;

/// Largest state of snapd that is read, in bytes. Stops: the same. Real ones have a few MB.
pub(crate) const MAX_SNAPD_STATE_BYTES: u64 = 64 * 1024 * 1024;

/// Largest list of extensions, or manifest of a profile, that is read, in bytes. Stops: a person's file of gigabytes.
/// Firefox's with 200 extensions has 1 MB.
pub(crate) const MAX_MANIFEST_BYTES: u64 = 16 * 1024 * 1024;

/// Largest receipt of Homebrew's that is read, in bytes. Stops: the same. One with 300 dependencies has 80 KB.
pub(crate) const MAX_RECEIPT_BYTES: u64 = 1024 * 1024;

/// What may still be read in one folder tree.
#[derive(Debug)]
pub(crate) struct Budget {
    most_entries: usize,
    entries: usize,
    bytes: u64,
}

/// Why the rest of a folder tree was not looked at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Exhausted {
    #[error("the folders hold more than {0} names, the rest was not looked at")]
    Entries(usize),
    #[error("the files hold more than {MAX_TREE_BYTES} bytes, the rest was not read")]
    Bytes,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self::with_entries(MAX_TREE_ENTRIES)
    }

    /// For a package manager's database, in which each package is a name.
    pub(crate) fn of_database() -> Self {
        Self::with_entries(MAX_DATABASE_ENTRIES)
    }

    fn with_entries(entries: usize) -> Self {
        Self { most_entries: entries, entries, bytes: MAX_TREE_BYTES }
    }

    /// How many names may still be looked at.
    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    pub(crate) fn spend_entries(&mut self, count: usize) -> Result<(), Exhausted> {
        self.entries = self.entries.checked_sub(count).ok_or(Exhausted::Entries(self.most_entries))?;
        Ok(())
    }

    pub(crate) fn spend_bytes(&mut self, count: u64) -> Result<(), Exhausted> {
        self.bytes = self.bytes.checked_sub(count).ok_or(Exhausted::Bytes)?;
        Ok(())
    }
}

/// Cuts a name to [`MAX_NAME_CHARS`]; an empty one is none.
pub(crate) fn display_name(name: &str) -> Option<String> {
    let name = name.trim();
    (!name.is_empty()).then(|| name.chars().take(MAX_NAME_CHARS).collect())
}
