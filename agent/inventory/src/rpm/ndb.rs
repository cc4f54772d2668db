//! rpm's own database format, as a pure scan over bytes.
//!
//! Format: rpm's `lib/backend/ndb/rpmpkg.c`. After a header of 32 bytes the first pages hold slots of 16 bytes, each with
//! the place of one package's blob; a blob begins with a head of 16 bytes. All numbers little-endian.

const HEADER_MAGIC: u32 = u32::from_le_bytes(*b"RpmP");
const SLOT_MAGIC: u32 = u32::from_le_bytes(*b"Slot");
const BLOB_MAGIC: u32 = u32::from_le_bytes(*b"BlbS");
const PAGE_BYTES: usize = 4096;
const SLOT_BYTES: usize = 16;
const HEADER_BYTES: usize = 32;
const BLOB_HEAD_BYTES: usize = 16;
/// Places of blobs are counted in these.
const BLOCK_BYTES: usize = 16;

/// Hands each package's header to `found`, with its offset in bytes. A damaged slot, or a damaged blob, is handed over in
/// words, with the slot's offset; the others stand for themselves.
///
/// # Errors
/// What is wrong with the database, in words.
pub(super) fn blobs(bytes: &[u8], mut found: impl FnMut(u64, Result<&[u8], &str>)) -> Result<(), String> {
    if le32(bytes, 0) != Some(HEADER_MAGIC) || le32(bytes, 4) != Some(0) {
        return Err("it is not an ndb database of version 0".to_owned());
    }
    let pages = le32(bytes, 12).and_then(|pages| usize::try_from(pages).ok()).unwrap_or_default();
    let slots = pages.checked_mul(PAGE_BYTES).and_then(|end| bytes.get(HEADER_BYTES..end));
    let slots = slots.ok_or("its slots are cut off")?;
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
        match blob(bytes, block, index) {
            Some(blob) => found(u64::from(block) * BLOCK_BYTES as u64, Ok(blob)),
            None => found(at, Err("the slot's package is damaged")),
        }
    }
    Ok(())
}

fn blob(bytes: &[u8], block: u32, index: u32) -> Option<&[u8]> {
    let start = usize::try_from(block).ok()?.checked_mul(BLOCK_BYTES)?;
    let head = bytes.get(start..start.checked_add(BLOB_HEAD_BYTES)?)?;
    let genuine = le32(head, 0) == Some(BLOB_MAGIC) && le32(head, 4) == Some(index);
    let length = usize::try_from(le32(head, 12)?).ok().filter(|_| genuine)?;
    bytes.get(start + BLOB_HEAD_BYTES..)?.get(..length)
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
        while seed.len() < PAGE_BYTES {
            seed.extend([*b"Slot", [0; 4], [0; 4], [0; 4]].concat());
        }
        seed.extend([*b"BlbS", [1, 0, 0, 0], [1, 0, 0, 0], [4, 0, 0, 0], *b"blob"].concat());
        let mut found = Vec::new();
        blobs(&seed, |offset, blob| found.push((offset, blob.unwrap().to_vec()))).unwrap();
        assert_eq!(found, [(4096, b"blob".to_vec())]);
        crate::mutated::check(&[&seed], |bytes| {
            drop(blobs(bytes, |_, blob| assert!(blob.is_err() || blob.is_ok_and(|blob| blob.len() <= bytes.len()))));
        });
    }
}
