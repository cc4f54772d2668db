//! rpm's SQLite database. Format: rpm's `lib/backend/sqlite.c`: table `Packages` with one header in each row's `blob`.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags};

/// How long a writer is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Hands each package's header to `found`.
///
/// # Errors
/// What SQLite says, in words.
pub(super) fn blobs(path: &Path, mut found: impl FnMut(&[u8])) -> Result<(), String> {
    read(&format!("file:{}?mode=ro", escape(path)), &mut found)
        .or_else(|error| match error.sqlite_error_code() {
            // Whoever may not write beside the database can't join its write-ahead log. Without one there is nothing
            // to join, and nobody writes.
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly) if !wal(path) => {
                read(&format!("file:{}?immutable=1", escape(path)), &mut found)
            }
            Some(_) | None => Err(error),
        })
        .map_err(|error| format!("SQLite can't read it: {error}"))
}

fn read(uri: &str, found: &mut impl FnMut(&[u8])) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(uri, flags)?;
    database.busy_timeout(PATIENCE)?;
    database.pragma_update(None, "trusted_schema", false)?;
    let mut query = database.prepare("SELECT blob FROM Packages")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        found(row.get_ref(0)?.as_blob().unwrap_or_default());
    }
    Ok(())
}

fn wal(path: &Path) -> bool {
    path.with_file_name("rpmdb.sqlite-wal").exists()
}

/// A path in a URI.
fn escape(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}
