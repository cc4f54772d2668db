//! Labelled facts on a terminal, the labels in a column.

use forewarn_core::words::Fact;
use forewarn_proto::foreign::line;
use unicode_width::UnicodeWidthStr as _;

/// The least width of the column of labels.
const COLUMN: usize = 9;

/// Facts, each line after `indent`.
pub(super) fn lines(facts: &[Fact], indent: &str) -> Vec<String> {
    let column = facts.iter().map(|fact| fact.label.width()).max().unwrap_or_default().max(COLUMN);
    let mut all = Vec::new();
    for Fact { label, lines } in facts {
        let padding = " ".repeat(column - label.width());
        let labels = [format!("{label}{padding}")].into_iter().chain(std::iter::repeat(" ".repeat(column)));
        all.extend(lines.iter().zip(labels).map(|(text, label)| format!("{indent}{label}  {}", line(text))));
    }
    all
}
