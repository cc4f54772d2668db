//! Sections that are known by a number, which a program gives anew when it is free.

use super::is_of_domain;
use crate::lines::Part;
use crate::rewritten::Renames;

/// What stands before the number in a section's name, and which numbers are the same: Claws Mail's in its three files, KMail's identities, which it numbers anew at every change.
const NUMBERED: [(&str, &str); 4] =
    [("Account: ", "claws"), ("account:", "claws"), ("folder ", "claws"), ("Identity #", "kmail")];

/// The family, what stands before the number, and the number.
fn number(name: &str) -> Option<(&'static str, &'static str, &str)> {
    NUMBERED.iter().find_map(|(before, family)| {
        let number = name.strip_prefix(before)?;
        number.bytes().all(|byte| byte.is_ascii_digit()).then_some((*family, *before, number))
    })
}

/// Whether another account than the domain's has a section's number now. Only a section with addresses can tell.
pub(super) fn is_taken(part: &Part<'_>, there: Option<&Part<'_>>, domain: &str) -> bool {
    let numbered = part.name.as_deref().and_then(number).is_some();
    numbered && is_of_domain(part.raw, domain) && there.is_some_and(|there| !is_of_domain(there.raw, domain))
}

/// Chooses a number that nothing has, unless one was chosen before.
pub(super) fn choose(part: &Part<'_>, originals: &[Part<'_>], there: &[Part<'_>], renames: &mut Renames) {
    let Some((family, before, old)) = part.name.as_deref().and_then(number) else { return };
    if renames.section(family, old).is_some() {
        return;
    }
    let used =
        originals.iter().chain(there).filter_map(|part| part.name.as_deref()?.strip_prefix(before)?.parse().ok());
    let free = used.max().unwrap_or(0_u64).saturating_add(1);
    renames.add_section(family, old, &free.to_string());
}

/// A section under the number that it has now: its bytes, and its name.
pub(super) fn renamed(part: &Part<'_>, renames: &Renames) -> (Vec<u8>, Option<String>) {
    let new = part.name.as_deref().and_then(number).and_then(|(family, before, old)| {
        let new = renames.section(family, old)?;
        Some((old_mark(before, old), old_mark(before, new), format!("{before}{new}")))
    });
    let Some((old, new, name)) = new else { return (part.raw.to_vec(), part.name.clone()) };
    // The number is in the first line.
    let end = part.raw.iter().position(|&byte| byte == b'\n').unwrap_or(part.raw.len());
    let (head, rest) = part.raw.split_at(end);
    let head = String::from_utf8_lossy(head).replacen(&old, &new, 1);
    ([head.as_bytes(), rest].concat(), Some(name))
}

/// How the number is written in a section's first line.
fn old_mark(before: &str, number: &str) -> String {
    if before == "folder " { format!("account_id=\"{number}\"") } else { format!("[{before}{number}]") }
}
