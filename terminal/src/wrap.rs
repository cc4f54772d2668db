//! Lines that are longer than a terminal is wide. The terminal would go on at its first column, where our own lines begin: so
//! what does not fit goes on behind the margin.

use std::os::fd::AsFd;

use forewarn_proto::foreign::{MARGIN, columns_of as columns_of_char};
use rustix::termios::{isatty, tcgetwinsize};

/// The narrowest terminal for which lines are folded, in columns. On a narrower one nothing can be read anyway.
const NARROWEST: usize = 20;
/// What begins a style of ours, and what ends it (ECMA-48, SGR).
const STYLE: (char, char) = ('\u{1b}', 'm');

/// How many columns a terminal has. None if it is none, or does not say.
pub fn columns_of(file: impl AsFd) -> Option<usize> {
    let columns = isatty(&file).then(|| tcgetwinsize(&file).ok()).flatten()?.ws_col;
    Some(usize::from(columns)).filter(|columns| *columns >= NARROWEST)
}

/// A line for a terminal of so many columns: what does not fit goes on in further lines, each behind the margin.
pub fn wrapped(line: &str, columns: usize) -> Vec<String> {
    let (mut lines, mut current, mut used, mut in_style) = (Vec::new(), String::new(), 0, false);
    for character in line.chars() {
        in_style |= character == STYLE.0;
        let width = if in_style { 0 } else { columns_of_char(character) };
        in_style &= character != STYLE.1;
        if used + width > columns {
            lines.push(std::mem::replace(&mut current, MARGIN.to_owned()));
            used = MARGIN.chars().count();
        }
        current.push(character);
        used += width;
    }
    lines.push(current);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &[&str]) {
        assert_eq!(wrapped(line, 20), expected, "{line}");
    }

    #[test]
    fn promise_2_what_does_not_fit_on_a_line_never_begins_at_the_first_column() {
        check("short", &["short"]);
        check("", &[""]);
        check("exactly twenty chars", &["exactly twenty chars"]);
        check("a title that pads    bans nothing", &["a title that pads   ", "│  bans nothing"]);
        // Letters that are two columns wide, and spaces that are.
        check(&"．".repeat(12), &["．．．．．．．．．．", "│ ．．"]);
        // And those about which terminals disagree.
        check(&"㉈".repeat(12), &["㉈㉈㉈㉈㉈㉈㉈㉈㉈㉈", "│ ㉈㉈"]);
        check(&format!("{}bans nothing", "\u{9be}".repeat(10)), &["\u{9be}".repeat(10).as_str(), "│ bans nothing"]);
        check(
            &format!("x{}spared", "\u{3000}".repeat(10)),
            &[&format!("x{}", "\u{3000}".repeat(9)), "│ \u{3000}spared"],
        );
        // A style takes no room.
        check("\u{1b}[1mexactly twenty chars\u{1b}[0m", &["\u{1b}[1mexactly twenty chars\u{1b}[0m"]);
    }
}
