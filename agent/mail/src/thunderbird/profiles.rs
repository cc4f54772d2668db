//! Where Thunderbird's profiles are.
//!
//! Source: Thunderbird's `nsToolkitProfileService` (`profiles.ini`), and where Debian, snap and flatpak put the folder.

use std::collections::BTreeSet;
use std::path::Path;

use crate::account::{Client, SkipReason, Skipped};
use crate::home::Home;

/// Debian's, snap's and flatpak's folder. The first may be a relative link within the home, as to `.icedove`.
const ROOTS: [&str; 3] =
    [".thunderbird", "snap/thunderbird/common/.thunderbird", ".var/app/org.mozilla.Thunderbird/.thunderbird"];

/// The profiles, as paths from the home; one that two roots lead to counts once.
pub(crate) fn profiles(home: &Home, skipped: &mut Vec<Skipped>) -> Vec<String> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for root in ROOTS {
        for profile in of_root(home, root, skipped) {
            let mut skip =
                |reason| skipped.push(Skipped { client: Client::Thunderbird, profile: profile.clone(), reason });
            match home.resolve(&profile) {
                Ok(Some(real)) if seen.insert(real.clone()) => found.push(profile),
                Ok(_) => {}
                Err(error) => skip(error.into_reason(&profile)),
            }
        }
    }
    found
}

fn of_root(home: &Home, root: &str, skipped: &mut Vec<Skipped>) -> Vec<String> {
    let ini = format!("{root}/profiles.ini");
    let mut skip = |reason| skipped.push(Skipped { client: Client::Thunderbird, profile: root.to_owned(), reason });
    let content = match home.read(&ini) {
        Ok(Some(content)) => content,
        Ok(None) => return Vec::new(),
        Err(error) => {
            skip(error.into_reason(&ini));
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for entry in parse(&String::from_utf8_lossy(&content.bytes)) {
        let below =
            if entry.is_relative { Some(format!("{root}/{}", entry.path)) } else { below(home.real(), &entry.path) };
        match below {
            Some(profile) => found.push(profile),
            None => skip(SkipReason::Outside { path: entry.path }),
        }
    }
    found
}

/// An absolute path, as a path from the home.
fn below(home: &Path, path: &str) -> Option<String> {
    Path::new(path).strip_prefix(home).ok()?.to_str().map(str::to_owned)
}

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    path: String,
    is_relative: bool,
}

/// The `[ProfileN]` sections, each with `Path=` and `IsRelative=`.
fn parse(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for section in format!("\n{text}").split("\n[").skip(1) {
        let value = |key: &str| section.lines().find_map(|line| line.trim_end().strip_prefix(key)?.strip_prefix('='));
        if let (true, Some(path)) = (section.starts_with("Profile"), value("Path")) {
            entries.push(Entry { path: path.to_owned(), is_relative: value("IsRelative") != Some("0") });
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_section_counts_and_no_other() {
        let text = "[Profile1]\nName=a\nIsRelative=1\nPath=a.default\nDefault=1\n\n[InstallFD]\nDefault=b\nPath=x\n\n[Profile0]\r\nIsRelative=0\r\nPath=/home/me/p\r\n";
        let entry = |path: &str, is_relative| Entry { path: path.to_owned(), is_relative };
        assert_eq!(parse(text), [entry("a.default", true), entry("/home/me/p", false)]);
    }
}
