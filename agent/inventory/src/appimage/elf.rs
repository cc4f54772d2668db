//! Which type an AppImage is and where its runtime ends, as a pure function over the head of its file.
//!
//! Format: elf(5) and the AppImage specification; the AppImage runtime finds its file system the same way (`src/runtime/runtime.c`,
//! `appimage_get_elf_size`).

/// How many bytes tell.
pub(super) const HEADER_BYTES: usize = 64;

/// What sort of AppImage a file is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The runtime is also an ISO 9660 image.
    One,
    /// A file system follows the runtime, which has so many bytes.
    Two(u64),
}

/// Tells an AppImage by the head of its file; none if it isn't one.
pub(super) fn kind(head: &[u8; HEADER_BYTES]) -> Option<Kind> {
    match head {
        [0x7f, b'E', b'L', b'F', _, _, _, _, b'A', b'I', 1, ..] => Some(Kind::One),
        [0x7f, b'E', b'L', b'F', _, _, _, _, b'A', b'I', 2, ..] => end_of_runtime(head).map(Kind::Two),
        _ => None,
    }
}

/// The file's size up to the end of its section headers, which end an ELF file.
fn end_of_runtime(head: &[u8; HEADER_BYTES]) -> Option<u64> {
    let (wide, big) = (head[4] == 2, head[5] == 2);
    let number = |at: usize, length: usize| {
        let bytes = head[at..at + length].iter();
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if big { bytes.fold(0, join) } else { bytes.rev().fold(0, join) }
    };
    let (start, size, count) = if wide {
        (number(40, 8), number(58, 2), number(60, 2))
    } else {
        (number(32, 4), number(46, 2), number(48, 2))
    };
    start.checked_add(size * count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(class: u8, order: u8) -> [u8; HEADER_BYTES] {
        let mut head = [0; HEADER_BYTES];
        head[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, order]);
        head[8..11].copy_from_slice(b"AI\x02");
        head
    }

    #[test]
    fn section_headers_end_the_runtime() {
        let mut wide = head(2, 1);
        (wide[41], wide[58], wide[60]) = (0x10, 64, 3);
        assert_eq!(kind(&wide), Some(Kind::Two(0x1000 + 192)));
        let mut narrow = head(1, 2);
        (narrow[34], narrow[47], narrow[49]) = (0x10, 40, 2);
        assert_eq!(kind(&narrow), Some(Kind::Two(0x1000 + 80)));
        let mut other = head(2, 1);
        other[10] = 0;
        assert_eq!(kind(&other), None, "an ordinary program");
        other[10] = 1;
        assert_eq!(kind(&other), Some(Kind::One));
        let mut hostile = head(2, 1);
        hostile[40..48].fill(0xff);
        hostile[58] = 1;
        hostile[60] = 1;
        assert_eq!(kind(&hostile), None, "past every file's end");
    }
}
