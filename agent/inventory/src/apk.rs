//! Alpine Linux's package database: `pkg:apk/<vendor>/<name>@<version>?arch=<architecture>`.
//!
//! `installed` holds a block of lines for each installed package, ended by an empty line; each line is a letter, a colon
//! and a value: `P` name, `V` version, `A` architecture. Format: apk-tools' `src/database.c` (`apk_db_fdb_read`) and
//! <https://wiki.alpinelinux.org/wiki/Apk_spec>.

use std::path::{Path, PathBuf};

use memchr::memchr_iter;

use crate::{
    draft::{Draft, Item},
    limits::MAX_APK_BYTES,
    os_release,
    site::{Site, paths},
};

/// Below the system's root; apk-tools 3 moves it to `usr`.
const DATABASES: [&str; 2] = ["lib/apk/db/installed", "usr/lib/apk/db/installed"];

/// One installed package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Block<'a> {
    name: Option<&'a str>,
    version: Option<&'a str>,
    arch: Option<&'a str>,
}

pub(crate) fn read(site: &Site<'_>, draft: &mut Draft<'_>) {
    // Where /lib is a link to /usr/lib, both names are one file.
    for path in DATABASES.map(Path::new) {
        let Some(bytes) = draft.file(&site.root, path, MAX_APK_BYTES) else { continue };
        let vendor = os_release::vendor(&site.root, draft);
        let shown = site.root.path(path);
        let found_in = shown.to_string_lossy();
        blocks(&bytes, |offset, block| {
            let offered = block.and_then(|block| offer(&block, &vendor, &found_in, draft));
            if let Err(reason) = offered {
                draft.gap(&shown, Some(offset as u64), reason);
            }
        });
        if bytes.last().is_some_and(|last| *last != b'\n') {
            draft.gap(&shown, Some(bytes.len() as u64), "it ends within a line");
        }
        return;
    }
}

pub(crate) fn watch(_: &Site<'_>) -> Vec<PathBuf> {
    // The database is replaced by a rename, so its folder is what changes.
    let mut points = paths(&["lib/apk/db", "usr/lib/apk/db", os_release::PATH]);
    points.extend(paths(&DATABASES));
    points
}

fn offer(block: &Block<'_>, vendor: &str, found_in: &str, draft: &mut Draft<'_>) -> Result<(), String> {
    let name = block.name.ok_or("block has no P line")?;
    let version = block.version.ok_or("block has no V line")?;
    let arch = block.arch.map(|arch| ("arch", arch));
    let item =
        Item { namespace: Some(vendor), version: Some(version), qualifiers: arch.as_slice(), ..Item::new("apk", name) };
    draft.offer(&item, found_in)
}

/// Hands each block to `found`, with its offset in bytes.
fn blocks<'a>(bytes: &'a [u8], mut found: impl FnMut(usize, Result<Block<'a>, String>)) {
    let (mut line, mut start) = (0, 0);
    let mut block: Option<Result<Block<'a>, String>> = None;
    for end in memchr_iter(b'\n', bytes).chain([bytes.len()]) {
        let text = &bytes[line..end];
        line = end + 1;
        if text.is_empty() {
            if let Some(block) = block.take() {
                found(start, block);
            }
            start = line;
            continue;
        }
        let read = block.get_or_insert_with(|| Ok(Block::default()));
        if let Ok(fields) = read
            && let Err(reason) = fields.line(text)
        {
            *read = Err(reason);
        }
    }
    if let Some(block) = block {
        found(start, block);
    }
}

impl<'a> Block<'a> {
    fn line(&mut self, line: &'a [u8]) -> Result<(), String> {
        let [letter, b':', value @ ..] = line else {
            return Err("block has a line that is not a letter, a colon and a value".to_owned());
        };
        let field = match letter {
            b'P' => &mut self.name,
            b'V' => &mut self.version,
            b'A' => &mut self.arch,
            _ => return Ok(()),
        };
        let text = std::str::from_utf8(value).ok().filter(|value| !value.is_empty());
        let text = text.ok_or_else(|| format!("block has an empty or unreadable {} line", char::from(*letter)))?;
        match field.replace(text) {
            None => Ok(()),
            Some(_) => Err(format!("block has two {} lines", char::from(*letter))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let mut seen = Vec::new();
        blocks(text.as_bytes(), |offset, block| {
            seen.push(match block {
                Ok(block) => format!("{offset} {} {}", block.name.unwrap_or("-"), block.version.unwrap_or("-")),
                Err(reason) => format!("{offset} {reason}"),
            });
        });
        assert_eq!(seen, expected, "{text:?}");
    }

    #[test]
    fn blocks_end_at_empty_lines_and_at_the_end() {
        check(
            "C:Q1x=\nP:musl\nV:1.2.5-r0\nA:x86_64\nF:lib\nR:ld.so\n\nP:zlib\nV:1.3-r1\n\n",
            &["0 musl 1.2.5-r0", "49 zlib 1.3-r1"],
        );
        check("P:a\nV:1", &["0 a 1"]);
        check("\n\nP:a\nV:1\n\n\n", &["2 a 1"]);
        check("", &[]);
    }

    #[test]
    fn damage_stays_in_its_block() {
        check(
            "P:a\nnonsense\n\nP:b\nV:1\n\nP:c\nP:d\n",
            &["0 block has a line that is not a letter, a colon and a value", "14 b 1", "23 block has two P lines"],
        );
    }

    #[test]
    fn no_bytes_break_it() {
        crate::mutated::check(&[b"P:a\nV:1\nA:x\n\nP:b\nV:2\n"], |bytes| {
            blocks(bytes, |offset, _| assert!(offset <= bytes.len()))
        });
    }
}
