//! Which system this is, from os-release(5).

use std::path::Path;

use crate::{draft::Draft, folder::Root, limits::MAX_OS_RELEASE_BYTES};

/// Where it is, below the system's root.
pub(crate) const PATH: &str = "etc/os-release";

/// The vendor where `os-release` names none, as os-release(5) has it.
const UNNAMED: &str = "linux";

/// What the `ID`s of one vendor's systems begin with, and the vendor: `opensuse-tumbleweed` and `opensuse-leap` are both
/// purl-spec's `opensuse`.
const VENDORS: [(&str, &str); 1] = [("opensuse-", "opensuse")];

/// The system's vendor, such as `debian` or `ubuntu`, by its `ID`, which is the namespace in `pkg:deb/<vendor>/...`. Where it
/// can't be read there is a gap: a rule may ask for a vendor.
pub(crate) fn vendor(root: &Root, draft: &mut Draft<'_>) -> String {
    let path = Path::new(PATH);
    match draft.file(root, path, MAX_OS_RELEASE_BYTES).as_deref().map(parse) {
        Some(Some(id)) => return of(id).to_owned(),
        Some(None) => draft.gap(&root.path(path), None, "it has no valid ID field"),
        None => draft.gap(&root.path(path), None, "it does not say which system this is"),
    }
    UNNAMED.to_owned()
}

fn of(id: &str) -> &str {
    VENDORS.iter().find(|(begin, _)| id.starts_with(begin)).map_or(id, |(_, vendor)| vendor)
}

/// The value of `ID=` in an `os-release` file, if it is made of the characters that os-release(5) allows: a-z, 0-9,
/// `.`, `_` and `-`.
fn parse(bytes: &[u8]) -> Option<&str> {
    let line = bytes.split(|b| *b == b'\n').rfind(|line| line.starts_with(b"ID="))?;
    let value = std::str::from_utf8(line.strip_prefix(b"ID=")?).ok()?.trim();
    let value = unquote(value, '"').or_else(|| unquote(value, '\'')).unwrap_or(value);
    let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-');
    (!value.is_empty() && value.chars().all(allowed)).then_some(value)
}

fn unquote(value: &str, quote: char) -> Option<&str> {
    value.strip_prefix(quote)?.strip_suffix(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(parse(text.as_bytes()), expected, "{text:?}");
    }

    #[test]
    fn the_id_is_taken_whatever_its_quotes() {
        check("PRETTY_NAME=\"Debian\"\nVERSION_ID=\"12\"\nID=debian\n", Some("debian"));
        check("ID=\"ubuntu\"\nID_LIKE=debian", Some("ubuntu"));
        check("ID='linuxmint'\r\n", Some("linuxmint"));
        check("ID=old\nID=new\n", Some("new"));
    }

    #[test]
    fn the_systems_of_one_vendor_have_one_name() {
        for id in ["opensuse", "opensuse-tumbleweed", "opensuse-leap", "opensuse-slowroll"] {
            assert_eq!(of(id), "opensuse");
        }
        assert_eq!((of("fedora"), of("opensuser")), ("fedora", "opensuser"));
    }

    #[test]
    fn what_is_no_id_is_none() {
        check("", None);
        check("ID_LIKE=debian\n", None);
        check("ID=\n", None);
        check("ID=\"\n", None);
        check("ID=de/bian\n", None);
        check("ID=\u{e4}\n", None);
    }
}
