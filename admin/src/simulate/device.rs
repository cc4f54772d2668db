//! One device: the engine, and around it a shell that does what the agent's does, to nothing.
//!
//! The device is always connected while it is on, its listings are complete, and no mail program is open at a deadline:
//! what the engine would wait for otherwise comes later than what is told here, never sooner.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use forewarn_engine::{
    Effect, Engine, Input, Listing, Look, MailOf, Notice, NoticeId, NoticeKind, Now, ProfileId, Search, Settings, State,
};
use forewarn_proto::{
    inventory::{Person, Scope},
    policy::Domain,
    report::{Medium, Obstacle},
};
use jiff::{SignedDuration, Timestamp};

use super::{
    apps::{Apps, Banned, person},
    chance::{PARTS, draw},
    missed::Missed,
    scene::Scene,
};

/// How long after it is switched on a device is asked the first time.
const BOOT: SignedDuration = SignedDuration::from_secs(30);
/// How old the server's last word may be when something is decided.
const CONFIRM_EVERY: SignedDuration = SignedDuration::from_hours(6);
/// The engine is not called again within less than this.
const LEAST_STEP: SignedDuration = SignedDuration::from_millis(1);

/// What became of one person with a banned app; of `devices` people, where so many devices are alike.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Track {
    /// Which entry of the fleet.
    pub(crate) entry: usize,
    /// How many devices this stands for.
    pub(crate) devices: u32,
    /// When the person was first told.
    pub(crate) told: Option<Timestamp>,
    /// The deadline that this notice stated.
    pub(crate) told_deadline: Option<Timestamp>,
    /// When the mail left.
    pub(crate) revoked: Option<Timestamp>,
    /// When the person removed the app.
    pub(crate) removed: Option<Timestamp>,
    /// Why the person was never told.
    pub(crate) missed: Option<Missed>,
}

pub(super) struct Device<'s> {
    scene: &'s Scene<'s>,
    settings: Settings,
    /// While the device is on.
    engine: Option<Engine>,
    /// While it is off. Every change was stored at once, so what the engine had is what a disk would have.
    stored: State,
    at: Timestamp,
    booted: Timestamp,
    boots: u32,
    confirmed: Option<Timestamp>,
    /// Whether the rollout has reached the device, as it last reported; none before.
    reached: Option<bool>,
    apps: Apps,
    listings: BTreeMap<Scope, Arc<[Listing]>>,
    vault: BTreeSet<ProfileId>,
    tracks: BTreeMap<Person, Track>,
    /// Notices that came while nobody was there. Each is answered when somebody is, and asked for anew; an agent that
    /// answers at once is asked again every half hour until then, which ends in the same.
    held: Vec<NoticeId>,
    /// How long after the notice those who comply remove the app.
    removals: BTreeMap<Person, SignedDuration>,
}

impl<'s> Device<'s> {
    pub(super) fn new(scene: &'s Scene<'s>, name: String) -> Self {
        let settings = Settings::default()
            .for_device(&name)
            .in_groups(scene.entry.groups.clone())
            .with_min_notice(scene.entry.min_notice.0);
        let apps = scene.apps.clone();
        let mut device = Self {
            scene,
            settings,
            engine: None,
            stored: State::default(),
            at: scene.period.from,
            booted: scene.period.from,
            boots: 0,
            confirmed: None,
            reached: None,
            listings: apps.listings(scene.entry.people),
            apps,
            vault: BTreeSet::new(),
            tracks: BTreeMap::new(),
            held: Vec::new(),
            removals: BTreeMap::new(),
        };
        let obliged = device.people().filter(|person| device.is_obliged(*person));
        device.tracks = obliged.map(|person| (person, Track { devices: 1, ..Track::default() })).collect();
        device.plan_removals(&name);
        device
    }

    /// Plays to the period's end; gives a track for everybody who has a banned app.
    pub(super) fn play(mut self) -> Vec<Track> {
        self.follow_calendar();
        while let Some(next) = self.next_event().filter(|next| *next < self.scene.period.until) {
            if self.is_over() {
                break;
            }
            let comes = self.scene.calendar.next_change(self.at) == Some(next);
            self.at = next;
            if comes {
                self.follow_calendar();
            }
            self.confirm_if_old();
            self.remove_what_is_due();
            self.give(Input::Tick);
        }
        let untold = |(person, track): (&Person, &Track)| {
            let missed = track.told.is_none().then(|| self.why_missed(*person));
            Track { missed, ..track.clone() }
        };
        self.tracks.iter().map(untold).collect()
    }

    fn people(&self) -> impl Iterator<Item = Person> + use<> {
        (0..self.scene.entry.people).map(person)
    }

    /// As the engine sees it: an app for everyone obliges those who have mail, one in a home obliges that person.
    fn is_obliged(&self, person: Person) -> bool {
        let has_mail = self.scene.entry.mail || self.scene.policy.consequence.mail.is_empty();
        let banned = self.apps.banned_for(&self.scene.policy, person);
        banned.is_some_and(|banned| has_mail || banned == Banned::AtHome)
    }

    /// Whether nothing that is told of anybody here can change any more.
    fn is_over(&self) -> bool {
        let removes = |person: &Person| self.removals.contains_key(person);
        let is_over = |(person, track): (&Person, &Track)| {
            track.removed.is_some() || (track.revoked.is_some() && !removes(person))
        };
        self.tracks.iter().all(is_over)
    }

    fn why_missed(&self, person: Person) -> Missed {
        let calendar = &self.scene.calendar;
        if !self.is_obliged(person) {
            Missed::Gone
        } else if !self.apps.is_listed() {
            Missed::NotListed
        } else if self.reached == Some(false) {
            Missed::NotReached
        } else if calendar.is_on_leave() {
            Missed::OnLeave
        } else if calendar.is_never_on() {
            Missed::Off
        } else {
            Missed::NotThere
        }
    }

    /// Each of those who comply has a delay of their own; it runs from the first notice.
    fn plan_removals(&mut self, name: &str) {
        let entry = self.scene.entry;
        let within = u64::try_from(entry.complies_within.0.as_secs()).unwrap_or_default();
        for person in self.people() {
            let who = format!("{name}/{person}");
            if entry.complies.has(self.scene.seed, &format!("{who}/complies")) {
                let part = draw(self.scene.seed, &format!("{who}/delay"));
                let delay = i64::try_from(u128::from(within) * u128::from(part) / u128::from(PARTS));
                self.removals.insert(person, SignedDuration::from_secs(delay.unwrap_or_default()));
            }
        }
    }

    fn next_event(&self) -> Option<Timestamp> {
        let calendar = self.scene.calendar.next_change(self.at);
        let wake = self.engine.as_ref().and_then(|engine| engine.next_wake(&self.now()));
        let wake = wake.and_then(|wake| self.at.checked_add(wake.max(LEAST_STEP)).ok());
        let is_there = self.scene.calendar.is_there(self.at);
        let removals = self.due_removals().map(|(_, due)| due.max(self.at + LEAST_STEP)).filter(|_| is_there);
        calendar.into_iter().chain(wake).chain(removals).min()
    }

    fn now(&self) -> Now {
        Now {
            wall: self.at,
            boot: BOOT + self.at.duration_since(self.booted),
            boot_id: Some(self.boots.to_string()),
            zone: self.scene.entry.zone.zone.clone(),
        }
    }

    /// The device goes on or off, and people come.
    fn follow_calendar(&mut self) {
        match (self.scene.calendar.is_on(self.at), self.engine.take()) {
            (true, None) => self.boot(),
            (true, Some(engine)) => self.engine = Some(engine),
            (false, Some(engine)) => self.stored = engine.state().clone(),
            (false, None) => {}
        }
        if self.scene.calendar.is_there(self.at) {
            let held = std::mem::take(&mut self.held);
            held.into_iter().for_each(|id| self.give(Input::NoticeFailed(id, Obstacle::Away)));
            self.people().for_each(|person| self.give(Input::PersonReachable(person)));
        }
    }

    fn boot(&mut self) {
        self.boots += 1;
        self.held.clear();
        self.booted = self.at;
        self.engine = Some(Engine::new(self.settings.clone(), std::mem::take(&mut self.stored)));
        self.give(Input::ServerTime(self.at));
        self.give(Input::PoliciesVerified(self.scene.set.clone()));
        self.confirm();
        self.scan(None).into_iter().for_each(|input| self.give(input));
    }

    fn confirm(&mut self) {
        self.confirmed = Some(self.at);
        self.give(Input::PoliciesConfirmed);
    }

    fn confirm_if_old(&mut self) {
        if self.confirmed.is_none_or(|confirmed| self.at.duration_since(confirmed) >= CONFIRM_EVERY) {
            self.give(Input::ServerTime(self.at));
            self.confirm();
        }
    }

    /// What is heard of a look at one scope, or at all.
    fn scan(&self, scope: Option<Scope>) -> Vec<Input> {
        let Some(Search { token, domains, .. }) = self.engine.as_ref().map(Engine::search) else { return Vec::new() };
        let meant = self.listings.iter().filter(|(of, _)| scope.is_none_or(|scope| scope == **of));
        let look = |(scope, listings): (&Scope, &Arc<[Listing]>)| {
            let mail = if let Scope::Person(person) = *scope { Some(self.mail_of(person, &domains)) } else { None };
            Input::Looked(Look { token, scope: *scope, listings: listings.clone(), mail })
        };
        meant.map(look).collect()
    }

    fn mail_of(&self, person: Person, domains: &BTreeSet<Domain>) -> MailOf {
        let is_there = |domain: &&Domain| {
            self.scene.entry.mail && !self.vault.contains(&ProfileId { domain: (*domain).clone(), person })
        };
        MailOf { looked_for: domains.clone(), has: domains.iter().filter(is_there).cloned().collect() }
    }

    fn due_removals(&self) -> impl Iterator<Item = (Person, Timestamp)> {
        self.removals.iter().filter_map(|(person, delay)| {
            let told = self.tracks.get(person)?.told?;
            Some((*person, told.saturating_add(*delay).unwrap_or(Timestamp::MAX)))
        })
    }

    fn remove_what_is_due(&mut self) {
        if self.engine.is_none() || !self.scene.calendar.is_there(self.at) {
            return;
        }
        let due: Vec<Person> =
            self.due_removals().filter(|(_, due)| *due <= self.at).map(|(person, _)| person).collect();
        for person in due {
            self.removals.remove(&person);
            self.apps.remove_all(person);
            self.listings = self.apps.listings(self.scene.entry.people);
            if let Some(track) = self.tracks.get_mut(&person) {
                track.removed = Some(self.at);
            }
            self.scan(None).into_iter().for_each(|input| self.give(input));
        }
    }

    fn give(&mut self, input: Input) {
        let now = self.now();
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let Some(engine) = &mut self.engine else { return };
            for effect in engine.handle(input, &now) {
                inputs.extend(self.perform(effect));
            }
        }
    }

    fn perform(&mut self, effect: Effect) -> Vec<Input> {
        match effect {
            Effect::Persist(generation) => vec![Input::Persisted(generation)],
            Effect::Rescan(scope) => self.scan(scope),
            Effect::ShowNotice(notice) => self.show(&notice).into_iter().collect(),
            Effect::WithdrawNotice(_) => Vec::new(),
            Effect::Revoke(id) => {
                self.vault.insert(id.clone());
                if let Some(track) = self.tracks.get_mut(&id.person) {
                    track.revoked.get_or_insert(self.at);
                }
                vec![Input::Revoked(id)]
            }
            Effect::Restore(id) => {
                self.vault.remove(&id);
                vec![Input::Restored(id)]
            }
            Effect::Report(report) => {
                self.reached = Some(report.policies.iter().any(|policy| policy.reached));
                vec![Input::ReportDelivered(report.sequence)]
            }
        }
    }

    fn show(&mut self, notice: &Notice) -> Option<Input> {
        if !self.scene.calendar.is_there(self.at) {
            self.held.push(notice.id);
            return None;
        }
        if let Some(track) = self.tracks.get_mut(&notice.subject.person()) {
            track.see(notice, self.at);
        }
        Some(Input::NoticeShown(notice.id, Medium::Desktop))
    }
}

impl Track {
    fn see(&mut self, notice: &Notice, at: Timestamp) {
        let warns = match notice.kind {
            NoticeKind::First
            | NoticeKind::Reminder { .. }
            | NoticeKind::Update
            | NoticeKind::Again
            | NoticeKind::LastCall => true,
            NoticeKind::Revoked
            | NoticeKind::Waiting
            | NoticeKind::Restored
            | NoticeKind::SetUpAgain
            | NoticeKind::Correction => false,
        };
        if warns && self.told.is_none() {
            self.told = Some(at);
            self.told_deadline = notice.deadline;
        }
    }
}
