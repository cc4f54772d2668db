//! A package's header, as a pure function over bytes.
//!
//! Format: rpm's `docs/manual/format_header.md` and `lib/header.c` (`hdrblobInit`), without the magic, as databases keep
//! it: two counts, an index of 16-byte entries, and a store of data, all numbers big-endian.

use crate::limits::MAX_RPM_HEADER_BYTES;

/// Tags (rpm's `lib/rpmtag.h`).
const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const ARCH: u32 = 1022;
/// Types of data.
const INT32: u32 = 4;
const STRING: u32 = 6;
/// The most index entries (`headerMaxbytes` would allow more); a kernel package has some 100.
const MAX_ENTRIES: usize = 0xffff;

/// What a header says of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    pub(super) release: &'a str,
    pub(super) epoch: Option<u32>,
    /// Public keys, which rpm keeps as packages, have none.
    pub(super) arch: Option<&'a str>,
}

impl<'a> Header<'a> {
    /// Reads a header.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn parse(blob: &'a [u8]) -> Result<Self, String> {
        let fields = Fields::of(blob).ok_or("header is cut off, or its counts are wrong")?;
        Ok(Self {
            name: fields.text(NAME)?.ok_or("header has no name")?,
            version: fields.text(VERSION)?.ok_or("header has no version")?,
            release: fields.text(RELEASE)?.ok_or("header has no release")?,
            epoch: fields.number(EPOCH)?,
            arch: fields.text(ARCH)?,
        })
    }
}

/// The two parts of a header.
struct Fields<'a> {
    index: &'a [u8],
    store: &'a [u8],
}

impl<'a> Fields<'a> {
    fn of(blob: &'a [u8]) -> Option<Self> {
        let entries = usize::try_from(be32(blob, 0)?).ok().filter(|count| *count <= MAX_ENTRIES)?;
        let length = usize::try_from(be32(blob, 4)?).ok().filter(|length| *length <= MAX_RPM_HEADER_BYTES)?;
        let index = blob.get(8..8 + entries * 16)?;
        let store = blob.get(8 + entries * 16..)?.get(..length)?;
        Some(Self { index, store })
    }

    /// Type and place of a tag's data.
    fn find(&self, tag: u32) -> Option<(u32, usize)> {
        let entry = self.index.chunks_exact(16).find(|entry| be32(entry, 0) == Some(tag))?;
        Some((be32(entry, 4)?, usize::try_from(be32(entry, 8)?).ok()?))
    }

    fn text(&self, tag: u32) -> Result<Option<&'a str>, String> {
        let Some((kind, offset)) = self.find(tag) else { return Ok(None) };
        let bytes = self.store.get(offset..).and_then(|rest| rest.split(|byte| *byte == 0).next());
        let text = bytes.filter(|_| kind == STRING).and_then(|bytes| std::str::from_utf8(bytes).ok());
        text.filter(|text| !text.is_empty()).map(Some).ok_or_else(|| format!("header's tag {tag} is not a text"))
    }

    fn number(&self, tag: u32) -> Result<Option<u32>, String> {
        let Some((kind, offset)) = self.find(tag) else { return Ok(None) };
        let number = be32(self.store, offset).filter(|_| kind == INT32);
        number.map(Some).ok_or_else(|| format!("header's tag {tag} is not a number"))
    }
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header with these tags, each with its type and data.
    fn header(tags: &[(u32, u32, &[u8])]) -> Vec<u8> {
        let (mut index, mut store) = (Vec::new(), Vec::new());
        for (tag, kind, data) in tags {
            for number in [*tag, *kind, u32::try_from(store.len()).unwrap(), 1] {
                index.extend(number.to_be_bytes());
            }
            store.extend(*data);
        }
        let counts = [u32::try_from(tags.len()).unwrap(), u32::try_from(store.len()).unwrap()];
        [&counts.map(u32::to_be_bytes).concat()[..], &index, &store].concat()
    }

    #[test]
    fn a_header_names_its_package() {
        let blob = header(&[
            (NAME, STRING, b"bash\0"),
            (VERSION, STRING, b"5.2\0"),
            (RELEASE, STRING, b"1.fc40\0"),
            (EPOCH, INT32, &[0, 0, 0, 2]),
            (ARCH, STRING, b"x86_64\0"),
        ]);
        let expected = Header { name: "bash", version: "5.2", release: "1.fc40", epoch: Some(2), arch: Some("x86_64") };
        assert_eq!(Header::parse(&blob), Ok(expected));
        for length in 0..blob.len() {
            assert!(Header::parse(&blob[..length]).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let check = |tags: &[(u32, u32, &[u8])], reason: &str| {
            assert_eq!(Header::parse(&header(tags)).unwrap_err(), reason);
        };
        check(&[], "header has no name");
        check(&[(NAME, INT32, b"bash\0")], "header's tag 1000 is not a text");
        check(&[(NAME, STRING, b"\0")], "header's tag 1000 is not a text");
        check(&[(NAME, STRING, b"\xff\0")], "header's tag 1000 is not a text");
        check(&[(NAME, STRING, b"a\0"), (VERSION, STRING, b"1\0")], "header has no release");
        let huge = [u32::MAX.to_be_bytes(), u32::MAX.to_be_bytes()].concat();
        assert!(Header::parse(&huge).unwrap_err().contains("counts are wrong"));
    }

    #[test]
    fn no_bytes_break_it() {
        let seed = header(&[(NAME, STRING, b"bash\0"), (VERSION, STRING, b"5\0"), (RELEASE, STRING, b"1\0")]);
        crate::mutated::check(&[&seed], |bytes| drop(Header::parse(bytes)));
    }
}
