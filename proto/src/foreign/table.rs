//! Which characters can't be seen, as data. Sources: Unicode 17's `PropList.txt` (`Bidi_Control`), `DerivedCoreProperties.txt`
//! (`Default_Ignorable_Code_Point`) and `UnicodeData.txt` (`Cc`, `Cf`, `Zl`, `Zp`).

/// What a character does instead of being seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It controls a terminal or ends a line.
    Control,
    /// It steers the direction of what comes after it.
    Bidi,
    /// Nothing that one sees: joiners, fillers, tags.
    Nothing,
    /// It chooses how the letter before it looks (an emoji's colour). After no letter it is nothing that one sees.
    Variant,
}

const KINDS: [(u32, u32, Kind); 28] = [
    (0x0000, 0x001f, Kind::Control),
    (0x007f, 0x009f, Kind::Control),
    (0x00ad, 0x00ad, Kind::Nothing),
    (0x034f, 0x034f, Kind::Nothing),
    (0x061c, 0x061c, Kind::Bidi),
    (0x115f, 0x1160, Kind::Nothing),
    (0x17b4, 0x17b5, Kind::Nothing),
    (0x180b, 0x180d, Kind::Variant),
    (0x180e, 0x180e, Kind::Nothing),
    (0x180f, 0x180f, Kind::Variant),
    (0x200b, 0x200d, Kind::Nothing),
    (0x200e, 0x200f, Kind::Bidi),
    (0x2028, 0x2029, Kind::Control),
    (0x202a, 0x202e, Kind::Bidi),
    (0x2060, 0x2065, Kind::Nothing),
    (0x2066, 0x2069, Kind::Bidi),
    (0x206a, 0x206f, Kind::Nothing),
    (0x3164, 0x3164, Kind::Nothing),
    (0xfe00, 0xfe0f, Kind::Variant),
    (0xfeff, 0xfeff, Kind::Nothing),
    (0xffa0, 0xffa0, Kind::Nothing),
    (0xfff0, 0xfffb, Kind::Nothing),
    (0x13430, 0x1343f, Kind::Nothing),
    (0x1bca0, 0x1bca3, Kind::Nothing),
    (0x1d173, 0x1d17a, Kind::Nothing),
    (0xe0000, 0xe00ff, Kind::Nothing),
    (0xe0100, 0xe01ef, Kind::Variant),
    (0xe01f0, 0xe0fff, Kind::Nothing),
];

/// Blocks of letters that run from right to left (UAX #9, `R` and `AL`).
const FROM_RIGHT: [(u32, u32); 5] =
    [(0x0590, 0x08ff), (0xfb1d, 0xfdff), (0xfe70, 0xfefe), (0x10800, 0x10fff), (0x1e800, 0x1efff)];

/// A character of a text, and what it does if it can't be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unseen {
    pub(super) c: char,
    pub(super) kind: Option<Kind>,
}

impl Unseen {
    /// Every character of a text. A variant after something that is seen counts as seen.
    pub(super) fn in_text(text: &str) -> impl Iterator<Item = Self> {
        let mut after_letter = false;
        text.chars().map(move |c| {
            let kind = kind(c).filter(|kind| *kind != Kind::Variant || !after_letter);
            after_letter = kind.is_none() && !c.is_whitespace() && self::kind(c).is_none();
            Self { c, kind }
        })
    }
}

fn kind(c: char) -> Option<Kind> {
    let code = u32::from(c);
    let place = KINDS.partition_point(|(_, last, _)| *last < code);
    KINDS.get(place).filter(|(first, ..)| *first <= code).map(|(.., kind)| *kind)
}

/// Whether a letter runs from right to left.
pub(super) fn runs_from_right(c: char) -> bool {
    let code = u32::from(c);
    FROM_RIGHT.iter().any(|(first, last)| (*first..=*last).contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_so_that_it_can_be_searched() {
        assert!(KINDS.iter().all(|(first, last, _)| first <= last));
        assert!(KINDS.windows(2).all(|pair| pair[0].1 < pair[1].0));
    }
}
