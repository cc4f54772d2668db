//! The story as it is printed: what happens when, and whether it is as told.

use std::{path::Path, time::Instant};

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// The eight promises, and what the demonstration shows for each.
const PROMISES: [&str; 8] = [
    "Warned first",
    "Two to start, one to stop",
    "Undo is first-class",
    "Nothing is lost",
    "Your apps stay yours",
    "Time can't be tricked",
    "A broken server can't hurt",
    "It explains itself",
];

/// See the module.
pub(super) struct Timeline {
    began: Instant,
    shown: Vec<(usize, String, bool)>,
    failures: usize,
}

impl Timeline {
    pub(super) fn begin(scratch: &Path) -> Self {
        anstream::println!("\n{BOLD}Forewarn: the story, on real parts{BOLD:#}");
        anstream::println!(
            "Everything happens in {}. The clocks are simulated: hours pass in seconds.",
            scratch.display()
        );
        Self { began: Instant::now(), shown: Vec::new(), failures: 0 }
    }

    pub(super) fn chapter(&self, title: &str) {
        anstream::println!("\n{BOLD}{title}{BOLD:#}");
    }

    /// Something happens at `time`, UTC.
    pub(super) fn event(&self, time: Timestamp, text: &str) {
        anstream::println!("  {DIM}{}{DIM:#}  {text}", time.strftime("%a %d %b %H:%M"));
    }

    /// Lines that belong to the last event.
    pub(super) fn quote(&self, text: &str) {
        text.lines().filter(|line| !line.trim().is_empty()).for_each(|line| {
            anstream::println!("                    {DIM}|{DIM:#} {}", line.trim_end());
        });
    }

    /// Something that has to be so.
    pub(super) fn check(&mut self, is_so: bool, text: &str) {
        let mark = if is_so { format!("{GOOD}as told{GOOD:#}") } else { format!("{BAD}NOT AS TOLD{BAD:#}") };
        anstream::println!("                    {mark}  {text}");
        self.failures += usize::from(!is_so);
    }

    /// Something that shows a promise, by its number from 1.
    pub(super) fn promise(&mut self, number: usize, is_so: bool, text: &str) {
        self.check(is_so, text);
        self.shown.push((number, text.to_owned(), is_so));
    }

    pub(super) fn failed(&mut self, text: &str) {
        anstream::println!("  {BAD}{text}{BAD:#}");
        self.failures += 1;
    }

    /// Prints the table of promises. False if anything was not as told, or a promise was not shown.
    pub(super) fn finish(&mut self) -> bool {
        anstream::println!("\n{BOLD}The eight promises, and what was just shown for each{BOLD:#}");
        for (index, name) in PROMISES.iter().enumerate() {
            let of: Vec<_> = self.shown.iter().filter(|(number, ..)| *number == index + 1).collect();
            let kept = !of.is_empty() && of.iter().all(|(.., is_so)| *is_so);
            let mark = if kept { format!("{GOOD}kept{GOOD:#}  ") } else { format!("{BAD}BROKEN{BAD:#}") };
            self.failures += usize::from(!kept);
            let mut texts = of.iter().map(|(_, text, _)| text.as_str());
            anstream::println!("  {mark} {}. {name:<27} {}", index + 1, texts.next().unwrap_or("nothing was shown"));
            texts.for_each(|text| anstream::println!("{:39}{text}", ""));
        }
        let seconds = self.began.elapsed().as_secs_f64();
        anstream::println!("\nThe story took {seconds:.1} s; {} things were not as told.", self.failures);
        self.failures == 0
    }
}
