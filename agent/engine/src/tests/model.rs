//! The reference model: which obligations stand, since when, and until when. It knows true time, forgets what the engine
//! had not stored when the power went, and has neither effects nor retries nor clocks that lie.

use std::collections::{BTreeMap, BTreeSet};

use forewarn_proto::{
    inventory::{Person, Scope},
    policy::{Domain, Policy, PolicyId, Rule},
};
use jiff::{Timestamp, tz::TimeZone};

use crate::{Input, Listing, Notice, NoticeId, NoticeKind, PolicySet, Settings, ramp};

/// What is so on the device, whatever the engine believes.
pub(super) struct Facts<'w> {
    pub(super) at: Timestamp,
    pub(super) zone: &'w TimeZone,
    /// Each person, with the domains of which they have mail, be it in its place or in the vault.
    pub(super) mail: BTreeMap<Person, BTreeSet<Domain>>,
}

#[derive(Debug, Clone)]
pub(super) struct Model {
    settings: Settings,
    set: Option<PolicySet>,
    retracted: BTreeMap<PolicyId, u64>,
    accepted: BTreeMap<PolicyId, u64>,
    mail: BTreeMap<Person, BTreeSet<Domain>>,
    listings: BTreeMap<Scope, Listing>,
    /// The policies for which each scope's listing was searched. A new one waits for the next whole listing.
    searched: BTreeMap<Scope, BTreeSet<PolicyId>>,
    born: u64,
    /// Notices whose receipt is on its way.
    on_the_way: BTreeMap<NoticeId, OnTheWay>,
    pub(super) entries: BTreeMap<(PolicyId, Person), Entry>,
}

/// What a notice tells of: entries by their names, each with the mail that it says will go; and whose last call it is.
#[derive(Debug, Clone)]
struct OnTheWay {
    tells: BTreeMap<u64, BTreeSet<Domain>>,
    last_call_of: BTreeSet<u64>,
}

/// One policy's one rule for one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Names the entry; one that starts over gets a new name, so that receipts for the former one count no more.
    born: u64,
    version: u64,
    takes: BTreeSet<Domain>,
    pub(super) shown: Option<Timestamp>,
    last_call: Option<Timestamp>,
    told: Option<Timestamp>,
    /// The deadline by the rules alone, as of the last receipt or version.
    ruled: Option<Timestamp>,
    /// The same of a former version. Where the next one's is earlier by less than a clock was wrong, a device may take them
    /// for the same: it keeps this one, and its notice counts.
    ruled_before: Option<Timestamp>,
}

#[derive(PartialEq)]
enum Finding {
    Met,
    Unknown,
    NotMet { personal: bool },
}

impl Model {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            set: None,
            retracted: BTreeMap::new(),
            accepted: BTreeMap::new(),
            mail: BTreeMap::new(),
            listings: BTreeMap::new(),
            searched: BTreeMap::new(),
            born: 0,
            on_the_way: BTreeMap::new(),
            entries: BTreeMap::new(),
        }
    }

    /// Something happened to the device.
    pub(super) fn hear(&mut self, input: &Input, facts: &Facts<'_>) {
        match input {
            Input::PoliciesVerified(set) => self.hear_policies(set),
            Input::Looked(look) => {
                if let (Scope::Person(person), Some(found)) = (look.scope, &look.mail) {
                    let owned = facts.mail.get(&person).into_iter().flatten();
                    self.mail
                        .insert(person, owned.filter(|domain| found.looked_for.contains(*domain)).cloned().collect());
                }
                let policies: BTreeSet<PolicyId> =
                    self.set.iter().flat_map(|set| set.policies.keys().cloned()).collect();
                self.searched.insert(look.scope, policies);
                self.listings.extend(look.listings.iter().map(|listing| (listing.scope, listing.clone())));
            }
            Input::NoticeShown(id, _) => self.hear_receipt(*id, facts),
            _ => {}
        }
        self.bring_up_to_date(facts);
    }

    /// A new process has to look anew.
    pub(super) fn forget_looks(&mut self) {
        self.mail.clear();
        self.listings.clear();
        self.searched.clear();
    }

    /// A notice is on a screen; its receipt will come.
    pub(super) fn expect_receipt(&mut self, notice: &Notice, at: Timestamp, zone: &TimeZone) {
        let named = |id: &PolicyId| notice.titles.iter().any(|title| title.english().contains(&format!("({id})")));
        let person = notice.subject.person();
        let named: Vec<_> = self.entries.iter().filter(|((id, p), _)| *p == person && named(id)).collect();
        let near = |id: &PolicyId| self.deadline(id, person, zone).is_some_and(|d| d - Settings::LAST_CALL <= at);
        let called = named.iter().filter(|((id, _), _)| notice.kind == NoticeKind::LastCall && near(id));
        let on_the_way = OnTheWay {
            tells: named.iter().filter_map(|((id, p), e)| Some((e.born, self.takes(self.policy(id)?, *p)))).collect(),
            last_call_of: called.map(|(_, entry)| entry.born).collect(),
        };
        self.on_the_way.insert(notice.id, on_the_way);
    }

    /// When the profile may go, by the rules alone.
    pub(super) fn deadline(&self, id: &PolicyId, person: Person, zone: &TimeZone) -> Option<Timestamp> {
        let (policy, entry) = (self.policy(id)?, self.entries.get(&(id.clone(), person))?);
        let nothing_to_take = !policy.consequence.mail.is_empty() && self.takes(policy, person).is_empty();
        if nothing_to_take {
            return None;
        }
        let algebra = self.algebra(policy, entry.shown?, zone);
        let called = entry.last_call.map_or(algebra, |call| call + Settings::LAST_CALL);
        let told = entry.told.unwrap_or(algebra);
        Some(policy.deadline.open_from(algebra.max(called).max(told), zone))
    }

    /// The deadline that nothing may come before, whatever clocks say: as it is before a late last call moves it on.
    pub(super) fn least_deadline(&self, id: &PolicyId, person: Person, zone: &TimeZone) -> Option<Timestamp> {
        let ruled = self.deadline(id, person, zone).and_then(|_| self.ruled(id, person, zone));
        ruled.into_iter().chain(self.entries.get(&(id.clone(), person))?.ruled_before).min()
    }

    fn ruled(&self, id: &PolicyId, person: Person, zone: &TimeZone) -> Option<Timestamp> {
        let shown = self.entries.get(&(id.clone(), person))?.shown?;
        Some(self.algebra(self.policy(id)?, shown, zone))
    }

    /// max(at, shown + max(grace, least notice)), then the ramp, then out of quiet hours.
    fn algebra(&self, policy: &Policy, shown: Timestamp, zone: &TimeZone) -> Timestamp {
        let deadline = &policy.deadline;
        let least = self.settings.min_notice().max(deadline.grace.0).max(deadline.min_notice.0);
        let at = deadline.at.as_ref().map_or(Timestamp::MIN, |at| at.instant_in(zone));
        let place = ramp::place(&self.settings.device, &policy.id, &policy.rules[0].id, deadline.ramp.0);
        deadline.open_from(at.max(shown + least) + place, zone)
    }

    /// Whose mail of which domain is to be in the vault now, if nothing holds it but time and the last call.
    pub(super) fn taken(&self, at: Timestamp, zone: &TimeZone) -> BTreeSet<(Domain, Person)> {
        let due = self.entries.iter().filter(|((id, person), entry)| {
            let called = entry.last_call.is_some_and(|call| call + Settings::LAST_CALL <= at);
            called && self.deadline(id, *person, zone).is_some_and(|deadline| deadline <= at)
        });
        due.flat_map(|((id, person), _)| {
            let domains = self.policy(id).map(|policy| self.takes(policy, *person)).unwrap_or_default();
            domains.into_iter().map(|domain| (domain, *person))
        })
        .collect()
    }

    fn policy(&self, id: &PolicyId) -> Option<&Policy> {
        self.set.as_ref()?.policies.get(id).map(|signed| &*signed.policy)
    }

    fn hear_policies(&mut self, set: &PolicySet) {
        for (id, retraction) in &set.undoing.retractions {
            let through = self.retracted.entry(id.clone()).or_default();
            *through = retraction.through_version.max(*through);
        }
        for (id, signed) in &set.policies {
            let accepted = self.accepted.entry(id.clone()).or_default();
            *accepted = signed.policy.version.max(*accepted);
        }
        self.searched.values_mut().for_each(|searched| searched.retain(|id| set.policies.contains_key(id)));
        self.set = Some(set.clone());
    }

    /// The packages that rules name, in words.
    pub(super) fn asked_for(&self) -> BTreeSet<String> {
        let set = self.set.iter();
        let policies =
            set.flat_map(|set| set.policies.values().map(|signed| &*signed.policy).chain(set.previews.values()));
        let names = |rule: &Rule| {
            let purls = rule.purls.iter().map(|pattern| format!("{} {}", pattern.purl.kind(), pattern.purl.name()));
            purls.chain(rule.display_names.clone()).collect::<Vec<_>>()
        };
        policies.flat_map(|policy| policy.rules.iter().flat_map(names)).collect()
    }

    fn acts(&self, id: &PolicyId, facts: &Facts<'_>) -> bool {
        let Some(signed) = self.set.as_ref().and_then(|set| set.policies.get(id)) else { return false };
        let version = Some(&signed.policy.version);
        let until = signed.policy.until.as_ref().map_or(Timestamp::MAX, |until| until.instant_in(facts.zone));
        version > self.retracted.get(id)
            && version >= self.accepted.get(id)
            && facts.at < until
            && facts.at < signed.expires
    }

    fn hear_receipt(&mut self, id: NoticeId, facts: &Facts<'_>) {
        let Some(notice) = self.on_the_way.remove(&id) else { return };
        let told = self.entries.iter().filter(|(_, entry)| notice.tells.contains_key(&entry.born));
        for (policy, person) in told.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            let Some(entry) = self.entries.get_mut(&(policy.clone(), person)) else { continue };
            let takes = notice.tells.get(&entry.born).cloned().unwrap_or_default();
            entry.takes = if entry.shown.is_some() { &entry.takes & &takes } else { takes };
            entry.shown.get_or_insert(facts.at);
            if notice.last_call_of.contains(&entry.born) {
                entry.last_call.get_or_insert(facts.at);
            }
            let told = self.deadline(&policy, person, facts.zone);
            let ruled = self.ruled(&policy, person, facts.zone);
            self.entries.entry((policy, person)).and_modify(|entry| {
                (entry.told, entry.ruled) = (told, ruled);
                entry.last_call = entry.last_call.filter(|_| told.is_some());
            });
        }
    }

    fn bring_up_to_date(&mut self, facts: &Facts<'_>) {
        let Some(set) = self.set.clone() else { return };
        for policy in set.policies.values().map(|signed| &signed.policy) {
            for person in self.mail.keys().copied().collect::<Vec<_>>() {
                if self.acts(&policy.id, facts) && self.obliges(policy, person) {
                    let new = self.new_entry(policy.version);
                    self.entries.entry((policy.id.clone(), person)).or_insert(new);
                }
            }
        }
        for (key, mut entry) in std::mem::take(&mut self.entries) {
            let Some(policy) = set.policies.get(&key.0).map(|signed| &signed.policy) else { continue };
            if self.acts(&key.0, facts) && self.find(policy, key.1) != Finding::Met {
                self.follow(policy, key.1, &mut entry, facts.zone);
                self.entries.insert(key, entry);
            }
        }
    }

    /// An app in a home obliges its person; a system-wide one those who have company mail.
    fn obliges(&self, policy: &Policy, person: Person) -> bool {
        let concerned = policy.consequence.mail.is_empty() || !self.owned(policy, person).is_empty();
        match self.find(policy, person) {
            Finding::NotMet { personal } => personal || concerned,
            Finding::Met | Finding::Unknown => false,
        }
    }

    /// An earlier deadline, or more mail, means a new notice; a later deadline is followed.
    fn follow(&mut self, policy: &Policy, person: Person, entry: &mut Entry, zone: &TimeZone) {
        if entry.version != policy.version {
            let deadline = entry.shown.map(|shown| self.algebra(policy, shown, zone));
            let (earlier, later) = (entry.told.is_none() || deadline < entry.told, deadline > entry.told);
            self.born += 1;
            let former = std::mem::replace(&mut entry.ruled, deadline);
            entry.born = self.born;
            entry.version = policy.version;
            entry.told = deadline;
            if later {
                entry.last_call = None;
            }
            if earlier {
                let ruled_before = entry.ruled_before.into_iter().chain(former).min();
                *entry = Entry { ruled_before, ..self.new_entry(policy.version) };
            }
        }
        entry.takes.retain(|domain| policy.consequence.mail.contains(domain));
        if entry.shown.is_some() && !self.takes(policy, person).is_subset(&entry.takes) {
            *entry = self.new_entry(policy.version);
        }
    }

    fn new_entry(&mut self, version: u64) -> Entry {
        self.born += 1;
        Entry {
            born: self.born,
            version,
            takes: BTreeSet::new(),
            shown: None,
            last_call: None,
            told: None,
            ruled: None,
            ruled_before: None,
        }
    }

    /// The mail that a policy names and the person has. A name alone takes nothing.
    fn takes(&self, policy: &Policy, person: Person) -> BTreeSet<Domain> {
        if policy.rules[0].purls.is_empty() { BTreeSet::new() } else { self.owned(policy, person) }
    }

    fn owned(&self, policy: &Policy, person: Person) -> BTreeSet<Domain> {
        let has = self.mail.get(&person);
        policy.consequence.mail.iter().filter(|domain| has.is_some_and(|has| has.contains(*domain))).cloned().collect()
    }

    /// What the listings say of a policy's only rule.
    fn find(&self, policy: &Policy, person: Person) -> Finding {
        let rule = &policy.rules[0];
        let searched = |scope: &Scope| self.searched.get(scope).is_some_and(|searched| searched.contains(&policy.id));
        let listed = |scope: Scope| self.listings.get(&scope).filter(|listing| searched(&listing.scope));
        let whole = |scope: Scope| listed(scope).filter(|listing| listing.is_complete());
        let there = |scope: Scope| {
            listed(scope).is_some_and(|l| {
                l.packages.iter().any(|p| rule.recognise(&p.purl, p.display_name.as_deref()).is_some())
            })
        };
        let (system, own) = (Scope::System, Scope::Person(person));
        match (there(system) || there(own), whole(system).is_some() && whole(own).is_some()) {
            (true, _) => Finding::NotMet { personal: there(own) },
            (false, true) => Finding::Met,
            (false, false) => Finding::Unknown,
        }
    }
}
