//! The timeline as text: for each span of time, how many people are told, reach their deadline, lose their mail.

use std::fmt::Write;

use jiff::{Timestamp, tz::TimeZone};

use super::{
    Figures,
    series::Series,
    words::{length, number},
};

/// The widths that make sense, in columns.
pub(crate) const WIDTHS: std::ops::RangeInclusive<usize> = 40..=400;
/// Before the first column of the chart: `deadlines  `.
const MARGIN: usize = 11;
/// After the last one: ` 200,000`.
const TOTAL: usize = 9;
/// From one person to all.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// How many spans of time a chart of this width shows at most.
pub(crate) fn spans(width: usize) -> usize {
    width.clamp(*WIDTHS.start(), *WIDTHS.end()) - MARGIN - TOTAL
}

/// The chart. One row is one kind of event, a block's height its share of the highest count in all rows.
pub(crate) fn chart(figures: &Figures, zone: &TimeZone) -> String {
    let series = &figures.series;
    let rows = [("told", &series.told), ("deadlines", &series.deadline), ("mail lost", &series.revoked)];
    let highest = rows.iter().flat_map(|(_, counts)| counts.iter()).copied().max().unwrap_or_default();
    let mut text = String::new();
    for (label, counts) in rows {
        let blocks: String = counts.iter().map(|count| block(*count, highest)).collect();
        let _ = writeln!(text, "{label:<MARGIN$}{blocks} {}", number(counts.iter().sum()));
    }
    if let Some(index) = figures.written_at.and_then(|at| series.index(at)) {
        let _ = writeln!(text, "{:<MARGIN$}{}↑", "written", " ".repeat(index));
    }
    let (ticks, labels) = axis(series, zone);
    let _ = writeln!(text, "{:MARGIN$}{ticks}\n{:MARGIN$}{labels}", "", "");
    let _ = writeln!(
        text,
        "One column is {}, the highest {} people; by the clocks of {}.",
        length(series.minutes),
        number(highest),
        zone_name(zone, figures.from)
    );
    text
}

fn block(count: u64, highest: u64) -> char {
    match usize::try_from((count * 8).div_ceil(highest.max(1))).unwrap_or(BLOCKS.len()) {
        0 => ' ',
        height => BLOCKS[height.min(BLOCKS.len()) - 1],
    }
}

/// The zone's name, or its abbreviation where it has none.
pub(super) fn zone_name(zone: &TimeZone, at: Timestamp) -> String {
    let abbreviation = || at.to_zoned_datetime(zone.clone()).strftime("%Z").to_string();
    zone.iana_name().map_or_else(abbreviation, str::to_owned)
}

/// A line with a tick wherever a day begins, as far as there is room for its name, and the names below.
fn axis(series: &Series, zone: &TimeZone) -> (String, String) {
    let mut ticks = String::new();
    let mut labels = String::new();
    for index in 0..series.len() {
        let label = day_label(series, index, zone).filter(|_| labels.chars().count() <= index);
        ticks.push(if label.is_some() { '┬' } else { '─' });
        if let Some(label) = label.filter(|label| index + label.chars().count() <= series.len() + TOTAL) {
            labels.extend(std::iter::repeat_n(' ', index - labels.chars().count()));
            labels += &label;
            labels.push(' ');
        }
    }
    (ticks, labels.trim_end().to_owned())
}

/// The name of the day, where a span is the first that begins on it.
fn day_label(series: &Series, index: usize, zone: &TimeZone) -> Option<String> {
    let day = |index: usize| zone.to_datetime(series.start(index)).date();
    let is_first = index == 0 || day(index - 1) != day(index);
    is_first.then(|| day(index).strftime("%a %-d").to_string())
}
