//! What outlives the process. Everything else is derived from it and from what is read anew.

use std::collections::{BTreeMap, BTreeSet};

use forewarn_proto::{
    inventory::{Person, Source},
    policy::{Domain, How, Language, PolicyId, Rule, Texts},
    purl::Purl,
    report::{CorrectionReport, Medium, Obstacle, Report},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{NoticeId, NoticeKind, ObligationId, ProfileId, Subject, TrustedTime, Undoing, time};

/// The engine's durable state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Where trusted time stands.
    pub(crate) time: Option<TrustedTime>,
    /// When a verified bundle last was confirmed as current.
    pub(crate) confirmed_at: Option<Timestamp>,
    /// In which boot that was: how long ago it was is certain only within one boot.
    pub(crate) confirmed_in: Option<String>,
    /// All that was heard and can only undo. Grows only.
    pub(crate) undoing: Undoing,
    /// The highest version of each policy that was ever in force here; a lower one does not come back.
    pub(crate) accepted: BTreeMap<PolicyId, u64>,
    /// Standing obligations.
    pub(crate) obligations: BTreeMap<ObligationId, Obligation>,
    /// Mail profiles that are not simply present.
    pub(crate) profiles: BTreeMap<ProfileId, Profile>,
    /// Notices that wait to be shown, at most one for each subject.
    pub(crate) notices: BTreeMap<Subject, Waiting>,
    /// The number of the last notice.
    pub(crate) last_notice: NoticeId,
    /// Who saw, or may have seen, a notice of a policy, though the obligation has since ended. They are owed a correction
    /// if the policy is withdrawn.
    pub(crate) seen: BTreeMap<PolicyId, BTreeMap<Person, Sight>>,
    /// Corrections owed and shown.
    pub(crate) corrections: BTreeMap<Subject, Correction>,
    /// The last report.
    pub(crate) report: Option<Report>,
    /// The sequence of the last report that the server has.
    pub(crate) delivered: u64,
}

/// One rule for one person, from found to restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Obligation {
    /// The policy's version that the person was told of.
    pub(crate) version: u64,
    /// The rule as it was in that version.
    pub(crate) rule: Rule,
    /// The mail domains that the counting notice said will be taken.
    pub(crate) told_takes: BTreeSet<Domain>,
    /// Whether it said that the stored mail will be closed too.
    #[serde(default)]
    pub(crate) told_lock: bool,
    /// When the app was found.
    pub(crate) found_at: Timestamp,
    /// What matched, when it was last seen.
    pub(crate) matched: Vec<Match>,
    /// Whether a complete listing has shown the app for certain since the rule bans it.
    #[serde(default)]
    pub(crate) vouched: bool,
    /// What the person has seen of it, if anything.
    pub(crate) sight: Option<Sight>,
    /// Why the last try to show a notice failed, if it did.
    pub(crate) obstacle: Option<Obstacle>,
    /// When the notice that counts for the deadline was shown.
    pub(crate) shown: Option<Timestamp>,
    /// Where that was.
    pub(crate) shown_on: Option<Medium>,
    /// When any notice was last shown.
    pub(crate) last_shown: Option<Timestamp>,
    /// When the last call was shown.
    pub(crate) last_call: Option<Timestamp>,
    /// When the person acknowledged.
    pub(crate) acknowledged: Option<Timestamp>,
    /// Until when the person wants no reminder.
    pub(crate) snoozed: Option<Timestamp>,
    /// The deadline that the person was told; it comes nearer only with a new notice.
    pub(crate) told: Option<Timestamp>,
}

/// What a person has seen of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sight {
    /// This notice was handed out, and what became of it isn't known.
    Maybe(NoticeId),
    /// A notice was shown.
    Certain,
}

/// A package that a rule names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Match {
    pub(crate) source: Source,
    pub(crate) purl: Purl,
    pub(crate) found_in: String,
    pub(crate) how: How,
}

/// Where a mail profile is, when it is not simply present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) place: Place,
    pub(crate) attempts: u32,
    pub(crate) retry_at: Option<Timestamp>,
    pub(crate) waiting_for: Vec<String>,
    /// Of one in the vault: whether the same mail was set up again by hand.
    #[serde(default)]
    pub(crate) again: Option<Again>,
    /// Of one in the vault: whether its stored mail could not be locked.
    #[serde(default)]
    pub(crate) store_open: bool,
}

/// Mail that was set up again while it is in the vault. It goes there too, after a notice of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Again {
    /// When the notice was shown.
    pub(crate) shown: Option<Timestamp>,
    /// The deadline that it said.
    pub(crate) told: Option<Timestamp>,
}

impl Profile {
    pub(crate) fn on_the_way(place: Place) -> Self {
        Self { place, attempts: 0, retry_at: None, waiting_for: Vec::new(), again: None, store_open: false }
    }
}

/// The way of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// On its way into the vault; part of it may be there.
    Leaving,
    /// In the vault.
    Vault,
    /// On its way back; part of it may be there.
    Returning,
}

/// A notice that waits to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) id: NoticeId,
    pub(crate) kind: NoticeKind,
    /// What it tells of, once it was handed out: each obligation with the mail domains that it says will be taken.
    pub(crate) tells: BTreeMap<ObligationId, BTreeSet<Domain>>,
    /// The obligations whose last call it is.
    pub(crate) last_call_of: BTreeSet<ObligationId>,
    /// Whether it says that stored mail will be closed.
    #[serde(default)]
    pub(crate) locks: bool,
    pub(crate) attempts: u32,
    pub(crate) retry_at: Option<Timestamp>,
}

/// A correction and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Correction {
    pub(crate) report: CorrectionReport,
    pub(crate) title: Texts,
    pub(crate) apps: Vec<String>,
    pub(crate) message: BTreeMap<Language, String>,
}

impl State {
    /// What a new process makes of what the former one left: a profile that is on its way back is tried again without a
    /// pause, and whoever may have seen a notice counts as having seen it, because nobody can say any more.
    pub(crate) fn begin(&mut self) {
        let returning = self.profiles.values_mut().filter(|profile| profile.place == Place::Returning);
        returning.for_each(|profile| profile.retry_at = None);
        let of_obligations = self.obligations.values_mut().filter_map(|obligation| obligation.sight.as_mut());
        of_obligations.chain(self.seen.values_mut().flat_map(BTreeMap::values_mut)).for_each(|s| *s = Sight::Certain);
    }

    /// Moves every stamp that was made by a clock which has now been corrected.
    pub(crate) fn correct(&mut self, correction: time::Correction) {
        // A deadline that a person was told moves with the notice that told it.
        for obligation in self.obligations.values_mut().filter(|o| o.shown.is_some_and(|s| correction.applies_to(s))) {
            let told = obligation.told.as_mut();
            told.into_iter().for_each(|told| correction.shift(told));
        }
        let of_obligations = self.obligations.values_mut().flat_map(Obligation::stamps);
        let agains = self.profiles.values_mut().filter_map(|profile| profile.again.as_mut());
        for again in agains.filter(|again| again.shown.is_some_and(|shown| correction.applies_to(shown))) {
            let told = again.told.as_mut();
            told.into_iter().chain(again.shown.as_mut()).for_each(|stamp| correction.shift(stamp));
        }
        let of_profiles = self.profiles.values_mut().filter_map(|profile| profile.retry_at.as_mut());
        let of_notices = self.notices.values_mut().filter_map(|waiting| waiting.retry_at.as_mut());
        let of_corrections = self.corrections.values_mut().filter_map(|c| c.report.shown.as_mut());
        self.confirmed_at
            .iter_mut()
            .chain(of_obligations)
            .chain(of_profiles)
            .chain(of_notices)
            .chain(of_corrections)
            .for_each(|stamp| correction.apply(stamp));
    }

    /// Hears that profiles of these domains are in the vault. What this state knows nothing of was taken under a state
    /// that was lost, and goes back.
    pub fn adopt(&mut self, held: impl IntoIterator<Item = (Person, Domain)>) {
        for (person, domain) in held {
            self.profiles.entry(ProfileId { domain, person }).or_insert(Profile::on_the_way(Place::Returning));
        }
    }

    /// The last report that the server does not have yet.
    pub fn undelivered_report(&self) -> Option<&Report> {
        self.report.as_ref().filter(|report| report.sequence > self.delivered)
    }

    /// The last report.
    pub fn report(&self) -> Option<&Report> {
        self.report.as_ref()
    }
}

impl Obligation {
    /// When something happened.
    fn stamps(&mut self) -> impl Iterator<Item = &mut Timestamp> {
        let maybe =
            [&mut self.shown, &mut self.last_shown, &mut self.last_call, &mut self.acknowledged, &mut self.snoozed];
        [&mut self.found_at].into_iter().chain(maybe.into_iter().flatten())
    }
}
