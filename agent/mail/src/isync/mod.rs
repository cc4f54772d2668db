//! isync (mbsync): `~/.mbsyncrc` and `~/.config/isyncrc`.

mod merge;
mod rc;
mod select;

use crate::account::{Client, Skipped};
use crate::home::Home;
use crate::plan::Syntax;
use crate::plan::{Draft, DraftFile, Role};

pub(crate) use self::merge::{parts, refill};

/// The files that mbsync reads, as paths from the home. Each counts as a profile.
pub(crate) const FILES: [&str; 2] = [".mbsyncrc", ".config/isyncrc"];

/// What taking the domain's accounts would change in a file. `None` when it has none.
pub(crate) fn draft(home: &Home, file: &str, domain: &str, skipped: &mut Vec<Skipped>) -> Option<Draft> {
    let original = match home.read(file) {
        Ok(content) => content?,
        Err(error) => {
            skipped.push(Skipped { client: Client::Isync, profile: file.to_owned(), reason: error.into_reason(file) });
            return None;
        }
    };
    let selected = select::select(&original.bytes, domain);
    let changed = DraftFile {
        role: Role::Sections(Syntax::Isync),
        path: file.to_owned(),
        original,
        after: Some(selected.after),
        removed: selected.removed,
    };
    (!selected.addresses.is_empty()).then(|| Draft::new(Client::Isync, file, domain, selected.addresses, vec![changed]))
}
