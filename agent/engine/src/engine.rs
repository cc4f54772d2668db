//! The engine's one entrance: an input goes in, effects come out.

use std::collections::BTreeSet;

use forewarn_proto::{
    policy::Domain,
    report::{Hold, Refusal},
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Effect, Input, MailFound, Now, ObligationId, PolicySet, ProfileId, Settings, State, Subject, TrustedTime,
    deadline::after, finding::Listings,
};

/// How far trusted time may run before it is stored for its own sake, at the next input that comes anyway.
const STORE_TIME_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// Decides. See the crate's documentation.
#[derive(Debug)]
pub struct Engine {
    pub(crate) settings: Settings,
    pub(crate) state: State,
    pub(crate) policies: Option<PolicySet>,
    pub(crate) refused: Option<Refusal>,
    pub(crate) listings: Listings,
    pub(crate) mail: MailFound,
    pub(crate) in_flight: InFlight,
    generation: u64,
    persisted: u64,
    stored_time: Option<Timestamp>,
    rescan_wanted: bool,
    rescan_not_before: Option<Timestamp>,
}

/// What was handed out and not answered yet. Lost with the process, which only means that it is handed out again.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    pub(crate) notices: BTreeSet<Subject>,
    pub(crate) profiles: BTreeSet<ProfileId>,
}

impl Engine {
    /// Starts from what was stored, or from nothing.
    pub fn new(settings: Settings, state: State) -> Self {
        Self {
            settings,
            stored_time: state.time.as_ref().map(TrustedTime::at),
            state,
            policies: None,
            refused: None,
            listings: Listings::default(),
            mail: MailFound::default(),
            in_flight: InFlight::default(),
            generation: 0,
            persisted: 0,
            rescan_wanted: false,
            rescan_not_before: None,
        }
    }

    /// What the shell stores at [`Effect::Persist`].
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The mail domains that policies in force name. The shell looks for profiles of these.
    pub fn domains(&self) -> BTreeSet<Domain> {
        self.in_force().flat_map(|policy| policy.consequence.mail.iter().cloned()).collect()
    }

    /// Takes one input and says what to do. `now` holds the clocks' readings of this moment.
    pub fn handle(&mut self, input: Input, now: &Now) -> Vec<Effect> {
        let before = self.state.clone();
        let mut effects = Vec::new();
        self.carry_time(now);
        self.apply(input, now, &mut effects);
        self.update_obligations(now, &mut effects);
        self.update_profiles(now);
        self.update_notices(now);
        effects.extend(self.update_report(now));
        let notices = self.hand_out_notices(now);
        effects.extend(self.persist_if_changed(&before));
        effects.extend(self.rescan_if_needed(now));
        // After the word that they may have been seen is on its way to the disk.
        effects.extend(notices);
        if self.persisted == self.generation {
            self.hand_out_profiles(now, &mut effects);
        }
        effects
    }

    /// How long the shell may sleep before it has to call with [`Input::Tick`]; for ever if none.
    pub fn next_wake(&self, now: &Now) -> Option<SignedDuration> {
        let at = self.time_at(now);
        let unsaved = (self.persisted < self.generation).then(|| after(at, Settings::FIRST_RETRY));
        let retries = self.state.notices.values().filter_map(|waiting| waiting.retry_at);
        let profiles = self.state.profiles.values().filter_map(|profile| profile.retry_at);
        let due = self.state.obligations.keys().flat_map(|id| self.points_of(id, now));
        let points = retries.chain(profiles).chain(due).chain(self.rescan_not_before).chain(unsaved);
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

    /// Trusted time at the present input.
    pub(crate) fn time(&self) -> Timestamp {
        self.state.time.as_ref().map_or(Timestamp::MIN, TrustedTime::at)
    }

    fn points_of(&self, id: &ObligationId, now: &Now) -> Vec<Timestamp> {
        let last_call = self.state.obligations.get(id).and_then(|obligation| obligation.last_call);
        let points =
            [self.deadline(id, now), self.next_notice(id, now), last_call.map(|c| after(c, Settings::LAST_CALL))];
        points.into_iter().flatten().collect()
    }

    fn carry_time(&mut self, now: &Now) {
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
                self.state.confirmed_in = Some(now.boot_id.clone());
            }
            Input::BundleRefused(refusal) => self.refused = Some(refusal),
            Input::InventoryTaken(listings) => {
                let at = self.time();
                self.listings.take(listings, at);
            }
            Input::MailFound(mail) => self.mail = mail,
            Input::NoticeShown(subject, kind) => self.notice_shown(&subject, kind, now, effects),
            Input::NoticeFailed(subject) => self.notice_failed(&subject),
            Input::NoticeAcknowledged(id) => self.acknowledge(&id),
            Input::Persisted(generation) => self.persisted = self.persisted.max(generation),
            Input::Revoked(id) => self.revoked(&id),
            Input::RevokeWaits(id, clients) => self.revoke_waits(&id, clients),
            Input::RevokeFailed(id) | Input::RestoreFailed(id) => self.profile_failed(&id, Settings::LONGEST_RETRY),
            Input::Restored(id) => self.restored(&id),
            Input::ReportDelivered(sequence) => self.state.delivered = self.state.delivered.max(sequence),
        }
    }

    fn accept(&mut self, set: PolicySet) {
        for (id, retraction) in &set.retractions {
            let through = self.state.retracted.entry(id.clone()).or_default();
            *through = retraction.through_version.max(*through);
        }
        for (id, signed) in &set.policies {
            let accepted = self.state.accepted.entry(id.clone()).or_default();
            *accepted = signed.policy.version.max(*accepted);
        }
        self.policies = Some(set);
        self.rescan_wanted = true;
    }

    fn acknowledge(&mut self, id: &ObligationId) {
        let at = self.time();
        if let Some(obligation) = self.state.obligations.get_mut(id).filter(|o| o.last_shown.is_some()) {
            obligation.acknowledged.get_or_insert(at);
        }
    }

    fn persist_if_changed(&mut self, before: &State) -> Option<Effect> {
        let at = self.time();
        let timely = self.stored_time.is_some_and(|stored| at.duration_since(stored).abs() < STORE_TIME_EVERY);
        let same = State { time: before.time.clone(), ..self.state.clone() } == *before;
        let saved = self.persisted == self.generation;
        if timely && same && saved {
            return None;
        }
        self.stored_time = Some(at);
        self.generation += 1;
        Some(Effect::Persist(self.generation))
    }

    /// A scan is due when policies changed, or when an old scan is all that holds a revoke.
    fn rescan_if_needed(&mut self, now: &Now) -> Option<Effect> {
        let at = self.time();
        let stale = |id: &ObligationId| self.holds(id, now) == [Hold::ScanNotFresh];
        let due = self.rescan_not_before.is_none_or(|t| t <= at) && self.state.obligations.keys().any(stale);
        if !due && !self.rescan_wanted {
            return None;
        }
        self.rescan_wanted = false;
        self.rescan_not_before = due.then(|| after(at, self.settings.max_scan_age));
        Some(Effect::Rescan)
    }
}
