//! rpm's own database format. A package is read at a time: a database has 40 KB for each.
//!
//! Format: rpm's `lib/backend/ndb/rpmpkg.c`. After a header of 32 bytes the first pages hold slots of 16 bytes, each with
//! the place of one package's blob; a blob begins with a head of 16 bytes. All numbers little-endian.

use std::io::{self, Read, Seek, SeekFrom};

use crate::limits::MAX_RPM_HEADER_BYTES;

const HEADER_MAGIC: u32 = u32::from_le_bytes(*b"RpmP");
const SLOT_MAGIC: u32 = u32::from_le_bytes(*b"Slot");
const BLOB_MAGIC: u32 = u32::from_le_bytes(*b"BlbS");
const PAGE_BYTES: u64 = 4096;
const SLOT_BYTES: usize = 16;
const HEADER_BYTES: usize = 32;
const BLOB_HEAD_BYTES: usize = 16;
/// Places of blobs are counted in these.
const BLOCK_BYTES: u64 = 16;

/// Hands each package's header to `found`, with its offset in bytes. A damaged slot, or a damaged blob, is handed over in
/// words, with the slot's offset; the others stand for themselves. `size`: how many bytes the database has.
///
/// # Errors
/// What is wrong with the database, in words.
pub(super) fn blobs(
    mut file: impl Read + Seek,
    size: u64,
    mut found: impl FnMut(u64, Result<&[u8], &str>),
) -> Result<(), String> {
    let mut bytes = Vec::new();
    read_at(&mut file, 0, HEADER_BYTES, &mut bytes).map_err(|error| format!("it can't be read: {error}"))?;
    if le32(&bytes, 0) != Some(HEADER_MAGIC) || le32(&bytes, 4) != Some(0) {
        return Err("it is not an ndb database of version 0".to_owned());
    }
    let end = u64::from(le32(&bytes, 12).unwrap_or_default()).saturating_mul(PAGE_BYTES);
    let length = end.checked_sub(HEADER_BYTES as u64).filter(|_| end <= size);
    let length = length.and_then(|length| usize::try_from(length).ok()).ok_or("its slots are cut off")?;
    let mut slots = Vec::new();
    read_at(&mut file, HEADER_BYTES as u64, length, &mut slots).map_err(|error| format!("its slots: {error}"))?;
    for (number, slot) in slots.chunks_exact(SLOT_BYTES).enumerate() {
        let at = (HEADER_BYTES + number * SLOT_BYTES) as u64;
        if le32(slot, 0) != Some(SLOT_MAGIC) {
            found(at, Err("the slot is damaged"));
            continue;
        }
        let (index, block) = (le32(slot, 4).unwrap_or_default(), le32(slot, 8).unwrap_or_default());
        if index == 0 || block == 0 {
            continue;
        }
        let start = u64::from(block) * BLOCK_BYTES;
        match blob(&mut file, size, start, index, &mut bytes) {
            Ok(true) => found(start, Ok(&bytes)),
            Ok(false) => found(at, Err("the slot's package is damaged")),
            Err(_) => found(at, Err("the slot's package can't be read")),
        }
    }
    Ok(())
}

/// Reads a package's blob into `bytes`. False if it isn't this package's, or is cut off.
fn blob(file: &mut (impl Read + Seek), size: u64, start: u64, index: u32, bytes: &mut Vec<u8>) -> io::Result<bool> {
    let begins = start.saturating_add(BLOB_HEAD_BYTES as u64);
    if begins > size {
        return Ok(false);
    }
    read_at(file, start, BLOB_HEAD_BYTES, bytes)?;
    let genuine = le32(bytes, 0) == Some(BLOB_MAGIC) && le32(bytes, 4) == Some(index);
    let length = le32(bytes, 12).and_then(|length| usize::try_from(length).ok()).filter(|_| genuine);
    let fits = |length: &usize| *length <= MAX_RPM_HEADER_BYTES && begins.saturating_add(*length as u64) <= size;
    let Some(length) = length.filter(fits) else { return Ok(false) };
    read_at(file, begins, length, bytes)?;
    Ok(true)
}

/// Reads so many bytes from there on, in the place of what `bytes` held.
fn read_at(file: &mut (impl Read + Seek), offset: u64, length: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    bytes.clear();
    bytes.resize(length, 0);
    file.read_exact(bytes)
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bytes_break_it() {
        let mut seed = [*b"RpmP", [0; 4], [1, 0, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0]].concat();
        seed.resize(HEADER_BYTES, 0);
        seed.extend([*b"Slot", [1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]].concat());
        while seed.len() < 4096 {
            seed.extend([*b"Slot", [0; 4], [0; 4], [0; 4]].concat());
        }
        seed.extend([*b"BlbS", [1, 0, 0, 0], [1, 0, 0, 0], [4, 0, 0, 0], *b"blob"].concat());
        let mut found = Vec::new();
        let size = seed.len() as u64;
        blobs(io::Cursor::new(&seed), size, |offset, blob| found.push((offset, blob.unwrap().to_vec()))).unwrap();
        assert_eq!(found, [(4096, b"blob".to_vec())]);
        crate::mutated::check(&[&seed], |bytes| {
            let fits = |blob: Result<&[u8], &str>| blob.is_err() || blob.is_ok_and(|blob| blob.len() <= bytes.len());
            drop(blobs(io::Cursor::new(bytes), bytes.len() as u64, |_, blob| assert!(fits(blob))));
        });
    }
}
