//! What a person is told when they ask, as labelled facts: `forewarn why`, `forewarn status` and the page all show these.

use forewarn_proto::{
    ipc::{MatchStatus, ObligationStatus, Reach, RuleStatus, SourceStatus, SparedStatus, Status},
    policy::{Contact, How},
    report::{Finding, Misread, Stage, Unread},
};
use jiff::{Timestamp, tz::TimeZone};

use super::{Blank, Localizer, quoted};

/// One thing to know: a label, and what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is about.
    pub label: String,
    /// What there is to know.
    pub lines: Vec<String>,
}

impl Localizer {
    /// The policy's title, in the best language that it has.
    pub fn title(&self, obligation: &ObligationStatus) -> String {
        self.one_line(self.best_title(obligation))
    }

    /// The same, as its admins wrote it: foreign text.
    pub fn best_title<'o>(&self, obligation: &'o ObligationStatus) -> &'o str {
        obligation.title.best(&self.languages)
    }

    fn fact(&self, label: &str, lines: impl IntoIterator<Item = String>) -> Fact {
        Fact { label: self.say(label), lines: lines.into_iter().collect() }
    }

    /// That a rule asks nothing of the person now, and why: the device is spared, or the rollout is not here.
    pub fn nothing_now(&self, rule: &RuleStatus, zone: &TimeZone) -> String {
        let mut blanks = vec![("app", rule.app.as_str().into()), ("policy", rule.policy.to_string().into())];
        let text = match (&rule.spared, rule.rollout) {
            (Some(SparedStatus { until, signed_by }), _) => {
                blanks.push(("moment", Blank::ours(self.moment(*until, zone))));
                blanks.push(("names", Blank::ours(self.list(signed_by))));
                "spared"
            }
            (None, Reach::Then(at)) => {
                blanks.push(("moment", Blank::ours(self.moment(at, zone))));
                "rollout-then"
            }
            (None, Reach::Never) => "rollout-never",
            (None, Reach::Here) => "nothing-now",
        };
        self.fill(text, blanks)
    }

    fn at(&self, message: &str, time: Timestamp, zone: &TimeZone) -> String {
        self.fill(message, [("moment", Blank::ours(self.moment(time, zone)))])
    }
}

/// Everything about one obligation: what, why, by when, who decided, what is taken and what is not, how to undo it.
pub fn obligation_facts(
    localizer: &Localizer,
    obligation: &ObligationStatus,
    now: Timestamp,
    zone: &TimeZone,
) -> Vec<Fact> {
    let rule = [
        ("rule", obligation.rule.to_string().into()),
        ("policy", obligation.policy.to_string().into()),
        ("version", obligation.version.into()),
    ];
    let command = format!("forewarn remove {}", quoted(&obligation.app));
    let undo = [("app", (&obligation.app).into()), ("command", command.into())];
    let signers = localizer.any_of(&obligation.signed_by);
    let appeal = format!("forewarn appeal {} \"…\"", quoted(&obligation.app));
    let contest = [("names", Blank::ours(signers)), ("command", appeal.into())];
    let mut facts = vec![
        localizer.fact("label-rule", [localizer.fill("rule", rule)]),
        localizer.fact("label-signed", [localizer.list(&obligation.signed_by)]),
        localizer.fact("label-matched", obligation.matched.iter().map(|matched| describe(localizer, matched))),
        localizer.fact("label-found", [localizer.moment(obligation.found_at, zone)]),
        localizer.fact("label-told", told(localizer, obligation, zone)),
        localizer.fact("label-read", obligation.acknowledged.map(|read| localizer.moment(read, zone))),
    ];
    facts.extend(timing(localizer, obligation, now, zone));
    facts.push(contact(localizer, obligation));
    facts.extend([
        localizer.fact("label-takes", takes(localizer, obligation)),
        localizer.fact("label-stays", [localizer.say("stays")]),
        localizer.fact("label-now", present(localizer, obligation)),
        localizer.fact("label-undo", [localizer.fill("undo", undo)]),
        localizer.fact("label-contest", [localizer.fill("contest", contest)]),
    ]);
    facts.retain(|fact| !fact.lines.is_empty());
    facts
}

/// What matters most of an obligation: how long, what is waited for, where there is more.
pub fn obligation_in_short(
    localizer: &Localizer,
    obligation: &ObligationStatus,
    now: Timestamp,
    zone: &TimeZone,
) -> Vec<Fact> {
    let mut facts = timing(localizer, obligation, now, zone);
    facts.push(localizer.fact("label-now", waiting(localizer, obligation)));
    facts.push(contact(localizer, obligation));
    facts.push(localizer.fact("label-more", [format!("forewarn why {}", quoted(&obligation.app))]));
    facts.retain(|fact| !fact.lines.is_empty());
    facts
}

/// What is known about this device, whatever is asked of the person.
pub fn device_facts(localizer: &Localizer, status: &Status, zone: &TimeZone) -> Vec<Fact> {
    let reached = localizer.say(if status.connected { "connected" } else { "not-connected" });
    let confirmed = match status.confirmed_at {
        Some(time) => localizer.at("confirmed", time, zone),
        None => localizer.say("never-confirmed"),
    };
    let heard = status.heard_at.map(|time| localizer.at("heard", time, zone));
    let mut facts = vec![
        localizer.fact("label-mail", status.mail_notes.iter().map(|note| localizer.foreign(note))),
        localizer.fact(
            "label-server",
            [format!("{} ({reached})", localizer.foreign(&status.server))].into_iter().chain(heard),
        ),
        localizer.fact("label-policies", [confirmed]),
        localizer
            .fact("label-refused", status.refused.iter().map(|refusal| localizer.foreign(&refusal.to_string().into()))),
        localizer.fact("label-unread", status.unread.iter().map(|document| unread(localizer, document))),
        localizer.fact("label-reported", status.report.iter().map(|_| localizer.say("reported"))),
        localizer.fact("label-worker", status.isolation.and_then(|isolation| localizer.isolation(isolation))),
    ];
    facts.extend(sources(localizer, &status.sources));
    facts.extend(
        status.rules.iter().filter(|rule| rule.finding == Finding::Unknown).map(|rule| unknown(localizer, rule)),
    );
    facts.push(localizer.fact("label-weakened", status.weakened.iter().map(|setting| localizer.weakened(*setting))));
    facts.retain(|fact| !fact.lines.is_empty());
    facts
}

/// Whom to ask, as the policy says.
fn contact(localizer: &Localizer, obligation: &ObligationStatus) -> Fact {
    let ways = obligation.contact.iter().flat_map(Contact::ways);
    localizer.fact("label-contact", ways.map(|(_, way)| localizer.one_line(way.best(&localizer.languages))))
}

/// That a document can't be read here, and that nothing follows from it.
fn unread(localizer: &Localizer, Unread { document, why }: &Unread) -> String {
    let (message, detail) = match why {
        Misread::Format(format) => ("unread-format", format.to_string()),
        Misread::Text(text) => ("unread-text", text.clone()),
        Misread::Folder => ("unread-folder", String::new()),
    };
    localizer.fill(message, [("document", document.into()), ("detail", (&detail).into())])
}

fn timing(localizer: &Localizer, obligation: &ObligationStatus, now: Timestamp, zone: &TimeZone) -> Vec<Fact> {
    let ahead = obligation.deadline.filter(|_| !obligation.takes.is_empty());
    let deadline = ahead.map(|deadline| {
        let distance = localizer.distance(deadline.duration_since(now));
        localizer.fill(
            "deadline",
            [("moment", Blank::ours(localizer.moment(deadline, zone))), ("distance", Blank::ours(distance))],
        )
    });
    let snoozed = obligation.snoozed_until.map(|until| localizer.at("snoozed", until, zone));
    vec![localizer.fact("label-deadline", deadline), localizer.fact("label-snoozed", snoozed)]
}

fn told(localizer: &Localizer, obligation: &ObligationStatus, zone: &TimeZone) -> Vec<String> {
    let shown = obligation.shown.zip(obligation.shown_on).map(|(shown, medium)| {
        localizer.fill(
            "told",
            [("moment", Blank::ours(localizer.moment(shown, zone))), ("medium", Blank::ours(localizer.medium(medium)))],
        )
    });
    let obstacle = obligation.obstacle.map(|obstacle| localizer.obstacle(obstacle));
    [shown.unwrap_or_else(|| localizer.say("not-told"))].into_iter().chain(obstacle).collect()
}

fn takes(localizer: &Localizer, obligation: &ObligationStatus) -> Vec<String> {
    let message = if obligation.locks { "takes-and-closes" } else { "takes" };
    let domains = obligation.takes.iter();
    let lines: Vec<String> =
        domains.map(|domain| localizer.fill(message, [("domain", domain.to_string().into())])).collect();
    if lines.is_empty() { vec![localizer.say("takes-nothing")] } else { lines }
}

fn present(localizer: &Localizer, obligation: &ObligationStatus) -> Vec<String> {
    let holds = obligation.holds.iter().filter(|_| obligation.stage != Stage::Revoked);
    let holds = holds.map(|hold| localizer.hold(*hold));
    [localizer.stage(obligation.stage)].into_iter().chain(holds).chain(waiting(localizer, obligation)).collect()
}

fn waiting(localizer: &Localizer, obligation: &ObligationStatus) -> Option<String> {
    let programs = &obligation.waiting_for;
    (!programs.is_empty()).then(|| localizer.fill("waiting-for", [("programs", Blank::ours(localizer.list(programs)))]))
}

fn describe(localizer: &Localizer, matched: &MatchStatus) -> String {
    let (message, pattern) = match &matched.how {
        How::Purl { pattern } => ("matched-certain", pattern.as_str()),
        How::UncertainPurl { pattern } => ("matched-uncertain", pattern.as_str()),
        How::DisplayName => ("matched-name", ""),
    };
    let blanks = [
        ("package", matched.purl.to_string().into()),
        ("pattern", pattern.into()),
        ("source", matched.source.name().into()),
        ("file", (&matched.found_in).into()),
    ];
    localizer.fill(message, blanks)
}

/// Each source that has something, and those that have nothing in one line.
fn sources(localizer: &Localizer, sources: &[SourceStatus]) -> Vec<Fact> {
    let is_empty = |source: &&SourceStatus| source.packages == 0 && source.gaps.is_empty();
    let (empty, listed): (Vec<_>, Vec<_>) = sources.iter().partition(is_empty);
    let count = |source: &SourceStatus| {
        let state = if source.gaps.is_empty() {
            localizer.say("complete")
        } else {
            let gaps: Vec<String> = source.gaps.iter().map(|gap| localizer.foreign(gap)).collect();
            localizer.fill("partial", [("gaps", Blank::ours(gaps.join("; ")))])
        };
        localizer.fill("packages", [("count", source.packages.into()), ("state", Blank::ours(state))])
    };
    let fact = |source: &&SourceStatus| Fact { label: source.source.name().to_owned(), lines: vec![count(source)] };
    let names = localizer.list(empty.iter().map(|source| source.source.name()));
    let nothing = localizer.fill("nothing-of-list", [("sources", Blank::ours(names))]);
    let nothing = (!empty.is_empty()).then(|| localizer.fact("nothing-of", [nothing]));
    listed.iter().map(fact).chain(nothing).collect()
}

fn unknown(localizer: &Localizer, rule: &RuleStatus) -> Fact {
    let doubts = rule.doubts.iter().map(|doubt| localizer.doubt(*doubt));
    localizer
        .fact("label-unknown", [localizer.fill("unknown", [("app", (&rule.app).into())])].into_iter().chain(doubts))
}
