//! The timeline as a drawing that needs nothing beside itself: how many people have been told, have reached their deadline,
//! have lost their mail, each as a line that only rises.

use std::fmt::Write;

use jiff::{Timestamp, tz::TimeZone};

use super::{
    Figures,
    chart::zone_name,
    series::running,
    words::{length, moment, number, sentences},
};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 440.0;
/// Where lines are drawn.
const LEFT: f64 = 76.0;
const RIGHT: f64 = 940.0;
const TOP: f64 = 74.0;
const BOTTOM: f64 = 360.0;
/// How many spans of time a drawing shows at most.
pub(crate) const SPANS: usize = 400;

/// Colours for a light and for a dark page, each with a contrast of 3 to 1 or more to it; lines differ in their dashes too.
const STYLE: &str = "\
svg{color-scheme:light dark;background:#fff}text{font:14px system-ui,sans-serif;fill:#1c1c1c}\
.title{font-size:17px;font-weight:600}.small{font-size:12px}.axis,.grid{stroke:#767676;fill:none}\
.grid{stroke-opacity:.3}.line{fill:none;stroke-width:2.5;stroke-linejoin:round}.told{stroke:#0b62b8}\
.deadline{stroke:#a65300;stroke-dasharray:8 4}.revoked{stroke:#b3123f;stroke-dasharray:2 4}\
.written{stroke:#1c1c1c;stroke-dasharray:1 3;stroke-width:1.5}\
@media (prefers-color-scheme:dark){svg{background:#16181c}text{fill:#eee}.axis,.grid{stroke:#9a9a9a}\
.told{stroke:#6db3ff}.deadline{stroke:#ffb067}.revoked{stroke:#ff7d9c}.written{stroke:#eee}}";

/// Draws figures; moments are by the clocks of `zone`.
pub(crate) fn svg(figures: &Figures, zone: &TimeZone) -> String {
    let scale = Scale::of(figures);
    let mut out = String::new();
    let title = format!("What {} version {} would do", figures.policy, figures.version);
    let description = sentences(figures, zone).join(" ");
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-labelledby=\"title desc\">\n<title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n\
         <style>{STYLE}</style>\n",
        escaped(&title),
        escaped(&description)
    );
    text(&mut out, 20.0, 28.0, "title", "start", &format!("{title}: {}", shortened(&figures.title)));
    people_axis(&mut out, &scale);
    time_axis(&mut out, figures, &scale, zone);
    written(&mut out, figures, &scale, zone);
    lines(&mut out, figures, &scale);
    out.push_str("</svg>\n");
    out
}

/// From people and moments to places.
struct Scale {
    from: Timestamp,
    seconds: f64,
    /// The people at the top.
    most: u64,
}

impl Scale {
    fn of(figures: &Figures) -> Self {
        let seconds = figures.until.duration_since(figures.from).as_secs_f64().max(1.0);
        Self { from: figures.from, seconds, most: round_up(figures.told.max(1)) }
    }

    fn x(&self, at: Timestamp) -> f64 {
        LEFT + (RIGHT - LEFT) * (at.duration_since(self.from).as_secs_f64() / self.seconds).clamp(0.0, 1.0)
    }

    fn y(&self, people: u64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * people as f64 / self.most as f64
    }
}

/// The next number with one figure that is not 0, or with a 5 behind it, that four divides well enough: 83 becomes 100.
fn round_up(people: u64) -> u64 {
    let steps = [4, 8, 12, 20, 40, 60, 80, 100];
    let mut unit = 1;
    loop {
        if let Some(step) = steps.iter().map(|step| step * unit).find(|step| *step >= people) {
            return step;
        }
        unit *= 10;
    }
}

fn people_axis(out: &mut String, scale: &Scale) {
    for quarter in 0..=4 {
        let people = scale.most * quarter / 4;
        let y = scale.y(people);
        let class = if quarter == 0 { "axis" } else { "grid" };
        let _ = writeln!(out, "<path class=\"{class}\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>");
        text(out, LEFT - 8.0, y + 4.0, "small", "end", &number(people));
    }
    text(out, LEFT - 8.0, TOP - 14.0, "small", "end", "people");
}

/// A tick wherever a day begins, and the day's name, as far as there is room.
fn time_axis(out: &mut String, figures: &Figures, scale: &Scale, zone: &TimeZone) {
    let mut day = zone.to_datetime(figures.from).date();
    let mut free = LEFT;
    while let Ok(next) = day.tomorrow() {
        day = next;
        let Ok(at) = zone.to_ambiguous_timestamp(day.into()).compatible() else { break };
        if at >= figures.until {
            break;
        }
        let x = scale.x(at);
        if x < free {
            continue;
        }
        free = x + 62.0;
        let _ = writeln!(out, "<path class=\"axis\" d=\"M{x:.1} {BOTTOM}v6\"/>");
        text(out, x, BOTTOM + 22.0, "small", "middle", &day.strftime("%a %-d %b").to_string());
    }
    let label = format!(
        "time, by the clocks of {}; from {}, {}",
        zone_name(zone, figures.from),
        moment(figures.from, zone),
        length(figures.until.duration_since(figures.from).as_mins())
    );
    text(out, f64::midpoint(LEFT, RIGHT), BOTTOM + 46.0, "small", "middle", &label);
}

fn written(out: &mut String, figures: &Figures, scale: &Scale, zone: &TimeZone) {
    let Some(at) = figures.written_at.filter(|at| (figures.from..figures.until).contains(at)) else { return };
    let x = scale.x(at);
    let _ = writeln!(out, "<path class=\"written\" d=\"M{x:.1} {}V{BOTTOM}\"/>", TOP - 8.0);
    let (anchor, shift) = if x > f64::midpoint(LEFT, RIGHT) { ("end", -6.0) } else { ("start", 6.0) };
    text(out, x + shift, TOP - 4.0, "small", anchor, &format!("written: {}", moment(at, zone)));
}

fn lines(out: &mut String, figures: &Figures, scale: &Scale) {
    let series = &figures.series;
    let all = [
        ("told", "told", &series.told),
        ("deadline", "deadline, as they were told", &series.deadline),
        ("revoked", "lost mail", &series.revoked),
    ];
    let mut x = LEFT;
    for (class, label, counts) in all {
        let mut path = format!("M{LEFT} {BOTTOM}");
        let mut former = 0;
        for (index, people) in running(counts).into_iter().enumerate().filter(|(_, people)| *people > 0) {
            if people != former {
                let _ = write!(path, "H{:.1}V{:.1}", scale.x(series.start(index)), scale.y(people));
            }
            former = people;
        }
        let _ = writeln!(out, "<path class=\"line {class}\" d=\"{path}H{RIGHT}\"/>");
        let _ = writeln!(out, "<path class=\"line {class}\" d=\"M{x:.1} {}h34\"/>", HEIGHT - 16.0);
        let legend = format!("{label}: {}", number(former));
        text(out, x + 42.0, HEIGHT - 11.0, "", "start", &legend);
        x += 290.0;
    }
}

fn text(out: &mut String, x: f64, y: f64, class: &str, anchor: &str, words: &str) {
    let words = escaped(words);
    let _ = writeln!(out, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>");
}

/// A policy's title can have 120 characters; a drawing has room for fewer.
fn shortened(title: &str) -> String {
    const MOST: usize = 70;
    if title.chars().count() <= MOST {
        return title.to_owned();
    }
    title.chars().take(MOST - 1).chain(['…']).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
