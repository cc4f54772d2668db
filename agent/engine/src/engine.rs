//! The engine's one entrance: an input goes in, effects come out.

use std::collections::{BTreeMap, BTreeSet};

use forewarn_proto::{
    inventory::{Person, Scope},
    policy::{Domain, PolicyId, Rule},
    report::{Hold, Obstacle, Refusal, Unread},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{
    Effect, Input, Look, MailOf, Notice, NoticeId, Now, ObligationId, PolicySet, ProfileId, Search, Settings, State,
    Subject, TrustedTime,
    finding::{Listings, RuleKey},
    receipts::Receipt,
    state::Place,
    time::after,
};

/// How far trusted time may run before it is stored for its own sake, at the next input that comes anyway.
const STORE_TIME_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// How far it may run while somebody has a deadline. A power cut takes no more from the time that has passed.
const KEEP_TIME_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// Decides. See the crate's documentation.
#[derive(Debug)]
pub struct Engine {
    pub(crate) settings: Settings,
    pub(crate) state: State,
    pub(crate) policies: Option<PolicySet>,
    pub(crate) refused: Option<Refusal>,
    /// The device's time zone, as of the last input.
    pub(crate) zone: TimeZone,
    pub(crate) listings: Listings,
    /// What mail everybody has whose home was looked at.
    pub(crate) mail: BTreeMap<Person, MailOf>,
    pub(crate) in_flight: InFlight,
    /// The last receipt about each subject, as long as the process lives: it may have to be taken back.
    pub(crate) receipts: BTreeMap<Subject, Receipt>,
    /// Notices that are shown as soon as the state is on disk, and when they were made.
    pub(crate) prepared: Vec<(Timestamp, Notice)>,
    /// People to whom nothing shows notices now.
    pub(crate) unattended: BTreeSet<Person>,
    /// The scopes that were looked at since the process began, whatever came of it. A report before all of them would say
    /// less than the last one.
    pub(crate) looked_at: BTreeSet<Scope>,
    /// Scopes that are to be looked at again.
    pub(crate) to_look_at: BTreeSet<Scope>,
    /// Whether the policies were confirmed since the process began.
    pub(crate) confirmed_here: bool,
    #[cfg(test)]
    pub(crate) ignores: BTreeSet<Hold>,
    generation: u64,
    persisted: u64,
    stored_time: Option<Timestamp>,
    rescan_wanted: bool,
    rescan_not_before: Option<Timestamp>,
    /// When each preview came, from which what it would do is reckoned.
    pub(crate) previewed: BTreeMap<PolicyId, (u64, Timestamp)>,
}

/// What was handed out and not answered yet. Lost with the process, which only means that it is handed out again.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    pub(crate) notices: BTreeMap<NoticeId, Subject>,
    pub(crate) profiles: BTreeSet<ProfileId>,
}

impl Engine {
    /// Starts from what was stored, or from nothing.
    pub fn new(settings: Settings, mut state: State) -> Self {
        state.begin();
        Self {
            settings,
            stored_time: state.time.as_ref().map(TrustedTime::at),
            state,
            policies: None,
            refused: None,
            zone: TimeZone::UTC,
            listings: Listings::default(),
            mail: BTreeMap::new(),
            in_flight: InFlight::default(),
            receipts: BTreeMap::new(),
            prepared: Vec::new(),
            unattended: BTreeSet::new(),
            looked_at: BTreeSet::new(),
            to_look_at: BTreeSet::new(),
            confirmed_here: false,
            #[cfg(test)]
            ignores: BTreeSet::new(),
            generation: 0,
            persisted: 0,
            rescan_wanted: false,
            rescan_not_before: None,
            previewed: BTreeMap::new(),
        }
    }

    /// What the shell stores at [`Effect::Persist`].
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The mail domains that policies in force and previews name. The shell looks for profiles of these.
    pub fn domains(&self) -> BTreeSet<Domain> {
        let previews = self.policies.iter().flat_map(|set| set.previews.values());
        self.in_force().chain(previews).flat_map(|policy| policy.consequence.mail.iter().cloned()).collect()
    }

    /// What is to be looked for now. Listings name the packages that some rule may name; all others are the shell's to forget.
    pub fn search(&self) -> Search {
        Search { token: self.listings.token(), wanted: self.listings.wanted(), domains: self.domains() }
    }

    /// Takes one input and says what to do. `now` holds the clocks' readings of this moment.
    pub fn handle(&mut self, input: Input, now: &Now) -> Vec<Effect> {
        let before = self.state.clone();
        let mut effects = Vec::new();
        self.carry_time(now);
        self.apply(input, now, &mut effects);
        self.update_obligations(&mut effects);
        self.update_profiles();
        self.update_agains();
        self.update_notices();
        effects.extend(self.update_report());
        self.prepare_notices(now);
        effects.extend(self.persist_if_changed(&before));
        effects.extend(self.rescan_if_needed());
        effects.extend(std::mem::take(&mut self.to_look_at).into_iter().map(|scope| Effect::Rescan(Some(scope))));
        if self.persisted == self.generation {
            effects
                .extend(std::mem::take(&mut self.prepared).into_iter().map(|(_, notice)| Effect::ShowNotice(notice)));
            self.hand_out_profiles(&mut effects);
        }
        effects
    }

    /// How long the shell may sleep before it has to call with [`Input::Tick`]; for ever if none.
    pub fn next_wake(&self, now: &Now) -> Option<SignedDuration> {
        let at = self.time_at(now);
        let unsaved = self.stored_time.filter(|_| self.persisted < self.generation);
        let kept = self.stored_time.filter(|_| !self.state.obligations.is_empty());
        let notices = self.state.notices.values().filter_map(|waiting| waiting.retry_at);
        let profiles = self.state.profiles.values().filter_map(|profile| profile.retry_at);
        let due = self.state.obligations.keys().flat_map(|id| self.points_of(id));
        let agains = self.state.profiles.keys().filter_map(|id| self.again_deadline(id));
        let points = notices
            .chain(profiles)
            .chain(agains)
            .chain(due)
            .chain(self.turns())
            .chain(kept.map(|stored| after(stored, KEEP_TIME_EVERY)))
            .chain(self.rescan_not_before)
            .chain(unsaved.map(|asked| after(asked, Settings::FIRST_RETRY)));
        // What came due since the last input is looked at now; what was due at it has been.
        let last = self.time();
        points.filter(|point| *point > last).min().map(|point| point.duration_since(at).max(SignedDuration::ZERO))
    }

    /// Trusted time at `now`, though no input came with it.
    fn time_at(&self, now: &Now) -> Timestamp {
        let mut time = self.state.time.clone().unwrap_or_else(|| TrustedTime::first(now));
        time.carry(now);
        time.at()
    }

    /// Trusted time, as of the last input.
    pub fn now(&self) -> Timestamp {
        self.time()
    }

    /// When a verified bundle last was confirmed as current.
    pub fn confirmed_at(&self) -> Option<Timestamp> {
        self.state.confirmed_at
    }

    /// Why the newest bundle that was offered is not in force; none once one was confirmed.
    pub fn refused(&self) -> Option<&Refusal> {
        self.refused.as_ref()
    }

    /// What of the bundle in force this version can't read.
    pub fn unread(&self) -> &[Unread] {
        self.policies.as_ref().map_or(&[], |set| &set.unread)
    }

    /// Trusted time at the present input.
    pub(crate) fn time(&self) -> Timestamp {
        self.state.time.as_ref().map_or(Timestamp::MIN, TrustedTime::at)
    }

    /// When something about an obligation comes due.
    fn points_of(&self, id: &ObligationId) -> Vec<Timestamp> {
        let obligation = self.state.obligations.get(id);
        let called = obligation.and_then(|obligation| obligation.last_call);
        let points = [
            self.deadline(id),
            self.next_notice(id),
            called.map(|call| after(call, Settings::LAST_CALL)),
            obligation.and_then(|obligation| obligation.snoozed),
            self.acts_offline_at(id),
        ];
        points.into_iter().flatten().collect()
    }

    fn carry_time(&mut self, now: &Now) {
        self.zone = now.zone.clone();
        self.state.time.get_or_insert_with(|| TrustedTime::first(now)).carry(now);
    }

    fn hear_time(&mut self, server: Timestamp, now: &Now) {
        let Some(time) = &mut self.state.time else {
            return;
        };
        let correction = time.hear(server, now);
        if correction.by.is_zero() {
            return;
        }
        self.state.correct(correction);
        self.listings.correct(correction);
        self.rescan_not_before = None;
    }

    fn apply(&mut self, input: Input, now: &Now, effects: &mut Vec<Effect>) {
        match input {
            Input::Tick => {}
            Input::ServerTime(server) => self.hear_time(server, now),
            Input::PoliciesVerified(set) => self.accept(set),
            Input::PoliciesConfirmed => {
                self.refused = None;
                self.state.confirmed_at = Some(self.time());
                self.state.confirmed_in = now.boot_id.clone();
                self.confirmed_here = true;
            }
            Input::UndoingHeard(undoing) => self.state.undoing.hear(&undoing),
            Input::BundleRefused(refusal) => self.refused = Some(refusal),
            Input::Looked(look) => self.looked(look),
            Input::LookFailed(scope) => drop(self.looked_at.insert(scope)),
            Input::NoticeShown(id, medium) => self.notice_shown(id, medium, effects),
            Input::NoticeFailed(id, obstacle) => self.notice_failed(id, obstacle, false),
            Input::NoticeLost(id) => self.notice_failed(id, Obstacle::NoSession, true),
            Input::NoticeUnread(id) => self.notice_unread(id),
            Input::NoticeGone(id) => self.notice_gone(id),
            Input::PersonReachable(person) => self.person_reachable(person),
            Input::PersonChanged(person) => self.person_changed(person),
            Input::PersonUnattended(person) => drop(self.unattended.insert(person)),
            Input::NoticeAcknowledged(subject) => self.acknowledge(&subject),
            Input::NoticeSnoozed(subject, length) => self.snooze(&subject, length),
            Input::Persisted(generation) => self.persisted = self.persisted.max(generation),
            Input::Revoked(id) => self.revoked(&id),
            Input::StoreLeftOpen(id) => self.store_left_open(&id),
            Input::RevokeWaits(id, clients) => self.revoke_waits(&id, clients),
            Input::RevokeFailed(id) => self.profile_failed(&id, Place::Leaving, Settings::LONGEST_RETRY),
            Input::RestoreFailed(id) => self.profile_failed(&id, Place::Returning, Settings::LONGEST_RETRY),
            Input::Restored(id) => self.restored(&id),
            Input::ClientClosed(id) => self.client_closed(&id),
            Input::ReportDelivered(sequence) => self.state.delivered = self.state.delivered.max(sequence),
        }
    }

    /// A look counts if it was made for the rules in force. Else it is made again.
    fn looked(&mut self, look: Look) {
        let Look { token, scope, listings, mail } = look;
        if token != self.listings.token() {
            self.to_look_at.insert(scope);
            return;
        }
        self.looked_at.insert(scope);
        self.listings.take(&listings, self.time());
        if let (Scope::Person(person), Some(mail)) = (scope, mail) {
            self.mail.insert(person, mail);
        }
    }

    /// Whether every scope was looked at since the process began.
    pub(crate) fn knows_the_device(&self) -> bool {
        let people = self.settings.people.iter().copied().map(Scope::Person);
        people.chain([Scope::System]).all(|scope| self.looked_at.contains(&scope))
    }

    fn accept(&mut self, set: PolicySet) {
        self.state.undoing.hear(&set.undoing);
        for (id, signed) in &set.policies {
            let accepted = self.state.accepted.entry(id.clone()).or_default();
            *accepted = signed.policy.version.max(*accepted);
        }
        self.follow_previews(&set);
        self.policies = Some(set);
        self.rescan_wanted = true;
        let (listings, policies) = (&mut self.listings, &self.policies);
        listings.set_rules(policies.iter().flat_map(PolicySet::rules));
    }

    /// Asks for the state to be stored when it has changed, when the last try seems to have failed, and now and then for
    /// the time's sake.
    fn persist_if_changed(&mut self, before: &State) -> Option<Effect> {
        let at = self.time();
        let same = State { time: before.time.clone(), ..self.state.clone() } == *before;
        let saved = self.persisted == self.generation;
        let patience = if saved { STORE_TIME_EVERY } else { Settings::FIRST_RETRY };
        if same && self.stored_time.is_some_and(|stored| at.duration_since(stored).abs() < patience) {
            return None;
        }
        self.stored_time = Some(at);
        self.generation += 1;
        Some(Effect::Persist(self.generation))
    }

    /// A scan is due when policies changed, or when an old scan is all that holds a revoke.
    fn rescan_if_needed(&mut self) -> Option<Effect> {
        let at = self.time();
        // Looking again makes no listing complete.
        let old = |id: &ObligationId| {
            self.listings.is_fresh(&RuleKey::of(id), id.person, at, SignedDuration::MAX)
                && self.holds(id) == [Hold::ScanNotFresh]
        };
        let due = self.rescan_not_before.is_none_or(|t| t <= at) && self.state.obligations.keys().any(old);
        if !due && !self.rescan_wanted {
            return None;
        }
        self.rescan_wanted = false;
        self.rescan_not_before = due.then(|| after(at, self.settings.max_scan_age));
        Some(Effect::Rescan(None))
    }
}

impl PolicySet {
    /// Every rule of every policy and preview, under the key by which its findings are kept.
    fn rules(&self) -> impl Iterator<Item = (RuleKey, &Rule)> {
        let acting = self.policies.values().map(|signed| (false, &*signed.policy));
        let previews = self.previews.values().map(|policy| (true, policy));
        acting.chain(previews).flat_map(|(preview, policy)| {
            policy.rules.iter().map(move |rule| (RuleKey::new(preview, &policy.id, &rule.id), rule))
        })
    }
}
