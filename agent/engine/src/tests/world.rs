//! A device. Everything outside the engine is a plain field; time passes only when a test says so.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, VecDeque},
};

use forewarn_proto::{
    inventory::{Person, Scope, Source},
    policy::{Domain, Language, Policy, PolicyId, Retraction},
    report::{Medium, Obstacle, Report},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{
    model::{Facts, Model},
    referee::Referee,
};
pub(super) use crate::{App, Input, NoticeKind, Settings, Subject};
use crate::{
    Effect, Engine, Gap, Listing, Look, MailOf, Notice, Now, Package, PolicySet, ProfileId, SignedPolicy, Spared,
    State, Token,
};

pub(super) const ANN: Person = Person::from_bits(1000);
pub(super) const BEN: Person = Person::from_bits(1001);
pub(super) const HOUR: SignedDuration = SignedDuration::from_hours(1);
pub(super) const MINUTE: SignedDuration = SignedDuration::from_mins(1);

thread_local! {
    /// Calls of [`Engine::handle`] in this test.
    pub(super) static STEPS: Cell<u64> = const { Cell::new(0) };
}

/// A device.
pub(super) struct World {
    pub(super) engine: Engine,
    settings: Settings,
    stored: State,
    /// The time by a clock that nobody can touch.
    pub(super) truth: Timestamp,
    /// By how much the device's wall clock is wrong.
    pub(super) wall_error: SignedDuration,
    pub(super) boot: SignedDuration,
    pub(super) boots: u32,
    /// Whether nobody can tell which boot it is.
    pub(super) boot_unread: bool,
    pub(super) zone: TimeZone,
    /// What the server has.
    pub(super) set: PolicySet,
    /// What the device has of it.
    cached: PolicySet,
    pub(super) installed: BTreeSet<(Scope, String)>,
    pub(super) broken_scan: bool,
    pub(super) people: Vec<Person>,
    pub(super) mailless: BTreeSet<Person>,
    /// Who doesn't look at a screen.
    pub(super) away: BTreeSet<Person>,
    /// Whether a mail client runs at the deadline.
    pub(super) client_runs: bool,
    pub(super) vault_broken: bool,
    pub(super) disk_full: bool,
    /// How many effects may still be done before the power goes.
    pub(super) power: Option<usize>,
    pub(super) dead: bool,
    /// The listings that the shell gave last.
    given: BTreeMap<Scope, Listing>,
    /// The look that takes long, by its token.
    begun: Option<Token>,
    /// For which packages a look of each token was begun, as the model knows them.
    asked_for: BTreeMap<u64, BTreeSet<String>>,
    /// How many receipts come only at the end of the event.
    pub(super) slow_receipts: bool,
    late: Vec<Input>,
    pub(super) vault: BTreeSet<ProfileId>,
    /// Of that in the vault, what was set up again.
    again: BTreeSet<ProfileId>,
    pub(super) log: Vec<Happened>,
    pub(super) reports: Vec<Report>,
    pub(super) model: Model,
    kept_model: Model,
    pub(super) referee: Referee,
}

/// Something that a person or an onlooker could have seen, by true time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Happened {
    pub(super) at: Timestamp,
    pub(super) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Shown(Notice),
    NotShown(Subject),
    Withdrawn(Subject),
    Revoked(ProfileId),
    Waits(ProfileId),
    RevokeFailed(ProfileId),
    Restored(ProfileId),
    RestoreFailed(ProfileId),
}

impl World {
    pub(super) fn new() -> Self {
        Self::at("2026-12-01T09:00Z", Settings::default())
    }

    pub(super) fn at(time: &str, settings: Settings) -> Self {
        let truth: Timestamp = time.parse().unwrap();
        Self {
            engine: Engine::new(settings.clone(), State::default()),
            stored: State::default(),
            truth,
            wall_error: SignedDuration::ZERO,
            boot: SignedDuration::from_secs(60),
            boots: 0,
            boot_unread: false,
            zone: TimeZone::UTC,
            set: PolicySet::default(),
            cached: PolicySet::default(),
            installed: BTreeSet::new(),
            broken_scan: false,
            people: vec![ANN],
            mailless: BTreeSet::new(),
            away: BTreeSet::new(),
            client_runs: false,
            vault_broken: false,
            disk_full: false,
            power: None,
            dead: false,
            given: BTreeMap::new(),
            begun: None,
            asked_for: BTreeMap::new(),
            slow_receipts: false,
            late: Vec::new(),
            vault: BTreeSet::new(),
            again: BTreeSet::new(),
            log: Vec::new(),
            reports: Vec::new(),
            model: Model::new(settings.clone()),
            kept_model: Model::new(settings.clone()),
            referee: Referee::new(settings.clone()),
            settings,
        }
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// After a start, what shows notices to people comes anew.
    pub(super) fn companions_come(&mut self) {
        self.people.clone().into_iter().for_each(|person| self.give(Input::PersonReachable(person)));
    }

    /// What must not have happened, and did.
    pub(super) fn verdict(&self) -> Option<&String> {
        self.referee.verdict.as_ref()
    }

    /// A device whose person has the app, under a policy with this deadline.
    pub(super) fn banned(deadline: &str) -> Self {
        let mut world = Self::new();
        world.start();
        world.install(Scope::Person(ANN), "tiktok");
        world.publish(&policy("ban", 1, deadline));
        world
    }

    pub(super) fn install(&mut self, scope: Scope, app: &str) {
        self.installed.insert((scope, app.to_owned()));
    }

    pub(super) fn now(&self) -> Now {
        let wall = self.truth.saturating_add(self.wall_error).unwrap();
        Now {
            wall,
            boot: self.boot,
            boot_id: (!self.boot_unread).then(|| self.boots.to_string()),
            zone: self.zone.clone(),
        }
    }

    pub(super) fn publish(&mut self, policy: &Policy) {
        let signed_by = vec!["alice".into(), "bob".into()];
        let expires = self.truth.saturating_add(HOUR * 24 * 366).unwrap();
        let signed = SignedPolicy { policy: policy.clone().into(), signed_by, expires };
        self.set.policies.insert(policy.id.clone(), signed);
        self.push();
    }

    pub(super) fn retract(&mut self, id: &str, through_version: u64) {
        let id: PolicyId = id.parse().unwrap();
        let message = BTreeMap::from([(Language::english(), "Sent in error.".to_owned())]);
        let retraction = Retraction { format: 1, policy: id.clone(), through_version, reason: "error".into(), message };
        self.set.undoing.retractions.insert(id, retraction);
        self.push();
    }

    /// This device is spared a rule until then.
    pub(super) fn spare(&mut self, policy: &str, rule: &str, until: Timestamp) {
        let spared = Spared { until, signed_by: vec!["bob".into()] };
        self.set.undoing.spare(&policy.parse().unwrap(), &rule.parse().unwrap(), &spared);
        self.push();
    }

    /// The server's bundle arrives.
    pub(super) fn push(&mut self) {
        self.set.bundle += 1;
        self.give(Input::ServerTime(self.truth));
        if self.dead {
            return;
        }
        self.cached = self.set.clone();
        self.give(Input::PoliciesVerified(self.set.clone()));
        self.give(Input::PoliciesConfirmed);
    }

    /// The server says that what the device has is current.
    pub(super) fn confirm(&mut self) {
        self.give(Input::ServerTime(self.truth));
        self.give(Input::PoliciesConfirmed);
    }

    /// Lets time pass, with the server confirming every six hours.
    pub(super) fn pass(&mut self, hours: i64) {
        for _ in 0..hours * 4 {
            self.advance(MINUTE * 15);
            if self.boot.as_mins() % 360 < 15 {
                self.confirm();
            }
        }
    }

    /// Lets time pass without the server, waking the engine as it asked.
    pub(super) fn advance(&mut self, length: SignedDuration) {
        let mut left = length;
        let mut wakes = 0;
        while left > SignedDuration::ZERO {
            wakes += 1;
            assert!(wakes < 20_000, "the engine does not sleep: {:?}", self.engine.next_wake(&self.now()));
            let wake = self.engine.next_wake(&self.now()).filter(|_| !self.dead);
            let step = wake.unwrap_or(left).clamp(SignedDuration::from_millis(1), left);
            self.truth += step;
            self.boot += step;
            left -= step;
            self.give(Input::Tick);
        }
    }

    /// A person sets mail that was taken up again. While it is still on its way, nobody could tell the two apart.
    pub(super) fn set_up_again(&mut self, person: Person) {
        let settled = self.engine.revoked_of(person);
        let taken = self.vault.iter().filter(|id| id.person == person && settled.contains(&id.domain));
        let taken: Vec<ProfileId> = taken.cloned().collect();
        for id in taken.into_iter().filter(|id| self.again.insert(id.clone())) {
            self.referee.set_up_again(id, self.truth);
        }
    }

    /// A mail client is closed.
    pub(super) fn close_client(&mut self) {
        self.client_runs = false;
        let profiles: Vec<ProfileId> = self.engine.state().profiles.keys().cloned().collect();
        profiles.into_iter().for_each(|id| self.give(Input::ClientClosed(id)));
    }

    /// The device is switched off for a while, and on again. What was not stored is lost.
    pub(super) fn off(&mut self, length: SignedDuration) {
        self.truth += length;
        self.boots += 1;
        self.boot = SignedDuration::from_secs(30);
        self.restart();
    }

    /// The device is suspended for a while; the boot clock goes on.
    pub(super) fn suspend(&mut self, length: SignedDuration) {
        self.truth += length;
        self.boot += length;
        self.give(Input::Tick);
    }

    /// The process dies and begins again. What was not stored is lost.
    pub(super) fn restart(&mut self) {
        self.referee.power_went();
        self.power = None;
        self.dead = false;
        self.late.clear();
        self.given.clear();
        self.model = self.kept_model.clone();
        self.model.forget_looks();
        #[expect(clippy::mem_replace_with_default, reason = "the test's switch goes with it")]
        let ignores = std::mem::replace(&mut self.engine.ignores, BTreeSet::new());
        self.engine = Engine::new(self.settings.clone(), self.stored.clone());
        (self.begun, self.asked_for) = (None, BTreeMap::new());
        self.engine.ignores = ignores;
        self.start();
    }

    /// What the shell does at its start: what is cached is verified again, packages and mail are listed.
    pub(super) fn start(&mut self) {
        if self.cached.bundle > 0 {
            self.give(Input::PoliciesVerified(self.cached.clone()));
        }
        self.scan();
    }

    /// Lists everything.
    pub(super) fn scan(&mut self) {
        self.look().into_iter().for_each(|input| self.give(input));
    }

    /// What is heard of a look at everything: each scope is a look of its own, and the system's is done first.
    fn look(&mut self) -> Vec<Input> {
        self.given = self.listings().into_iter().map(|listing| (listing.scope, listing)).collect();
        let token = self.search();
        self.given.values().map(|listing| Input::Looked(self.found(token, listing.clone()))).collect()
    }

    /// What is heard of a look at one scope, or at all.
    fn look_at(&mut self, scope: Option<Scope>) -> Vec<Input> {
        let is_meant = |input: &Input| matches!(input, Input::Looked(look) if scope.is_none_or(|s| s == look.scope));
        self.look().into_iter().filter(is_meant).collect()
    }

    /// What a look finds that has this listing.
    pub(super) fn found(&self, token: Token, listing: Listing) -> Look {
        let mail = if let Scope::Person(person) = listing.scope { Some(self.mail_of(person)) } else { None };
        Look { token, scope: listing.scope, listings: [listing].into(), mail }
    }

    /// Gives what a look finds that has this listing.
    pub(super) fn give_listing(&mut self, listing: Listing) {
        let token = self.search();
        self.give(Input::Looked(self.found(token, listing)));
    }

    /// The token of a look that begins now.
    pub(super) fn search(&mut self) -> Token {
        let token = self.engine.search().token;
        self.asked_for.insert(token.0, self.model.asked_for());
        token
    }

    /// A look begins that takes long.
    pub(super) fn begin_look(&mut self) {
        let token = self.search();
        self.begun.get_or_insert(token);
    }

    /// That look ends, and may be for rules that are no longer those in force.
    pub(super) fn end_look(&mut self) {
        let Some(token) = self.begun.take() else { return };
        let late = self.listings().into_iter().map(|listing| Input::Looked(self.found(token, listing)));
        late.collect::<Vec<_>>().into_iter().for_each(|input| self.give(input));
    }

    pub(super) fn give(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        let mut rounds = 0;
        while let Some(input) = inputs.pop_front().filter(|_| !self.dead) {
            STEPS.set(STEPS.get() + 1);
            rounds += 1;
            assert!(rounds < 1000, "the engine and its shell go round in circles: {input:?}");
            self.tell_model(&input);
            let effects = self.engine.handle(input, &self.now());
            for effect in effects {
                match &mut self.power {
                    Some(0) => {
                        self.dead = true;
                        return;
                    }
                    Some(left) => *left -= 1,
                    None => {}
                }
                inputs.extend(self.perform(effect));
            }
        }
    }

    /// Receipts that were slow come in.
    pub(super) fn settle_receipts(&mut self) {
        for input in std::mem::take(&mut self.late) {
            self.give(input);
        }
    }

    fn tell_model(&mut self, input: &Input) {
        let facts = Facts { at: self.truth, zone: &self.zone, mail: self.owned_mail() };
        if let Input::Looked(look) = input
            && self.asked_for.get(&look.token.0) != Some(&self.model.asked_for())
        {
            return;
        }
        self.model.hear(input, &facts);
        self.referee.hear(input, self.truth, self.boots);
    }

    fn perform(&mut self, effect: Effect) -> Vec<Input> {
        match effect {
            Effect::Persist(_) if self.disk_full => Vec::new(),
            Effect::Persist(generation) => {
                self.stored = self.engine.state().clone();
                self.kept_model = self.model.clone();
                self.referee.stored();
                vec![Input::Persisted(generation)]
            }
            Effect::Rescan(scope) => self.look_at(scope),
            Effect::ShowNotice(notice) => {
                // In every test: a notice names a moment that is to come, or none.
                let now = self.engine.now();
                assert!(notice.deadline.is_none_or(|deadline| deadline > now), "at {now}: {notice:#?}");
                self.show(notice)
            }
            Effect::WithdrawNotice(subject) => {
                self.happened(What::Withdrawn(subject));
                Vec::new()
            }
            Effect::Revoke(id) => self.revoke(id),
            Effect::Restore(id) if self.vault_broken => {
                self.happened(What::RestoreFailed(id.clone()));
                vec![Input::RestoreFailed(id)]
            }
            Effect::Restore(id) => {
                self.vault.remove(&id);
                self.again.remove(&id);
                self.happened(What::Restored(id.clone()));
                vec![Input::Restored(id)]
            }
            Effect::Report(report) => {
                let sequence = report.sequence;
                self.reports.push(report);
                vec![Input::ReportDelivered(sequence)]
            }
        }
    }

    fn show(&mut self, notice: Notice) -> Vec<Input> {
        let id = notice.id;
        let receipt = if self.away.contains(&notice.subject.person()) {
            self.happened(What::NotShown(notice.subject));
            Input::NoticeFailed(id, Obstacle::Locked)
        } else {
            self.model.expect_receipt(&notice, self.truth, &self.zone);
            self.referee.shown(&notice, self.truth);
            self.happened(What::Shown(notice));
            Input::NoticeShown(id, Medium::Desktop)
        };
        if self.slow_receipts {
            self.late.push(receipt);
            return Vec::new();
        }
        vec![receipt]
    }

    fn revoke(&mut self, id: ProfileId) -> Vec<Input> {
        self.referee.revoked(&id, self.truth, self.boots);
        if self.vault_broken {
            self.happened(What::RevokeFailed(id.clone()));
            return vec![Input::RevokeFailed(id)];
        }
        if self.client_runs {
            self.happened(What::Waits(id.clone()));
            return vec![Input::RevokeWaits(id, vec!["Thunderbird".into()])];
        }
        self.vault.insert(id.clone());
        self.again.remove(&id);
        self.happened(What::Revoked(id.clone()));
        vec![Input::Revoked(id)]
    }

    fn happened(&mut self, what: What) {
        self.log.push(Happened { at: self.truth, what });
    }

    pub(super) fn listings(&self) -> Vec<Listing> {
        let scopes = self.people.iter().map(|person| Scope::Person(*person)).chain([Scope::System]);
        let gap = Gap { path: "/broken".into(), offset: None, reason: "broken".into() };
        let listing = |scope: Scope| Listing {
            source: Source::Desktop,
            scope,
            count: self.installed.iter().filter(|(s, _)| *s == scope).count(),
            packages: self.installed.iter().filter(|(s, _)| *s == scope).map(|(_, app)| package(app)).collect(),
            gaps: if self.broken_scan { vec![gap.clone()] } else { Vec::new() },
        };
        scopes.map(listing).collect()
    }

    /// Who has mail of which domain, in its place or in the vault.
    fn owned_mail(&self) -> BTreeMap<Person, BTreeSet<Domain>> {
        let domains: BTreeSet<Domain> = ["corp.example", "corp.test"].map(|domain| domain.parse().unwrap()).into();
        let of = |person: Person| if self.mailless.contains(&person) { BTreeSet::new() } else { domains.clone() };
        self.people.iter().map(|person| (*person, of(*person))).collect()
    }

    fn mail_of(&self, person: Person) -> MailOf {
        let looked_for = self.engine.domains();
        let present = |domain: &&Domain| {
            let id = ProfileId { domain: (*domain).clone(), person };
            (!self.vault.contains(&id) || self.again.contains(&id)) && !self.mailless.contains(&person)
        };
        let has = looked_for.iter().filter(present).cloned().collect();
        MailOf { looked_for, has }
    }
}

pub(super) fn package(app: &str) -> Package {
    let purl = format!("pkg:webapp/chromium/{app}").parse().unwrap();
    Package { purl, display_name: Some(app.to_owned()), found_in: format!("{app}.desktop"), state: None }
}

/// A policy that bans TikTok; `deadline` is the body of its `[deadline]` table.
pub(super) fn policy(id: &str, version: u64, deadline: &str) -> Policy {
    policy_about(id, version, "TikTok", deadline, "mail = [\"corp.example\"]", "")
}

/// A policy that bans one app, by its purl or, as in `TikTok by name`, by its display name alone. `top` is what else stands
/// at its head.
pub(super) fn policy_about(id: &str, version: u64, app: &str, deadline: &str, consequence: &str, top: &str) -> Policy {
    let (app, by_name) = app.strip_suffix(" by name").map_or((app, false), |app| (app, true));
    let rule = app.to_lowercase();
    let identity = match app {
        _ if by_name => format!("display_names = [\"{app}\"]"),
        "Elsewhere" => "purls = [\"pkg:android/elsewhere\"]".to_owned(),
        _ => format!("purls = [\"pkg:webapp/chromium/{rule}\"]"),
    };
    let text = format!(
        "id = \"{id}\"\nversion = {version}\ntitle = \"{app} must go ({id})\"\n{top}\n[deadline]\n{deadline}\n\
         [message]\nen = \"Please.\"\n[consequence]\n{consequence}\n\
         [[rule]]\nid = \"{rule}\"\napp = \"{app}\"\n{identity}\n"
    );
    Policy::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

/// What tests ask of a world.
impl World {
    pub(super) fn obligation(&self, person: Person) -> Option<forewarn_proto::ipc::ObligationStatus> {
        self.engine.obligations_of(person).into_iter().next()
    }

    pub(super) fn stage(&self, person: Person) -> Option<forewarn_proto::report::Stage> {
        self.obligation(person).map(|obligation| obligation.stage)
    }

    pub(super) fn holds(&self, person: Person) -> Vec<forewarn_proto::report::Hold> {
        self.obligation(person).map(|obligation| obligation.holds).unwrap_or_default()
    }

    pub(super) fn notices(&self) -> impl Iterator<Item = (Timestamp, &Notice)> {
        self.log.iter().filter_map(|happened| match &happened.what {
            What::Shown(notice) => Some((happened.at, notice)),
            _ => None,
        })
    }

    pub(super) fn kinds_shown(&self) -> Vec<NoticeKind> {
        self.notices().map(|(_, notice)| notice.kind).collect()
    }

    pub(super) fn revokes(&self) -> Vec<Timestamp> {
        let revokes = self.log.iter().filter(|happened| matches!(happened.what, What::Revoked(_)));
        revokes.map(|happened| happened.at).collect()
    }

    /// From the first notice to the first revoke.
    pub(super) fn notice_given(&self) -> Option<SignedDuration> {
        Some(self.revokes().first()?.duration_since(self.notices().next()?.0))
    }
}
