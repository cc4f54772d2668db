//! Putting what was taken back into a file that was rewritten since.

use crate::plan::Role;
use crate::thunderbird::Renames;
use crate::{sections, thunderbird};

/// The bytes of a file at three times.
pub(crate) struct Three<'a> {
    pub(crate) original: &'a [u8],
    /// None where the file was taken as a whole.
    pub(crate) after: Option<&'a [u8]>,
    pub(crate) current: Option<&'a [u8]>,
}

/// Why what was taken can't go back by itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// The same account, or another of the same name, has been set up since.
    ThereAgain,
    /// The file isn't well-formed any more, or isn't there.
    Malformed,
}

/// What a file has to be, so that what was taken is in it again. `Ok(None)`: the file has to go.
pub(crate) fn merge(role: Role, file: &Three<'_>, renames: &mut Renames) -> Result<Option<Vec<u8>>, Obstacle> {
    match role {
        Role::Prefs | Role::Logins | Role::Outbox | Role::OutboxIndex => thunderbird::merge(role, file, renames),
        Role::Sections(syntax) => {
            let current = file.current.ok_or(Obstacle::Malformed)?;
            sections::merge(syntax, file.original, file.after.unwrap_or_default(), current).map(Some)
        }
        Role::Whole => Err(if file.current.is_some() { Obstacle::ThereAgain } else { Obstacle::Malformed }),
    }
}
