//! Putting what was taken back into a file that was rewritten since.

use crate::plan::Role;
use crate::rewritten::{Obstacle, Renames, Three};
use crate::{sections, thunderbird};

/// What a file has to be, so that what was taken is in it again. `Ok(None)`: the file has to go.
pub(crate) fn merge(
    role: Role,
    file: &Three<'_>,
    domain: &str,
    renames: &mut Renames,
) -> Result<Option<Vec<u8>>, Obstacle> {
    match role {
        Role::Prefs | Role::Logins | Role::Outbox | Role::OutboxIndex => thunderbird::merge(role, file, renames),
        Role::Sections(syntax) => {
            // Who has done away with the file has done away with what is private in it, not with what was taken.
            let current = file.current.or(syntax.stands_alone().then_some(&[])).ok_or(Obstacle::Malformed)?;
            let after = file.after.unwrap_or_default();
            sections::merge(syntax, [file.original, after, current], domain, renames).map(Some)
        }
        Role::Whole => Err(match file.current {
            Some(current) if sections::is_of_domain(current, domain) => Obstacle::ThereAgain,
            Some(_) => Obstacle::NameTaken,
            None => Obstacle::Malformed,
        }),
    }
}
