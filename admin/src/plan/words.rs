//! A plan as admins read it. What goes is said loudest.

use anstyle::{AnsiColor, Style};

use super::{FieldChange, Plan};

const BOLD: Style = Style::new().bold();
const NEW: Style = AnsiColor::Green.on_default();
const WARN: Style = AnsiColor::Yellow.on_default();
const LOUD: Style = AnsiColor::Red.on_default().bold();

impl Plan {
    /// The plan, line by line, styled for a terminal. The first lines are the additions, one each; what they do is for the
    /// caller to say, as of any policy.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for addition in &self.additions {
            lines.push(format!(
                "{NEW}+ {BOLD}{}{BOLD:#}{NEW:#} version {}, from {}",
                addition.id, addition.version, addition.file
            ));
        }
        for change in &self.changes {
            let (from, to) = (change.from_version, change.to_version);
            lines.push(format!(
                "{WARN}~ {BOLD}{}{BOLD:#}{WARN:#} version {from} -> {to}, from {}",
                change.id, change.file
            ));
            if change.fields.is_empty() {
                lines.push("    only comments or layout differ; devices go by the new text all the same".to_owned());
            }
            lines.extend(change.fields.iter().flat_map(FieldChange::lines));
        }
        for deletion in &self.deletions {
            lines.push(format!(
                "{LOUD}- DELETES {}{LOUD:#} version {}: \"{}\" has no file",
                deletion.id, deletion.version, deletion.title
            ));
            lines.push(
                "    nobody is obliged by it any more, and what it took goes back; nobody is told why. If it was sent in \
                 error, `forewarn-admin retract` corrects those who saw it"
                    .to_owned(),
            );
        }
        lines.extend(self.notes.iter().map(|note| format!("{WARN}! {note}{WARN:#}")));
        lines.push(self.summary());
        lines
    }

    fn summary(&self) -> String {
        let (new, changed, gone) = (self.additions.len(), self.changes.len(), self.deletions.len());
        if self.is_empty() {
            return format!("Nothing to do: {} policies are in force as their files say.", self.unchanged.len());
        }
        let style = if gone > 0 { LOUD } else { Style::new() };
        format!(
            "Plan: {new} to add, {changed} to change, {style}{gone} TO DELETE{style:#}, {} as they are.",
            self.unchanged.len()
        )
    }
}
