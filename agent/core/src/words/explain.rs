//! What a person is told when they ask, as labelled facts: `forewarn why`, `forewarn status` and the page all show these.

use forewarn_proto::{
    ipc::{MatchStatus, ObligationStatus, Reach, RuleStatus, SourceStatus, SparedStatus, Status},
    policy::{Contact, How},
    report::{Finding, Misread, Stage, Unread},
};
use jiff::{Timestamp, tz::TimeZone};

use super::{Blank, Tongue, quoted};

/// One thing to know: a label, and what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is about.
    pub label: String,
    /// What there is to know.
    pub lines: Vec<String>,
}

impl Tongue {
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
pub fn obligation_facts(tongue: &Tongue, obligation: &ObligationStatus, now: Timestamp, zone: &TimeZone) -> Vec<Fact> {
    let rule = [
        ("rule", obligation.rule.to_string().into()),
        ("policy", obligation.policy.to_string().into()),
        ("version", obligation.version.into()),
    ];
    let command = format!("forewarn remove {}", quoted(&obligation.app));
    let undo = [("app", (&obligation.app).into()), ("command", command.into())];
    let signers = tongue.any_of(&obligation.signed_by);
    let appeal = format!("forewarn appeal {} \"…\"", quoted(&obligation.app));
    let contest = [("names", Blank::ours(signers)), ("command", appeal.into())];
    let mut facts = vec![
        tongue.fact("label-rule", [tongue.fill("rule", rule)]),
        tongue.fact("label-signed", [tongue.list(&obligation.signed_by)]),
        tongue.fact("label-matched", obligation.matched.iter().map(|matched| describe(tongue, matched))),
        tongue.fact("label-found", [tongue.moment(obligation.found_at, zone)]),
        tongue.fact("label-told", told(tongue, obligation, zone)),
        tongue.fact("label-read", obligation.acknowledged.map(|read| tongue.moment(read, zone))),
    ];
    facts.extend(timing(tongue, obligation, now, zone));
    facts.push(contact(tongue, obligation));
    facts.extend([
        tongue.fact("label-takes", takes(tongue, obligation)),
        tongue.fact("label-stays", [tongue.say("stays")]),
        tongue.fact("label-now", present(tongue, obligation)),
        tongue.fact("label-undo", [tongue.fill("undo", undo)]),
        tongue.fact("label-contest", [tongue.fill("contest", contest)]),
    ]);
    facts.retain(|fact| !fact.lines.is_empty());
    facts
}

/// What matters most of an obligation: how long, what is waited for, where there is more.
pub fn obligation_in_short(
    tongue: &Tongue,
    obligation: &ObligationStatus,
    now: Timestamp,
    zone: &TimeZone,
) -> Vec<Fact> {
    let mut facts = timing(tongue, obligation, now, zone);
    facts.push(tongue.fact("label-now", waiting(tongue, obligation)));
    facts.push(contact(tongue, obligation));
    facts.push(tongue.fact("label-more", [format!("forewarn why {}", quoted(&obligation.app))]));
    facts.retain(|fact| !fact.lines.is_empty());
    facts
}

/// What is known about this device, whatever is asked of the person.
pub fn device_facts(tongue: &Tongue, status: &Status, zone: &TimeZone) -> Vec<Fact> {
    let reached = tongue.say(if status.connected { "connected" } else { "not-connected" });
    let confirmed = match status.confirmed_at {
        Some(time) => tongue.at("confirmed", time, zone),
        None => tongue.say("never-confirmed"),
    };
    let heard = status.heard_at.map(|time| tongue.at("heard", time, zone));
    let mut facts = vec![
        tongue.fact("label-mail", status.mail_notes.iter().map(|note| tongue.foreign(note))),
        tongue
            .fact("label-server", [format!("{} ({reached})", tongue.foreign(&status.server))].into_iter().chain(heard)),
        tongue.fact("label-policies", [confirmed]),
        tongue.fact("label-refused", status.refused.iter().map(|refusal| tongue.foreign(&refusal.to_string().into()))),
        tongue.fact("label-unread", status.unread.iter().map(|document| unread(tongue, document))),
        tongue.fact("label-reported", status.report.iter().map(|_| tongue.say("reported"))),
        tongue.fact("label-worker", status.isolation.and_then(|isolation| tongue.isolation(isolation))),
    ];
    facts.extend(sources(tongue, &status.sources));
    facts.extend(status.rules.iter().filter(|rule| rule.finding == Finding::Unknown).map(|rule| unknown(tongue, rule)));
    facts.push(tongue.fact("label-weakened", status.weakened.iter().map(|setting| tongue.weakened(*setting))));
    facts.retain(|fact| !fact.lines.is_empty());
    facts
}

/// Whom to ask, as the policy says.
fn contact(tongue: &Tongue, obligation: &ObligationStatus) -> Fact {
    let ways = obligation.contact.iter().flat_map(Contact::ways);
    tongue.fact("label-contact", ways.map(|(_, way)| tongue.one_line(way.best(&tongue.languages))))
}

/// That a document can't be read here, and that nothing follows from it.
fn unread(tongue: &Tongue, Unread { document, why }: &Unread) -> String {
    let (message, detail) = match why {
        Misread::Format(format) => ("unread-format", format.to_string()),
        Misread::Text(text) => ("unread-text", text.clone()),
        Misread::Folder => ("unread-folder", String::new()),
    };
    tongue.fill(message, [("document", document.into()), ("detail", (&detail).into())])
}

fn timing(tongue: &Tongue, obligation: &ObligationStatus, now: Timestamp, zone: &TimeZone) -> Vec<Fact> {
    let ahead = obligation.deadline.filter(|_| !obligation.takes.is_empty());
    let deadline = ahead.map(|deadline| {
        let distance = tongue.distance(deadline.duration_since(now));
        tongue.fill(
            "deadline",
            [("moment", Blank::ours(tongue.moment(deadline, zone))), ("distance", Blank::ours(distance))],
        )
    });
    let snoozed = obligation.snoozed_until.map(|until| tongue.at("snoozed", until, zone));
    vec![tongue.fact("label-deadline", deadline), tongue.fact("label-snoozed", snoozed)]
}

fn told(tongue: &Tongue, obligation: &ObligationStatus, zone: &TimeZone) -> Vec<String> {
    let shown = obligation.shown.zip(obligation.shown_on).map(|(shown, medium)| {
        tongue.fill(
            "told",
            [("moment", Blank::ours(tongue.moment(shown, zone))), ("medium", Blank::ours(tongue.medium(medium)))],
        )
    });
    let obstacle = obligation.obstacle.map(|obstacle| tongue.obstacle(obstacle));
    [shown.unwrap_or_else(|| tongue.say("not-told"))].into_iter().chain(obstacle).collect()
}

fn takes(tongue: &Tongue, obligation: &ObligationStatus) -> Vec<String> {
    let message = if obligation.locks { "takes-and-closes" } else { "takes" };
    let domains = obligation.takes.iter();
    let lines: Vec<String> =
        domains.map(|domain| tongue.fill(message, [("domain", domain.to_string().into())])).collect();
    if lines.is_empty() { vec![tongue.say("takes-nothing")] } else { lines }
}

fn present(tongue: &Tongue, obligation: &ObligationStatus) -> Vec<String> {
    let holds = obligation.holds.iter().filter(|_| obligation.stage != Stage::Revoked);
    let holds = holds.map(|hold| tongue.hold(*hold));
    [tongue.stage(obligation.stage)].into_iter().chain(holds).chain(waiting(tongue, obligation)).collect()
}

fn waiting(tongue: &Tongue, obligation: &ObligationStatus) -> Option<String> {
    let programs = &obligation.waiting_for;
    (!programs.is_empty()).then(|| tongue.fill("waiting-for", [("programs", Blank::ours(tongue.list(programs)))]))
}

fn describe(tongue: &Tongue, matched: &MatchStatus) -> String {
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
    tongue.fill(message, blanks)
}

/// Each source that has something, and those that have nothing in one line.
fn sources(tongue: &Tongue, sources: &[SourceStatus]) -> Vec<Fact> {
    let is_empty = |source: &&SourceStatus| source.packages == 0 && source.gaps.is_empty();
    let (empty, listed): (Vec<_>, Vec<_>) = sources.iter().partition(is_empty);
    let count = |source: &SourceStatus| {
        let state = if source.gaps.is_empty() {
            tongue.say("complete")
        } else {
            let gaps: Vec<String> = source.gaps.iter().map(|gap| tongue.foreign(gap)).collect();
            tongue.fill("partial", [("gaps", Blank::ours(gaps.join("; ")))])
        };
        tongue.fill("packages", [("count", source.packages.into()), ("state", Blank::ours(state))])
    };
    let fact = |source: &&SourceStatus| Fact { label: source.source.name().to_owned(), lines: vec![count(source)] };
    let names = tongue.list(empty.iter().map(|source| source.source.name()));
    let nothing = tongue.fill("nothing-of-list", [("sources", Blank::ours(names))]);
    let nothing = (!empty.is_empty()).then(|| tongue.fact("nothing-of", [nothing]));
    listed.iter().map(fact).chain(nothing).collect()
}

fn unknown(tongue: &Tongue, rule: &RuleStatus) -> Fact {
    let doubts = rule.doubts.iter().map(|doubt| tongue.doubt(*doubt));
    tongue.fact("label-unknown", [tongue.fill("unknown", [("app", (&rule.app).into())])].into_iter().chain(doubts))
}
