//! The referee: what must never happen, judged by true time and by what people were really shown. It never asks the
//! engine, forgets only what the power took, and is content with the weakest statement that still keeps the promise.

use std::collections::BTreeMap;

use forewarn_proto::{
    inventory::{Person, Scope},
    policy::{Offline, Policy, PolicyId},
};
use jiff::{Timestamp, tz::TimeZone};

use crate::{Input, Listing, Notice, NoticeKind, Package, PolicySet, ProfileId, Settings, Subject};

#[derive(Debug, Clone)]
pub(super) struct Referee {
    settings: Settings,
    set: PolicySet,
    retracted: BTreeMap<PolicyId, u64>,
    /// When the policies were last confirmed, and in which boot.
    confirmed: Option<(Timestamp, u32)>,
    /// The same as of what was last stored: a device can't wait for what the power took.
    stored: Option<(Timestamp, u32)>,
    /// What was listed last, and when.
    listed: BTreeMap<Scope, (Timestamp, Listing)>,
    /// Everything that was ever on a screen, and the highest version of each policy that had been heard of then.
    shown: Vec<(Timestamp, Notice, BTreeMap<PolicyId, u64>)>,
    pub(super) newest: BTreeMap<PolicyId, u64>,
    may_have_seen: bool,
    /// Mail that was set up again while it was in the vault, and when.
    again: BTreeMap<ProfileId, Timestamp>,
    pub(super) corrected: Vec<(PolicyId, Person)>,
    /// The first promise that was broken, and how.
    pub(super) verdict: Option<String>,
}

impl Referee {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            set: PolicySet::default(),
            retracted: BTreeMap::new(),
            confirmed: None,
            stored: None,
            listed: BTreeMap::new(),
            shown: Vec::new(),
            newest: BTreeMap::new(),
            may_have_seen: false,
            again: BTreeMap::new(),
            corrected: Vec::new(),
            verdict: None,
        }
    }

    /// The device heard something.
    pub(super) fn hear(&mut self, input: &Input, at: Timestamp, boot: u32) {
        match input {
            Input::PoliciesVerified(set) => {
                for (id, retraction) in &set.undoing.retractions {
                    let through = self.retracted.entry(id.clone()).or_default();
                    *through = retraction.through_version.max(*through);
                }
                for (id, signed) in &set.policies {
                    let newest = self.newest.entry(id.clone()).or_default();
                    *newest = signed.policy.version.max(*newest);
                }
                self.set = set.clone();
            }
            Input::PoliciesConfirmed => self.confirmed = Some((at, boot)),
            Input::Looked(look) => {
                self.listed.extend(look.listings.iter().map(|listing| (listing.scope, (at, listing.clone()))));
            }
            _ => {}
        }
    }

    /// A notice was really on a screen.
    pub(super) fn shown(&mut self, notice: &Notice, at: Timestamp) {
        match &notice.subject {
            Subject::App(..) => self.check_one_at_a_time(notice),
            Subject::Correction(policy, person) => self.check_correction(policy, *person),
            Subject::Profile(_) => {}
        }
        self.shown.push((at, notice.clone(), self.newest.clone()));
    }

    /// The device stored what it knows.
    pub(super) fn stored(&mut self) {
        self.stored = self.confirmed;
    }

    /// The power went. Whoever may have seen a notice is corrected from now on.
    pub(super) fn power_went(&mut self) {
        self.may_have_seen = true;
        self.confirmed = self.stored;
    }

    /// Mail that is in the vault is in its place too.
    pub(super) fn set_up_again(&mut self, id: ProfileId, at: Timestamp) {
        self.again.entry(id).or_insert(at);
    }

    /// A mail profile is about to be taken.
    pub(super) fn revoked(&mut self, id: &ProfileId, at: Timestamp, boot: u32) {
        self.check_told_again(id, at);
        let taking = self.set.policies.values().map(|signed| &signed.policy);
        let taking = taking.filter(|policy| policy.consequence.mail.contains(&id.domain));
        let objections: Vec<Option<String>> = taking.map(|policy| self.objection(policy, id, at, boot)).collect();
        if objections.iter().all(Option::is_some) {
            let reasons: Vec<String> = objections.into_iter().flatten().collect();
            self.object(format!("{id} was taken at {at}: {}", reasons.join("; ")));
        }
    }

    /// What was set up again is taken only after a notice that came later, and said so.
    fn check_told_again(&mut self, id: &ProfileId, at: Timestamp) {
        let Some(since) = self.again.remove(id) else { return };
        let least = self.settings.min_notice();
        let told = self.shown.iter().any(|(shown, notice, _)| {
            notice.kind == NoticeKind::SetUpAgain
                && notice.subject == Subject::Profile(id.clone())
                && (since..=at - least).contains(shown)
                && notice.deadline.is_some_and(|deadline| deadline <= at)
        });
        if !told {
            self.object(format!("promise 1: {id} was set up again at {since}, and taken at {at} without a notice"));
        }
    }

    /// Why a policy does not justify that a profile is taken.
    fn objection(&self, policy: &Policy, id: &ProfileId, at: Timestamp, boot: u32) -> Option<String> {
        let heard_retraction = self.retracted.get(&policy.id).is_some_and(|through| policy.version <= *through);
        let shown = self.warnings_of(&policy.id).filter(|(_, notice, _)| notice.subject.person() == id.person);
        let told: Vec<_> = shown.filter(|(_, notice, _)| notice.takes.contains(&id.domain)).collect();
        let least = self.settings.min_notice().max(policy.deadline.grace.0).max(policy.deadline.min_notice.0);
        let warned = told.iter().any(|(shown, _, _)| at.duration_since(*shown) >= least);
        // One that names no moment says that mail goes at any.
        let promised = told.last().is_some_and(|(_, notice, _)| notice.deadline.is_none_or(|deadline| deadline <= at));
        let first_zone = TimeZone::fixed(jiff::tz::offset(14));
        let absolute = policy.deadline.at.as_ref().is_none_or(|time| time.instant_in(&first_zone) <= at);
        let called = told.iter().any(|(shown, notice, _)| {
            notice.kind == NoticeKind::LastCall && at.duration_since(*shown) >= Settings::LAST_CALL
        });
        let current = self.confirmed.is_some_and(|(confirmed, in_boot)| {
            let age = at.duration_since(confirmed);
            let alone = policy.consequence.offline == Offline::Revoke && age >= self.settings.offline_limit;
            (in_boot == boot && age <= self.settings.max_staleness) || alone
        });
        let objections = [
            (heard_retraction, "promise 3: it was retracted"),
            (!warned, "promise 1: nobody was shown a notice early enough"),
            (!promised, "promise 1: the deadline that was shown had not come"),
            (!absolute, "promise 6: the policy's time had not come"),
            (!called, "promise 1: there was no last call"),
            (!current, "promise 7: nobody had confirmed the policy"),
            (!self.is_listed(policy, id.person, at), "promise 7: no fresh and complete listing shows the app"),
        ];
        objections.into_iter().find(|(applies, _)| *applies).map(|(_, why)| format!("{} ({why})", policy.id))
    }

    fn is_listed(&self, policy: &Policy, person: Person, at: Timestamp) -> bool {
        let certain = |package: &Package| {
            policy.rules[0]
                .recognise(&package.purl, package.display_name.as_deref())
                .is_some_and(|how| how.is_certain())
        };
        let reaching = self.listed.iter().filter(|(scope, _)| scope.reaches(person));
        let mut there = false;
        for (taken, listing) in reaching.map(|(_, listed)| listed) {
            if !listing.is_complete() || at.duration_since(*taken) > self.settings.max_scan_age {
                return false;
            }
            there |= listing.packages.iter().any(certain);
        }
        there
    }

    /// Two policies that ban one app speak in one notice.
    fn check_one_at_a_time(&mut self, notice: &Notice) {
        if notice.apps.len() != 1 {
            self.object(format!("a notice speaks of {:?}", notice.apps));
        }
    }

    fn check_correction(&mut self, policy: &PolicyId, person: Person) {
        if !self.may_have_seen && !self.warnings_of(policy).any(|(_, notice, _)| notice.subject.person() == person) {
            self.object(format!("promise 3: {} was corrected who had seen nothing of {policy}", person));
        }
        self.corrected.push((policy.clone(), person));
    }

    /// Whoever saw a notice of a policy that is withdrawn has been corrected, unless a later version has replaced it.
    pub(super) fn check_all_corrected(&mut self) {
        for policy in self.retracted.clone().into_keys() {
            let through = self.retracted.get(&policy);
            let withdrawn = self.newest.get(&policy) <= through;
            let seen = self.warnings_of(&policy).filter(|_| withdrawn);
            let mut people = seen.map(|(_, notice, _)| notice.subject.person());
            let missed = people.find(|person| !self.corrected.contains(&(policy.clone(), *person)));
            drop(people);
            if let Some(person) = missed {
                self.object(format!("promise 3: {} saw a notice of {policy} and was not corrected", person));
            }
        }
    }

    /// Every warning that named a policy.
    fn warnings_of(&self, policy: &PolicyId) -> impl Iterator<Item = &(Timestamp, Notice, BTreeMap<PolicyId, u64>)> {
        let named = format!("({policy})");
        self.shown.iter().filter(move |(_, notice, _)| {
            matches!(notice.subject, Subject::App(..))
                && notice.titles.iter().any(|title| title.english().contains(&named))
        })
    }

    pub(super) fn object(&mut self, verdict: String) {
        self.verdict.get_or_insert(verdict);
    }
}
