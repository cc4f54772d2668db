//! The engine in a small world: a device with movable clocks, a shell that does effects, and people who look or don't.

mod promises;
mod random;

use std::collections::{BTreeMap, BTreeSet};

use forewarn_proto::{
    inventory::{Gap, Listing, Package, Person, Scope, Source},
    policy::{Domain, Language, Policy, PolicyId, Retraction},
    report::{Hold, Refusal, Report, Stage},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{
    Effect, Engine, Input, MailFound, NoticeKind, Now, PolicySet, ProfileId, Settings, SignedPolicy, State, Subject,
};

pub(crate) const ANN: Person = Person(1000);
pub(crate) const BEN: Person = Person(1001);
const APP: &str = "pkg:webapp/chromium/tiktok";

/// A device. Everything outside the engine is a plain field.
pub(crate) struct World {
    pub(crate) engine: Engine,
    stored: State,
    pub(crate) wall: Timestamp,
    pub(crate) boot: SignedDuration,
    boots: u32,
    pub(crate) set: PolicySet,
    pub(crate) installed: BTreeSet<Scope>,
    pub(crate) broken_scan: bool,
    /// Whether the people look at their screens.
    pub(crate) looking: bool,
    pub(crate) people: Vec<Person>,
    pub(crate) mailless: bool,
    pub(crate) disk_full: bool,
    /// Whether the power goes while a notice is on its way to the screen.
    pub(crate) dies_at_notice: bool,
    pub(crate) zone: TimeZone,
    pub(crate) vault: BTreeSet<ProfileId>,
    pub(crate) shown: Vec<(Timestamp, Subject, NoticeKind)>,
    pub(crate) withdrawn: Vec<Subject>,
    pub(crate) revokes: Vec<(Timestamp, ProfileId)>,
    pub(crate) reports: Vec<Report>,
    /// How many effects may still be done before the power goes.
    pub(crate) power: Option<usize>,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut world = Self {
            engine: Engine::new(Settings::default(), State::default()),
            stored: State::default(),
            wall: "2026-12-01T09:00Z".parse().unwrap(),
            boot: SignedDuration::from_secs(60),
            boots: 0,
            set: PolicySet::default(),
            installed: BTreeSet::new(),
            broken_scan: false,
            looking: true,
            people: vec![ANN],
            mailless: false,
            disk_full: false,
            dies_at_notice: false,
            zone: TimeZone::UTC,
            vault: BTreeSet::new(),
            shown: Vec::new(),
            withdrawn: Vec::new(),
            revokes: Vec::new(),
            reports: Vec::new(),
            power: None,
        };
        world.start();
        world
    }

    /// A device whose person has the app, under a policy with this deadline.
    pub(crate) fn banned(deadline: &str) -> Self {
        let mut world = Self::new();
        world.installed.insert(Scope::Person(ANN));
        world.publish(&policy("ban", 1, deadline));
        world
    }

    pub(crate) fn now(&self) -> Now {
        Now { wall: self.wall, boot: self.boot, boot_id: self.boots.to_string(), zone: self.zone.clone() }
    }

    pub(crate) fn time(&self) -> Timestamp {
        self.engine.time()
    }

    pub(crate) fn publish(&mut self, policy: &Policy) {
        let signed = SignedPolicy { policy: policy.clone(), signed_by: vec!["a".into(), "b".into()] };
        self.set.policies.insert(policy.id.clone(), signed);
        self.push();
    }

    pub(crate) fn retract(&mut self, id: &str, through_version: u64) {
        let id: PolicyId = id.parse().unwrap();
        let message = BTreeMap::from([(Language::english(), "Sent in error.".to_owned())]);
        let retraction = Retraction { policy: id.clone(), through_version, reason: "error".into(), message };
        self.set.retractions.insert(id, retraction);
        self.push();
    }

    /// The server's bundle arrives.
    pub(crate) fn push(&mut self) {
        self.set.bundle += 1;
        self.give(Input::ServerTime(self.wall));
        self.give(Input::PoliciesVerified(self.set.clone()));
        self.give(Input::PoliciesConfirmed);
    }

    /// Lets real time pass, with the server confirming every six hours.
    pub(crate) fn pass(&mut self, hours: i64) {
        for _ in 0..hours * 4 {
            self.advance(SignedDuration::from_mins(15));
            if self.boot.as_mins() % 360 < 15 {
                self.give(Input::ServerTime(self.wall));
                self.give(Input::PoliciesConfirmed);
            }
        }
    }

    /// Lets real time pass without the server, waking the engine as it asked.
    pub(crate) fn advance(&mut self, length: SignedDuration) {
        let mut left = length;
        while left > SignedDuration::ZERO {
            let step = self.engine.next_wake(&self.now()).unwrap_or(left).clamp(SignedDuration::from_millis(1), left);
            self.wall += step;
            self.boot += step;
            left -= step;
            self.give(Input::Tick);
        }
    }

    /// The device is switched off for a while, and on again.
    pub(crate) fn off(&mut self, length: SignedDuration) {
        self.wall += length;
        self.restart();
        self.boots += 1;
        self.boot = SignedDuration::from_secs(30);
        self.start();
    }

    /// The process dies and what was not stored is lost.
    pub(crate) fn restart(&mut self) {
        self.power = None;
        self.engine = Engine::new(Settings::default(), self.stored.clone());
    }

    /// What the shell does at its start: what is cached is verified again, packages and mail are listed.
    pub(crate) fn start(&mut self) {
        if self.set.bundle > 0 {
            self.give(Input::PoliciesVerified(self.set.clone()));
        }
        self.scan();
    }

    pub(crate) fn scan(&mut self) {
        self.give(Input::InventoryTaken(self.listings()));
        self.give(Input::MailFound(self.mail()));
    }

    pub(crate) fn give(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let effects = self.engine.handle(input, &self.now());
            for effect in effects {
                match &mut self.power {
                    Some(0) => return,
                    Some(left) => *left -= 1,
                    None => {}
                }
                inputs.extend(self.perform(effect));
            }
        }
    }

    fn perform(&mut self, effect: Effect) -> Vec<Input> {
        match effect {
            Effect::Persist(_) if self.disk_full => Vec::new(),
            Effect::Persist(generation) => {
                self.stored = self.engine.state().clone();
                vec![Input::Persisted(generation)]
            }
            Effect::Rescan => vec![Input::InventoryTaken(self.listings()), Input::MailFound(self.mail())],
            Effect::ShowNotice(notice) if self.looking => {
                self.shown.push((self.time(), notice.subject.clone(), notice.kind));
                if self.dies_at_notice {
                    self.power = Some(0);
                }
                vec![Input::NoticeShown(notice.subject, notice.kind)]
            }
            Effect::ShowNotice(notice) => vec![Input::NoticeFailed(notice.subject)],
            Effect::WithdrawNotice(subject) => {
                self.withdrawn.push(subject);
                Vec::new()
            }
            Effect::Revoke(id) => {
                self.revokes.push((self.time(), id.clone()));
                self.vault.insert(id.clone());
                vec![Input::Revoked(id)]
            }
            Effect::Restore(id) => {
                self.vault.remove(&id);
                vec![Input::Restored(id)]
            }
            Effect::Report(report) => {
                let sequence = report.sequence;
                self.reports.push(report);
                vec![Input::ReportDelivered(sequence)]
            }
        }
    }

    fn listings(&self) -> Vec<Listing> {
        let scopes = self.people.iter().map(|person| Scope::Person(*person)).chain([Scope::System]);
        let gap = Gap { path: "/broken".into(), offset: None, reason: "broken".into() };
        scopes
            .map(|scope| Listing {
                source: Source::Desktop,
                scope,
                packages: self.installed.iter().filter(|s| **s == scope).map(|_| package()).collect(),
                gaps: if self.broken_scan { vec![gap.clone()] } else { Vec::new() },
            })
            .collect()
    }

    fn mail(&self) -> MailFound {
        let domain: Domain = "corp.example".parse().unwrap();
        let of = |person: Person| {
            let in_vault = self.vault.contains(&ProfileId { domain: domain.clone(), person });
            BTreeSet::from_iter((!in_vault && !self.mailless).then(|| domain.clone()))
        };
        let people = self.people.iter().map(|person| (*person, of(*person))).collect();
        MailFound { domains: BTreeSet::from([domain.clone()]), people }
    }

    pub(crate) fn stage(&self, person: Person) -> Option<Stage> {
        self.engine.obligations_of(person, &self.now()).first().map(|obligation| obligation.stage)
    }

    pub(crate) fn held_by(&self, person: Person) -> Vec<Hold> {
        self.engine.obligations_of(person, &self.now()).first().map(|o| o.holds.clone()).unwrap_or_default()
    }

    pub(crate) fn kinds_shown(&self) -> Vec<NoticeKind> {
        self.shown.iter().map(|(_, _, kind)| *kind).collect()
    }

    /// From the first notice to the first revoke.
    pub(crate) fn notice_given(&self) -> Option<SignedDuration> {
        Some(self.revokes.first()?.0.duration_since(self.shown.first()?.0))
    }
}

fn package() -> Package {
    Package { purl: APP.parse().unwrap(), display_name: None, found_in: "tiktok.desktop".into() }
}

/// A policy that bans the app; `deadline` is the body of its `[deadline]` table.
pub(crate) fn policy(id: &str, version: u64, deadline: &str) -> Policy {
    let text = format!(
        "id = \"{id}\"\nversion = {version}\ntitle = \"TikTok must go\"\n[deadline]\n{deadline}\n[message]\nen = \"Please.\"\n\
         [consequence]\nmail = [\"corp.example\"]\n[[rule]]\nid = \"tiktok\"\napp = \"TikTok\"\npurls = [\"{APP}\"]\n"
    );
    Policy::parse(text.as_bytes()).unwrap()
}
