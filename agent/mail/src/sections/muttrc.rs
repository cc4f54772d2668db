//! neomutt's configuration, as statements.
//!
//! Source of the format: `neomuttrc(5)`. A backslash at the end of a line continues it. Only a statement that may be an account's has a name: its own text.

use crate::lines::Part;
use crate::lines::lines;

/// The statements, each with the lines that continue it.
pub(super) fn parts(bytes: &[u8]) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut begun, mut at) = (0, 0);
    for line in lines(bytes) {
        at += line.len();
        let continues = line.trim_ascii_end().ends_with(b"\\") && !is_comment(line);
        if !continues {
            parts.push(part(&bytes[begun..at]));
            begun = at;
        }
    }
    if begun < at {
        parts.push(part(&bytes[begun..at]));
    }
    parts
}

fn part(raw: &[u8]) -> Part<'_> {
    let text = String::from_utf8_lossy(raw.trim_ascii()).into_owned();
    Part { raw, name: (!text.is_empty()).then_some(text) }
}

fn is_comment(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"#")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backslash_continues_a_statement() {
        let text = b"set a=1\n\nset b= \\\n  2\n# c \\\nset d=3 \\";
        let raws: Vec<_> = parts(text).iter().map(|part| String::from_utf8_lossy(part.raw).into_owned()).collect();
        assert_eq!(raws, ["set a=1\n", "\n", "set b= \\\n  2\n", "# c \\\n", "set d=3 \\"]);
    }
}
