//! The timeline of an obligation, drawn to scale: when it was found, what was shown, what comes, and now.

use std::fmt::Write as _;

use forewarn_core::words::Localizer;
use forewarn_proto::ipc::ObligationStatus;
use jiff::{Timestamp, tz::TimeZone};

use super::escaped;

/// The drawing's width, and that of its margins, in units that the page scales.
const WIDTH: f64 = 720.0;
const MARGIN: f64 = 40.0;
/// Where the rail lies, and how far apart rows of labels below it are.
const RAIL: f64 = 20.0;
const ROW: f64 = 20.0;
/// About how wide a letter of a label is.
const LETTER: f64 = 7.5;

/// A moment on the timeline.
struct Point {
    at: Timestamp,
    /// How it is drawn.
    class: &'static str,
    label: String,
}

/// A figure: the drawing, and the same as a list for who doesn't see it.
pub(super) fn draw(localizer: &Localizer, obligation: &ObligationStatus, now: Timestamp, zone: &TimeZone) -> String {
    let points = points(localizer, obligation, now);
    let scale = Scale::of(&points, localizer.right_to_left);
    let rows = rows(&points, &scale);
    let height = RAIL + ROW * (rows.iter().max().copied().unwrap_or_default() as f64 + 2.0);
    let title = escaped(&localizer.fill("page-timeline", [("app", (&obligation.app).into())]));
    let (start, end, here) = (scale.start(), scale.end(), scale.x(now));
    let mut figure = format!(
        "<figure>\n<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\">\n\
         <line class=\"rail\" x1=\"{start:.1}\" y1=\"{RAIL}\" x2=\"{end:.1}\" y2=\"{RAIL}\"/>\n\
         <line class=\"gone\" x1=\"{start:.1}\" y1=\"{RAIL}\" x2=\"{here:.1}\" y2=\"{RAIL}\"/>\n"
    );
    for (point, row) in points.iter().zip(rows) {
        let (x, y) = (scale.x(point.at), RAIL + ROW * (row as f64 + 1.0) + 6.0);
        let (class, label) = (point.class, escaped(&point.label));
        let _ = writeln!(
            figure,
            "<line class=\"lead\" x1=\"{x:.1}\" y1=\"{RAIL}\" x2=\"{x:.1}\" y2=\"{:.1}\"/>\
             <circle class=\"dot {class}\" cx=\"{x:.1}\" cy=\"{RAIL}\" r=\"6\"/>\
             <text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{label}</text>",
            y - 12.0,
        );
    }
    figure.push_str("</svg>\n<figcaption><ol>\n");
    for point in &points {
        let _ = writeln!(figure, "<li>{}: {}</li>", escaped(&point.label), escaped(&localizer.moment(point.at, zone)));
    }
    figure.push_str("</ol></figcaption>\n</figure>\n");
    figure
}

/// What there is to draw, in the order of time.
fn points(localizer: &Localizer, obligation: &ObligationStatus, now: Timestamp) -> Vec<Point> {
    let shown = obligation.shown;
    let reminders = obligation.reminders.iter().filter(|at| shown.is_some_and(|shown| **at > shown)).copied();
    let again = obligation.last_shown.filter(|last| Some(*last) != shown && Some(*last) != obligation.last_call);
    let single = [
        (Some(obligation.found_at), "found", "page-found"),
        (shown, "shown", "page-shown"),
        (again, "shown", "page-last-shown"),
        (obligation.last_call, "shown", "page-last-call"),
        (obligation.deadline, "deadline", "page-deadline"),
        (Some(now), "now", "page-now"),
    ];
    let single = single.into_iter().filter_map(|(at, class, message)| Some((at?, class, message)));
    let all = single.chain(reminders.map(|at| (at, "reminder", "page-reminder")));
    let mut points: Vec<Point> =
        all.map(|(at, class, message)| Point { at, class, label: localizer.say(message) }).collect();
    points.sort_by_key(|point| point.at);
    points
}

/// From moments to places.
struct Scale {
    from: Timestamp,
    seconds: f64,
    mirrored: bool,
}

impl Scale {
    fn of(points: &[Point], mirrored: bool) -> Self {
        let at = |point: Option<&Point>| point.map(|point| point.at).unwrap_or_default();
        let (from, until) = (at(points.first()), at(points.last()));
        Self { from, seconds: until.duration_since(from).as_secs_f64().max(1.0), mirrored }
    }

    fn x(&self, at: Timestamp) -> f64 {
        let part = at.duration_since(self.from).as_secs_f64() / self.seconds;
        let part = if self.mirrored { 1.0 - part } else { part };
        MARGIN + part * (WIDTH - 2.0 * MARGIN)
    }

    fn start(&self) -> f64 {
        self.x(self.from)
    }

    fn end(&self) -> f64 {
        WIDTH - self.start()
    }
}

/// The row of each label: the highest in which it touches no other.
fn rows(points: &[Point], scale: &Scale) -> Vec<usize> {
    let mut taken: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut rows = Vec::new();
    for point in points {
        let half = point.label.chars().count() as f64 * LETTER / 2.0;
        let (left, right) = (scale.x(point.at) - half, scale.x(point.at) + half);
        let is_free = |row: &Vec<(f64, f64)>| row.iter().all(|(l, r)| right < *l || *r < left);
        let row = taken.iter().position(is_free).unwrap_or(taken.len());
        if row == taken.len() {
            taken.push(Vec::new());
        }
        taken[row].push((left, right));
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at: &str, label: &str) -> Point {
        Point { at: at.parse().unwrap(), class: "shown", label: label.into() }
    }

    #[test]
    fn moments_lie_to_scale() {
        let points =
            [point("2026-12-01T00:00Z", "a"), point("2026-12-02T00:00Z", "b"), point("2026-12-05T00:00Z", "c")];
        let scale = Scale::of(&points, false);
        let x: Vec<f64> = points.iter().map(|point| scale.x(point.at)).collect();
        assert_eq!(x, [40.0, 200.0, 680.0]);
        let mirrored = Scale::of(&points, true);
        assert_eq!(mirrored.x(points[0].at), 680.0);
    }

    #[test]
    fn labels_that_would_touch_stand_below_each_other() {
        let points = [
            point("2026-12-01T00:00Z", "found"),
            point("2026-12-01T00:01Z", "first notice"),
            point("2026-12-05T00:00Z", "deadline"),
        ];
        assert_eq!(rows(&points, &Scale::of(&points, false)), [0, 1, 0]);
    }
}
