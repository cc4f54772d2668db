//! The mail of 10 July 2020, whole fleets of chance, and files that are refused.

use std::path::PathBuf;

use forewarn_proto::policy::Policy;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use proptest::prelude::*;

use super::{
    device::Track,
    figures::SetBy,
    fleet::{App, Entry},
    *,
};

const POLICY: &str = include_str!("../../tests/data/the-mail-of-2020.toml");
/// When people were mailed: Friday morning in Seattle.
const SENT: &str = "2020-07-10T09:30-07";

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn two_weeks(from: &str) -> Period {
    let from: Timestamp = from.parse().unwrap();
    Period { from, until: from + SignedDuration::from_hours(14 * 24) }
}

/// A thousand devices in five zones, some people on leave and back, some for all the time.
fn thousand() -> Fleet {
    let leave = |days: &str, share: &str| {
        let (from, to) = days.split_once('/').unwrap();
        Leave { days: Days { from: from.parse().unwrap(), to: to.parse().unwrap() }, share: share.parse().unwrap() }
    };
    let recipe = Recipe {
        devices: 1000,
        apps: vec![(App::Named("tiktok".into()), "8%".parse().unwrap())],
        leave: vec![leave("2020-07-06/2020-07-17", "10%"), leave("2020-07-06/2020-07-31", "5%")],
        off_at_night: "30%".parse().unwrap(),
        seed: 1,
        ..Recipe::default()
    };
    synthesize(&recipe).unwrap()
}

fn play(policy: &str, fleet: &Fleet, period: Period) -> (Policy, Simulation) {
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    policy.check_ahead(period.from).unwrap();
    let simulation = run(&policy, fleet, period, 1, &|_| {}).unwrap();
    (policy, simulation)
}

/// Compares with a recorded file; with FOREWARN_RECORD set, records it anew.
#[track_caller]
fn check(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    if std::env::var_os("FOREWARN_RECORD").is_some() {
        fs_err::write(&path, text).unwrap();
    }
    assert_eq!(text, fs_err::read_to_string(&path).unwrap(), "{name}: record it anew with FOREWARN_RECORD=1");
}

#[test]
fn the_mail_of_2020_is_told_before_it_is_sent() {
    let (fleet, period) = (thousand(), two_weeks(SENT));
    let (policy, simulation) = play(POLICY, &fleet, period);
    let seattle = zone("America/Los_Angeles");
    let figures = Figures::of(&policy, &fleet, period, &simulation, spans(80));
    let text = format!("{}\n\n{}", sentences(&figures, &seattle).join("\n"), chart(&figures, &seattle));
    check("the-mail-of-2020.txt", &text);
    check("the-mail-of-2020.svg", &svg(&Figures::of(&policy, &fleet, period, &simulation, SPANS), &seattle));
    assert!(text.lines().all(|line| !line.contains(['▁', '█', '┬']) || line.chars().count() <= 80), "{text}");
    assert_eq!(figures.left.unwrap().most, 14 * 60 + 29, "at 09:30 there are 14 hours and 29 minutes of the day left");
    assert_eq!(figures.set_by.keys().collect::<Vec<_>>(), [&SetBy::DeviceMinNotice], "nobody has less than a day");
    let a_day_later = period.from + SignedDuration::from_hours(24);
    assert_eq!(figures.deadlines.unwrap()[0], a_day_later);
    assert_eq!(figures.obliged, figures.told + figures.never_told.values().sum::<u64>());
}

#[test]
fn whoever_is_always_there_loses_mail_a_day_after_the_mail_of_2020() {
    let entry = r#"{"devices": [{"name": "d", "count": 7, "zone": "America/New_York", "apps": ["tiktok"]}]}"#;
    let (fleet, period) = (Fleet::parse(entry.as_bytes()).unwrap(), two_weeks(SENT));
    let (policy, simulation) = play(POLICY, &fleet, period);
    let figures = Figures::of(&policy, &fleet, period, &simulation, spans(80));
    let a_day_later = period.from + SignedDuration::from_hours(24);
    assert_eq!((figures.told, figures.revoked, figures.late_calls), (7, 7, 0));
    assert_eq!((figures.deadlines, figures.revoked_between), (Some([a_day_later; 2]), Some([a_day_later; 2])));
    let words = sentences(&figures, &zone("America/Los_Angeles")).join("\n");
    for expected in [
        "7 people would be told: all Fri 10 Jul 2020 09:30 PDT.",
        "The policy's written time is Fri 10 Jul 2020 23:59 PDT: 7 people would be told with about 14 hours left.",
        "The device's own min_notice (24h) moves every deadline. Deadlines: all Sat 11 Jul 2020 09:30 PDT.",
        "The first mail would leave Sat 11 Jul 2020 09:30 PDT: 7 people would lose mail in this time",
    ] {
        assert!(words.contains(expected), "`{expected}` is not in: {words}");
    }
}

#[test]
fn what_was_counted_by_rule_is_enough_to_simulate() {
    let text = include_str!("../../../docs/fleet.json");
    let (fleet, period) = (Fleet::parse(text.as_bytes()).unwrap(), two_weeks("2026-12-01T09:00Z"));
    let policy = POLICY.replace("2020-07-10T23:59[America/Los_Angeles]", "2026-12-04T17:00Z");
    let (policy, simulation) = play(&policy, &fleet, period);
    let figures = Figures::of(&policy, &fleet, period, &simulation, 60);
    assert_eq!((figures.devices, figures.people, figures.obliged), (4125, 4126, 40 + 1 + 84));
    assert_eq!(figures.told, 125, "whoever is at work in two weeks is told");
    let removed = figures.removed;
    assert!((20..=36).contains(&removed), "70% of 40 comply: {removed}");
    let [first, last] = figures.deadlines.unwrap();
    assert_eq!(first, "2026-12-04T17:00Z".parse().unwrap(), "who is told early has the written time");
    assert!(last > first && figures.revoked == 125 - removed, "{figures:#?}");
}

/// Whoever is told, and what came of it, without names.
fn told(mut tracks: Vec<Track>) -> Vec<Track> {
    tracks.iter_mut().for_each(|track| (track.entry, track.devices) = (0, 1));
    tracks
}

#[test]
fn alike_devices_are_played_once_only_where_each_would_go_the_same_way() {
    let period = two_weeks("2026-12-01T09:00Z");
    let growing = "grace = \"48h\"\n[rollout]\nstart = \"2026-12-02T09:00Z\"\nover = \"4d\"\npercent = 60";
    for (deadline, complies) in [
        (growing, "0%"),
        ("grace = \"48h\"", "0%"),
        ("grace = \"48h\"\nramp = \"24h\"", "0%"),
        ("grace = \"48h\"", "50%"),
    ] {
        let policy = POLICY.replace("at = \"2020-07-10T23:59[America/Los_Angeles]\"", deadline);
        let fleet = |entry: Entry| Fleet { devices: vec![entry] };
        let text = format!(
            r#"{{"devices": [{{"name": "d", "count": 5, "zone": "Asia/Kolkata", "apps": ["tiktok"], "complies": "{complies}",
               "at_device": {{"hours": "09:00-17:00"}}, "off_when_nobody_is_there": true}}]}}"#
        );
        let alike = Fleet::parse(text.as_bytes()).unwrap();
        let together = play(&policy, &alike, period).1.tracks;
        let people: u32 = together.iter().map(|track| track.devices).sum();
        let each = together.iter().flat_map(|track| vec![track.clone(); track.devices as usize]).collect();
        let alone = (1..=5).flat_map(|number| {
            let entry = Entry { name: format!("d-{number}"), count: 1, ..alike.devices[0].clone() };
            play(&policy, &fleet(entry), period).1.tracks
        });
        assert_eq!((people, told(each)), (5, told(alone.collect())), "{deadline} {complies}");
    }
}

#[test]
fn who_is_never_told_is_counted_with_the_reason() {
    let entries = [
        r#""off": [{"from": "2026-11-01T00:00", "to": "2027-02-01T00:00"}]"#,
        r#""away": [{"from": "2026-11-01", "to": "2027-02-01"}]"#,
        r#""at_device": {"hours": "09:00-17:00", "days": []}"#,
        r#""platform": "windows""#,
        r#""mail": false"#,
        r#""groups": ["sales"]"#,
    ];
    let entry = |(index, fields): (usize, &&str)| {
        let groups = if fields.contains("groups") { "" } else { r#""groups": ["all"], "# };
        let apps = r#""apps": ["pkg:webapp/chromium/nlalbmkafgmoifbeooblidblkmlhhpnc"]"#;
        format!(r#"{{"name": "{index}", "zone": "UTC", {groups}{apps}, {fields}}}"#)
    };
    let entries: Vec<String> = entries.iter().enumerate().map(entry).collect();
    let fleet = Fleet::parse(format!(r#"{{"devices": [{}]}}"#, entries.join(",")).as_bytes()).unwrap();
    let period = two_weeks("2026-12-01T09:00Z");
    let policy = POLICY
        .replace("at = \"2020-07-10T23:59[America/Los_Angeles]\"", "grace = \"48h\"\n[rollout]\ngroups = [\"all\"]");
    let (policy, simulation) = play(&policy, &fleet, period);
    let figures = Figures::of(&policy, &fleet, period, &simulation, 60);
    let missed = serde_json::to_string(&figures.never_told).unwrap();
    assert_eq!(missed, r#"{"not_listed":1,"not_reached":1,"off":1,"on_leave":1,"not_there":1}"#);
    assert_eq!((figures.obliged, figures.told, figures.revoked), (5, 0, 0), "without mail nobody is obliged");
    let words = sentences(&figures, &TimeZone::UTC).join("\n");
    assert!(words.contains("Nobody would be told.") && words.contains("5 people would not be told"), "{words}");
}

#[test]
fn a_fleet_that_is_wrong_is_refused_with_its_field() {
    let refused = |fields: &str| {
        let text =
            format!(r#"{{"devices": [{{"name": "a", "zone": "UTC"}}, {{"name": "b", "zone": "UTC"{fields}}}]}}"#);
        let policy = Policy::parse(POLICY.as_bytes()).unwrap();
        let played = Fleet::parse(text.as_bytes())
            .and_then(|fleet| run(&policy, &fleet, two_weeks("2020-07-01T00:00Z"), 1, &|_| {}).map(drop));
        played.unwrap_err()
    };
    for (fields, expected) in [
        (r#", "zone": "Mars/Base""#, "devices[1]"),
        (r#", "min_notice": "soon""#, "devices[1].min_notice: `soon` is not a length"),
        (r#", "wipe": true"#, "devices[1].wipe: unknown field `wipe`"),
        (r#", "people": 0"#, "devices[1].people: a device has 1 to 100 people"),
        (r#", "count": 300000"#, "devices: 300001 devices; the limit is 200000"),
        (r#", "complies": "most""#, "devices[1].complies: `most` is not a share"),
        (r#", "complies": "101%""#, "devices[1].complies: `101%` is not a share"),
        (r#", "apps": ["tik tak"]"#, "devices[1].apps[0]: no app of the catalogue is called `tik tak`"),
        (r#", "apps": ["pkg:"]"#, "devices[1].apps[0]: `pkg:` is not a package URL"),
        (r#", "apps": [{"app": "tiktok", "person": 2}]"#, "devices[1].apps[0].person: the device has no such person"),
        (r#", "not_met": ["other"]"#, "devices[1].not_met: the policy has no rule `other`; it has tiktok"),
        (r#", "platform": "android", "not_met": ["tiktok"]"#, "devices[1].not_met: no agent of this platform"),
        (r#", "at_device": {"hours": "9-5"}"#, "devices[1].at_device.hours: `9-5` is not a span of hours"),
        (r#", "away": [{"from": "2026-12-02", "to": "2026-12-01"}]"#, "devices[1].away[0].to: it is before `from`"),
        (
            r#", "off": [{"from": "2026-12-01T10:00", "to": "2026-12-01T10:00"}]"#,
            "devices[1].off[0].to: it is not after",
        ),
    ] {
        let error = refused(fields);
        assert!(error.contains(expected), "{fields}: {error}");
    }
    assert!(Fleet::parse(br#"{"devices": []}"#).unwrap_err().contains("there is none"));
    let twice = br#"{"devices": [{"name": "a", "zone": "UTC"}, {"name": "a", "zone": "UTC"}]}"#;
    assert!(Fleet::parse(twice).unwrap_err().contains("devices[1].name"));
}

#[test]
fn the_same_seed_makes_the_same_fleet() {
    assert_eq!(thousand(), thousand());
    let with_app = |fleet: &Fleet| -> u32 {
        fleet.devices.iter().filter(|entry| !entry.apps.is_empty()).map(|entry| entry.count).sum()
    };
    assert_eq!(thousand().size(), 1000);
    assert!((55..=105).contains(&with_app(&thousand())), "about 8%: {}", with_app(&thousand()));
}

/// The fields of a device that matter to time.
fn any_device() -> impl Strategy<Value = String> {
    let zones =
        prop::sample::select(vec!["America/Los_Angeles", "Asia/Kolkata", "Europe/Berlin", "Pacific/Apia", "UTC"]);
    let hours = prop::sample::select(vec!["09:00-17:00", "22:00-06:00", "00:00-00:00", "12:00-12:30"]);
    let least = prop::sample::select(vec!["0s", "1h", "24h", "72h"]);
    let apps = prop::sample::select(vec![r#""tiktok""#, r#"{"app": "tiktok", "person": 2}"#, ""]);
    (zones, hours, least, apps, 0..20_u32, any::<bool>(), 0..3_u32).prop_map(
        |(zone, hours, least, apps, away, off, complies)| {
            let to = away + 1;
            format!(
                r#""zone": "{zone}", "people": 2, "min_notice": "{least}", "apps": [{apps}],
                   "at_device": {{"hours": "{hours}"}}, "off_when_nobody_is_there": {off},
                   "away": [{{"from": "2026-12-{:02}", "to": "2026-12-{:02}"}}],
                   "off": [{{"from": "2026-12-{to:02}T10:00", "to": "2026-12-{:02}T15:00"}}],
                   "complies": "{}%", "complies_within": "40h""#,
                away + 1,
                away + 3,
                to + 1,
                complies * 50
            )
        },
    )
}

fn any_deadline() -> impl Strategy<Value = String> {
    let at =
        prop::sample::select(vec!["", "at = \"2026-12-01T20:00Z\"\n", "at = { floating = \"2026-12-05T09:00\" }\n"]);
    let grace = prop::sample::select(vec!["0s", "3h", "48h"]);
    let ramp = prop::sample::select(vec!["0s", "30h"]);
    let quiet =
        prop::sample::select(vec!["", "quiet_hours = \"18:00-09:00\"\n", "days_off = [\"saturday\", \"sunday\"]\n"]);
    (at, grace, ramp, quiet)
        .prop_map(|(at, grace, ramp, quiet)| format!("{at}grace = \"{grace}\"\nramp = \"{ramp}\"\n{quiet}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn promise_1_no_simulated_person_loses_mail_sooner_than_the_least_notice(
        devices in prop::collection::vec(any_device(), 1..4),
        deadline in any_deadline(),
    ) {
        let entry = |(index, fields): (usize, &String)| format!(r#"{{"name": "d{index}", "count": 3, {fields}}}"#);
        let entries: Vec<String> = devices.iter().enumerate().map(entry).collect();
        let fleet = Fleet::parse(format!(r#"{{"devices": [{}]}}"#, entries.join(",")).as_bytes()).unwrap();
        let policy = POLICY.replace("at = \"2020-07-10T23:59[America/Los_Angeles]\"", &deadline);
        let period = two_weeks("2026-12-01T09:00Z");
        let (policy, simulation) = play(&policy, &fleet, period);
        for track in &simulation.tracks {
            let Some(revoked) = track.revoked else { continue };
            let least = fleet.devices[track.entry].min_notice.0.max(SignedDuration::from_hours(1));
            let told = track.told.unwrap();
            prop_assert!(revoked.duration_since(told) >= least, "{track:?}");
            prop_assert!(track.told_deadline.is_some_and(|deadline| revoked >= deadline), "{track:?}");
            prop_assert!(track.removed.is_none_or(|removed| removed >= revoked), "{track:?}");
            prop_assert!(revoked < period.until);
        }
        let figures = Figures::of(&policy, &fleet, period, &simulation, 60);
        prop_assert_eq!(figures.obliged, figures.told + figures.never_told.values().sum::<u64>());
        prop_assert_eq!(figures.told, figures.series.told.iter().sum::<u64>());
        prop_assert_eq!(figures.revoked, figures.series.revoked.iter().sum::<u64>());
    }
}
