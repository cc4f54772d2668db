//! How to speak to somebody: how loudly, whether at once, and what they can answer.

use forewarn_engine::{Notice, NoticeKind, Subject};
use jiff::{SignedDuration, Timestamp};

use crate::words::Localizer;

/// How loud a notice is. Numbered as notification services number it (Desktop Notifications Specification).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// It goes away by itself, and makes no sound.
    Low = 0,
    /// It stays for a while.
    Normal = 1,
    /// It stays until it is dismissed, also where the person does not want to be disturbed.
    Critical = 2,
}

/// A button's key, and what stands on it.
pub type Button = (String, String);

/// The lengths by which a person can put a notice off.
const LATER: [SignedDuration; 4] = [
    SignedDuration::from_hours(24),
    SignedDuration::from_hours(4),
    SignedDuration::from_hours(1),
    SignedDuration::from_mins(15),
];
/// A notice that is put off comes again while so many times as long is left.
const LEFT: i32 = 4;
/// So many lengths are offered at a time.
const OFFERED: usize = 2;
/// A deadline that is nearer is near.
const NEAR: SignedDuration = SignedDuration::from_hours(4);

/// What a button does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// The person has read it.
    Read,
    /// Remove this app.
    Remove(String),
    /// Remind me so much later.
    Later(SignedDuration),
    /// Why?
    Why,
}

impl Deed {
    /// As the notification service gives it back: `remove:TikTok`, `later:240`, in minutes. A click on the notification
    /// itself is called `default` (section 7 of the specification).
    pub fn key(&self) -> String {
        match self {
            Self::Read => "default".to_owned(),
            Self::Remove(app) => format!("remove:{app}"),
            Self::Later(length) => format!("later:{}", length.as_mins()),
            Self::Why => "why".to_owned(),
        }
    }

    /// The deed of this key, if it is one of ours.
    pub fn of_key(key: &str) -> Option<Self> {
        match key.split_once(':') {
            Some(("remove", app)) => Some(Self::Remove(app.to_owned())),
            Some(("later", minutes)) => Some(Self::Later(SignedDuration::from_mins(minutes.parse().ok()?))),
            Some(_) => None,
            None => [Self::Read, Self::Why].into_iter().find(|deed| deed.key() == key),
        }
    }
}

/// Whether a notice comes also where the person does not want to be disturbed: there is no later time for it.
pub fn insists(kind: NoticeKind) -> bool {
    match kind {
        NoticeKind::LastCall | NoticeKind::Waiting | NoticeKind::Revoked => true,
        NoticeKind::First
        | NoticeKind::Reminder { .. }
        | NoticeKind::Update
        | NoticeKind::Again
        | NoticeKind::SetUpAgain
        | NoticeKind::Restored
        | NoticeKind::Correction => false,
    }
}

/// Whether an earlier warning, whose time is over, has nothing to say beside newer news about the same mail: "mail was taken" or
/// "mail is back". One whose moment is to come holds, and stays until it could be read.
pub fn is_overtaken(earlier: &Notice, newer: &Notice) -> bool {
    let is_over = matches!(earlier.subject, Subject::App(..)) && earlier.deadline.is_none();
    let is_news = matches!(newer.subject, Subject::Profile(_));
    is_over && is_news && earlier.takes.iter().any(|domain| newer.takes.contains(domain))
}

/// The nearer the deadline, the louder.
pub fn urgency(kind: NoticeKind) -> Urgency {
    match kind {
        NoticeKind::Reminder { before } if before > NEAR => Urgency::Low,
        NoticeKind::Restored => Urgency::Low,
        NoticeKind::First
        | NoticeKind::Reminder { .. }
        | NoticeKind::Update
        | NoticeKind::Again
        | NoticeKind::SetUpAgain => Urgency::Normal,
        NoticeKind::LastCall | NoticeKind::Waiting | NoticeKind::Revoked | NoticeKind::Correction => Urgency::Critical,
    }
}

/// What the person can answer to these notices.
pub fn buttons(notices: &[&Notice], localizer: &Localizer, now: Option<Timestamp>) -> Vec<Button> {
    let mut deeds = vec![Deed::Read];
    let warnings: Vec<&Notice> = notices.iter().copied().filter(|notice| is_warning(notice)).collect();
    if let [Notice { apps, .. }] = warnings.as_slice()
        && let [app] = apps.as_slice()
    {
        deeds.push(Deed::Remove(app.clone()));
    }
    let nearest = warnings.iter().filter_map(|notice| notice.deadline).min();
    let insisting = warnings.iter().any(|notice| insists(notice.kind));
    if let (Some(deadline), Some(now)) = (nearest.filter(|_| !insisting), now) {
        deeds.extend(lengths(deadline.duration_since(now)).map(Deed::Later));
    }
    if !warnings.is_empty() {
        deeds.push(Deed::Why);
    }
    deeds.into_iter().map(|deed| (deed.key(), label(&deed, localizer))).collect()
}

/// The lengths that fit the time that is left.
fn lengths(left: SignedDuration) -> impl Iterator<Item = SignedDuration> {
    LATER.into_iter().filter(move |later| *later * LEFT <= left).take(OFFERED)
}

fn is_warning(notice: &Notice) -> bool {
    matches!(notice.subject, Subject::App(..)) || notice.kind == NoticeKind::SetUpAgain
}

fn label(deed: &Deed, localizer: &Localizer) -> String {
    match deed {
        Deed::Read => localizer.say("button-read"),
        Deed::Remove(_) => localizer.say("button-remove"),
        Deed::Later(length) => localizer.fill("button-later", [("length", localizer.distance(*length).into())]),
        Deed::Why => localizer.say("button-why"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use forewarn_engine::{App, NoticeId, ProfileId};
    use forewarn_proto::inventory::Person;

    use super::*;

    #[test]
    fn keys_come_back_as_what_they_were() {
        let hour = SignedDuration::from_hours(1);
        for deed in [Deed::Read, Deed::Remove("A: b".into()), Deed::Later(hour), Deed::Why] {
            assert_eq!(Deed::of_key(&deed.key()), Some(deed));
        }
        for foreign in ["", "close", "later:x", "remove", "why:not"] {
            assert_eq!(Deed::of_key(foreign), None);
        }
    }

    fn about(subject: Subject, kind: NoticeKind, deadline: Option<&str>) -> Notice {
        Notice {
            id: NoticeId(1),
            subject,
            kind,
            apps: vec!["TikTok".into()],
            titles: Vec::new(),
            message: BTreeMap::new(),
            deadline: deadline.map(|deadline| deadline.parse().unwrap()),
            takes: vec!["corp.example".parse().unwrap()],
            locks: false,
        }
    }

    /// It would be gone before anybody could have read it, and its deadline runs.
    #[test]
    fn promise_1_no_news_takes_the_place_of_a_warning_whose_moment_is_to_come() {
        let (person, domain) = (Person::from_bits(1), "corp.example".parse().unwrap());
        let back = about(Subject::Profile(ProfileId { domain, person }), NoticeKind::Restored, None);
        let warning = |deadline| about(Subject::App(App::named("TikTok"), person), NoticeKind::First, deadline);
        let to_come = warning(Some("2026-12-03T08:00Z"));
        assert!(!is_overtaken(&to_come, &back) && !is_overtaken(&back, &to_come));
        assert!(is_overtaken(&warning(None), &back), "what is over has nothing to say beside it");
    }

    #[test]
    fn a_notice_can_be_put_off_only_as_far_as_the_time_left_allows() {
        let check = |minutes: i64, expected: &[i64]| {
            let offered: Vec<i64> = lengths(SignedDuration::from_mins(minutes)).map(|l| l.as_mins()).collect();
            assert_eq!(offered, expected, "{minutes} minutes left");
        };
        check(7 * 1440, &[1440, 240]);
        check(2 * 1440, &[240, 60]);
        check(5 * 60, &[60, 15]);
        check(90, &[15]);
        check(30, &[]);
        check(-10, &[]);
    }
}
