//! A notice in words. They say everything by themselves: a desktop may show no buttons and no markup.

use forewarn_engine::{Notice, NoticeKind, Subject};
use forewarn_proto::policy::Language;
use jiff::tz::TimeZone;

use super::{Blank, Localizer, quoted};

/// A notice in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// One line.
    pub summary: String,
    /// A few lines.
    pub body: String,
}

impl Localizer {
    /// The words of a notice, with times in `zone`.
    pub fn notice(&self, notice: &Notice, zone: &TimeZone) -> Words {
        let command = format!("forewarn why {}", quoted(&notice.apps.join(", ")));
        let ask =
            matches!(notice.subject, Subject::App(..)).then(|| self.fill("ask-why", [("command", command.into())]));
        let lines = self.message(notice).into_iter().chain([self.consequence(notice, zone)]).chain(ask);
        Words { summary: self.summary(notice), body: lines.collect::<Vec<_>>().join("\n") }
    }

    /// Several notices at once.
    pub fn digest(&self, notices: &[&Notice], zone: &TimeZone) -> Words {
        if let [only] = notices {
            return self.notice(only, zone);
        }
        let item = |notice: &&Notice| format!("• {}\n{}", self.summary(notice), self.consequence(notice, zone));
        let summary = self.fill("digest", [("count", notices.len().into())]);
        let command = self.fill("ask-why", [("command", "forewarn status".into())]);
        let lines = notices.iter().map(item).chain([command]);
        Words { summary, body: lines.collect::<Vec<_>>().join("\n") }
    }

    fn summary(&self, notice: &Notice) -> String {
        let title = || self.list(notice.titles.iter().map(|title| title.best(&self.languages)));
        let titled = |message: &str| self.fill(message, [("title", Blank::ours(title()))]);
        let taking = |message: &str| self.fill(message, [("takes", Blank::ours(self.list(&notice.takes)))]);
        match notice.kind {
            NoticeKind::First | NoticeKind::Reminder { .. } | NoticeKind::Again => title(),
            NoticeKind::Update => titled("changed"),
            NoticeKind::LastCall => titled("last-call"),
            NoticeKind::Revoked => taking("revoked"),
            NoticeKind::Waiting => taking("waiting"),
            NoticeKind::SetUpAgain => taking("set-up-again"),
            NoticeKind::Restored => taking("restored"),
            NoticeKind::Correction => titled("correction"),
        }
    }

    /// What happens, and what the person can do about it.
    fn consequence(&self, notice: &Notice, zone: &TimeZone) -> String {
        let app = || ("app", Blank::ours(self.list(&notice.apps)));
        let takes = || ("takes", Blank::ours(self.list(&notice.takes)));
        let with_deadline = |message: &str, deadline| {
            self.fill(message, [app(), takes(), ("deadline", Blank::ours(self.moment(deadline, zone)))])
        };
        match (notice.kind, notice.deadline) {
            (NoticeKind::Revoked, _) => self.fill("revoked-body", [app()]),
            (NoticeKind::Waiting, _) => self.say("waiting-body"),
            (NoticeKind::SetUpAgain, Some(deadline)) => with_deadline("set-up-again-body", deadline),
            (NoticeKind::Restored, _) => self.say("restored-body"),
            (NoticeKind::Correction, _) => self.say("correction-body"),
            (_, Some(deadline)) if notice.locks => with_deadline("will-take-and-close", deadline),
            (_, Some(deadline)) => with_deadline("will-take", deadline),
            (_, None) if !notice.takes.is_empty() => self.fill("time-is-over", [app(), takes()]),
            (_, None) => self.fill("only-warns", [app()]),
        }
    }

    /// The admin's own words, in the best language that they have.
    fn message(&self, notice: &Notice) -> Option<String> {
        let english = Language::english();
        self.languages
            .iter()
            .chain([&english])
            .find_map(|language| notice.message.get(language))
            .map(|text| self.own_words(text))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use forewarn_engine::{App, NoticeId};
    use forewarn_proto::inventory::Person;
    use jiff::SignedDuration;

    use super::super::tests::every_language;
    use super::*;

    const KINDS: [NoticeKind; 10] = [
        NoticeKind::First,
        NoticeKind::Reminder { before: SignedDuration::from_hours(4) },
        NoticeKind::Update,
        NoticeKind::Again,
        NoticeKind::LastCall,
        NoticeKind::Revoked,
        NoticeKind::Waiting,
        NoticeKind::SetUpAgain,
        NoticeKind::Restored,
        NoticeKind::Correction,
    ];

    fn notice(kind: NoticeKind) -> Notice {
        let subject = if kind == NoticeKind::Correction {
            Subject::Correction("ban".parse().unwrap(), Person::from_bits(1))
        } else {
            Subject::App(App::named("TikTok"), Person::from_bits(1))
        };
        Notice {
            id: NoticeId::default(),
            subject,
            kind,
            apps: vec!["TikTok".into()],
            titles: vec!["TikTok must go".into()],
            message: BTreeMap::from([
                (Language::english(), "Please.".into()),
                ("de".parse().unwrap(), "Bitte.".into()),
            ]),
            deadline: Some("2026-12-03T08:00Z".parse().unwrap()),
            takes: vec!["corp.example".parse().unwrap()],
            locks: false,
        }
    }

    fn english(notice: &Notice) -> Words {
        Localizer::new(&[]).notice(notice, &TimeZone::UTC)
    }

    #[test]
    fn a_warning_says_app_time_with_zone_and_what_is_taken() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let words = Localizer::new(&["de".parse().unwrap()]).notice(&notice(NoticeKind::LastCall), &zone);
        assert_eq!(words.summary, "Letzte Warnung: TikTok must go");
        let parts =
            ["Bitte.", "TikTok", "Donnerstag, 3. Dezember 2026, 09:00 CET", "corp.example", "forewarn why TikTok"];
        for part in parts {
            assert!(words.body.contains(part), "`{part}` is missing in: {}", words.body);
        }
    }

    #[test]
    fn a_warning_says_whether_stored_mail_is_closed() {
        let body = |locks| english(&Notice { locks, ..notice(NoticeKind::First) }).body;
        assert!(body(true).contains("into a vault on this device, and its stored mail is closed until it is back."));
        assert!(!body(false).contains("closed"));
    }

    #[test]
    fn a_correction_says_that_it_was_an_error_and_threatens_nothing() {
        let words = english(&notice(NoticeKind::Correction));
        assert!(words.summary.contains("sent in error"));
        assert_eq!(words.body, "│ Please.\nThis was a mistake. You need to do nothing.");
    }

    #[test]
    fn every_notice_has_words_in_every_language_and_fills_every_blank() {
        for localizer in every_language() {
            for kind in KINDS {
                let words = localizer.notice(&notice(kind), &TimeZone::UTC);
                assert!(!words.summary.is_empty() && !words.body.is_empty());
                let both = format!("{}\n{}", words.summary, words.body);
                assert!(!both.contains("{$") && !both.contains("-body"), "{kind:?} in {}: {both}", localizer.name);
            }
        }
    }

    /// A text may threaten only what the engine would do: by a deadline, to company mail; never where there is none.
    #[test]
    fn no_text_promises_more_than_the_engine_does() {
        for localizer in every_language() {
            let body = |notice: &Notice| localizer.notice(notice, &TimeZone::UTC).body;
            let moment = localizer.moment("2026-12-03T08:00Z".parse().unwrap(), &TimeZone::UTC);
            for kind in KINDS {
                let threatens = body(&notice(kind)).contains(&moment);
                let warns = !matches!(
                    kind,
                    NoticeKind::Revoked | NoticeKind::Waiting | NoticeKind::Restored | NoticeKind::Correction
                );
                assert_eq!(threatens, warns, "{kind:?} in {}", localizer.name);
                if warns && kind != NoticeKind::SetUpAgain {
                    let takes_nothing = Notice { deadline: None, takes: Vec::new(), ..notice(kind) };
                    assert!(!body(&takes_nothing).contains("corp.example"), "{kind:?} in {}", localizer.name);
                }
            }
        }
    }

    #[test]
    fn a_digest_names_every_app_with_its_deadline() {
        for localizer in every_language() {
            let (one, two) =
                (notice(NoticeKind::First), Notice { apps: vec!["Temu".into()], ..notice(NoticeKind::First) });
            let words = localizer.digest(&[&one, &two], &TimeZone::UTC);
            let moment = localizer.moment("2026-12-03T08:00Z".parse().unwrap(), &TimeZone::UTC);
            assert_eq!(words.body.matches(&moment).count(), 2, "{}", words.body);
            assert!(words.body.contains("TikTok") && words.body.contains("Temu"));
            assert_eq!(localizer.digest(&[&one], &TimeZone::UTC), localizer.notice(&one, &TimeZone::UTC));
        }
    }
}
