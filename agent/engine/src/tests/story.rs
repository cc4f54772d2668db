//! Plays stories: `tests/scenarios/*.txt`. The engine's tests and those of the agent's core play the same, each in a world of its
//! own. A line that begins with `> ` happens, the lines
//! below it are what came of it. `cargo xtask scenarios` records them anew.
//!
//! ```text
//! > zone Europe/Berlin            the device's time zone
//! > everyone has tiktok           or `ann has tiktok`, `ann removes tiktok`
//! > publish ban 1: grace = "48h"  a policy; after a bar its consequence, after a second bar more of its head
//! > publish ban 1 on TikTok by name: grace = "48h"
//! > wait 24h                      with the server, or `wait 24h without the server`
//! > why ann                       what `forewarn why` rests on
//! ```

use std::{collections::BTreeSet, fmt::Write, path::PathBuf};

use forewarn_proto::{
    inventory::{Person, Scope},
    policy::Length,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::world::{ANN, App, BEN, Input, NoticeKind, Settings, Subject, What, World, policy_about};

struct Story {
    world: World,
    told: usize,
    reached: BTreeSet<String>,
}

impl Story {
    fn begin(first: &str) -> Self {
        let time = first.strip_prefix("now ").expect("a story begins with `> now 2026-12-01T09:00Z`");
        let mut world = World::at(time, Settings::default().for_device("laptop"));
        world.start();
        Self { world, told: 0, reached: BTreeSet::new() }
    }

    /// Does one line, and tells what came of it.
    fn play(&mut self, line: &str) -> String {
        let answer = self.act(line).unwrap_or_else(|| panic!("nobody knows how to do `{line}`"));
        self.note_reached();
        let mut text = String::new();
        let mut former = String::new();
        for happened in self.world.log.iter().skip(self.told) {
            let line = self.describe(&happened.what);
            // What is tried again and again is told once.
            if line != former {
                writeln!(text, "  {}  {line}", self.local(happened.at)).unwrap();
            }
            former = line;
        }
        self.told = self.world.log.len();
        assert_eq!(self.world.verdict(), None, "after `{line}`");
        text + &answer
    }

    #[expect(clippy::too_many_lines, reason = "a table of what can happen")]
    fn act(&mut self, line: &str) -> Option<String> {
        let world = &mut self.world;
        if let Some((head, deadline)) = line.split_once(": ").filter(|(head, _)| head.starts_with("publish")) {
            publish(world, head, deadline)?;
            return Some(String::new());
        }
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["zone", zone] => world.zone = TimeZone::get(zone).ok()?,
            ["people", "ann", "and", "ben"] => {
                world.people = vec![ANN, BEN];
                world.scan();
            }
            [who, "has", "no", "mail"] => {
                world.mailless.insert(person(who)?);
                world.scan();
            }
            [who, "sets", "mail", "up"] => {
                world.mailless.remove(&person(who)?);
                world.scan();
            }
            [who, "has", app] => {
                world.install(scope(who)?, app);
                world.scan();
            }
            [who, "removes", app] => {
                world.installed.remove(&(scope(who)?, (*app).to_owned()));
                world.scan();
            }
            [who, "looks", "away"] => drop(world.away.insert(person(who)?)),
            [who, "is", "back"] => drop(world.away.remove(&person(who)?)),
            [who, "snoozes", app, length] => {
                let subject = Subject::App(App::named(app), person(who)?);
                world.give(Input::NoticeSnoozed(subject, span(length)?));
            }
            [who, "acknowledges", app] => {
                world.give(Input::NoticeAcknowledged(Subject::App(App::named(app), person(who)?)));
            }
            ["retract", id, version] => world.retract(id, version.parse().ok()?),
            ["drop", id] => {
                world.set.policies.remove(&id.parse().ok()?);
                world.push();
            }
            ["wait", length] => {
                let end = world.truth + span(length)?;
                while world.truth < end {
                    world.advance((end.duration_since(world.truth)).min(SignedDuration::from_hours(6)));
                    world.confirm();
                }
            }
            ["wait", length, "without", "the", "server"] => world.advance(span(length)?),
            ["the", "server", "confirms"] => world.confirm(),
            ["off", length] => {
                world.off(span(length)?);
                world.companions_come();
            }
            ["suspend", length] => world.suspend(span(length)?),
            ["set", "the", "clock", "by", length] => {
                let (sign, length) = if let Some(rest) = length.strip_prefix('-') { (-1, rest) } else { (1, *length) };
                world.wall_error += span(length)? * sign;
                world.give(Input::Tick);
            }
            ["the", "server's", "clock", "is", "ahead", "by", length] => {
                let time = world.truth + span(length)?;
                world.give(Input::ServerTime(time));
            }
            ["listing", "fails"] => {
                world.broken_scan = true;
                world.scan();
            }
            ["listing", "works"] => {
                world.broken_scan = false;
                world.scan();
            }
            ["the", "mail", "client", "runs"] => world.client_runs = true,
            ["the", "mail", "client", "closes"] => world.client_runs = false,
            ["the", "vault", "fails"] => world.vault_broken = true,
            ["the", "vault", "works"] => world.vault_broken = false,
            ["the", "daemon", "crashes"] | ["power", "returns"] => {
                world.restart();
                world.companions_come();
            }
            ["power", "fails", "after", effects, "effects"] => world.power = Some(effects.parse().ok()?),
            ["why", who] => return Some(self.why(person(who)?)),
            ["report"] => return Some(self.report()),
            _ => return None,
        }
        Some(String::new())
    }

    fn describe(&self, what: &What) -> String {
        match what {
            What::Shown(notice) => {
                let deadline = notice.deadline.map(|d| format!("; deadline {}", self.local(d))).unwrap_or_default();
                let takes: Vec<_> = notice.takes.iter().map(ToString::to_string).collect();
                let takes = if takes.is_empty() { String::new() } else { format!("; mail of {}", takes.join(", ")) };
                let titles = if notice.titles.is_empty() {
                    "-"
                } else {
                    &notice.titles.iter().map(forewarn_proto::policy::Texts::english).collect::<Vec<_>>().join(" + ")
                };
                let apps = if notice.apps.is_empty() { "no app" } else { &notice.apps.join(", ") };
                let says = notice.message.values().next().map(|text| format!(": \"{text}\"")).unwrap_or_default();
                let (person, kind) = (name(notice.subject.person()), kind(notice.kind));
                format!("{person} is shown [{kind}] {apps}, {titles}{says}{deadline}{takes}")
            }
            What::NotShown(subject) => format!("{} could not be shown a notice", name(subject.person())),
            What::Withdrawn(subject) => format!("the notice to {} is taken down", name(subject.person())),
            What::Revoked(id) => format!("the {} mail of {} goes into the vault", id.domain, name(id.person)),
            What::Waits(id) => format!("the {} mail of {} waits for the mail client", id.domain, name(id.person)),
            What::RevokeFailed(id) => format!("taking the {} mail of {} fails", id.domain, name(id.person)),
            What::Restored(id) => format!("the {} mail of {} is back", id.domain, name(id.person)),
            What::RestoreFailed(id) => format!("giving the {} mail of {} back fails", id.domain, name(id.person)),
        }
    }

    fn why(&self, person: Person) -> String {
        let mut text = String::new();
        for obligation in self.world.engine().obligations_of(person) {
            let deadline = obligation.deadline.map(|d| format!(", deadline {}", self.local(d))).unwrap_or_default();
            writeln!(text, "  {} ({}): {}{deadline}", obligation.app, obligation.policy, obligation.stage.text())
                .unwrap();
            obligation.holds.iter().for_each(|hold| writeln!(text, "    {}", hold.text()).unwrap());
        }
        for rule in self.world.engine().rules_for(ANN).iter().filter(|rule| !rule.doubts.is_empty()) {
            let doubts: Vec<_> = rule.doubts.iter().map(|doubt| doubt.text()).collect();
            writeln!(text, "  {} ({}): unknown, because {}", rule.app, rule.policy, doubts.join(", ")).unwrap();
        }
        if text.is_empty() { "  nothing is asked\n".to_owned() } else { text }
    }

    fn report(&self) -> String {
        let report = self.world.reports.last().expect("a report was made");
        let mut text = String::new();
        for policy in &report.policies {
            for rule in &policy.rules {
                writeln!(text, "  {} version {}: {:?}", policy.policy, policy.version, rule.finding).unwrap();
                for p in &rule.people {
                    writeln!(
                        text,
                        "    {}: {:?}, notice {:?}, held by {:?}",
                        name(p.person),
                        p.stage,
                        p.receipt,
                        p.holds
                    )
                    .unwrap();
                }
            }
        }
        for profile in &report.profiles {
            let failing = if profile.failing { ", failing" } else { "" };
            writeln!(text, "  mail of {}: {:?}{failing}", name(profile.person), profile.state).unwrap();
        }
        for correction in &report.corrections {
            let shown = if correction.shown.is_some() { "shown" } else { "waits" };
            writeln!(text, "  correction of {} to {}: {shown}", correction.policy, name(correction.person)).unwrap();
        }
        text
    }

    /// Notes every reason that this story has come to.
    fn note_reached(&mut self) {
        let obligations = [ANN, BEN].into_iter().flat_map(|person| self.world.engine().obligations_of(person));
        for obligation in obligations {
            self.reached.insert(format!("{:?}", obligation.stage));
            self.reached.extend(obligation.holds.iter().map(|hold| format!("{hold:?}")));
        }
        for report in &self.world.reports {
            let rules = report.policies.iter().flat_map(|policy| &policy.rules);
            for rule in rules {
                self.reached.extend(rule.doubts.iter().map(|doubt| format!("{doubt:?}")));
                self.reached
                    .extend(rule.people.iter().flat_map(|p| [format!("{:?}", p.receipt), format!("{:?}", p.stage)]));
            }
            self.reached.extend(report.profiles.iter().map(|profile| format!("{:?}", profile.state)));
        }
        self.reached
            .extend(self.world.kinds_shown().into_iter().map(|k| kind(k).split(' ').next().unwrap().to_owned()));
    }

    fn local(&self, time: Timestamp) -> String {
        time.to_zoned_datetime(self.world.zone.clone()).strftime("%a %-d %b %Y %H:%M %Z").to_string()
    }
}

fn publish(world: &mut World, head: &str, rest: &str) -> Option<()> {
    let words: Vec<&str> = head.split(' ').collect();
    let (id, version, app) = match words.as_slice() {
        ["publish", id, version] => (id, version, "TikTok".to_owned()),
        ["publish", id, version, "on", app @ ..] => (id, version, app.join(" ")),
        _ => return None,
    };
    let mut parts = rest.split(" | ").map(|part| part.replace("; ", "\n"));
    let deadline = parts.next()?;
    let consequence = parts.next().unwrap_or_else(|| "mail = [\"corp.example\"]".to_owned());
    let top = parts.next().unwrap_or_default();
    world.publish(&policy_about(id, version.parse().ok()?, &app, &deadline, &consequence, &top));
    Some(())
}

fn person(name: &str) -> Option<Person> {
    [("ann", ANN), ("ben", BEN)].into_iter().find(|(n, _)| *n == name).map(|(_, person)| person)
}

fn name(person: Person) -> &'static str {
    if person == ANN { "ann" } else { "ben" }
}

fn scope(who: &str) -> Option<Scope> {
    if who == "everyone" { Some(Scope::System) } else { person(who).map(Scope::Person) }
}

fn span(text: &str) -> Option<SignedDuration> {
    text.parse::<Length>().ok().map(|length| length.0)
}

fn kind(kind: NoticeKind) -> String {
    match kind {
        NoticeKind::First => "first notice".into(),
        NoticeKind::Reminder { before } => format!("reminder {before:#} before"),
        NoticeKind::Update => "update".into(),
        NoticeKind::Again => "again, as asked".into(),
        NoticeKind::LastCall => "last-call".into(),
        NoticeKind::Revoked => "revoked".into(),
        NoticeKind::Waiting => "waiting for the client".into(),
        NoticeKind::Restored => "restored".into(),
        NoticeKind::SetUpAgain => "set up again".into(),
        NoticeKind::Correction => "correction".into(),
    }
}

/// Plays a story; gives it with its transcript, and what it reached.
pub(super) fn tell(text: &str) -> (String, BTreeSet<String>) {
    let mut story: Option<Story> = None;
    let mut told = String::new();
    for line in text.lines() {
        match line.strip_prefix("> ") {
            Some(command) => {
                writeln!(told, "{line}").unwrap();
                match &mut story {
                    Some(story) => told += &story.play(command),
                    None => story = Some(Story::begin(command)),
                }
            }
            // Comments and paragraphs stay, former transcripts go.
            None if !line.starts_with("  ") => writeln!(told, "{line}").unwrap(),
            None => {}
        }
    }
    (told, story.map(|story| story.reached).unwrap_or_default())
}

pub(super) fn files() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let entries = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == "txt")).collect();
    files.sort();
    files
}
