//! The figures as plain sentences.

use jiff::{Timestamp, tz::TimeZone};

use super::figures::{Figures, SetBy};

/// What would happen, in the order in which it matters. Moments are by the clocks of `zone`.
pub(crate) fn sentences(figures: &Figures, zone: &TimeZone) -> Vec<String> {
    let mut lines = vec![scene(figures, zone), told(figures, zone)];
    lines.extend(before_written(figures, zone));
    lines.extend(deadlines(figures, zone));
    lines.extend(late_calls(figures));
    lines.push(lost(figures, zone));
    lines.extend(never_told(figures));
    lines.push(who_complies(figures));
    lines.extend((!figures.groups.is_empty()).then(|| "By group:".to_owned()));
    lines.extend(figures.groups.iter().map(|(group, of)| {
        format!(
            "  {group}: {}, {} with a banned app, {} told, {} lose mail",
            people(of.people),
            number(of.obliged),
            number(of.told),
            number(of.revoked)
        )
    }));
    lines
}

/// A moment as people read it: `Fri 10 Jul 2020 09:30 PDT`.
pub(super) fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%a %-d %b %Y %H:%M %Z").to_string()
}

/// A number with its thousands apart: `12,345`.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let apart = digits.char_indices().flat_map(|(index, digit)| {
        let comma = index > 0 && (digits.len() - index).is_multiple_of(3);
        comma.then_some(',').into_iter().chain([digit])
    });
    apart.collect()
}

fn people(count: u64) -> String {
    if count == 1 { "1 person".to_owned() } else { format!("{} people", number(count)) }
}

/// A length as people say it: `about 14 hours`, `3 days and 4 hours`.
pub(super) fn length(minutes: i64) -> String {
    let of = |count: i64, what: &str| if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") };
    let hours = (minutes.abs() + 30) / 60;
    match minutes.abs() {
        0..60 => of(minutes.abs(), "minute"),
        short if short < 48 * 60 => {
            let about = if short % 60 == 0 { "" } else { "about " };
            format!("{about}{}", of(hours, "hour"))
        }
        _ if hours % 24 == 0 => of(hours / 24, "day"),
        _ => format!("{} and {}", of(hours / 24, "day"), of(hours % 24, "hour")),
    }
}

fn scene(figures: &Figures, zone: &TimeZone) -> String {
    format!(
        "If {} version {} (\"{}\") is sent {}: {} devices, {}, of whom {} have a banned app. Looking ahead {}.",
        figures.policy,
        figures.version,
        figures.title,
        moment(figures.from, zone),
        number(figures.devices),
        people(figures.people),
        number(figures.obliged),
        length(figures.until.duration_since(figures.from).as_mins()),
    )
}

fn told(figures: &Figures, zone: &TimeZone) -> String {
    let Some(between) = figures.told_between else { return "Nobody would be told.".to_owned() };
    let warned = figures.told - figures.can_lose;
    let only = if warned == 0 { String::new() } else { format!(" {} of them would only be warned.", number(warned)) };
    format!("{} would be told: {}.{only}", people(figures.told), span(between, zone))
}

/// The first moment and the last, or one where both are the same.
fn span([first, last]: [Timestamp; 2], zone: &TimeZone) -> String {
    let (first, last) = (moment(first, zone), moment(last, zone));
    if first == last { format!("all {first}") } else { format!("the first {first}, the last {last}") }
}

fn before_written(figures: &Figures, zone: &TimeZone) -> Option<String> {
    let written = match figures.written_at {
        Some(at) => moment(at, zone),
        None => figures.written.clone()?,
    };
    let Some(left) = figures.left.filter(|_| figures.told > 0) else {
        return (figures.told > 0).then(|| format!("All of them only after the policy's written time, {written}."));
    };
    let [least, median] = [length(left.least), length(left.median)];
    let least = if least == median { String::new() } else { format!(" (the least: {least})") };
    let after = figures.told - left.before;
    let after = if after == 0 { String::new() } else { format!(", {} only after it", people(after)) };
    Some(format!(
        "The policy's written time is {written}: {} would be told with {median} left{least}{after}.",
        people(left.before),
    ))
}

/// What sets the deadlines, and when they are.
fn deadlines(figures: &Figures, zone: &TimeZone) -> Vec<String> {
    let mut lines: Vec<String> = figures.set_by.iter().map(|(by, count)| set_by(figures, *by, *count)).collect();
    if let (Some(last), Some(deadlines)) = (lines.last_mut(), figures.deadlines) {
        *last += &format!(" Deadlines: {}.", span(deadlines, zone));
    }
    lines
}

fn set_by(figures: &Figures, by: SetBy, count: u64) -> String {
    let all = count == figures.can_lose;
    let whose = if all {
        "every deadline".to_owned()
    } else {
        format!("{} of {} deadlines", number(count), number(figures.can_lose))
    };
    let moves = if figures.written.is_some() { "moves" } else { "sets" };
    let min_notice = figures
        .min_notice
        .map(|[least, most]| if least == most { least.to_string() } else { format!("{least} to {most}") });
    match by {
        SetBy::Written => format!("The written time is {}.", if all { whose } else { format!("the one of {whose}") }),
        SetBy::DeviceMinNotice => {
            format!("The device's own min_notice ({}) {moves} {whose}.", min_notice.unwrap_or_default())
        }
        SetBy::PolicyMinNotice => format!("The policy's min_notice {moves} {whose}."),
        SetBy::Grace => format!("The policy's grace {moves} {whose}."),
        SetBy::Later => format!("The ramp, quiet hours or days off move {whose}."),
    }
}

fn late_calls(figures: &Figures) -> Option<String> {
    let one = figures.late_calls == 1;
    (figures.late_calls > 0).then(|| {
        format!(
            "{} {} not there for the last call, 15 minutes before, without which nothing is taken: their mail leaves 15 \
             minutes after it is seen.",
            people(figures.late_calls),
            if one { "is" } else { "are" }
        )
    })
}

fn lost(figures: &Figures, zone: &TimeZone) -> String {
    let Some([first, last]) = figures.revoked_between else {
        return "No mail would leave in this time.".to_owned();
    };
    let last = if first == last { String::new() } else { format!(", the last {}", moment(last, zone)) };
    let shortest = figures.shortest_notice_minutes.map(length).unwrap_or_default();
    format!(
        "The first mail would leave {}{last}: {} would lose mail in this time, nobody sooner than {shortest} after \
         being told.",
        moment(first, zone),
        people(figures.revoked),
    )
}

fn never_told(figures: &Figures) -> Vec<String> {
    let all: u64 = figures.never_told.values().sum();
    if all == 0 {
        return Vec::new();
    }
    let reasons = figures.never_told.iter().map(|(why, count)| format!("  {}: {}", people(*count), why.text()));
    std::iter::once(format!("{} would not be told in this time, and so lose nothing:", people(all)))
        .chain(reasons)
        .collect()
}

fn who_complies(figures: &Figures) -> String {
    if figures.somebody_complies {
        return format!("{} would remove the app, as the fleet's `complies` says.", people(figures.removed));
    }
    "This is the worst case: nobody removes the app. A share of people who do is `complies` in the fleet.".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_numbers_read_as_people_say_them() {
        let expected =
            [(1, "1 minute"), (59, "59 minutes"), (60, "1 hour"), (869, "about 14 hours"), (2879, "about 48 hours")];
        expected.iter().for_each(|(minutes, text)| assert_eq!(length(*minutes), *text));
        assert_eq!([length(3 * 1440), length(76 * 60)], ["3 days", "3 days and 4 hours"]);
        assert_eq!([number(7), number(999), number(1000), number(1_234_567)], ["7", "999", "1,000", "1,234,567"]);
    }
}
