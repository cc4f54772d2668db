//! The words of a notice. They must say everything by themselves: a desktop may show no buttons and no markup.

use forewarn_engine::{Notice, NoticeKind, Subject};
use forewarn_proto::policy::Language;
use jiff::{Timestamp, tz::TimeZone};

/// A notice in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    /// One line.
    pub(crate) summary: String,
    /// A few lines.
    pub(crate) body: String,
}

impl Words {
    /// The words of `notice`, with times in `zone`.
    pub(crate) fn of(notice: &Notice, languages: &[Language], zone: &TimeZone) -> Self {
        let app = notice.apps.join(", ");
        let takes = notice.takes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let deadline = notice.deadline.map(|deadline| local(deadline, zone));
        let message = languages.iter().chain([&Language::english()]).find_map(|language| notice.message.get(language));
        let mut lines: Vec<String> = message.into_iter().cloned().collect();
        let title = notice.titles.join("; ");
        let summary = match notice.kind {
            NoticeKind::First | NoticeKind::Reminder { .. } | NoticeKind::Again => title,
            NoticeKind::Update => format!("Changed: {title}"),
            NoticeKind::LastCall => format!("Last call: {title}"),
            NoticeKind::Revoked => format!("Company mail ({takes}) was taken off this device"),
            NoticeKind::Waiting => {
                format!("Company mail ({takes}) leaves when you close your mail program")
            }
            NoticeKind::SetUpAgain => format!("Company mail ({takes}) was set up again on this device"),
            NoticeKind::Restored => format!("Company mail ({takes}) is back"),
            NoticeKind::Correction => format!("Correction: \"{title}\" was sent in error"),
        };
        lines.push(match (notice.kind, deadline) {
            (NoticeKind::Revoked, _) => {
                format!("{app} is still installed. Remove it, and the account is back at once, unchanged.")
            }
            (NoticeKind::Waiting, _) => "Save your drafts and close it yourself; it will not be closed for you.".into(),
            (NoticeKind::SetUpAgain, Some(deadline)) => format!(
                "It was taken because {app} is installed, and {app} still is. If it is on {deadline} too, this mail \
                 account is moved into the vault as well."
            ),
            (NoticeKind::Restored, _) => "Nothing was lost. Open your mail program as always.".into(),
            (NoticeKind::Correction, _) => String::new(),
            (_, Some(deadline)) => format!(
                "If {app} is still installed on {deadline}, the mail account of {takes} is moved into a vault on this \
                 device{}. Private accounts are not touched.",
                if notice.seals { ", and its stored mail is closed until it is back" } else { "" }
            ),
            (_, None) => format!("{app} is installed. Nothing will be taken."),
        });
        if matches!(notice.subject, Subject::App(..)) {
            lines.push(format!("Why? Run: forewarn why {}", quoted(&app)));
        }
        lines.retain(|line| !line.is_empty());
        Self { summary, body: lines.join("\n") }
    }
}

/// `Thursday 3 December 2026, 09:00 CET`.
pub(crate) fn local(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned_datetime(zone.clone()).strftime("%A %-d %B %Y, %H:%M %Z").to_string()
}

/// One word to any shell: `TikTok`, `'Temu & Co'`. People paste it, and a policy chose it.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let option = text.starts_with('-');
    if !option && text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use forewarn_engine::{App, NoticeId};
    use forewarn_proto::inventory::Person;

    use super::*;

    fn notice(kind: NoticeKind) -> Notice {
        let subject = if kind == NoticeKind::Correction {
            Subject::Correction("ban".parse().unwrap(), Person(1))
        } else {
            Subject::App(App::named("TikTok"), Person(1))
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
            seals: false,
        }
    }

    #[test]
    fn a_warning_says_app_time_with_zone_and_what_is_taken() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let words = Words::of(&notice(NoticeKind::LastCall), &["de".parse().unwrap()], &zone);
        assert_eq!(words.summary, "Last call: TikTok must go");
        for part in ["Bitte.", "TikTok", "Thursday 3 December 2026, 09:00 CET", "corp.example", "forewarn why TikTok"] {
            assert!(words.body.contains(part), "`{part}` is missing in: {}", words.body);
        }
    }

    #[test]
    fn a_warning_says_whether_stored_mail_is_closed() {
        let body = |seals| Words::of(&Notice { seals, ..notice(NoticeKind::First) }, &[], &TimeZone::UTC).body;
        assert!(body(true).contains("into a vault on this device, and its stored mail is closed until it is back."));
        assert!(!body(false).contains("closed"));
    }

    #[test]
    fn an_apps_name_is_one_word_to_a_shell() {
        assert_eq!(quoted("TikTok"), "TikTok");
        assert_eq!(quoted("Temu & Co"), "'Temu & Co'");
        assert_eq!(quoted("$(reboot)"), "'$(reboot)'");
        assert_eq!(quoted("Ray's"), r"'Ray'\''s'");
    }

    #[test]
    fn a_correction_says_that_it_was_an_error_and_threatens_nothing() {
        let words = Words::of(&notice(NoticeKind::Correction), &[], &TimeZone::UTC);
        assert!(words.summary.contains("sent in error"));
        assert_eq!(words.body, "Please.");
    }
}
