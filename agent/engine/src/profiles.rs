//! From obligations to mail profiles: each is where the obligations of its person say that it should be, or on its way.
//!
//! A profile that two obligations take comes back when the last of them ends.

use std::collections::BTreeSet;

use forewarn_proto::{inventory::Scope, report::Hold};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Effect, Engine, NoticeKind, ObligationId, ProfileId, Settings, Subject,
    deadline::deadline_from,
    state::{Again, Place, Profile},
    time::after,
};

impl Engine {
    pub(crate) fn update_profiles(&mut self) {
        if self.policies.is_none() {
            return;
        }
        for id in self.due_profiles() {
            self.state.profiles.entry(id).or_insert_with(|| Profile::on_the_way(Place::Leaving));
        }
        let kept = self.kept_profiles();
        for (id, profile) in &mut self.state.profiles {
            if profile.place != Place::Returning && !kept.contains(id) {
                *profile = Profile::on_the_way(Place::Returning);
                // What waits to be told of it holds no more.
                self.state.notices.remove(&Subject::Profile(id.clone()));
            }
        }
    }

    /// Follows mail that was set up again while it is in the vault: the person is told, and it goes there too when the
    /// deadline of that notice has come. What was taken before stays where it is.
    pub(crate) fn update_agains(&mut self) {
        let looked_for = |id: &ProfileId| self.mail.get(&id.person).filter(|mail| mail.looked_for.contains(&id.domain));
        let vaulted = self.state.profiles.iter().filter(|(_, profile)| profile.place == Place::Vault);
        let known: Vec<(ProfileId, bool)> =
            vaulted.filter_map(|(id, _)| Some((id.clone(), looked_for(id)?.has.contains(&id.domain)))).collect();
        for (id, is_there) in known {
            let due = self.again_deadline(&id).is_some_and(|deadline| deadline <= self.time());
            let due = due && self.due_profiles().contains(&id);
            let Some(profile) = self.state.profiles.get_mut(&id) else { continue };
            let subject = Subject::Profile(id);
            if !is_there {
                profile.again = None;
                self.state.notices.retain(|of, waiting| *of != subject || waiting.kind != NoticeKind::SetUpAgain);
            } else if due {
                *profile = Profile::on_the_way(Place::Leaving);
            } else if profile.again.get_or_insert_default().shown.is_none() {
                self.queue(subject, NoticeKind::SetUpAgain, BTreeSet::new());
            }
        }
    }

    /// The deadline of the notice about mail that was set up again, once that was shown. A policy that takes it too may have come
    /// since: its notice names a later moment, and before it was shown there is none.
    pub(crate) fn again_deadline(&self, id: &ProfileId) -> Option<Timestamp> {
        let again = self.state.profiles.get(id)?.again.as_ref()?;
        let of_policies: Option<Vec<Timestamp>> = self.taking(id).map(|obligation| self.deadline(obligation)).collect();
        let last = of_policies?.into_iter().max();
        self.again_deadline_from(id, again.shown?).max(again.told).max(last)
    }

    /// The obligations that can take a profile.
    fn taking(&self, id: &ProfileId) -> impl Iterator<Item = &ObligationId> {
        self.state.obligations.keys().filter(|obligation| self.profiles_of(obligation).contains(id))
    }

    /// The same, if it were shown at `shown`: as late as the last of the policies that keep the profile asks for.
    pub(crate) fn again_deadline_from(&self, id: &ProfileId, shown: Timestamp) -> Option<Timestamp> {
        let deadline = |obligation: &ObligationId| {
            let policy = self.policy(&obligation.policy)?;
            Some(deadline_from(policy, &obligation.rule, &self.settings, &self.zone, shown))
        };
        self.taking(id).filter_map(deadline).max()
    }

    /// The notice about mail that was set up again was shown.
    pub(crate) fn told_again(&mut self, id: &ProfileId) {
        let at = self.time();
        let told = self.again_deadline_from(id, at);
        if let Some(again) = self.state.profiles.get_mut(id).and_then(|profile| profile.again.as_mut()) {
            *again = Again { shown: Some(at), told };
        }
    }

    /// The profiles that some obligation takes now, with nothing that holds it.
    fn due_profiles(&self) -> BTreeSet<ProfileId> {
        self.profiles_of_those(|id| self.holds(id).is_empty())
    }

    /// The profiles that stay revoked. A policy that can't be confirmed, a scan that is old and mail that is already in
    /// the vault hold a new revoke; they don't undo one.
    fn kept_profiles(&self) -> BTreeSet<ProfileId> {
        self.profiles_of_those(|id| {
            let vouched = self.state.obligations.get(id).is_some_and(|obligation| obligation.vouched);
            self.holds(id).iter().all(|hold| match hold {
                Hold::PolicyStale | Hold::NoCompanyMail => true,
                Hold::ScanNotFresh => vouched,
                Hold::OnlyWarns | Hold::NotCertain | Hold::NotShown | Hold::DeadlineAhead | Hold::LastCall => false,
            })
        })
    }

    fn profiles_of_those(&self, take: impl Fn(&ObligationId) -> bool) -> BTreeSet<ProfileId> {
        self.state.obligations.keys().filter(|id| take(id)).flat_map(|id| self.profiles_of(id)).collect()
    }

    /// Whether the stored mail of a profile is closed while it is revoked: a policy that takes it says so, and the person was
    /// told.
    pub fn locks(&self, id: &ProfileId) -> bool {
        let taking = self.state.obligations.iter().filter(|(obligation, _)| self.profiles_of(obligation).contains(id));
        let says_so = |obligation: &ObligationId| self.policy(&obligation.policy).is_some_and(|p| p.consequence.lock);
        taking.into_iter().any(|(obligation, told)| told.told_lock && says_so(obligation))
    }

    /// Asks for what is to be done to profiles; called only when the intention is on disk.
    pub(crate) fn hand_out_profiles(&mut self, effects: &mut Vec<Effect>) {
        let at = self.time();
        let due = self.due_profiles();
        for (id, profile) in &self.state.profiles {
            if self.in_flight.profiles.contains(id) || profile.retry_at.is_some_and(|retry| retry > at) {
                continue;
            }
            match profile.place {
                Place::Leaving if due.contains(id) => effects.push(Effect::Revoke(id.clone())),
                Place::Returning => effects.push(Effect::Restore(id.clone())),
                Place::Leaving | Place::Vault => continue,
            }
            self.in_flight.profiles.insert(id.clone());
        }
    }

    pub(crate) fn revoked(&mut self, id: &ProfileId) {
        self.answered_for(id);
        if let Some(profile) = self.state.profiles.get_mut(id).filter(|p| p.place == Place::Leaving) {
            *profile = Profile::on_the_way(Place::Vault);
            // What the next look finds has been set up again.
            self.know_mail(id, false);
            self.queue(Subject::Profile(id.clone()), NoticeKind::Revoked, BTreeSet::new());
        }
    }

    /// Whether somebody has mail of a domain is known without a look.
    fn know_mail(&mut self, id: &ProfileId, is_there: bool) {
        let mail = self.mail.entry(id.person).or_default();
        mail.looked_for.insert(id.domain.clone());
        let _ = if is_there { mail.has.insert(id.domain.clone()) } else { mail.has.remove(&id.domain) };
    }

    /// The admins hear of it with the next report.
    pub(crate) fn store_left_open(&mut self, id: &ProfileId) {
        let vaulted = self.state.profiles.get_mut(id).filter(|profile| profile.place == Place::Vault);
        vaulted.into_iter().for_each(|profile| profile.store_open = true);
    }

    pub(crate) fn restored(&mut self, id: &ProfileId) {
        self.answered_for(id);
        if self.state.profiles.get(id).is_some_and(|p| p.place == Place::Returning) {
            self.state.profiles.remove(id);
            // The next look at the home will find it; until then it counts as there.
            self.know_mail(id, true);
            self.queue(Subject::Profile(id.clone()), NoticeKind::Restored, BTreeSet::new());
        }
    }

    pub(crate) fn revoke_waits(&mut self, id: &ProfileId, clients: Vec<String>) {
        let first = self.state.profiles.get(id).is_some_and(|p| p.place == Place::Leaving && p.waiting_for.is_empty());
        self.profile_failed(id, Place::Leaving, Settings::FIRST_RETRY);
        if let Some(profile) = self.state.profiles.get_mut(id).filter(|p| p.place == Place::Leaving) {
            profile.waiting_for = clients;
        }
        if first {
            self.queue(Subject::Profile(id.clone()), NoticeKind::Waiting, BTreeSet::new());
        }
    }

    /// There is no pause before the next try any more.
    /// An errand has ended, whatever came of it. The home is not what it was.
    fn answered_for(&mut self, id: &ProfileId) {
        self.in_flight.profiles.remove(id);
        self.to_look_at.insert(Scope::Person(id.person));
    }

    pub(crate) fn client_closed(&mut self, id: &ProfileId) {
        if let Some(profile) = self.state.profiles.get_mut(id) {
            profile.retry_at = None;
        }
    }

    /// Moving a profile failed. If it is to go the other way by now, there is nothing to wait for.
    pub(crate) fn profile_failed(&mut self, id: &ProfileId, place: Place, longest_pause: SignedDuration) {
        self.answered_for(id);
        let at = self.time();
        if let Some(profile) = self.state.profiles.get_mut(id).filter(|profile| profile.place == place) {
            profile.retry_at = Some(after(at, Settings::retry_pause(profile.attempts).min(longest_pause)));
            profile.attempts = profile.attempts.saturating_add(1);
        }
    }
}
