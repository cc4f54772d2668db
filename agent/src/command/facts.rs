//! Labelled facts on a terminal, the labels in a column.

use unicode_width::UnicodeWidthStr as _;

use crate::words::Fact;

/// The least width of the column of labels.
const COLUMN: usize = 9;

/// Prints facts, each line after `indent`.
pub(super) fn print(facts: &[Fact], indent: &str) {
    let column = facts.iter().map(|fact| fact.label.width()).max().unwrap_or_default().max(COLUMN);
    for Fact { label, lines } in facts {
        let padding = " ".repeat(column - label.width());
        let labels = [format!("{label}{padding}")].into_iter().chain(std::iter::repeat(" ".repeat(column)));
        lines.iter().zip(labels).for_each(|(line, label)| anstream::println!("{indent}{label}  {line}"));
    }
}
