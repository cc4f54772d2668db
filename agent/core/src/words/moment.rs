//! Moments and lengths of time, as people say them.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::Localizer;

impl Localizer {
    /// `Thursday 3 December 2026, 09:00 CET`.
    pub fn moment(&self, time: Timestamp, zone: &TimeZone) -> String {
        let local = time.to_zoned_datetime(zone.clone());
        let weekday = self.fill("weekday", [("day", local.weekday().to_monday_one_offset().into())]);
        let month = self.fill("month", [("month", local.month().into())]);
        self.fill(
            "moment",
            [
                ("weekday", weekday.into()),
                ("day", local.day().into()),
                ("month", month.into()),
                ("year", local.year().into()),
                ("time", local.strftime("%H:%M").to_string().into()),
                ("zone", local.strftime("%Z").to_string().into()),
            ],
        )
    }

    /// `2 days 3 hours`, `40 minutes`: the two largest units.
    fn length(&self, length: SignedDuration) -> String {
        let minutes = length.abs().as_mins();
        let units = [("days", minutes / 1440), ("hours", minutes / 60 % 24), ("minutes", minutes % 60)];
        let first = units.iter().position(|(_, count)| *count > 0).unwrap_or(units.len() - 1);
        let say = |(unit, count): &(&str, i64)| self.fill(unit, [("count", (*count).into())]);
        let (larger, smaller) = (units.get(first), units.get(first + 1).filter(|(_, count)| *count > 0));
        match (larger.map(say), smaller.map(say)) {
            (Some(larger), Some(smaller)) => {
                self.fill("length", [("larger", larger.into()), ("smaller", smaller.into())])
            }
            (larger, _) => larger.unwrap_or_default(),
        }
    }

    /// `in 2 days 3 hours`, `40 minutes ago`.
    pub fn distance(&self, length: SignedDuration) -> String {
        let message = if length.is_negative() { "ago" } else { "in" };
        self.fill(message, [("length", self.length(length).into())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn localizer(language: &str) -> Localizer {
        Localizer::new(&[language.parse().unwrap()])
    }

    /// Without the marks that keep a text in its place within one that runs the other way.
    fn plain(text: &str) -> String {
        text.replace(['\u{2068}', '\u{2069}', '\u{200f}'], "")
    }

    #[test]
    fn moments_read_as_people_write_them() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let check = |language: &str, expected: &str| {
            let said = localizer(language).moment("2026-12-03T08:00Z".parse().unwrap(), &zone);
            assert_eq!(plain(&said), expected);
        };
        check("en", "Thursday 3 December 2026, 09:00 CET");
        check("de", "Donnerstag, 3. Dezember 2026, 09:00 CET");
        check("fr", "jeudi 3 décembre 2026 à 09:00 CET");
        check("es", "jueves, 3 de diciembre de 2026, 09:00 CET");
        check("ja", "2026年12月3日木曜日 09:00 CET");
        check("ar", "الخميس 3 ديسمبر 2026، 09:00 CET");
    }

    #[test]
    fn distances_read_as_people_say_them() {
        let check = |language: &str, minutes: i64, expected: &str| {
            let said = localizer(language).distance(SignedDuration::from_mins(minutes));
            assert_eq!(plain(&said), expected);
        };
        check("en", 40, "in 40 minutes");
        check("en", -40, "40 minutes ago");
        check("en", 61, "in 1 hour 1 minute");
        check("en", 1440, "in 1 day");
        check("en", -2 * 1440 - 180, "2 days 3 hours ago");
        check("en", 0, "in 0 minutes");
        check("de", 2 * 1440 + 60, "in 2 Tagen 1 Stunde");
        check("fr", -60, "il y a 1 heure");
        check("es", 1440 * 3, "dentro de 3 días");
        check("ja", 61, "1時間1分後");
        check("ar", 1440 * 2, "بعد يومين");
        check("ar", 1440 * 5, "بعد 5 أيام");
        check("ar", 1440 * 11, "بعد 11 يومًا");
    }
}
