//! When a device is on, and when somebody is there to see a notice.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

use super::fleet::Entry;

/// From the first moment up to, not including, the second.
type Span = (Timestamp, Timestamp);

/// One device's weeks. Spans are in order and don't touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Calendar {
    on: Vec<Span>,
    there: Vec<Span>,
    /// Whether leave, rather than the hours, keeps people away for all of the time.
    leave: bool,
}

impl Calendar {
    /// The calendar of an entry's devices in the time `from` to `until`.
    pub(super) fn of(entry: &Entry, from: Timestamp, until: Timestamp) -> Self {
        let zone = &entry.zone.zone;
        let whole = vec![(from, until)];
        let days = days_between(zone, from, until);
        let hours: Vec<Span> = match &entry.at_device {
            None => whole.clone(),
            Some(at) => joined(
                days.iter()
                    .filter(|day| at.days.contains(&day.weekday().into()))
                    .filter_map(|day| {
                        let ends = if at.hours.to > at.hours.from { *day } else { day.tomorrow().ok()? };
                        Some((
                            instant(zone, day.to_datetime(at.hours.from))?,
                            instant(zone, ends.to_datetime(at.hours.to))?,
                        ))
                    })
                    .collect(),
            ),
        };
        let leave = entry.away.iter().filter_map(|away| {
            let after = away.to.tomorrow().ok()?;
            Some((instant(zone, away.from.into())?, instant(zone, after.into())?))
        });
        let leave = joined(leave.collect());
        let off = entry.off.iter().filter_map(|off| Some((instant(zone, off.from)?, instant(zone, off.to)?)));
        let off = joined(off.collect());
        let present = without(&both(&hours, &whole), &leave);
        let on = without(if entry.off_when_nobody_is_there { &present } else { &whole }, &off);
        let there = both(&present, &on);
        let leave = there.is_empty() && !both(&hours, &without(&whole, &off)).is_empty();
        Self { on, there, leave }
    }

    pub(super) fn is_on(&self, at: Timestamp) -> bool {
        contain(&self.on, at)
    }

    pub(super) fn is_there(&self, at: Timestamp) -> bool {
        contain(&self.there, at)
    }

    /// When the device goes on or off next, or people come or go.
    pub(super) fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        [next_edge(&self.on, after), next_edge(&self.there, after)].into_iter().flatten().min()
    }

    /// Whether the device is never on.
    pub(super) fn is_never_on(&self) -> bool {
        self.on.is_empty()
    }

    /// Whether it is leave that keeps people from every notice.
    pub(super) fn is_on_leave(&self) -> bool {
        self.leave
    }
}

fn days_between(zone: &TimeZone, from: Timestamp, until: Timestamp) -> Vec<Date> {
    // Hours may have begun on the day before.
    let first = zone.to_datetime(from).date();
    let first = first.yesterday().unwrap_or(first);
    let last = zone.to_datetime(until).date();
    std::iter::successors(Some(first), |day| day.tomorrow().ok()).take_while(|day| *day <= last).collect()
}

fn instant(zone: &TimeZone, face: DateTime) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(face).compatible().ok()
}

fn contain(spans: &[Span], at: Timestamp) -> bool {
    let begun = spans.partition_point(|span| span.0 <= at);
    begun > 0 && at < spans[begun - 1].1
}

fn next_edge(spans: &[Span], after: Timestamp) -> Option<Timestamp> {
    let open = spans.partition_point(|span| span.1 <= after);
    let span = spans.get(open)?;
    Some(if span.0 > after { span.0 } else { span.1 })
}

/// In order, and those that meet as one.
fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort();
    spans.into_iter().filter(|span| span.0 < span.1).fold(Vec::new(), |mut joined: Vec<Span>, span| {
        match joined.last_mut() {
            Some(last) if span.0 <= last.1 => last.1 = last.1.max(span.1),
            _ => joined.push(span),
        }
        joined
    })
}

/// What is in both. Both are in order.
fn both(ours: &[Span], theirs: &[Span]) -> Vec<Span> {
    let common = |a: &Span, b: &Span| (a.0.max(b.0), a.1.min(b.1));
    joined(ours.iter().flat_map(|a| theirs.iter().map(move |b| common(a, b))).collect())
}

/// What is in `ours` and not in `theirs`. Both are in order.
fn without(ours: &[Span], theirs: &[Span]) -> Vec<Span> {
    let ends = theirs.iter().map(|span| span.1);
    let starts = theirs.iter().map(|span| span.0);
    let gaps: Vec<Span> = std::iter::once(Timestamp::MIN).chain(ends).zip(starts.chain([Timestamp::MAX])).collect();
    both(ours, &gaps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::Fleet;

    /// The hours, in UTC, in which somebody is there.
    #[track_caller]
    fn check(fields: &str, there: &[(&str, &str)], on: usize) {
        let text = format!(r#"{{"devices": [{{"name": "d", "zone": "Europe/Berlin"{fields}}}]}}"#);
        let fleet = Fleet::parse(text.as_bytes()).unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        // Monday noon to Thursday noon.
        let calendar = Calendar::of(&fleet.devices[0], at("2026-11-30T12:00Z"), at("2026-12-03T12:00Z"));
        let expected: Vec<Span> = there.iter().map(|(from, to)| (at(from), at(to))).collect();
        assert_eq!(calendar.there, expected, "{fields}");
        assert_eq!(calendar.on.len(), on, "{fields}");
    }

    #[test]
    fn people_are_there_in_their_hours_and_not_on_leave() {
        let whole = ("2026-11-30T12:00Z", "2026-12-03T12:00Z");
        check("", &[whole], 1);
        let hours = r#", "at_device": {"hours": "09:00-17:00"}"#;
        let monday = ("2026-11-30T12:00Z", "2026-11-30T16:00Z");
        let tuesday = ("2026-12-01T08:00Z", "2026-12-01T16:00Z");
        let wednesday = ("2026-12-02T08:00Z", "2026-12-02T16:00Z");
        let thursday = ("2026-12-03T08:00Z", "2026-12-03T12:00Z");
        check(hours, &[monday, tuesday, wednesday, thursday], 1);
        let leave = r#", "away": [{"from": "2026-12-01", "to": "2026-12-02"}]"#;
        check(&format!("{hours}{leave}"), &[monday, thursday], 1);
        check(&format!(r#"{hours}{leave}, "off_when_nobody_is_there": true"#), &[monday, thursday], 2);
        let off = r#", "off": [{"from": "2026-12-01T12:00", "to": "2026-12-03T00:00"}]"#;
        check(&format!("{hours}{off}"), &[monday, (tuesday.0, "2026-12-01T11:00Z"), thursday], 2);
        let nights = r#", "at_device": {"hours": "22:00-06:00", "days": ["sunday", "tuesday"]}"#;
        check(nights, &[("2026-12-01T21:00Z", "2026-12-02T05:00Z")], 1);
    }
}
